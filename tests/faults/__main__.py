"""`python -m tests.faults`: a sample of the plans, those of a name, or all of them with the page of their results."""

import argparse
import sys
import time
from collections.abc import Sequence
from random import Random

from tests.faults.campaign import Run, run_all, undisturbed
from tests.faults.faults import Plan, every_plan, sample
from tests.faults.ground import ground
from tests.faults.report import REPORT, outcome, report, result_line

TAIL = 3000


def main() -> int:
    """0 if every plan ended as the undisturbed journey does."""
    arguments = parsed()
    began = time.monotonic()
    with ground(say=say) as cluster:
        reference, names = undisturbed(cluster)
        say(f"{len(names)} calls of {len({name.identity for name in names})} kinds")
        everything = every_plan(names)
        seed = arguments.seed
        plans = shuffled(everything, seed) if arguments.all else sample(names, arguments.sample, seed=seed)
        if arguments.only:
            plans = [plan for plan in everything if arguments.only in str(plan)]
        results: list[Run] = []
        page = ""
        for run in run_all(cluster, plans, reference, side_by_side=arguments.side_by_side):
            results.append(run)
            tell(run, reference, f"{len(results)}/{len(plans)}, {time.monotonic() - began:.0f} s")
            page = report(results, reference, of=len(everything), seconds=time.monotonic() - began)
            if arguments.page:
                # Written as it goes: a campaign of hours may be ended early.
                REPORT.parent.mkdir(exist_ok=True)
                REPORT.write_text(page)
    say(page)
    return int(any(outcome(run, reference) == "other" for run in results))


def shuffled(plans: Sequence[Plan], seed: int) -> list[Plan]:
    """All of them in any order: a campaign that is ended early has tried something of everything."""
    return Random(seed).sample(plans, len(plans))  # noqa: S311 - the same order every time


def parsed() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--all", action="store_true", help="every plan: hours")
    parser.add_argument("--page", action="store_true", help="writes the page of the results")
    parser.add_argument("--only", default="", help="the plans whose name contains this")
    parser.add_argument("--sample", type=int, default=66, help="how many plans, if neither")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side-by-side", type=int, default=3)
    return parser.parse_args()


def tell(run: Run, reference: Run, where: str) -> None:
    """Says how a plan ended, and what is other if it ended otherwise."""
    say(f"{where}: {result_line(run, reference)}")
    if outcome(run, reference) == "other":
        say(f"{run.difference(reference)}\n...\n{run.log[-TAIL:]}")


def say(line: str) -> None:
    """Prints at once: somebody may be reading along."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
