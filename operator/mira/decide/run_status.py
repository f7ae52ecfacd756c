"""The status of a TrainingRun, from the state that was decided."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from mira.api.conditions import Condition, ConditionType, State, false, is_true, set_conditions, true, unknown
from mira.api.reasons import Reason
from mira.api.trainingrun import TrainingRun
from mira.api.trainingrun_status import (
    Comparison,
    CreatedPromotion,
    DriftVerdict,
    FailedCheck,
    FoundDrift,
    JobRef,
    Metric,
    MetricDifference,
    PublishedVersion,
    RunStep,
    TrainingRunStatus,
)
from mira.decide.job import owned_by
from mira.decide.job_state import finished_at
from mira.decide.run_plan import Failed, Plan, Published, Running, Seen, Succeeded
from mira.decide.run_promotion import promotion_name
from mira.registry import comparison, manifest
from mira.registry.document import format_time
from mira.registry.outcome import Outcome

DATA_REASONS = (
    Reason.DATA_INVALID,
    Reason.DATA_NOT_FOUND,
    Reason.DATA_UNREADABLE,
    Reason.DATA_ACCESS_DENIED,
    Reason.COLUMNS_MISSING,
    Reason.CHECKS_FAILED,
    Reason.EXPECTATIONS_FAILED,
    Reason.SCHEMA_DRIFT,
    Reason.DATA_DRIFT,
    Reason.NOT_ENOUGH_ROWS,
)
AFTER_VALIDATION = ("train", "evaluate", "publish")
MAIN_METRICS = ("roc_auc", "roc_auc_ovr", "rmse")
MOST_METRICS = 64


def run_status(seen: Seen, plan: Plan, *, root: str, now: datetime) -> TrainingRunStatus:
    """What the run's status must say; `root` is the registry's URI."""
    state = plan.state
    if isinstance(state, Running):
        status = seen.run.status.model_copy(update=_conditions(seen.run, _running(state), now) | _job(seen, now))
        # How many pods were tried is told with the next change of state; it alone is no reason to write.
        same = status.model_copy(update={"attempts": seen.run.status.attempts}) == seen.run.status
        return seen.run.status if same else status
    ended = seen.run.status.completion_time or finished_at(seen.job) or now
    against = seen.run.spec.evaluation.against if seen.run.spec.evaluation else None
    states = _succeeded_states(state, against) if isinstance(state, Succeeded) else _failed_states(state)
    details = _version(seen, state.published, root) if isinstance(state, Succeeded) else _failure(state.outcome)
    details |= {"completion_time": ended, "promotion": _promotion(seen, plan, now)}
    return seen.run.status.model_copy(update=_conditions(seen.run, states, now) | _job(seen, now) | details)


def is_finished(run: TrainingRun) -> bool:
    """Whether the run has its end: nothing is decided for it any more."""
    return is_true(run.status.conditions, ConditionType.FINISHED)


def renewed_status(run: TrainingRun, now: datetime) -> TrainingRunStatus:
    """The final status, said of the current generation: `kubectl wait` overlooks conditions of an older one."""
    return run.status.model_copy(update=_conditions(run, {}, now))


def _conditions(run: TrainingRun, states: dict[ConditionType, State], now: datetime) -> dict[str, Any]:
    generation = run.metadata.generation
    made: list[Condition] = set_conditions(run.status.conditions, states, generation=generation, now=now)
    return {"observed_generation": generation, "conditions": tuple(made)}


def _running(running: Running) -> dict[ConditionType, State]:
    past_training = running.reason in (Reason.EVALUATING, Reason.PUBLISHING)
    past_data = past_training or running.reason is Reason.TRAINING
    return {
        ConditionType.READY: false(running.reason, running.message),
        ConditionType.RECONCILING: true(running.reason, running.message),
        ConditionType.STALLED: false(running.reason),
        ConditionType.DATA_VALIDATED: true(Reason.DATA_VALID) if past_data else unknown(running.reason),
        ConditionType.TRAINED: true(Reason.TRAINED) if past_training else unknown(running.reason),
        ConditionType.PUBLISHED: false(running.reason),
        ConditionType.SUCCEEDED: unknown(running.reason),
        ConditionType.FINISHED: false(running.reason),
    }


def _succeeded_states(succeeded: Succeeded, against: str | None) -> dict[ConditionType, State]:
    reason = succeeded.reason
    message = _success_message(succeeded, against)
    return {
        ConditionType.READY: true(reason, message),
        ConditionType.RECONCILING: false(reason),
        ConditionType.STALLED: false(reason),
        ConditionType.DATA_VALIDATED: true(Reason.DATA_VALID),
        ConditionType.TRAINED: true(Reason.TRAINED),
        ConditionType.PUBLISHED: true(Reason.PUBLISHED),
        ConditionType.SUCCEEDED: true(reason, message),
        ConditionType.FINISHED: true(reason, message),
    }


def _success_message(succeeded: Succeeded, against: str | None) -> str:
    made = succeeded.published.manifest
    if made is None:
        return succeeded.published.problem
    said = f"version {made.version} is published: {', '.join(f'{m.name} {m.value}' for m in _overall(made)[:4])}"
    if succeeded.reason is Reason.ADOPTED:
        read = ", ".join(
            source.uri + (f" (version {source.version_id})" if source.version_id else "") for source in made.sources
        )
        said = (
            f"adopted version {made.version}, made by run {made.run.name} on {format_time(made.created_at)} from {read}"
        )
    if against is not None and made.compared_with is None:
        # A stage whose name is mistyped has no version either: that nothing was compared must not go by unseen.
        said += f"; compared with nothing: stage {against} (evaluation.against) had no version to compare with"
    return f"{said}; {succeeded.promotion_problem}" if succeeded.promotion_problem else said


def _failed_states(failed: Failed) -> dict[ConditionType, State]:
    reason, message = failed.reason, failed.message
    return {
        ConditionType.READY: false(reason, message),
        ConditionType.RECONCILING: false(reason),
        ConditionType.STALLED: true(reason, message),
        ConditionType.DATA_VALIDATED: _data_validated(failed),
        ConditionType.TRAINED: false(reason),
        ConditionType.PUBLISHED: false(reason),
        ConditionType.SUCCEEDED: false(reason, message),
        ConditionType.FINISHED: true(reason, message),
    }


def _data_validated(failed: Failed) -> State:
    if failed.reason in DATA_REASONS:
        return false(failed.reason, failed.message)
    if failed.outcome is not None and failed.outcome.step in AFTER_VALIDATION:
        return true(Reason.DATA_VALID)
    return unknown(failed.reason)


def _job(seen: Seen, now: datetime) -> dict[str, Any]:
    """The Job as it was seen; once it is gone, what was known of it stays."""
    job = seen.job
    if job is None or not owned_by(job, seen.run):
        return {}
    counted = job.get("status") or {}
    attempts = sum(int(counted.get(field) or 0) for field in ("active", "succeeded", "failed"))
    name = job["metadata"]["name"]
    return {
        "job": JobRef(name=name, uid=job["metadata"]["uid"]),
        "attempts": max(attempts, seen.run.status.attempts),
        "step": _step(seen) or seen.run.status.step,
        "start_time": seen.run.status.start_time or now,
        "logs": f"kubectl logs -n {seen.run.metadata.namespace} job/{name}",
    }


def _step(seen: Seen) -> RunStep | None:
    told = seen.progress
    if told is None:
        return None
    return RunStep(name=told.step, number=told.number, attempt=told.attempt, begun_at=told.begun_at)


def _version(seen: Seen, published: Published, root: str) -> dict[str, Any]:
    made = published.manifest
    if made is None:
        return {}
    overall = _overall(made)
    main = next((m for name in MAIN_METRICS for m in overall if m.name == name), overall[0] if overall else None)
    return {
        "version": PublishedVersion(
            id=made.version, uri=f"{root}/{made.key.attempt(made.attempt)}model/", digest=published.digest
        ),
        "score": f"{main.name} {main.value}" if main else None,
        "metrics": tuple(Metric(name=m.name, value=m.value, direction=m.direction) for m in overall[:MOST_METRICS]),
        "comparison": _comparison(seen.comparison),
        "drift": _drift(made.drift),
    }


def _overall(made: manifest.Manifest) -> list[manifest.Metric]:
    return [metric for metric in made.metrics if not metric.slice]


def _comparison(found: comparison.Comparison | None) -> Comparison | None:
    if found is None:
        return None
    differences = [one for one in found.differences if not one.slice][:MOST_METRICS]
    return Comparison(
        version=found.current_version,
        digest=found.current,
        metrics=tuple(
            MetricDifference(
                name=one.metric,
                candidate=one.candidate,
                current=one.current,
                difference=_better_by(one),
                lower=one.lower,
                upper=one.upper,
            )
            for one in differences
        ),
    )


def _better_by(one: comparison.Difference) -> str:
    """By how much the candidate is better, to 6 places; where lower values are better, by how much it is lower."""
    difference = Decimal(one.candidate) - Decimal(one.current)
    turned = -difference if one.direction is manifest.Direction.LOWER else difference
    return format(round(turned, 6).normalize() + 0, "f")


def _drift(found: manifest.DriftSummary | None) -> FoundDrift | None:
    if found is None:
        return None
    return FoundDrift(
        verdict=DriftVerdict(found.verdict),
        reason=found.reason[:1024] or None,
        version=found.version,
        digest=found.digest,
        drifted_share=found.drifted_share,
        columns=tuple(found.columns),
    )


def _failure(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {}
    checks = outcome.failed_checks[:10]
    return {
        "failed_checks": tuple(
            FailedCheck(check=c.check[:128], column=c.column or None, message=c.message) for c in checks
        ),
        "drift": _drift(outcome.drift),
    }


def _promotion(seen: Seen, plan: Plan, now: datetime) -> CreatedPromotion | None:
    """Which promotion this run made: remembered, so that one that is deleted by hand is not made again."""
    name = promotion_name(seen.run)
    known = seen.run.status.promotion
    made = isinstance(plan.state, Succeeded) and not plan.state.promotion_problem and seen.promotion is not None
    return known or (CreatedPromotion(name=name, created_at=now) if name and made else None)
