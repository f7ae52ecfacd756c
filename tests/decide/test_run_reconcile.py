"""What is done next for a TrainingRun, for everything that may be seen of it."""

from dataclasses import replace

import pytest

from mira.api.conditions import ConditionType, is_true
from mira.api.reasons import Reason
from mira.api.trainingrun import TrainingRun
from mira.api.trainingrun_status import TrainingRunStatus
from mira.decide.job import Platform
from mira.decide.run_plan import Failed, Plan, Running, Seen, Succeeded
from mira.decide.run_status import run_status
from mira.decide.trainingrun import reconcile
from tests.decide.run_ends import ENDED, LATE
from tests.decide.run_situations import REFUSED, RUN, UNDER_WAY
from tests.decide.runs import (
    NOW,
    PLATFORM,
    a_job,
    a_run,
    after,
    an_outcome,
    published,
    seen_of,
)  # fmt: skip

SEEN = UNDER_WAY | REFUSED | ENDED


def words(plan: Plan, seen: Seen) -> str:
    """What the status would say in Ready."""
    status = run_status(seen, plan, root="s3://mira/registry", now=NOW)
    return next(condition.message for condition in status.conditions if condition.type == "Ready")


@pytest.mark.parametrize(("seen", "effect", "reason", "message"), SEEN.values(), ids=SEEN.keys())
def test_when_it_sees(seen: Seen, effect: str, reason: str, message: str) -> None:
    plan = reconcile(seen, PLATFORM)
    assert plan.state.reason == reason
    assert (type(plan.effect).__name__ if plan.effect else "") == effect
    assert message in words(plan, seen)


@pytest.mark.parametrize("seen", [case[0] for case in SEEN.values()], ids=SEEN.keys())
def test_after_its_effect_there_is_nothing_left_to_do_when_it_sees(seen: Seen) -> None:
    plan = reconcile(seen, PLATFORM)
    for _ in range(3):
        if plan.effect is None:
            break
        seen = after(seen, plan.effect)
        plan = reconcile(seen, PLATFORM)
    assert plan.effect is None
    assert reconcile(seen, PLATFORM) == plan


@pytest.mark.parametrize("seen", [case[0] for case in SEEN.values()], ids=SEEN.keys())
def test_a_second_pass_writes_nothing_new_when_it_sees(seen: Seen) -> None:
    plan = reconcile(seen, PLATFORM)
    while plan.effect is not None:
        seen = after(seen, plan.effect)
        plan = reconcile(seen, PLATFORM)
    first = run_status(seen, plan, root="s3://mira/registry", now=NOW)
    written = seen.run.model_copy(update={"status": TrainingRunStatus.strictly(first.wire())})
    assert written.status == first, "what was written reads back equal"
    if is_true(first.conditions, ConditionType.FINISHED):
        return
    again = replace(seen, run=written)
    second = run_status(again, reconcile(again, PLATFORM), root="s3://mira/registry", now=NOW.replace(hour=13))
    assert second == first


@pytest.mark.parametrize("seen", [case[0] for case in SEEN.values()], ids=SEEN.keys())
def test_a_reason_is_one_that_runs_may_give_when_it_sees(seen: Seen) -> None:
    reason = Reason.known(reconcile(seen, PLATFORM).state.reason)
    assert reason is not None
    assert "TrainingRun" in reason.kinds


PLATFORMS = {
    "no default image and none in the spec": (Platform("s3://m/r"), RUN, "ImageNotAllowed"),
    "no default image and one in the spec": (
        Platform("s3://m/r"),
        a_run(image="x.io/a@sha256:" + "a" * 64),
        "Starting",
    ),
    "a default image that is not allowed": (
        Platform("s3://m/r", default_image="x.io/a", allowed_images=("y.io/",)),
        RUN,
        "ImageNotAllowed",
    ),
    "anything allowed": (Platform("s3://m/r", default_image="x.io/a"), RUN, "Starting"),
    "an allowed prefix among several": (
        Platform("s3://m/r", default_image="x.io/a", allowed_images=("y.io/", "x.io/")),
        RUN,
        "Starting",
    ),
}


@pytest.mark.parametrize(("platform", "run", "reason"), PLATFORMS.values(), ids=PLATFORMS.keys())
def test_the_image_with(platform: Platform, run: TrainingRun, reason: str) -> None:
    assert reconcile(seen_of(run), platform).state.reason == reason


def test_what_is_refused_is_refused_before_there_is_a_job_and_not_after() -> None:
    """The platform team may change what is allowed; a training that runs goes on."""
    strict = replace(PLATFORM, allowed_images=("other.example.com/",))
    assert isinstance(reconcile(seen_of(RUN), strict).state, Failed)
    assert isinstance(reconcile(seen_of(RUN, job=a_job(RUN, active=1, ready=1)), strict).state, Running)


def test_a_version_of_its_own_name_is_found_before_anything_is_refused() -> None:
    strict = replace(PLATFORM, allowed_images=("other.example.com/",))
    adopted = seen_of(RUN, published=published(RUN, uid="earlier"))
    assert isinstance(reconcile(adopted, strict).state, Succeeded)


def test_a_deadline_tells_what_the_last_attempt_told() -> None:
    seen = seen_of(RUN, job=a_job(RUN, failed=1, **LATE), outcomes=(an_outcome(),))
    state = reconcile(seen, PLATFORM).state
    assert isinstance(state, Failed)
    assert state.outcome == an_outcome()
