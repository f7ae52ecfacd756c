"""The status of a TrainingRun: what people and tools read of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mira.api.conditions import ConditionType, condition, is_true
from mira.api.trainingrun import KIND, Evaluation, TrainingRun
from mira.api.trainingrun_status import TrainingRunStatus
from mira.decide.run_plan import Plan, Seen
from mira.decide.run_status import is_finished, renewed_status, run_status
from mira.decide.trainingrun import reconcile
from mira.registry.manifest import ComparedWith, Direction, DriftSummary, DriftVerdict, Metric, Source
from mira.registry.outcome import FailedCheck
from tests.decide.consistency import check_status
from tests.decide.run_ends import ENDED, FAILED
from tests.decide.run_situations import PROMOTING, REFUSED, RUN, UNDER_WAY
from tests.decide.runs import (
    NOW,
    PLATFORM,
    a_job,
    a_run,
    after,
    an_outcome,
    at_step,
    published,
    seen_of,
)
from tests.registry.examples import OTHER, a_comparison

ALL = UNDER_WAY | REFUSED | ENDED
ROOT = "s3://mira/registry"


def settled(seen: Seen) -> tuple[Seen, Plan]:
    plan = reconcile(seen, PLATFORM)
    while plan.effect is not None:
        seen = after(seen, plan.effect)
        plan = reconcile(seen, PLATFORM)
    return seen, plan


def status_of(seen: Seen, now: Any = NOW) -> TrainingRunStatus:
    last, plan = settled(seen)
    return run_status(last, plan, root=ROOT, now=now)


def said(status: TrainingRunStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status} {each.reason}" for each in status.conditions}


@pytest.mark.parametrize("seen", [case[0] for case in ALL.values()], ids=ALL.keys())
def test_its_status_is_consistent_when_it_sees(seen: Seen) -> None:
    check_status(KIND, seen.run, status_of(seen))


@pytest.mark.parametrize("seen", [case[0] for case in ENDED.values()], ids=ENDED.keys())
def test_it_is_finished_and_says_when_it_sees(seen: Seen) -> None:
    status = status_of(seen)
    if not is_true(status.conditions, ConditionType.RECONCILING):
        assert is_true(status.conditions, ConditionType.FINISHED)
        assert status.completion_time is not None


def test_only_what_is_about_to_fail_is_not_finished_among_the_ends() -> None:
    going = [name for name, case in ENDED.items() if not is_true(status_of(case[0]).conditions, ConditionType.FINISHED)]
    assert going == ["its Job about to fail"]


def test_a_run_that_compared_nothing_although_told_to_says_so() -> None:
    spec = RUN.spec.model_copy(update={"evaluation": Evaluation(against="prodcution")})
    run = RUN.model_copy(update={"spec": spec})
    told = "compared with nothing: stage prodcution (evaluation.against) had no version to compare with"
    for compared_with, is_told in ((None, True), (ComparedWith(version="v0", digest=OTHER), False)):
        status = status_of(seen_of(run, published=published(run, compared_with=compared_with)))
        ready = condition(status.conditions, ConditionType.READY)
        assert ready is not None
        assert (told in ready.message) is is_told


def test_a_run_that_succeeded_shows_its_version_where_serving_finds_it() -> None:
    status = status_of(seen_of(RUN, published=published(RUN)))
    assert status.version is not None
    assert status.version.uri == "s3://mira/registry/models/team-a/churn/versions/v1/attempts/01234567-89abcdef/model/"
    assert (status.version.id, status.score) == ("v1", "roc_auc 0.8")
    assert [(metric.name, metric.value, metric.direction) for metric in status.metrics] == [
        ("roc_auc", "0.8", "Higher"),
        ("f1", "0.5", None),
    ]
    assert said(status) == {
        "Ready": "True Succeeded",
        "Reconciling": "False Succeeded",
        "Stalled": "False Succeeded",
        "DataValidated": "True DataValid",
        "Trained": "True Trained",
        "Published": "True Published",
        "Succeeded": "True Succeeded",
        "Finished": "True Succeeded",
    }


def test_an_adopted_version_says_when_by_whom_and_from_which_data_it_was_made() -> None:
    status = status_of(seen_of(RUN, published=published(RUN, uid="earlier")))
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.message == (
        "adopted version v1, made by run maker on 2026-11-25T12:00:00Z from s3://b/k (version 3)"
    )  # fmt: skip


MAIN = [
    (["roc_auc", "f1"], "roc_auc"),
    (["f1", "roc_auc"], "roc_auc"),
    (["f1", "rmse"], "rmse"),
    (["accuracy", "f1"], "accuracy"),
    ([], None),
]


@pytest.mark.parametrize(("names", "main"), MAIN)
def test_the_score_is_the_main_metric_over_all_rows(names: list[str], main: str | None) -> None:
    metrics = [Metric(name="rmse", value="9", slice="a=b"), *(Metric(name=name, value="0.5") for name in names)]
    status = status_of(seen_of(RUN, published=published(RUN, metrics=metrics)))
    assert status.score == (f"{main} 0.5" if main else None)
    assert [metric.name for metric in status.metrics] == names


def test_the_largest_manifest_fits_into_a_status() -> None:
    metrics = [Metric(name=f"{n:03d}" + "m" * 61, value="-" + "1" * 20 + "." + "1" * 10) for n in range(1000)]
    sources = [Source(name="s", uri="s3://b/" + "x" * 4000, sha256="0" * 64, size=1, rows=1)] * 200
    wide = "\U0001f600" * 4096
    run = a_run(version="v" * 128)
    for uid in ("", "earlier"):
        seen = seen_of(run, published=published(run, uid=uid, metrics=metrics, sources=sources, description=wide))
        status = status_of(seen)
        check_status(KIND, run, status)
        assert len(status.metrics) == 64
        assert all(len(each.message) <= 2048 for each in status.conditions)


@pytest.mark.parametrize(
    ("direction", "candidate", "current", "difference"),
    [
        (Direction.HIGHER, "0.82", "0.8", "0.02"),
        (Direction.HIGHER, "0.8", "0.82", "-0.02"),
        (Direction.LOWER, "1.0", "1.5", "0.5"),
        (Direction.LOWER, "1.5", "1.0", "-0.5"),
        (Direction.LOWER, "1.5", "1.50", "0"),
        (Direction.HIGHER, "0.3", "0.1", "0.2"),
        (Direction.HIGHER, "0.1234567891", "0", "0.123457"),
        (Direction.HIGHER, "100", "0", "100"),
        (Direction.HIGHER, "9" * 20, "-" + "9" * 20, "1" + "9" * 19 + "8"),
    ],
)
def test_the_difference_is_by_how_much_the_candidate_is_better(
    direction: Direction, candidate: str, current: str, difference: str
) -> None:
    [one] = a_comparison().differences
    changed = one.model_copy(
        update={"slice": "", "direction": direction, "candidate": candidate, "current": current}
    )  # fmt: skip
    status = status_of(seen_of(RUN, published=published(RUN), comparison=a_comparison(differences=[changed, one])))
    assert status.comparison is not None
    assert (status.comparison.version, status.comparison.digest) == ("v0", OTHER)
    [shown] = status.comparison.metrics
    assert (shown.difference, shown.lower, shown.upper) == (difference, "0.05", "0.15")


DRIFT = DriftSummary(
    version="v0", digest=OTHER, verdict=DriftVerdict.DRIFTED, drifted_share="0.4", columns=["x" * 253] * 10
)


def test_a_run_that_succeeds_says_how_far_its_data_is_from_what_the_current_version_was_trained_on() -> None:
    status = status_of(seen_of(RUN, published=published(RUN, drift=DRIFT)))
    check_status(KIND, RUN, status)
    shown = status.drift
    assert shown is not None
    assert (shown.verdict, shown.version, shown.digest, shown.drifted_share) == ("Drifted", "v0", OTHER, "0.4")
    assert shown.columns == ("x" * 253,) * 10


def test_a_run_that_failed_of_drift_names_the_columns() -> None:
    outcome = an_outcome(reason="DataDrift", drift=DRIFT, failed_checks=[])
    status = status_of(seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(outcome,)))
    check_status(KIND, RUN, status)
    assert status.drift is not None
    assert (status.drift.verdict, len(status.drift.columns)) == ("Drifted", 10)


def test_a_drift_that_was_not_measured_says_why() -> None:
    unmeasured = DriftSummary(version="v0", digest=OTHER, verdict=DriftVerdict.NOT_MEASURED, reason="r" * 4096)
    status = status_of(seen_of(RUN, published=published(RUN, drift=unmeasured)))
    check_status(KIND, RUN, status)
    assert status.drift is not None
    assert (status.drift.verdict, status.drift.reason, status.drift.drifted_share) == ("NotMeasured", "r" * 1024, None)


DATA = [
    ("validate", "ColumnsMissing", "False ColumnsMissing"),
    ("validate", "SchemaDrift", "False SchemaDrift"),
    ("ingest", "DataNotFound", "False DataNotFound"),
    ("train", "CodeFailed", "True DataValid"),
    ("evaluate", "CodeFailed", "True DataValid"),
    ("publish", "Unexpected", "True DataValid"),
    ("ingest", "CodeFailed", "Unknown CodeFailed"),
    ("order", "OrderInvalid", "Unknown OrderInvalid"),
]


@pytest.mark.parametrize(("step", "reason", "expected"), DATA)
def test_whether_the_data_was_valid_follows_from_where_it_failed(step: str, reason: str, expected: str) -> None:
    seen = seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(step=step, reason=reason),))
    assert said(status_of(seen))["DataValidated"] == expected


def test_the_first_ten_failed_checks_are_shown() -> None:
    checks = [FailedCheck(check="c" * 253, column="x" * 253, message="m" * 1024)] * 30
    table = [FailedCheck(check="rows", message="3 of 100")]
    seen = seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(failed_checks=table + checks),))
    status = status_of(seen)
    check_status(KIND, RUN, status)
    assert len(status.failed_checks) == 10
    assert status.failed_checks[0].column is None


def test_the_job_is_shown_with_how_to_read_its_logs() -> None:
    status = status_of(seen_of(RUN, job=a_job(RUN, active=1, failed=2)))
    assert status.job is not None
    assert (status.job.name, status.job.uid) == ("v1-0a1b2c3d", "uid-of-the-job")
    assert (status.attempts, status.start_time) == (3, NOW)
    assert status.logs == "kubectl logs -n team-a job/v1-0a1b2c3d"


def test_a_foreign_job_is_not_shown_as_the_runs_own() -> None:
    other = a_run(uid="ffffffff-1111-4222-8333-444455556666")
    assert status_of(seen_of(RUN, job=a_job(other))).job is None


def test_what_was_known_of_the_job_stays_when_it_is_gone() -> None:
    first = status_of(seen_of(RUN, job=a_job(RUN, active=1)))
    run = RUN.model_copy(update={"status": first})
    status = status_of(seen_of(run, outcomes=(an_outcome(),)), now=NOW + timedelta(hours=1))
    assert (status.job, status.attempts, status.start_time, status.logs) == (
        first.job,
        first.attempts,
        first.start_time,
        first.logs,
    )


def test_another_failed_pod_alone_is_no_reason_to_write() -> None:
    first = status_of(seen_of(RUN, job=a_job(RUN, active=1, ready=1)))
    run = RUN.model_copy(update={"status": first})
    again = status_of(seen_of(run, job=a_job(RUN, active=1, ready=1, failed=4)), now=NOW + timedelta(hours=1))
    assert again is first


def test_a_run_ends_when_its_job_ended_and_not_when_that_is_noticed() -> None:
    seen = seen_of(RUN, job=a_job(RUN, failed=1, **FAILED), outcomes=(an_outcome(),))
    status = status_of(seen, now=NOW + timedelta(days=1))
    assert status.wire()["completionTime"] == "2026-11-25T11:30:00Z"


def test_times_of_transition_move_only_with_a_condition() -> None:
    starting = status_of(seen_of(RUN, job=a_job(RUN)))
    run = RUN.model_copy(update={"status": starting})
    going = status_of(seen_of(run, job=a_job(RUN, active=1, ready=1)), now=NOW + timedelta(minutes=1))
    run = RUN.model_copy(update={"status": going})
    done = status_of(seen_of(run, published=published(RUN)), now=NOW + timedelta(minutes=2))
    assert {each.last_transition_time for each in going.conditions} == {NOW}
    assert {each.last_transition_time for each in done.conditions if each.type != "Stalled"} == {
        NOW + timedelta(minutes=2)
    }
    assert condition(done.conditions, ConditionType.STALLED).last_transition_time == NOW  # type: ignore[union-attr]


def test_a_promotion_is_remembered_once_it_is_there() -> None:
    status = status_of(seen_of(PROMOTING, published=published(PROMOTING)))
    assert status.promotion is not None
    assert (status.promotion.name, status.promotion.created_at) == ("v1.production", NOW)


def test_a_name_that_is_taken_is_not_remembered_as_made() -> None:
    case = ENDED["its version, and a promotion of that name for another version"]
    assert status_of(case[0]).promotion is None


def test_an_end_is_said_again_of_a_new_generation_and_nothing_else_changes() -> None:
    end = status_of(seen_of(RUN, published=published(RUN)))
    metadata = RUN.metadata.model_copy(update={"generation": 5})
    run = RUN.model_copy(update={"status": end, "metadata": metadata})
    assert is_finished(run)
    renewed = renewed_status(run, NOW + timedelta(days=1))
    check_status(KIND, run, renewed)
    back = [each.model_copy(update={"observed_generation": 1}) for each in renewed.conditions]
    assert renewed.model_copy(update={"observed_generation": 1, "conditions": tuple(back)}) == end


def test_a_run_that_is_not_finished_is_not_taken_for_finished() -> None:
    assert not is_finished(RUN)
    assert not is_finished(RUN.model_copy(update={"status": status_of(seen_of(RUN, job=a_job(RUN)))}))


def test_a_trouble_without_a_look_at_the_job_keeps_what_was_known() -> None:
    """What the shell reports while S3 is away (`Seen` without a Job) must not wipe the Job from the status."""
    first = status_of(seen_of(RUN, job=a_job(RUN, active=1, ready=1)))
    run: TrainingRun = RUN.model_copy(update={"status": first})
    plan = reconcile(replace(seen_of(run), job=a_job(RUN, active=1)), PLATFORM)
    kept = run_status(Seen(run=run, spec_hash=None), plan, root=ROOT, now=NOW)
    assert (kept.job, kept.logs, kept.start_time) == (first.job, first.logs, first.start_time)


@pytest.mark.parametrize(
    ("step", "number", "reason", "validated", "trained"),
    [
        ("ingest", 1, "Ingesting", "Unknown Ingesting", "Unknown Ingesting"),
        ("validate", 2, "Validating", "Unknown Validating", "Unknown Validating"),
        ("train", 3, "Training", "True DataValid", "Unknown Training"),
        ("evaluate", 4, "Evaluating", "True DataValid", "True Trained"),
        ("publish", 5, "Publishing", "True DataValid", "True Trained"),
    ],
)
def test_while_it_trains_the_status_tells_the_step_and_what_is_behind_it(
    step: str, number: int, reason: str, validated: str, trained: str
) -> None:
    seen = seen_of(RUN, job=a_job(RUN, active=1, ready=1), progress=at_step(step, number, "4 rows"))
    status = status_of(seen)
    told = said(status)
    assert told["Ready"] == f"False {reason}"
    assert (told["DataValidated"], told["Trained"]) == (validated, trained)
    assert status.step is not None
    assert (status.step.name, status.step.number, status.step.begun_at) == (step, number, NOW)
    again = replace(seen, run=RUN.model_copy(update={"status": status}), progress=None)
    assert status_of(again) == status
