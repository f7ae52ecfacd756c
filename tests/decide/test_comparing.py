"""The Job by which two versions are compared: when it is made, what it carries, and what becomes of it."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from mira.api.conditions import ConditionType, condition
from mira.api.modelpromotion import KIND, ModelPromotion
from mira.api.trainingrun import TrainingRun
from mira.decide import comparing
from mira.decide.comparing import Pair, Plan, pair_of, reconcile, refused
from mira.decide.job import ORDER_ANNOTATION, Platform, owned_by
from mira.decide.modelpromotion import Seen, waiting_status
from mira.registry.deciding import Waiting
from mira.registry.document import digest
from mira.registry.entry import Version
from mira.registry.manifest import Manifest
from mira.registry.memory import MemoryStore
from mira.registry.order import Order, OrderKind
from mira.registry.outcome import Outcome, Result
from tests.decide.consistency import check_status
from tests.decide.runs import IMAGE, NOW, PLATFORM, a_pod, a_run, ended, terminated
from tests.decide.test_promotion_rules import FINAL, SITUATIONS, world_of
from tests.support.world import MODEL, NAMESPACE, promotion, publish

POD = "4e5f6071-x"
CURRENT = Version(version="v3", digest="sha256:" + "3" * 64)
AGAINST = "train the version again under another name with evaluation.against: production, which compares as it trains"


def a_pair(name: str = "mine", image: str | None = IMAGE, **changed: Any) -> Pair:
    store = MemoryStore()
    publish(store, "v9")
    (key,) = (key for key in store.objects if key.endswith("manifest.json"))
    manifest = Manifest.parse(store.objects[key])
    manifest = manifest.model_copy(update={"code": manifest.code.model_copy(update={"image": image})})
    asked: ModelPromotion = promotion(name, "v9", uid="0a1b2c3d-1111-4222-8333-444455556666")
    return replace(Pair(asked, manifest, digest(manifest.render()), CURRENT), **changed)


PAIR = a_pair()


def a_job(pair: Pair = PAIR, run: TrainingRun | None = None, **status: Any) -> dict[str, Any]:
    """The pair's Job as the API server gives it back."""
    plan = reconcile(comparing.Seen(pair, run=run), PLATFORM)
    assert plan.effect is not None
    job = plan.effect.body
    job["metadata"] |= {"uid": "uid-of-the-job", "creationTimestamp": "2026-11-25T11:00:01Z"}
    job["status"] = {"startTime": "2026-11-25T11:00:01Z"} | status
    return job


def an_outcome(reason: str = "CodeNotFound", pod: str = POD) -> Outcome:
    return Outcome(
        attempt=f"0a1b2c3d-{pod[:8]}",
        result=Result.FAILED,
        reason=reason,
        message="there is no module churn",
        retryable=False,
        step="ingest",
        started_at=NOW,
        finished_at=NOW,
    )


def test_the_job_carries_an_order_for_exactly_this_pair() -> None:
    job = a_job()
    order = Order.parse(job["spec"]["template"]["metadata"]["annotations"][ORDER_ANNOTATION].encode())
    assert order.kind is OrderKind.COMPARE
    assert (order.namespace, order.model, order.version, order.digest) == (NAMESPACE, MODEL, "v9", PAIR.digest)
    assert order.current is not None
    assert (order.current.version, order.current.digest) == (CURRENT.version, CURRENT.digest)
    assert (order.run.name, order.run.uid, order.run.requested_by) == ("mine", PAIR.promotion.metadata.uid, "alice")
    assert (order.spec, order.against, order.image) == ({}, None, IMAGE)
    assert owned_by(job, PAIR.promotion)
    [owner] = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("ModelPromotion", "mine")
    assert job["metadata"]["labels"] == {
        "app.kubernetes.io/managed-by": "mira",
        "mira.constellation.dev/model": MODEL,
        "mira.constellation.dev/stage": "production",
    }


def test_it_signs_nothing_though_trainings_do() -> None:
    plan = reconcile(comparing.Seen(PAIR), replace(PLATFORM, signing_secret="signing"))
    assert plan == reconcile(comparing.Seen(PAIR), PLATFORM)


NAMES = ("mine", "churn-2026-11.production", "a" * 253, "a" * 49 + ".b", "a." * 100 + "a", "1")


