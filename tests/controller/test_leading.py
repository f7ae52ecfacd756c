"""The Lease in simulated time: one holder at most, whatever is lost, late or stopped, and never nobody for long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from mira.adapters.cluster import Answer, ClusterUnavailable, Refused
from mira.adapters.metrics import Metrics
from mira.controller.clock import Clock
from mira.controller.fencing import FencedCluster, FencedStore, NotLeading
from mira.controller.leading import Claim, Elector
from mira.registry.memory import MemoryStore
from mira.registry.store import StoreUnavailable
from tests.simulation.apiserver import ApiServer
from tests.simulation.scheduler import Scheduler, SimulatedThreads

START = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
DURATION = 10
Trouble = Callable[[str, str], str]


class Cut:
    """One operator's connection: `trouble` says of each call what becomes of it."""

    def __init__(self, ground: "Ground", name: str, trouble: Trouble) -> None:
        self._ground, self._name, self._trouble = ground, name, trouble

    def get(self, kind: str, namespace: str | None, name: str) -> Any:
        return self._carry("get", lambda: self._ground.server.get(kind, namespace, name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> Any:
        raise NotImplementedError

    def create(self, kind: str, namespace: str, body: Any, *, dry_run: bool = False) -> Any:
        if kind == "Event":
            return body
        return self._carry("create", lambda: self._ground.server.create(kind, namespace, body))

    def patch(self, kind: str, namespace: str, name: str, body: Any) -> Any:
        return self._carry("patch", lambda: self._ground.server.patch(kind, namespace, name, body))

    patch_status = patch

    def _carry(self, verb: str, effect: Callable[[], Any]) -> Any:
        scheduler = self._ground.scheduler
        scheduler.sleep(scheduler.random.uniform(0.001, 0.02))
        match self._trouble(self._name, verb):
            case "away":
                scheduler.sleep(2.0)
                raise ClusterUnavailable("away")
            case "answer lost":
                self._try(effect)
                raise ClusterUnavailable("lost")
            case "late":
                scheduler.sleep(scheduler.random.uniform(1, 25))
            case "carried out late":
                scheduler.spawn("network", "late", lambda: (scheduler.sleep(9.0), self._try(effect)))
                scheduler.sleep(2.0)
                raise ClusterUnavailable("no answer in time")
            case "refused":
                raise Refused(403, "Forbidden", "leases is forbidden")
        answer = effect()
        scheduler.sleep(scheduler.random.uniform(0.001, 0.02))
        return answer

    def _try(self, effect: Callable[[], Any]) -> None:
        try:
            effect()
        except (Answer, ClusterUnavailable):
            return


class Ground:
    """Some operators that want one Lease."""

    def __init__(self, seed: int, names: str, trouble: Trouble = lambda *_: "", since: str = "") -> None:
        self.scheduler = Scheduler(Random(seed))
        self.server = ApiServer(self.now, self.scheduler.random)
        self.server.create_namespace("mira-system")
        self.changes: list[tuple[str, str]] = []
        self.electors = {name: self.elector(name, trouble) for name in names}

    def now(self) -> datetime:
        return START + timedelta(seconds=int(self.scheduler.now))

    def elector(self, name: str, trouble: Trouble = lambda *_: "") -> Elector:
        return Elector(
            Cut(self, name, trouble),
            Claim("mira-operator", "mira-system", name, DURATION),
            Clock(now=self.now, monotonic=lambda: self.scheduler.now),
            SimulatedThreads(self.scheduler, name),
            lambda: self.changes.append((name, "gained")),
            lambda: self.changes.append((name, "lost")),
        )

    def start(self) -> None:
        for elector in self.electors.values():
            elector.start()

    def leaders(self) -> list[str]:
        return [name for name, elector in self.electors.items() if elector.leads()]

    def until(self, holds: Callable[[], bool], *, within: float) -> float:
        """The seconds that it took; checked after every step that one leads at most."""
        began = self.scheduler.now

        def looked() -> bool:
            assert len(self.leaders()) <= 1, self.leaders()
            return holds()

        assert self.scheduler.run(looked, limit=began + within)
        return self.scheduler.now - began

    def pass_time(self, seconds: float) -> None:
        until = self.scheduler.now + seconds
        self.scheduler.spawn("time", "time", lambda: self.scheduler.sleep(seconds))
        self.until(lambda: self.scheduler.now >= until, within=seconds + 1)

    def holder(self) -> str:
        lease = self.server.get("Lease", "mira-system", "mira-operator")
        return str(lease["spec"]["holderIdentity"]) if lease else ""


@contextmanager
def ground(*arguments: Any, **named: Any) -> Iterator[Ground]:
    made = Ground(*arguments, **named)
    made.start()
    try:
        yield made
    finally:
        made.scheduler.close()


def test_the_first_takes_it_at_once_and_keeps_it() -> None:
    with ground(1, "ab") as g:
        assert g.until(lambda: bool(g.leaders()), within=5) < 0.2
        leader = g.leaders()
        g.pass_time(120)
        assert g.leaders() == leader == [g.holder()]
        assert g.changes == [(leader[0], "gained")]


def test_told_to_stop_it_gives_it_back_and_the_other_takes_it_within_a_second() -> None:
    with ground(2, "ab") as g:
        g.until(lambda: bool(g.leaders()), within=5)
        (first,) = g.leaders()
        g.scheduler.spawn(first, "stop", lambda: g.electors[first].stop(seconds=5))
        g.until(lambda: g.holder() == "", within=1)
        assert g.until(lambda: bool(g.leaders()), within=5) < 1.0
        assert g.leaders() != [first]


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_one_that_says_nothing_any_more_is_replaced_when_its_time_is_over(how: str) -> None:
    with ground(3, "ab") as g:
        g.until(lambda: bool(g.leaders()), within=5)
        (first,) = g.leaders()
        getattr(g.scheduler, how)(first)
        taken = g.until(lambda: g.leaders() not in ([], [first]), within=30)
        # The last renewal was up to 2 s ago, a look every half second, and a margin for calls.
        assert DURATION - 2.5 <= taken <= DURATION + 1.0


def test_thawed_after_its_time_it_leads_no_more_and_says_so() -> None:
    with ground(4, "ab") as g:
        g.until(lambda: bool(g.leaders()), within=5)
        (first,) = g.leaders()
        g.scheduler.freeze(first)
        g.until(lambda: g.leaders() not in ([], [first]), within=30)
        g.scheduler.thaw(first)
        g.pass_time(30)
        assert (first, "lost") in g.changes
        assert g.leaders() != [first]


def test_started_again_under_its_own_name_it_waits_for_nothing() -> None:
    with ground(5, "a") as g:
        g.until(lambda: bool(g.leaders()), within=5)
        g.scheduler.kill("a")
        again = g.electors["a"] = g.elector("a")
        g.scheduler.spawn("a-again", "start", again._run)
        assert g.until(again.leads, within=5) < 0.2


def test_a_lease_that_was_deleted_is_made_again() -> None:
    with ground(6, "ab") as g:
        g.pass_time(5)
        g.server.delete("Lease", "mira-system", "mira-operator")
        g.until(lambda: bool(g.holder()), within=5)
        g.pass_time(30)
        assert g.leaders() == [g.holder()]


@pytest.mark.parametrize("change", ["gained", "lost"])
def test_a_change_that_could_not_be_told_is_told_again(change: str) -> None:
    with ground(4, "") as g:
        elector = g.elector("a")
        tell, failures = getattr(elector, change), []

        def fails_once() -> None:
            if not failures:
                failures.append(change)
                raise RuntimeError("no thread can be started")
            tell()

        setattr(elector, change, fails_once)
        elector.start()
        g.electors["a"] = elector
        g.pass_time(10)
        if change == "lost":
            g.server.patch("Lease", "mira-system", "mira-operator", {"spec": {"holderIdentity": "b"}})
            g.pass_time(10)
        assert failures == [change]
        assert g.changes[-1] == ("a", change)


def test_without_the_right_to_it_nobody_leads_and_it_is_said() -> None:
    with ground(7, "a", lambda *_: "refused") as g:
        g.pass_time(20)
        assert g.leaders() == []
        assert "forbidden" in g.electors["a"].problem()


def test_a_renewal_that_hangs_leaves_time_for_another() -> None:
    hangs = [1]

    def trouble(_: str, verb: str) -> str:
        return "away" if verb == "patch" and hangs and hangs.pop() else ""

    with ground(8, "a", trouble) as g:
        g.until(lambda: bool(g.leaders()), within=5)
        g.pass_time(30)
        assert g.changes == [("a", "gained")]


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_lost_late_or_stopped_one_leads_at_most_and_one_in_the_end(part: int) -> None:
    for seed in range(part * 10, part * 10 + 10):
        chance = Random(seed)
        troubled = [True]

        def trouble(_name: str, _verb: str, chance: Random = chance, troubled: list[bool] = troubled) -> str:
            if not troubled[0]:
                return ""
            return chance.choices(("", "away", "answer lost", "late", "carried out late"), (70, 10, 8, 6, 6))[0]

        with ground(seed, "abc", trouble) as g:
            for _ in range(6):
                name = chance.choice("abc")
                g.scheduler.freeze(name)
                g.pass_time(chance.choice((1.0, 9.0, 30.0)))
                g.scheduler.thaw(name)
                g.pass_time(chance.uniform(0, 20))
            troubled[0] = False
            # Answers that are late may still be under way.
            g.pass_time(30)
            g.until(lambda g=g: len(g.leaders()) == 1, within=DURATION + 3)  # type: ignore[misc]
            assert g.leaders() == [g.holder()]


def test_without_the_lease_nothing_is_written() -> None:
    leads = [False]
    g = Ground(9, "")
    g.server.create_namespace("team-a")
    cluster = FencedCluster(g.server, lambda: leads[0])
    store = FencedStore(MemoryStore(), lambda: leads[0])
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}}
    writes: list[Callable[[], Any]] = [
        lambda: cluster.create("Event", "team-a", event),
        lambda: cluster.patch("Event", "team-a", "e", {"note": "x"}),
        lambda: cluster.patch_status("ModelStage", "team-a", "e", {}),
        lambda: store.create("a", b"1"),
        lambda: store.replace("a", b"2", "etag"),
    ]
    for write in writes:
        with pytest.raises(NotLeading):
            write()
    assert cluster.get("Event", "team-a", "e") is None
    assert store.get("a", limit=9) is None
    leads[0] = True
    writes[0]()
    writes[3]()
    assert store.get("a", limit=9) is not None
    # What was to be written is decided anew when somebody leads again: as after any store that does not answer.
    assert issubclass(NotLeading, StoreUnavailable)
    assert issubclass(NotLeading, ClusterUnavailable)


def test_the_metric_says_who_leads() -> None:
    with ground(10, "a") as g:
        metrics = Metrics()
        metrics.leads.set_function(g.electors["a"].leads)
        assert metrics.registry.get_sample_value("mira_leads") == 0
        g.until(lambda: bool(g.leaders()), within=5)
        assert metrics.registry.get_sample_value("mira_leads") == 1
