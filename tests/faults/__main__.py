"""`python -m tests.faults`: plans by name, a sample, or all of them with the report."""

import argparse
import sys
import time

from tests.faults.campaign import Run, run_all, undisturbed
from tests.faults.cluster import campaign_cluster
from tests.faults.faults import Plan, every_plan, sample
from tests.faults.report import REPORT, outcome, report, result_line


def main() -> int:
    """0 if every plan ended as the undisturbed journey does."""
    arguments = parsed()
    began = time.monotonic()
    results: list[Run] = []
    with campaign_cluster(say=print) as local:
        reference, names = undisturbed(local)
        print(f"{len(names)} calls of {len({name.identity for name in names})} kinds")
        plans = chosen(arguments, every_plan(names), sample(names, arguments.sample, seed=arguments.seed))
        for run in run_all(local, plans, reference, side_by_side=arguments.side_by_side):
            results.append(run)
            left = (time.monotonic() - began) / len(results) * (len(plans) - len(results))
            print(f"{len(results)}/{len(plans)}, {left / 60:.0f} min left: {result_line(run, reference)}", flush=True)
            if outcome(run, reference) == "other":
                print(f"{run.difference(reference)}\n...\n{run.log[-arguments.tail :]}", flush=True)
            if arguments.all and len(results) % 20 == 0:
                REPORT.write_text(report(results, reference, time.monotonic() - began))
    text = report(results, reference, time.monotonic() - began)
    print(text)
    if arguments.all:
        REPORT.write_text(text)
    return int(any(outcome(run, reference) == "other" for run in results))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--all", action="store_true", help="every plan; writes the report")
    parser.add_argument("--only", default="", help="the plans whose name contains this")
    parser.add_argument("--sample", type=int, default=66)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tail", type=int, default=3000)
    parser.add_argument("--side-by-side", type=int, default=3)
    return parser.parse_args()


def chosen(arguments: argparse.Namespace, everything: list[Plan], sampled: list[Plan]) -> list[Plan]:
    if arguments.only:
        return [plan for plan in everything if arguments.only in str(plan)]
    return everything if arguments.all else sampled


if __name__ == "__main__":
    sys.exit(main())