@pytest.mark.parametrize("name", NAMES)
def test_its_name_is_valid_however_the_promotion_is_called(name: str) -> None:
    job = a_pair(name).job
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", job)
    assert job.endswith("-cmp")


def test_its_name_is_the_same_for_the_same_pair_and_promotion_alone() -> None:
    other = PAIR.promotion.model_copy(
        update={"metadata": PAIR.promotion.metadata.model_copy(update={"uid": "ffffffff-1"})}
    )
    others = [
        a_pair(current=Version(version="v3", digest="sha256:" + "4" * 64)),
        a_pair(digest="sha256:" + "5" * 64),
        a_pair(promotion=other),
    ]
    assert a_pair().job == PAIR.job
    assert len({PAIR.job, *(pair.job for pair in others)}) == 4


LARGE: dict[str, Any] = {
    "resources": {"limits": {"memory": "64Gi"}},
    "nodeSelector": {"pool": "large"},
    "tolerations": [{"key": "large", "operator": "Exists"}],
    "priorityClassName": "low",
    "queueName": "team-a",
    "activeDeadlineSeconds": 7200,
    "serviceAccountName": "of-its-own",
    "env": [{"name": "KEY", "secretKeyRef": {"name": "secret", "key": "key"}}],
}


def test_it_is_as_large_as_the_training_was_and_has_none_of_what_that_was_trusted_with() -> None:
    job = a_job(run=a_run(job=LARGE))
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"] == {"memory": "64Gi"}
    assert pod["nodeSelector"] == {"pool": "large"}
    assert [each["key"] for each in pod["tolerations"]] == ["large"]
    assert pod["priorityClassName"] == "low"
    assert job["spec"]["activeDeadlineSeconds"] == 7200
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
    assert pod["serviceAccountName"] == "mira-trainer"
    assert not any(variable["name"] == "KEY" for variable in container["env"])


def test_a_version_that_says_no_image_is_scored_by_the_platforms() -> None:
    job = a_job(a_pair(image=None))
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE


@dataclass(frozen=True)
class Situation:
    """What was seen of a pair's Job, and what the promotion says then."""

    reason: str
    message: str
    pair: Pair = PAIR
    seen: dict[str, Any] = field(default_factory=dict)
    platform: Platform = PLATFORM


FAILED = ended("Failed", "PodFailurePolicy", "Container train exited with 64")
BEGAN = f"Job {PAIR.job} scores version v9 and the current version v3 on the same rows"
COULD_NOT = "version v9 could not be compared with the current version v3: "
AGAIN = f"; to try again, delete Job {PAIR.job}, or {AGAINST}"
FOREIGN = {"metadata": {"name": PAIR.job, "ownerReferences": [{"uid": "another"}]}, "status": {}}
NO_IMAGE = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
CASES: dict[str, Situation] = {
    "there is no Job yet": Situation("Comparing", BEGAN),
    "its pod is not there yet": Situation("Comparing", BEGAN, seen={"job": a_job()}),
    "it runs": Situation("Comparing", BEGAN, seen={"job": a_job(active=1, ready=1), "pods": (a_pod(),)}),
    "its pod cannot start": Situation(
        "Comparing",
        f"{BEGAN}; ImagePullBackOff: no such image",
        seen={"job": a_job(active=1), "pods": (a_pod(containerStatuses=[NO_IMAGE]),)},
    ),
    "its queue has not admitted it": Situation(
        "Comparing", f"{BEGAN}; it waits to be admitted by its queue", seen={"job": a_job(run=a_run(job=LARGE))}
    ),
    "its image says why it failed": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}CodeNotFound: there is no module churn{AGAIN}",
        seen={"job": a_job(**FAILED), "pods": (a_pod(POD),), "outcomes": (an_outcome(),)},
    ),
    "an earlier attempt said why, the last one was killed": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}the pod used more memory than its limit{AGAIN}",
        seen={
            "job": a_job(**FAILED),
            "pods": (a_pod("ffffffff-x", minute=2, **terminated(137, "OOMKilled")),),
            "outcomes": (an_outcome(),),
        },
    ),
    "its pods are gone, an attempt said why": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}DataAccessDenied: there is no module churn{AGAIN}",
        seen={"job": a_job(**FAILED), "outcomes": (an_outcome("DataAccessDenied"),)},
    ),
    "it failed and nobody says why": Situation(
        "ComparisonFailed", f"{COULD_NOT}Container train exited with 64{AGAIN}", seen={"job": a_job(**FAILED)}
    ),
    "it never had a pod": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}Job {PAIR.job} has no pod: the cluster probably refuses it, for want of service account "
        f"mira-trainer in namespace team-a, by a quota, a limit range or Pod Security; the Events of the Job say "
        f"which: kubectl describe job {PAIR.job} --namespace team-a{AGAIN}",
        seen={"job": a_job(**ended("Failed", "DeadlineExceeded"))},
    ),
    "it completed and there is no comparison": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}its Job completed and wrote no comparison; see its logs{AGAIN}",
        seen={"job": a_job(**ended("Complete", "CompletionsReached"))},
    ),
    "somebody else has a Job of this name": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}Job {PAIR.job} exists and does not belong to this promotion; {AGAINST}",
        seen={"job": FOREIGN},
    ),
    "the manifest names an image that is not allowed": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}its image other.example.com/x@sha256:{'a' * 64} is not allowed; images must begin with "
        f"registry.example.com/; {AGAINST}",
        a_pair(image=f"other.example.com/x@sha256:{'a' * 64}"),
    ),
    "the manifest names an image by its tag": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}its manifest names the image registry.example.com/x:latest, which is none by digest with its "
        f"registry; {AGAINST}",
        a_pair(image="registry.example.com/x:latest"),
    ),
    "nobody names an image": Situation(
        "ComparisonFailed",
        f"{COULD_NOT}its manifest names no image, and the platform team has set no default image; {AGAINST}",
        a_pair(image=None),
        platform=Platform("s3://mira/registry"),
    ),
}


