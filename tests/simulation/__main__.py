"""`python -m tests.simulation 17` tells one history; `--seeds 0:100000 --report FILE` runs many and counts."""

import argparse
import os
import sys
from pathlib import Path

from tests.simulation.campaign import Tally, run_side_by_side
from tests.simulation.simulation import plan_of, simulate

MOST_TOLD = 3
BAR = 40


def main() -> int:
    """0, or 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", nargs="?", type=int, help="tell this one history")
    parser.add_argument("--seeds", help="FROM:TO, run all of these")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, help="write what came of it")
    wanted = parser.parse_args()
    if wanted.seeds is None:
        result = simulate(plan_of(wanted.seed or 0))
        sys.stdout.write(f"{result}\n{result.digest}\n")
        return 1 if result.problems else 0
    first, last = map(int, wanted.seeds.split(":"))
    seeds = range(first, last)
    told: list[str] = []

    def show(so_far: Tally) -> None:
        # At once: the whole of a campaign takes hours.
        for failure in so_far.failures[len(told) : MOST_TOLD]:
            sys.stdout.write(f"\n{failure}\n\n")
            sys.stdout.flush()
            told.append(failure)
        _show(so_far, len(seeds))

    tally = run_side_by_side(seeds, wanted.processes, show)
    page = report(seeds, tally, wanted.processes)
    sys.stdout.write(f"\n{page}")
    if wanted.report:
        keep(page, wanted.report, tally)
    return 1 if tally.failures else 0


def keep(page: str, where: Path, tally: Tally) -> None:
    """Writes the page, unless a promise was broken: a page of docs/ says what holds, and the one before stays."""
    if tally.failures:
        sys.stderr.write(f"{where} is left as it was: {len(tally.failures)} histories broke a promise\n")
        return
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(page)


def _show(tally: Tally, of: int) -> None:
    done = BAR * tally.histories // of
    left = tally.seconds / tally.histories * (of - tally.histories)
    sys.stderr.write(
        f"\r[{'#' * done}{'.' * (BAR - done)}] {tally.histories} of {of}, {len(tally.failures)} wrong, "
        f"{tally.seconds:.0f} s, {left:.0f} s to go "
    )
    sys.stderr.flush()


def report(seeds: range, tally: Tally, processes: int) -> str:
    """What came of the histories, as a page of docs/reliability."""
    rows = [f"| {what} | {count} |" for what, count in sorted(tally.struck.items())]
    work = [f"| {what} | {count} |" for what, count in sorted(tally.workloads.items())]
    ran = f"{tally.histories} histories, {len(tally.failures)} with a broken promise"
    by = f"{processes} {'process' if processes == 1 else 'processes'}"
    half, most, last = (tally.percentile(share) for share in (0.5, 0.99, 1.0))
    slowest = ", ".join(f"{seed} ({seconds:.1f} s)" for seconds, seed in sorted(tally.settled)[-MOST_TOLD:])
    lines = [
        "# The operator in a deterministic simulator",
        "",
        f"Written by `python -m tests.simulation --seeds {seeds.start}:{seeds.stop} --report <this file>`.",
        "",
        f"{ran}, in {tally.seconds:.0f} s by {by}. One to three operators, up to four faults each.",
        "",
        "From the last disturbance (a fault or its end, a person, a pod) until all was right, in simulated seconds:",
        f"half within {half:.1f}, 99% within {most:.1f}, all within {last:.1f}. Histories in which somebody edited a",
        "pointer by hand are left out: S3 tells nobody, so that is seen at the stage's next look; all of them within",
        f"{tally.by_hand[0]:.1f}. The slowest histories are those of seeds {slowest},",
        f"and {tally.by_hand[1]} of those by hand; `python -m tests.simulation SEED` tells one.",
        "",
        "| fault that struck | times |",
        "|---|---|",
        *rows,
        "",
        "| what people did | times |",
        "|---|---|",
        *work,
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
