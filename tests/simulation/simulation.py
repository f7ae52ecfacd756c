"""One history from its seed: what people do, what goes wrong, whether the promises held and all came right in time."""

import hashlib
from dataclasses import dataclass
from random import Random

from mira.registry.document import DocumentInvalid
from mira.registry.entry import Pointer, render_pointer
from mira.registry.keys import StageKey
from tests.simulation.faults import KUBERNETES, OF_PROCESSES, OF_SERVERS, OF_THE_WORLD, S3, Fault, draw
from tests.simulation.people import GaveUp, Team
from tests.simulation.scheduler import Task
from tests.simulation.workloads import CLUSTER_LOST, WORKLOADS, Workload, wrong
from tests.simulation.world import Process, World

TROUBLE = 40.0
# A look every 30 s, and what the look takes.
IN_TIME = 32.0
QUIET = 60.0
END_OF_TIME = 3000.0
STEP = 0.5
NEVER = float("-inf")
RENEWAL = "patch Lease mira-operator -> done"


@dataclass(frozen=True)
class Plan:
    """All that makes a history what it is."""

    seed: int
    workloads: tuple[str, ...]
    operators: int
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {', '.join(self.workloads)}; {self.operators} operators"]
        return "\n".join([*lines, *(f"  {fault}" for fault in self.faults)])


def plan_of(seed: int) -> Plan:
    """The plan that a seed stands for."""
    random = Random(seed)
    workloads = tuple(random.choices(list(WORKLOADS), k=random.choice((1, 1, 2))))
    if CLUSTER_LOST in workloads:
        # Whoever else works in it would lose everything, too, and not know what to do.
        workloads = (CLUSTER_LOST,)
    return Plan(seed, workloads, random.choice((1, 2, 2, 3)), draw(random, within=TROUBLE))


@dataclass(frozen=True)
class Result:
    """How a history ended. `settled` is the time from the last disturbance until all was right."""

    plan: Plan
    problems: tuple[str, ...]
    settled: float
    told: tuple[tuple[float, str, str], ...]
    struck: tuple[tuple[float, Fault], ...]

    @property
    def digest(self) -> str:
        """The same for the same history."""
        return hashlib.sha256("\n".join(map(str, self.told)).encode()).hexdigest()

    def __str__(self) -> str:
        # A Lease that is renewed again and again is no news; the digest knows of it.
        news = [each for each in self.told if each[2] != RENEWAL]
        lines = [f"{at:9.3f}  {who:16} {what}" for at, who, what in news]
        return "\n".join([str(self.plan), *lines, *(f"WRONG: {problem}" for problem in self.problems)])


