"""What the simulator may do to the model of the cluster beyond what a quiet real one does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from mira.adapters.admission import prove
from mira.adapters.cluster import Absent, NamespaceTerminating, Object
from tests.simulation.apiserver import ApiServer
from tests.simulation.collecting import Collector
from tests.simulation.histories import JOB, RUN
from tests.simulation.jobs import JobController
from tests.simulation.node import Ending, Node
from tests.simulation.watches import Watch

OPERATOR = "system:serviceaccount:mira-system:mira-operator"
TEAM = "team-a"
HOUR = timedelta(hours=1)


class Clock:
    now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def chance(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 - the same history from the same seed


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> ApiServer:
    made = ApiServer(lambda: clock.now, chance())
    made.create_namespace(TEAM)
    return made


@pytest.fixture
def watch(server: ApiServer) -> Watch:
    """A watch of runs that has told of everything so far."""
    made = Watch(server, "TrainingRun", chance())
    made.connect()
    return made


def create(server: ApiServer, *names: str, **metadata: object) -> None:
    for name in names:
        body = {"apiVersion": "mira.constellation.dev/v1alpha1", "kind": "TrainingRun", "spec": RUN}
        server.create("TrainingRun", TEAM, body | {"metadata": {"name": name, **metadata}})


def told(watch: Watch) -> Iterator[tuple[str, str, int]]:
    while (event := watch.deliver()) is not None:
        yield event.type, event.body["metadata"]["name"], event.body["metadata"]["generation"]


def suspend(server: ApiServer, name: str, *, suspended: bool = True) -> None:
    server.patch("TrainingRun", TEAM, name, {"spec": {"suspend": suspended}})


# --- policies


def test_policies_that_are_in_force_are_proven_and_since_when(server: ApiServer, clock: Clock) -> None:
    server.install_policies([OPERATOR], since=clock.now - HOUR)
    assert prove(server, TEAM, accounts=[OPERATOR]).since == clock.now - HOUR


def test_a_policy_that_somebody_touched_is_as_young_as_that(server: ApiServer, clock: Clock) -> None:
    server.install_policies([OPERATOR], since=clock.now - HOUR)
    clock.now += HOUR
    note = {"metadata": {"annotations": {"note": "x"}}}
    server.patch("ValidatingAdmissionPolicy", None, "mira-runs", note)
    assert prove(server, TEAM, accounts=[OPERATOR]).since == clock.now


def audit_only(body: Object) -> None:
    body["spec"]["validationActions"] = ["Audit"]


def test_a_binding_that_only_audits_lets_the_canary_pass(server: ApiServer) -> None:
    server.install_policies([OPERATOR])
    server.change("ValidatingAdmissionPolicyBinding", None, "mira-promotions", audit_only)
    assert prove(server, TEAM, accounts=[OPERATOR]).problem


def test_a_policy_that_is_gone_is_missed(server: ApiServer) -> None:
    server.install_policies([OPERATOR])
    server.delete("ValidatingAdmissionPolicy", None, "mira-promotions")
    assert "is missing" in prove(server, TEAM, accounts=[OPERATOR]).problem


# --- lists and watches


def test_a_stale_list_is_a_list_of_some_time_ago(server: ApiServer) -> None:
    create(server, "one", "two")
    server.delete("TrainingRun", TEAM, "one")
    server.lists_behind = 3
    seen = {tuple(body["metadata"]["name"] for body in server.list("TrainingRun")) for _ in range(50)}
    assert seen == {(), ("one",), ("one", "two"), ("two",)}


def test_a_watch_lists_and_then_tells_what_changes(server: ApiServer) -> None:
    create(server, "one")
    watch = Watch(server, "TrainingRun", chance())
    watch.connect()
    create(server, "two")
    suspend(server, "one")
    server.delete("TrainingRun", TEAM, "two")
    events = [("LISTED", "one", 1), ("ADDED", "two", 1), ("MODIFIED", "one", 2), ("DELETED", "two", 1)]
    assert list(told(watch)) == events


def test_an_event_that_is_dropped_never_comes_and_a_duplicated_one_comes_twice(server: ApiServer, watch: Watch) -> None:
    create(server, "one", "two")
    assert watch.drop() and watch.duplicate()
    assert list(told(watch)) == [("ADDED", "two", 1)] * 2
    assert not watch.drop() and not watch.duplicate()


def test_reordered_events_keep_the_order_of_each_object(server: ApiServer, watch: Watch) -> None:
    create(server, "one")
    suspend(server, "one")
    create(server, "two")
    suspend(server, "two")
    assert watch.reorder()
    assert [event for event, name, _ in told(watch) if name == "two"] == ["ADDED", "MODIFIED"]
    create(server, "three")
    suspend(server, "three")
    assert not watch.reorder()


def test_events_reordered_within_an_object_come_older_after_newer(server: ApiServer, watch: Watch) -> None:
    create(server, "one")
    suspend(server, "one")
    assert watch.reorder_within_object()
    assert list(told(watch)) == [("MODIFIED", "one", 2), ("ADDED", "one", 1)]


@pytest.mark.parametrize("end", [Watch.disconnect, Watch.expire, Watch.go_silent])
def test_a_deletion_that_no_stream_told_of_is_only_missing_from_the_next_list(server: ApiServer, end: object) -> None:
    create(server, "one", "two")
    watch = Watch(server, "TrainingRun", chance())
    watch.connect()
    assert callable(end)
    end(watch)
    server.delete("TrainingRun", TEAM, "one")
    assert watch.pending() == 0 and watch.deliver() is None
    watch.connect()
    assert list(told(watch)) == [("LISTED", "two", 1)]


# --- deletion


def test_what_an_owner_leaves_behind_is_collected_and_nothing_else(server: ApiServer) -> None:
    create(server, "one", "two")
    owner = {"apiVersion": "mira.constellation.dev/v1alpha1", "kind": "TrainingRun", "controller": True}
    for name in ("one", "two"):
        run = server.get("TrainingRun", TEAM, name)
        assert run is not None
        metadata = {"name": name, "ownerReferences": [owner | {"name": name, "uid": run["metadata"]["uid"]}]}
        server.create("Job", TEAM, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": JOB})
    collector = Collector(server, chance())
    assert collector.collect() is None
    server.delete("TrainingRun", TEAM, "one")
    create(server, "one")  # of the same name, and no owner of what the first one left
    assert collector.collect() == f"collected Job {TEAM}/one"
    assert collector.collect() is None and server.get("Job", TEAM, "two")


def test_a_namespace_that_is_deleted_takes_nothing_new_and_goes_last(server: ApiServer) -> None:
    create(server, "one", "two")
    create(server, "held", finalizers=["example.com/held"])
    server.delete_namespace(TEAM)
    with pytest.raises(NamespaceTerminating):
        create(server, "three")
    collector = Collector(server, chance())
    while collector.collect():
        pass
    (left,) = server.list("TrainingRun")
    assert left["metadata"]["deletionTimestamp"] and left["metadata"]["generation"] == 2
    server.patch("TrainingRun", TEAM, "held", {"metadata": {"finalizers": None}})
    assert collector.collect() == f"collected Namespace /{TEAM}"
    with pytest.raises(Absent):
        create(server, "three")


# --- Jobs


class Training:
    """A node with a Job controller, and how its containers end."""

    def __init__(self, server: ApiServer, clock: Clock) -> None:
        self.codes: list[int] = []
        self.seen: list[Object] = []
        node = Node(server, lambda: clock.now, ends=self._end)
        self._server, self._clock = server, clock
        self.controller = JobController(server, lambda: clock.now, chance(), node)

    def _end(self, pod: Object) -> Ending:
        self.seen.append(pod)
        return Ending(self.codes.pop(0))

    def create(self, **spec: object) -> None:
        job = {name: value for name, value in JOB.items() if name != "managedBy"} | {"suspend": False} | spec
        metadata = {"name": "job"}
        self._server.create("Job", TEAM, {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job})

    def until(self, what: str) -> None:
        """Lets one after another happen until it has been this; no container ends meanwhile."""
        happened = ""
        while what not in happened:
            step = next(step for step in self.controller.steps() if not step.what.startswith("container"))
            step.act()
            happened = step.what

    def pods(self) -> list[Object]:
        return self._server.objects("Pod")

    def end(self) -> tuple[str, str]:
        """The Job's last condition, once nothing happens any more however late it gets."""
        while True:
            if self.controller.step() is None:
                due = self.controller.next_due()
                if due is None or due > self._clock.now + 10 * HOUR:
                    break
                self._clock.now = due
        job = self._server.get("Job", TEAM, "job")
        last = job["status"]["conditions"][-1] if job else {"type": "Gone", "reason": ""}
        return last["type"], last["reason"]


