"""One simulated world: the two servers, operators that are started again when they die, a cluster that runs pods."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from mira.adapters.metrics import Metrics
from mira.controller.clock import Clock
from mira.controller.operator import Operator, Outside
from mira.controller.settings import Settings
from mira.registry.memory import MemoryStore
from mira.registry.store import Put
from tests.simulation.apiserver import ApiServer
from tests.simulation.collecting import Collector
from tests.simulation.faults import KUBERNETES, S3, Call, Fault, Weather
from tests.simulation.jobs import JobController
from tests.simulation.network import SimulatedCluster, SimulatedStore
from tests.simulation.node import Node
from tests.simulation.promises import Promises
from tests.simulation.scheduler import Condition, Scheduler, SimulatedThreads
from tests.simulation.streams import Streams
from tests.simulation.training import train

T = TypeVar("T")
START = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
ACCOUNT = "system:serviceaccount:mira-system:mira-operator"
IMAGE = f"instant.example.com/mira@sha256:{'b' * 64}"
SYSTEM = "mira-system"


class World:
    """Everything of one history. `told` is what happened, in order."""

    def __init__(self, seed: int, faults: tuple[Fault, ...], *, operators: int) -> None:
        self.scheduler = Scheduler(Random(seed))
        self.weather = Weather(faults)
        self.told: list[tuple[float, str, str]] = []
        self.away = {KUBERNETES: 0.0, S3: 0.0}
        self.skew = timedelta()
        self.changed = Condition(self.scheduler)
        self.store = MemoryStore()
        self.promises = Promises(self)
        self.disturbed = 0.0
        self.new_cluster()
        self.processes = [Process(self, f"operator-{n}") for n in range(operators)]
        self.scheduler.spawn("the cluster", "jobs", self._run_jobs)

    def new_cluster(self) -> None:
        """An empty cluster with Mira installed; what was in the old one is gone, what is in S3 is not."""
        random = self.scheduler.random
        self.server = ApiServer(self.now, random)
        self.server.create_namespace(SYSTEM)
        self.server.install_policies([ACCOUNT], since=self.now() - timedelta(days=30))
        node = Node(self.server, self.now, ends=lambda pod: train(self.store, pod, self.now()))
        self.jobs = JobController(self.server, self.now, random, node)
        self._collector = Collector(self.server, random)
        self._looked = self.server.revision

    def lose_cluster(self) -> None:
        """The cluster burns down with everything in it, and an empty one takes its place; S3 has what it had."""
        for process in self.processes:
            process.killed()
        self.new_cluster()

    def now(self) -> datetime:
        """The servers' time, in whole seconds."""
        return START + timedelta(seconds=int(self.scheduler.now))

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def tell(self, who: str, what: str) -> None:
        """Writes down that something happened."""
        self.told.append((round(self.scheduler.now, 6), who, what))

    def effect(self, call: Call, effect: Callable[[], T]) -> T:
        """Lets a call take effect, all at once, and has the promises looked at after it."""
        try:
            answer = effect()
        except Exception as error:
            self.tell(call.process, f"{call.verb} {call.about} {call.name} -> {type(error).__name__}")
            raise
        if call.writes:
            self.tell(call.process, f"{call.verb} {call.about} {call.name} -> {getattr(answer, 'value', 'done')}")
            if answer is not Put.UNCLEAR:
                self.promises.written(call)
            self.look()
        return answer

    def act(self, who: str, what: str, act: Callable[[], T]) -> T:
        """Lets somebody other than an operator do something."""
        self.tell(who, what)
        self.disturbed = self.scheduler.now
        answer = act()
        self.look()
        return answer

    def look(self) -> None:
        """Wakes who waits for a change, and holds what changed against the promises."""
        if self.server.revision != self._looked:
            changes = self.server.history.since(self._looked)
            self._looked = self.server.revision
            for change in changes:
                self.promises.changed(change)
            self.changed.notify_all()

    def kill(self, process: str) -> None:
        """Kills a process, which is started again soon."""
        self.disturbed = self.scheduler.now
        for each in self.processes:
            if each.owner == process:
                each.killed()

    def freeze(self, process: str, seconds: float) -> None:
        """Stops a process for some time, as SIGSTOP does."""
        self.scheduler.freeze(process)

        def thaw() -> None:
            self.scheduler.sleep(seconds)
            self.disturbed = self.scheduler.now
            self.scheduler.thaw(process)

        self.scheduler.spawn("the machine", "thaw", thaw)

    def set_clock(self, seconds: float) -> None:
        """Sets every operator's clock wrong; the servers' stay right."""
        self.skew = timedelta(seconds=seconds)

    def stale_lists(self, behind: int, seconds: float) -> None:
        """Has every list answered from the past for some time."""
        server = self.server
        server.lists_behind = behind

        def catch_up() -> None:
            self.scheduler.sleep(seconds)
            self.disturbed = self.scheduler.now
            server.lists_behind = 0

        self.scheduler.spawn("the cluster", "catch up", catch_up)

    def _run_jobs(self) -> None:
        while True:
            self.scheduler.sleep(self.scheduler.random.uniform(0.05, 0.6))
            did = self.jobs.step() or self._collector.collect()
            if did is None:
                due = self.jobs.next_due()
                waits = (due - self.now()).total_seconds() if due else 30.0
                self.changed.wait(min(waits, 30.0))
            else:
                self.act("the cluster", did, lambda: None)


