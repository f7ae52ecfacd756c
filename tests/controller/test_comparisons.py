"""A promotion whose pair was never compared has a Job made that compares it, goes on by itself, and says what fails."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mira.adapters.cluster import NamespaceTerminating, Object, Refused
from mira.controller.queue import Key
from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.keys import VersionKey
from mira.registry.manifest import Direction
from mira.registry.memory import MemoryStore
from mira.registry.outcome import Outcome, Result
from mira.registry.store import Fingerprint, StoreUnavailable
from tests.controller.leading_operator import operator
from tests.controller.test_passes_under_trouble import Cluster
from tests.support.world import KEY, MODEL, NAMESPACE, NOON, STAGE, promotion, publish, stage

GATES = [{"metric": "roc_auc", "maxRegression": "0.01"}]
NEWER = Key("ModelPromotion", NAMESPACE, "newer")
UID = "0a1b2c3d-1111-4222-8333-444455556666"


class Team:
    """Version v1 is current, v2 is asked for, and nobody has compared the two."""

    def __init__(self, cluster: Cluster | None = None, store: MemoryStore | None = None) -> None:
        self.store, self.cluster = store or MemoryStore(), cluster or Cluster()
        self.v1, self.v2 = publish(self.store, "v1"), publish(self.store, "v2")
        self.mira = operator(self.cluster, self.store)
        self.put("ModelStage", stage(gates=GATES).model_dump(by_alias=True, mode="json", exclude_none=True))
        self.ask("older", "v1", self.v1, uid="uid-older", minute=0)
        self.look(Key("ModelPromotion", NAMESPACE, "older"))
        self.ask("newer", "v2", self.v2, uid=UID, minute=2)

    def put(self, kind: str, body: Object) -> None:
        self.cluster.objects[kind, body["metadata"]["name"]] = body
        self.mira.cache.put(kind, body)

    def ask(self, name: str, version: str, digest: str, *, uid: str, minute: int) -> None:
        asked = promotion(name, version, uid=uid, created=NOON.replace(minute=minute), approvals={"bob": digest})
        self.put("ModelPromotion", asked.model_dump(by_alias=True, mode="json", exclude_none=True))

    def look(self, key: Key = NEWER) -> float | None:
        return self.mira._pass(key).seconds

    def settle(self) -> None:
        """Until the promotion says its end, which it does once its stage has moved the pointer."""
        for key in (NEWER, Key("ModelStage", NAMESPACE, f"{MODEL}.{STAGE}"), NEWER):
            self.look(key)

    def said(self) -> tuple[str, str]:
        """Reason and message of Ready of the newer promotion."""
        status = self.cluster.objects["ModelPromotion", "newer"]["status"]
        (ready,) = (each for each in status["conditions"] if each["type"] == "Ready")
        return ready["reason"], ready["message"]

    def jobs(self) -> list[Object]:
        return self.cluster.list("Job")

    def job_ends(self, kind: str, made: str = "2026-11-25T12:00:00Z") -> None:
        (job,) = self.jobs()
        job["metadata"]["creationTimestamp"] = made
        end = {"type": kind, "status": "True", "message": "so it is", "lastTransitionTime": "2026-11-25T12:30:00Z"}
        job["status"] = {"conditions": [end]}
        self.mira.cache.put("Job", job | {"metadata": job["metadata"] | {"resourceVersion": "900"}})

    def compared(self, lower: str = "0") -> None:
        """What the Job writes."""
        difference = Difference(
            metric="roc_auc", direction=Direction.HIGHER, candidate="0.80", current="0.80", lower=lower, upper="0"
        )
        answer = Comparison(
            candidate=self.v2,
            current=self.v1,
            current_version="v1",
            verdict=Verdict.COMPARED,
            rows=200,
            differences=[difference],
            created_at=NOON,
        )
        self.store.objects[self.key.comparison(self.v2, self.v1)] = answer.render()

    @property
    def key(self) -> VersionKey:
        return VersionKey(NAMESPACE, MODEL, "v2")


def test_it_is_compared_by_one_job_and_goes_on() -> None:
    team = Team()
    team.look()
    assert team.said()[0] == "Comparing"
    (job,) = team.jobs()
    assert [owner["name"] for owner in job["metadata"]["ownerReferences"]] == ["newer"]
    team.look()
    assert len(team.jobs()) == 1
    team.compared()
    team.job_ends("Complete")
    team.settle()
    assert team.said() == ("Promoted", "version v2 is current instead of v1 as entry 2, approved by bob")


def test_a_comparison_that_shows_a_regression_refuses_it() -> None:
    team = Team()
    team.look()
    team.compared(lower="-0.2")
    team.look()
    assert team.said()[0] == "GatesFailed"


def test_waiting_for_the_job_writes_nothing_more() -> None:
    team = Team()
    team.look()
    version = team.cluster.version
    for _ in range(3):
        team.look()
    assert team.cluster.version == version


def test_an_operator_with_an_empty_cache_finds_the_job_that_is_there() -> None:
    team = Team()
    team.look()
    other = operator(team.cluster, team.store)
    other.cache.put("ModelPromotion", team.cluster.objects["ModelPromotion", "newer"])
    other._pass(NEWER)
    assert len(team.jobs()) == 1


def test_an_event_says_that_it_is_being_compared() -> None:
    team = Team()
    team.look()
    events = [body for body in team.cluster.list("Event") if body["involvedObject"]["name"] == "newer"]
    assert [(body["type"], body["reason"]) for body in events] == [("Normal", "Comparing")]


class Later(MemoryStore):
    """Has the comparison written just when the Job's end is looked at: after the judge found none."""

    write: Callable[[], None] | None = None

    def head(self, key: str) -> Fingerprint | None:
        if "/comparisons/" in key and self.write is not None:
            self.write()
        return super().head(key)