@pytest.fixture
def training(server: ApiServer, clock: Clock) -> Training:
    return Training(server, clock)


def test_a_failed_pod_is_replaced_after_a_while_until_one_succeeds(training: Training, clock: Clock) -> None:
    began = clock.now
    training.codes = [1, 1, 0]
    training.create(backoffLimit=2)
    assert training.end() == ("Complete", "CompletionsReached")
    assert len(training.pods()) == 3
    assert clock.now - began == timedelta(seconds=10 + 20)


def test_an_evicted_pod_is_replaced_and_does_not_count(training: Training) -> None:
    training.codes = [0]
    rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    training.create(backoffLimit=0, podFailurePolicy={"rules": rules})
    training.until("node starts")
    training.controller.evict(TEAM, training.pods()[0]["metadata"]["name"])
    assert training.end() == ("Complete", "CompletionsReached")
    assert len(training.pods()) == 2


def test_a_deadline_stops_the_pod_and_fails_the_job(training: Training, clock: Clock) -> None:
    training.codes = [143]
    training.create(activeDeadlineSeconds=60)
    training.until("node starts")
    training.until("is told of")
    clock.now += timedelta(seconds=60)
    training.until("stops")
    assert training.end() == ("Failed", "DeadlineExceeded")
    assert [bool(pod["metadata"].get("deletionTimestamp")) for pod in training.seen] == [True]


def test_a_finished_job_leaves_when_its_time_has_come(training: Training, server: ApiServer) -> None:
    training.codes = [0]
    training.create(ttlSecondsAfterFinished=3600)
    assert training.end() == ("Gone", "")
    assert Collector(server, chance()).collect()


def test_a_suspended_job_loses_its_pod_and_gets_another_when_it_goes_on(training: Training, server: ApiServer) -> None:
    training.codes = [143, 0]
    training.create()
    training.until("node starts")
    server.patch("Job", TEAM, "job", {"spec": {"suspend": True}})
    training.until("stops")
    assert training.end() == ("Suspended", "JobSuspended")
    assert training.pods() == []
    server.patch("Job", TEAM, "job", {"spec": {"suspend": False}})
    assert training.end() == ("Complete", "CompletionsReached")