class Process:
    """One operator's pod: whenever the operator in it dies, another one is started under the same name."""

    def __init__(self, world: World, name: str, identity: str | None = None) -> None:
        self.world = world
        self.name = name
        self.identity = identity or name
        self.life = 0
        self.operator: Operator | None = None

    @property
    def owner(self) -> str:
        """The name of its present life."""
        return f"{self.name}.{self.life}"

    def start(self) -> None:
        """Starts the operator, with nothing remembered."""
        self.life += 1
        world, owner = self.world, self.owner
        world.tell(owner, "starts")
        self.operator = Operator(self._settings(), self._outside(owner), Metrics())
        world.scheduler.spawn(owner, "start", self.operator.start)

    def killed(self) -> None:
        """It is dead at once; its container is started again after a while."""
        self.world.tell(self.owner, "is killed")
        self.world.scheduler.kill(self.owner)
        self.world.scheduler.spawn("the machine", "restart", self._again)

    def told_to_end(self) -> None:
        """As SIGTERM: it ends in good order, and is started again."""
        self.world.tell(self.owner, "is told to end")
        operator, owner = self.operator, self.owner

        def end() -> None:
            if operator is not None:
                operator.stop()
            if self.owner == owner:
                self.world.disturbed = self.world.scheduler.now
                self.killed()

        self.world.scheduler.spawn(owner, "stop", end)

    def _again(self) -> None:
        self.world.scheduler.sleep(self.world.scheduler.random.uniform(0.5, 3.0))
        self.world.disturbed = self.world.scheduler.now
        self.start()

    def _settings(self) -> Settings:
        return Settings(
            registry="s3://models/mira",
            cluster_name="simulated",
            identity=self.identity,
            workers=3,
            operator_accounts=(ACCOUNT,),
            default_image=IMAGE,
        )

    def _outside(self, owner: str) -> Outside:
        world = self.world
        scheduler = world.scheduler
        return Outside(
            cluster=SimulatedCluster(world, owner),
            store=SimulatedStore(world, owner),
            watch=lambda tell, ended: Streams(world, owner, world.changed, tell, ended),
            leases=SimulatedCluster(world, owner),
            clock=Clock(now=lambda: world.now() + world.skew, monotonic=lambda: scheduler.now),
            threads=SimulatedThreads(scheduler, owner),
            random=Random(scheduler.random.getrandbits(32)),
        )
