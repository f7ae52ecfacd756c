"""`evaluation.metrics`: which metrics are to be reported, and the first of them is the main one."""

from collections.abc import Sequence

from mira.api.reasons import Reason
from mira.api.trainingrun import Task, TrainingRunSpec
from mira.registry.manifest import Metric as Measured
from mira_training.refusal import Refused, listed
from mira_training.scoring.metrics import METRICS, Kind

QUALITIES = {
    "variance_kept": "the share of the input's variance that the output keeps",
    "null_share": "the share of missing values in the output",
    "constant_columns": "how many columns of the output never vary",
    "rows": "how many rows were transformed",
}
"""What is measured of a transformation's output, on the evaluation rows but for `rows`; the first if it is known."""
KINDS = {Task.CLASSIFICATION: (Kind.BINARY, Kind.MULTICLASS), Task.REGRESSION: (Kind.REGRESSION,)}


def wanted_metrics(spec: TrainingRunSpec) -> tuple[str, ...]:
    """The names in the spec; empty means the usual ones of the task.

    Raises Refused (`NotSupported`), before any data is read, for a name that the task does not have and no hook makes.
    """
    wanted = spec.evaluation.metrics if spec.evaluation else ()
    if spec.task is Task.CUSTOM or (spec.hooks and spec.hooks.metrics):
        return wanted
    known = list(dict.fromkeys(metric.name for kind in KINDS.get(spec.task, ()) for metric in METRICS[kind]))
    known = list(QUALITIES) if spec.task is Task.TRANSFORM else known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise Refused(
            Reason.NOT_SUPPORTED,
            f"evaluation.metrics: {unknown[0]} is not known for task {spec.task}; allowed: {listed(known)}, and what "
            "hooks.metrics returns",
        )
    return wanted


def must_know_what_to_search_by(spec: TrainingRunSpec) -> None:
    """Raises Refused (`InvalidParameters`), before any data is read, for a `search.metric` that the task never has."""
    if spec.search is None:
        return
    known = list(dict.fromkeys(metric.name for kind in KINDS.get(spec.task, ()) for metric in METRICS[kind]))
    if spec.search.metric not in known:
        raise Refused(
            Reason.INVALID_PARAMETERS,
            f"search.metric: {spec.search.metric} is not known for task {spec.task}; allowed: {listed(known)}",
        )


def must_report(wanted: tuple[str, ...], found: Sequence[Measured], kind: Kind | None, *, hook: bool) -> None:
    """Raises Refused if a wanted metric is not among those found."""
    have = [one.name for one in found]
    missing = [name for name in wanted if name not in have]
    if not missing:
        return
    if kind is None:
        raise Refused(
            Reason.DATA_INVALID, f"evaluation.metrics: {missing[0]} was not measured (measured: {listed(have)})"
        )
    known = [metric.name for metric in METRICS[kind]]
    if missing[0] in known:
        raise Refused(Reason.DATA_INVALID, f"evaluation.metrics: {missing[0]} is not defined on these evaluation rows")
    more = ", and hooks.metrics returns no such name" if hook else ""
    raise Refused(
        Reason.NOT_SUPPORTED, f"evaluation.metrics: {missing[0]} is not known for {kind} (known: {listed(known)}){more}"
    )


def in_wanted_order(found: Sequence[Measured], wanted: tuple[str, ...]) -> list[Measured]:
    """The wanted ones first, as they were written: the first is the main one."""
    return sorted(found, key=lambda one: wanted.index(one.name) if one.name in wanted else len(wanted))