class Simulation:
    """One history."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.world = World(plan.seed, plan.faults, operators=plan.operators)
        self._right_since = NEVER
        self.teams: list[tuple[Team, Workload]] = []
        for number, name in enumerate(plan.workloads):
            team = Team(self.world, f"team-{number % 2}", f"model-{number}")
            if self.world.server.get("Namespace", None, team.namespace) is None:
                self.world.server.create_namespace(team.namespace)
            self.teams.append((team, WORKLOADS[name]))

    def run(self) -> Result:
        """The history's result; the same for the same plan."""
        scheduler, world = self.world.scheduler, self.world
        world.start()
        people = [scheduler.spawn("people", team.model, lambda t=team, w=work: w.does(t)) for team, work in self.teams]
        scheduler.spawn("trouble", "trouble", self._trouble)
        problems: list[str] = []
        try:
            problems = self._until_done(people) or self._until_right()
            # A minute and a half in which nothing must happen: looked at in every third history.
            if not problems and self.plan.seed % 3 == 0:
                problems = self._stays_quiet()
        except GaveUp as error:
            problems = [str(error), *self._wrong()]
        finally:
            scheduler.close()
        return Result(
            self.plan,
            (*world.promises.broken, *problems),
            max(0.0, self._right_since - self._last_disturbance()),
            tuple(world.told),
            tuple(world.weather.struck),
        )

    def _until_done(self, people: list[Task]) -> list[str]:
        """What keeps people or trouble from coming to their end."""
        world = self.world
        scheduler, broken = world.scheduler, world.promises.broken
        if not scheduler.run(lambda: bool(broken) or all(task.ended for task in people), limit=END_OF_TIME):
            return ["people are not done", *self._wrong()]
        return []

    def _until_right(self) -> list[str]:
        """What is still wrong when, after the last disturbance, the time is over in which all must come right."""
        world = self.world
        scheduler, broken = world.scheduler, world.promises.broken
        while not broken:
            right, last = not self._wrong(), self._last_disturbance()
            if not right or self._right_since < min(last, scheduler.now):
                self._right_since = scheduler.now if right else NEVER
            if right and scheduler.now >= max(last, TROUBLE, *world.away.values()):
                world.weather.over()
                return []
            if not right and scheduler.now >= last + IN_TIME:
                return [f"not right {IN_TIME:.0f} s after the last disturbance", *self._wrong()]
            scheduler.run(lambda: bool(broken), limit=scheduler.now + STEP)
        return []

    def _wrong(self) -> list[str]:
        found = [problem for team, workload in self.teams for problem in wrong(team, workload)]
        objects = self.world.store.objects
        for stage, entries in self.world.promises.entries.items():
            if objects.get(stage.pointer) != render_pointer(objects[stage.entry(len(entries))]):
                found.append(f"{stage.pointer} does not show entry {len(entries)}")
        return found

    def _stays_quiet(self) -> list[str]:
        """All stays as it is, and nothing but the Lease is written."""
        world = self.world
        # The last status of a stage may still be on its way.
        world.scheduler.run(lambda: False, limit=world.scheduler.now + 35.0)
        since = world.scheduler.now
        world.scheduler.run(lambda: False, limit=since + QUIET)
        world.promises.kept()
        quiet = [] if world.promises.last_write <= since else ["something was written although all was right"]
        return quiet + self._wrong()

    def _last_disturbance(self) -> float:
        """When people, faults and the end of faults last changed anything."""
        world = self.world
        lasting = ("carried out late", "frozen before it")
        times = [at + (fault.amount if fault.what in lasting else 0) for at, fault in world.weather.struck]
        return max(world.disturbed, *times, *world.away.values())

    # --- what goes wrong by itself

    def _trouble(self) -> None:
        world = self.world
        kinds = (*OF_SERVERS, *OF_PROCESSES, *OF_THE_WORLD)
        while (at := world.weather.next_at(kinds)) is not None:
            world.scheduler.sleep(max(0.0, at - world.scheduler.now))
            fault = world.weather.due(kinds, world.scheduler.now)
            if fault is not None:
                world.act("trouble", str(fault), lambda fault=fault: self._strikes(fault))

    def _strikes(self, fault: Fault) -> None:
        world = self.world
        now, random = world.scheduler.now, world.scheduler.random
        match fault.what:
            case "kubernetes away":
                world.away[KUBERNETES] = now + fault.amount
            case "s3 away":
                world.away[S3] = now + fault.amount
            case "told to end":
                random.choice(world.processes).told_to_end()
            case "a second leader":
                # Of the same name, each holds the other's Lease to be its own.
                twin = Process(world, "twin", identity=world.processes[0].identity)
                world.processes.append(twin)
                twin.start()
            case "clock set":
                world.set_clock(fault.amount)
            case "pod evicted" | "pod killed":
                self._pod(fault.what)
            case _:
                self._pointer(fault.what)

    def _pod(self, what: str) -> None:
        server = self.world.server
        running = [pod for pod in server.objects("Pod") if (pod.get("status") or {}).get("phase") == "Running"]
        if running:
            metadata = self.world.scheduler.random.choice(running)["metadata"]
            if what == "pod evicted":
                self.world.jobs.evict(metadata["namespace"], metadata["name"])
            else:
                server.delete("Pod", metadata["namespace"], metadata["name"])

    def _pointer(self, what: str) -> None:
        """Somebody edits a pointer by hand."""
        objects = self.world.store.objects
        stages = sorted(self.world.promises.entries)
        if not stages:
            return
        stage = self.world.scheduler.random.choice(stages)
        match what:
            case "pointer deleted":
                objects.pop(stage.pointer, None)
            case "pointer garbled":
                objects[stage.pointer] = b"{}"
            case "pointer set back":
                number = self.world.scheduler.random.randint(1, len(self.world.promises.entries[stage]))
                objects[stage.pointer] = render_pointer(objects[stage.entry(number)])
            case "pointer forged":
                objects[stage.pointer] = self._forged(stage)
        self.world.promises.pointer_edited(stage)

    def _forged(self, stage: StageKey) -> bytes:
        """A pointer that renders no entry: a number that does not exist, as if it were the rendering of one."""
        entries = self.world.promises.entries[stage]
        raw = self.world.store.objects[stage.entry(len(entries))]
        try:
            real = Pointer.parse(render_pointer(raw))
        except DocumentInvalid:
            return b"[]"
        return real.model_copy(update={"number": len(entries) + 2}).render()


def simulate(plan: Plan) -> Result:
    """The result of one plan; always the same."""
    return Simulation(plan).run()
