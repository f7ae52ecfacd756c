"""The campaign's results as lines and as a page."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from dev.processes import CHECKOUT
from tests.faults.campaign import Run
from tests.faults.faults import Fault

REPORT = CHECKOUT / "docs/reliability/kill-and-cut.md"


def outcome(run: Run, reference: Run) -> str:
    """`same` as undisturbed, `other`, or `missed` if the call of the plan was not made in that run."""
    if run.difference(reference):
        return "other"
    return "same" if run.hit else "missed"


def result_line(run: Run, reference: Run) -> str:
    """One line about one plan."""
    recovered = "" if run.recovered is None else f", {run.recovered:.1f} s after it was over"
    starts = " ".join(f"{start:.1f}" for start in run.starts)
    return f"{outcome(run, reference):6} {run.plan} ({run.seconds:.0f} s{recovered}; started in {starts} s)"


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


def report(results: Sequence[Run], reference: Run, *, of: int, seconds: float) -> str:
    """The page: how many plans, how they ended, how long it took, and a table of calls and faults."""
    outcomes = Counter(outcome(run, reference) for run in results)
    starts = [start for run in results for start in run.starts]
    return PAGE.format(
        plans=len(results),
        of=of,
        same=outcomes["same"],
        other=outcomes["other"],
        missed=outcomes["missed"],
        seconds=seconds,
        times="\n".join(_times([run for run in results if run.hit])),
        starts=len(starts),
        ready=percentiles(starts),
        faults=" | ".join(Fault),
        columns="---|" * len(Fault),
        cells="\n".join(_cells(results, reference)),
    )


def _times(hit: Sequence[Run]) -> list[str]:
    lines = []
    for fault in Fault:
        those = [run for run in hit if run.plan and run.plan.fault is fault]
        times = [run.recovered for run in those if run.recovered is not None]
        lines.append(f"| {fault} | {len(those)} | {percentiles(times)} |")
    everything = percentiles([run.recovered for run in hit if run.recovered is not None])
    return [*lines, f"| all | {len(hit)} | {everything} |"]


def _cells(results: Sequence[Run], reference: Run) -> list[str]:
    cells: dict[str, dict[Fault, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in results:
        if run.plan and (run.hit or outcome(run, reference) == "other"):
            cells[str(run.plan.name.identity)][run.plan.fault].append(run)
    lines = []
    for identity, by_fault in sorted(cells.items()):
        row = []
        for fault in Fault:
            runs = by_fault[fault]
            same = sum(outcome(run, reference) == "same" for run in runs)
            row.append(f"{same}/{len(runs)}" if runs else "")
        lines.append(f"| `{identity}` | {' | '.join(row)} |")
    return lines