def test_an_answer_that_came_between_two_reads_is_no_failure() -> None:
    store = Later()
    team = Team(store=store)
    team.look()
    team.job_ends("Complete")
    store.write = team.compared
    assert team.look() == 0
    assert team.said()[0] == "Comparing"
    team.settle()
    assert team.said()[0] == "Promoted"


def an_outcome(reason: str, minute: int) -> Outcome:
    moment = NOON.replace(minute=minute)
    return Outcome(
        attempt=f"0a1b2c3d-{minute:08d}",
        result=Result.FAILED,
        reason=reason,
        message="as told",
        retryable=False,
        step="ingest",
        started_at=moment,
        finished_at=moment,
    )


def test_a_job_that_failed_stalls_the_promotion_with_what_its_last_attempt_said() -> None:
    team = Team()
    team.look()
    for reason, minute in (("OfAnEarlierJob", 5), ("DataAccessDenied", 20)):
        outcome = an_outcome(reason, minute)
        team.store.objects[team.key.comparing_outcome(team.v2, team.v1, outcome.attempt)] = outcome.render()
    team.job_ends("Failed", made="2026-11-25T12:10:00Z")
    team.look()
    reason, message = team.said()
    assert reason == "ComparisonFailed"
    assert "DataAccessDenied: as told; to try again, delete Job newer-" in message
    (job,) = team.jobs()
    del team.cluster.objects["Job", job["metadata"]["name"]]
    team.mira.cache.remove("Job", job | {"metadata": job["metadata"] | {"resourceVersion": "901"}})
    team.look()
    assert team.said()[0] == "Comparing"
    assert len(team.jobs()) == 1


def test_what_an_earlier_job_of_the_same_name_said_is_not_said_of_this_one() -> None:
    team = Team()
    team.look()
    outcome = an_outcome("OfAnEarlierJob", 5)
    team.store.objects[team.key.comparing_outcome(team.v2, team.v1, outcome.attempt)] = outcome.render()
    team.job_ends("Failed", made="2026-11-25T12:10:00Z")
    team.look()
    assert "could not be compared with the current version v1: so it is; to try again" in team.said()[1]


class Refusing(Cluster):
    """Makes no Job, and says why."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        if kind == "Job":
            raise self.error
        return super().create(kind, namespace, body, dry_run=dry_run)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refused(403, "Forbidden", "exceeded quota: team-a"), "JobRefused"),
        (Refused(422, "Invalid", "spec.template: wrong"), "ComparisonFailed"),
    ],
)
def test_a_job_that_is_refused_says_so(error: Refused, reason: str) -> None:
    team = Team(Refusing(error))
    team.look()
    assert team.said()[0] == reason
    assert error.message in team.said()[1]


def test_a_namespace_that_is_being_deleted_gets_no_job_and_is_left_alone() -> None:
    team = Team(Refusing(NamespaceTerminating(403, "Forbidden", "team-a is being terminated")))
    assert team.look() is None


def test_a_promotion_that_is_withdrawn_meanwhile_gets_no_job() -> None:
    team = Team()
    withdrawn: list[Object] = []

    class Withdrawing(MemoryStore):
        def get(self, key: str, *, limit: int) -> Any:
            if "/comparisons/" in key and not withdrawn:
                withdrawn.append(team.cluster.objects.pop(("ModelPromotion", "newer")))
            return super().get(key, limit=limit)

    store = Withdrawing(team.store.objects)
    mira = operator(team.cluster, store)
    mira.cache.put("ModelPromotion", team.cluster.objects["ModelPromotion", "newer"])
    mira._pass(NEWER)
    assert withdrawn
    assert team.jobs() == []


class Away(MemoryStore):
    """Is away as soon as the Job is looked after."""

    def head(self, key: str) -> Fingerprint | None:
        if "/comparisons/" in key:
            raise StoreUnavailable(key)
        return super().head(key)


def test_a_store_that_is_away_when_the_job_has_ended_is_said_and_waited_for() -> None:
    team = Team(store=Away())
    team.look()
    team.job_ends("Failed")
    with pytest.raises(StoreUnavailable):
        team.look()
    assert team.said()[0] == "RegistryUnavailable"


def test_the_current_version_changes_meanwhile_and_the_new_pair_is_compared() -> None:
    team = Team()
    team.look()
    v3 = publish(team.store, "v3")
    team.put("ModelStage", stage().model_dump(by_alias=True, mode="json", exclude_none=True))
    team.ask("third", "v3", v3, uid="uid-third", minute=1)
    team.look(Key("ModelPromotion", NAMESPACE, "third"))
    assert KEY.entry(2) in team.store.objects
    team.put("ModelStage", stage(gates=GATES).model_dump(by_alias=True, mode="json", exclude_none=True))
    team.look()
    assert len(team.jobs()) == 2