def planned(case: Situation) -> Plan:
    return reconcile(comparing.Seen(case.pair, **case.seen), case.platform)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_promotion_says_what_it_waits_for_when(case: Situation) -> None:
    plan = planned(case)
    assert plan.ruling is not None
    assert (plan.ruling.reason, plan.ruling.message) == (case.reason, case.message)
    assert plan.ruling.stalled is (case.reason == "ComparisonFailed")
    assert not plan.ruling.final


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_job_is_made_only_where_there_is_none_and_never_one_that_fails(case: Situation) -> None:
    made = planned(case).effect is not None
    assert made is (not case.seen and case.reason == "Comparing")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_status_of_a_promotion_agrees_with_itself_when(case: Situation) -> None:
    seen = waiting("gates_inconclusive")
    assert seen.case is not None
    status = waiting_status(seen.case.promotion, replace(seen, ruling=planned(case).ruling), NOW + timedelta(hours=1))
    check_status(KIND, seen.case.promotion, status)
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (case.reason, case.message)


def test_once_the_comparison_is_there_nothing_is_waited_for_whatever_became_of_the_job() -> None:
    for status in (FAILED, ended("Complete", "CompletionsReached")):
        seen = comparing.Seen(PAIR, job=a_job(**status), answered=True, outcomes=(an_outcome(),))
        assert reconcile(seen, PLATFORM) == Plan(None)


def test_a_refusal_that_may_give_way_is_waited_out_and_any_other_stalls() -> None:
    quota, never = (refused(PAIR, "exceeded quota", for_good=for_good) for for_good in (False, True))
    assert (quota.reason, quota.stalled) == ("JobRefused", False)
    assert quota.message == f"the API server refuses Job {PAIR.job}: exceeded quota"
    assert (never.reason, never.stalled) == ("ComparisonFailed", True)


def waiting(name: str) -> Seen:
    """What is seen of the promotion in this situation, in which it waits."""
    world, mine, _ = world_of(SITUATIONS[name])
    end = world.decide(mine)
    assert isinstance(end, Waiting)
    return end.seen


@pytest.mark.parametrize("name", [name for name, one in SITUATIONS.items() if one.reason not in FINAL])
def test_only_a_promotion_that_waits_for_nothing_but_a_comparison_has_a_pair_compared(name: str) -> None:
    seen = waiting(name)
    assert seen.case is not None
    assert seen.ruling is not None
    pair = pair_of(seen.case, seen.ruling)
    assert (pair is not None) is (name == "gates_inconclusive")
    if pair is not None:
        found = (pair.candidate.version, pair.digest, pair.current.version)
        assert found == ("v9", seen.case.evidence.digest, "v3")
