"""The campaign's results as lines and as a page."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from dev.processes import CHECKOUT
from tests.faults.faults import Fault
from tests.faults.results import Result

REPORT = CHECKOUT / "docs/reliability/kill-and-cut.md"


def percentiles(seconds: Sequence[float]) -> str:
    """Half, 99 of 100, and all of them were not slower than this."""
    ordered = sorted(seconds)
    if not ordered:
        return "- | - | -"
    last = len(ordered) - 1
    return " | ".join(f"{ordered[round(part * last)]:.1f}" for part in (0.5, 0.99, 1.0))


PAGE = """# Killed and cut at every call

Written by `python -m tests.faults --page` (`--all` for every plan); what is done, and how, is in `tests/faults/`.

One journey (a run, two promotions, a rollback) on real servers, once for each fault at each call that the operator
makes to Kubernetes and to S3. The end - lineage, pointer, statuses, and what was made how often - must be that of the
undisturbed journey. *Missed*: the call was not made in that run, so nothing was tried.

{plans} of {of} plans: {same} ended the same, {other} otherwise, {missed} missed; {seconds:.0f} s.

Seconds from the end of the fault to what was wanted when it happened, the undisturbed part of that work included; one
that lasted longer than the work is counted with what was wanted next:

| fault | plans | p50 | p99 | max |
|---|---|---|---|---|
{times}

Seconds from a start of the operator to ready:

| starts | p50 | p99 | max |
|---|---|---|---|
| {starts} | {ready} |

Each cell: plans that ended the same / plans that hit their call.

| call | {faults} |
|---|{columns}
{cells}
"""


def report(results: Sequence[Result], *, of: int, seconds: float) -> str:
    """The page: how many plans, how they ended, how long it took, and a table of calls and faults."""
    outcomes = Counter(result.outcome for result in results)
    starts = [start for result in results for start in result.starts]
    return PAGE.format(
        plans=len(results),
        of=of,
        same=outcomes["same"],
        other=outcomes["other"],
        missed=outcomes["missed"],
        seconds=seconds,
        times="\n".join(_times([result for result in results if result.hit])),
        starts=len(starts),
        ready=percentiles(starts),
        faults=" | ".join(Fault),
        columns="---|" * len(Fault),
        cells="\n".join(_cells(results)),
    )


def _times(hit: Sequence[Result]) -> list[str]:
    lines = []
    for fault in Fault:
        those = [result for result in hit if result.fault == fault]
        times = [result.recovered for result in those if result.recovered is not None]
        lines.append(f"| {fault} | {len(those)} | {percentiles(times)} |")
    everything = percentiles([result.recovered for result in hit if result.recovered is not None])
    return [*lines, f"| all | {len(hit)} | {everything} |"]


def _cells(results: Sequence[Result]) -> list[str]:
    cells: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        if result.hit:
            cells[result.call][result.fault].append(result)
    lines = []
    for call, by_fault in sorted(cells.items()):
        row = []
        for fault in Fault:
            those = by_fault[fault]
            same = sum(result.outcome == "same" for result in those)
            row.append(f"{same}/{len(those)}" if those else "")
        lines.append(f"| `{call}` | {' | '.join(row)} |")
    return lines
