"""What a reviewer found by attacking: each is a way in which a run could have ended wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mira.api.reasons import Reason
from mira.api.trainingrun_status import JobRef
from mira.decide.approvals import Proof
from mira.decide.run_plan import CreatePromotion, Failed, Running, Succeeded
from mira.decide.trainingrun import reconcile
from tests.decide.runs import PLATFORM, PROVEN, a_pod, a_run, an_outcome, published, running, seen_of

PROMOTING = a_run(promotion={"stage": "production"})


def test_a_requester_that_no_policy_vouches_for_gets_no_promotion_until_one_does() -> None:
    """Else whoever forged requestedBy on a run could approve its promotion as themselves."""
    seen = seen_of(PROMOTING, published=published(PROMOTING), proof=Proof("policy mira-runs is missing"))
    plan = reconcile(seen, PLATFORM)
    assert plan.effect is None
    assert isinstance(plan.state, Running)
    assert plan.state.reason is Reason.ADMISSION_POLICY_MISSING
    assert isinstance(reconcile(replace(seen, proof=PROVEN), PLATFORM).effect, CreatePromotion)


@pytest.mark.parametrize("younger", [timedelta(0), timedelta(seconds=-1), timedelta(hours=1)])
def test_a_run_older_than_the_policies_succeeds_without_a_promotion_and_says_so(younger: timedelta) -> None:
    created = PROMOTING.metadata.creation_timestamp
    assert created is not None
    proof = Proof(since=created + younger)
    plan = reconcile(seen_of(PROMOTING, published=published(PROMOTING), proof=proof), PLATFORM)
    assert plan.effect is None
    assert isinstance(plan.state, Succeeded)
    assert "older than the admission policies" in plan.state.promotion_problem


def test_a_run_that_names_nobody_asks_for_nothing() -> None:
    run = a_run(promotion={"stage": "production"}, requestedBy=None)
    plan = reconcile(seen_of(run, published=published(run)), PLATFORM)
    assert plan.effect is None
    assert isinstance(plan.state, Succeeded)


def test_a_job_that_is_deleted_is_not_lost_while_its_pod_may_still_publish() -> None:
    had_a_job = PROMOTING.model_copy(
        update={"status": PROMOTING.status.model_copy(update={"job": JobRef(name="v1-0a1b2c3d", uid="uid-job")})}
    )
    ending = seen_of(had_a_job, pods=(a_pod(**running()),))
    assert isinstance(reconcile(ending, PLATFORM).state, Running)
    ended = replace(ending, pods=(a_pod(phase="Failed"),))
    state = reconcile(ended, PLATFORM).state
    assert isinstance(state, Failed)
    assert state.reason is Reason.JOB_LOST
    told = replace(ended, outcomes=(an_outcome(),))
    assert isinstance(reconcile(told, PLATFORM).state, Failed)
    assert isinstance(reconcile(replace(ended, published=published(had_a_job)), PLATFORM).state, Succeeded)
