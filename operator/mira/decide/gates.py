"""The gates of a stage: rules on the candidate's metrics, absolute or against the current version on the same rows."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from mira.api import modelstage
from mira.api.reasons import Reason
from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.entry import Gate, GateResult, Version
from mira.registry.manifest import Manifest, Metric


class Finding(NamedTuple):
    """What one threshold of a gate said."""

    result: GateResult
    reason: Reason


PASSED = Finding(GateResult.PASS, Reason.PASSED)
NOT_UNDERSTOOD = Finding(GateResult.INCONCLUSIVE, Reason.NOT_SUPPORTED)


def judge_gates(
    gates: Sequence[modelstage.Gate], manifest: Manifest, current: Version | None, comparison: Comparison | None
) -> tuple[Gate, ...]:
    """One row for each gate: the first failing threshold speaks, then the first inconclusive one."""
    return tuple(_judge(gate, manifest, current, comparison) for gate in gates)


def failed(rows: Sequence[Gate]) -> tuple[Gate, ...]:
    """The rows for which the promotion is refused, in the gates' order."""
    return tuple(row for row in rows if row.result is GateResult.FAIL)


def inconclusive(rows: Sequence[Gate]) -> tuple[Gate, ...]:
    """The rows for which the promotion waits: the comparison that they need is not there."""
    return tuple(row for row in rows if row.result is GateResult.INCONCLUSIVE)


def describe(rows: Sequence[Gate]) -> str:
    """The rows in words, such as `roc_auc is 0.71, needs minimum 0.75 (BelowMinimum)`."""
    return "; ".join(_sentence(row) for row in rows)


def reported(manifest: Manifest) -> str:
    """The names of the metrics that the version reports, for whoever mistyped one; the first 30 in order."""
    names = sorted(f"{metric.name}[{metric.slice}]" if metric.slice else metric.name for metric in manifest.metrics)
    return ", ".join(names[:30]) + (" and more" if len(names) > 30 else "") if names else "no metric"


def _judge(gate: modelstage.Gate, manifest: Manifest, current: Version | None, comparison: Comparison | None) -> Gate:
    metric = manifest.metric(gate.metric, gate.slice)
    difference = comparison.difference(gate.metric, gate.slice) if comparison and current else None
    # A threshold of a newer version of Mira, which this one cannot see, must not be a hole.
    findings = list(_findings(gate, metric, current, comparison, difference)) or [NOT_UNDERSTOOD]
    rank = [GateResult.FAIL, GateResult.INCONCLUSIVE, GateResult.PASS]
    # NoCurrentVersion is worth saying although it passes.
    verdict = min(findings, key=lambda finding: (rank.index(finding.result), finding.reason is Reason.PASSED))
    return Gate(
        metric=gate.metric,
        slice=gate.slice,
        measured=metric.value if metric else None,
        current=difference.current if difference else None,
        lower=difference.lower if difference else None,
        threshold=threshold(gate),
        result=verdict.result,
        reason=str(verdict.reason),
    )


def threshold(gate: modelstage.Gate) -> str:
    """What the gate asks for, such as `minimum 0.75, maxRegression 0.002`."""
    parts = (("minimum", gate.minimum), ("maximum", gate.maximum), ("maxRegression", gate.max_regression))
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)


def _findings(
    gate: modelstage.Gate,
    metric: Metric | None,
    current: Version | None,
    comparison: Comparison | None,
    difference: Difference | None,
) -> Iterator[Finding]:
    if metric is None:
        yield Finding(GateResult.FAIL, Reason.METRIC_NOT_FOUND)
        return
    value = Decimal(metric.value)
    if gate.minimum is not None:
        yield PASSED if value >= Decimal(gate.minimum) else Finding(GateResult.FAIL, Reason.BELOW_MINIMUM)
    if gate.maximum is not None:
        yield PASSED if value <= Decimal(gate.maximum) else Finding(GateResult.FAIL, Reason.ABOVE_MAXIMUM)
    if gate.max_regression is not None:
        yield _regression(Decimal(gate.max_regression), metric, current, comparison, difference)


def _regression(
    allowed: Decimal,
    metric: Metric,
    current: Version | None,
    comparison: Comparison | None,
    difference: Difference | None,
) -> Finding:
    """Pass if and only if the lower end of the 95% interval, in the metric's good direction, is at least -allowed."""
    if metric.direction is None:
        return Finding(GateResult.FAIL, Reason.DIRECTION_UNKNOWN)
    if current is None:
        return Finding(GateResult.PASS, Reason.NO_CURRENT_VERSION)
    if comparison is None:
        return Finding(GateResult.INCONCLUSIVE, Reason.NOT_COMPARED)
    if comparison.verdict is Verdict.NOT_COMPARABLE:
        return Finding(GateResult.FAIL, Reason.NOT_COMPARABLE)
    if difference is None:
        return Finding(GateResult.FAIL, Reason.METRIC_NOT_FOUND)
    return PASSED if Decimal(difference.lower) >= -allowed else Finding(GateResult.FAIL, Reason.REGRESSED)


def _sentence(row: Gate) -> str:
    name = f"{row.metric}[{row.slice}]" if row.slice else row.metric
    against = f", current {row.current}, 95% interval from {row.lower}" if row.current is not None else ""
    return f"{name} is {row.measured or 'not reported'}{against}, needs {row.threshold} ({row.reason})"
