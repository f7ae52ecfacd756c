"""`python -m tests.faults`: a sample of the plans, those of a name, or all of them with the page of their results."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.faults.calls import Name
from tests.faults.campaign import Run, run_all, undisturbed
from tests.faults.faults import Plan, every_plan, sample
from tests.faults.ground import ground
from tests.faults.report import REPORT, report
from tests.faults.results import Result, keep, kept_in, result_of

TAIL = 3000


def main() -> int:
    """0 if every plan ended as the undisturbed journey does."""
    arguments = parsed()
    began = time.monotonic()
    known = kept_in(arguments.resume) if arguments.resume else []
    before = sum(result.seconds for result in known) / arguments.side_by_side
    with ground(say=say) as cluster:
        reference, names = undisturbed(cluster)
        say(f"{len(names)} calls of {len({name.identity for name in names})} kinds")
        everything = every_plan(names)
        tried = {result.plan for result in known}
        plans = [plan for plan in wanted(everything, names, arguments) if str(plan) not in tried]
        results = list(known)
        for run in run_all(cluster, plans, reference, side_by_side=arguments.side_by_side):
            results.append(result_of(run, reference))
            tell(run, reference, results[-1], f"{len(results)}/{len(known) + len(plans)}")
            if arguments.resume:
                keep(results[-1], arguments.resume)
    # What is called how often differs a little from one campaign to its resumption.
    all_of_them = {str(plan) for plan in everything} | {result.plan for result in results}
    page = report(results, of=len(all_of_them), seconds=before + time.monotonic() - began)
    say(page)
    if arguments.page:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(page)
    return int(any(result.outcome == "other" for result in results))


def wanted(everything: Sequence[Plan], names: Sequence[Name], arguments: argparse.Namespace) -> list[Plan]:
    """The plans that were asked for."""
    if arguments.only:
        return [plan for plan in everything if arguments.only in str(plan)]
    if arguments.all:
        return shuffled(everything, arguments.seed)
    return sample(names, arguments.sample, seed=arguments.seed)


def shuffled(plans: Sequence[Plan], seed: int) -> list[Plan]:
    """All of them in any order: a campaign that is ended early has tried something of everything."""
    return Random(seed).sample(plans, len(plans))  # noqa: S311 - the same order every time


def parsed() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--all", action="store_true", help="every plan: hours")
    parser.add_argument("--resume", type=Path, help="keeps results in this file and leaves out those that it has")
    parser.add_argument("--page", action="store_true", help="writes the page of the results")
    parser.add_argument("--only", default="", help="the plans whose name contains this")
    parser.add_argument("--sample", type=int, default=66, help="how many plans, if neither")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side-by-side", type=int, default=3)
    return parser.parse_args()


def tell(run: Run, reference: Run, result: Result, where: str) -> None:
    """Says how a plan ended, and what is other if it ended otherwise."""
    say(f"{where}: {result}")
    if result.outcome == "other":
        say(f"{run.difference(reference)}\n...\n{run.log[-TAIL:]}")


def say(line: str) -> None:
    """Prints at once: somebody may be reading along."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
