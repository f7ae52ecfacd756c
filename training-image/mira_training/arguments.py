"""The command line of `mira-training`. It imports nothing that `--help` would wait for."""

import argparse
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

USAGE = 64
"""As for everything that trying again cannot help."""

ABOUT = """\
Trains one model and publishes one immutable version.

  mira-training describe churn.model:build      what parameters it takes
  mira-training infer churn.parquet             a first spec of the data's columns
  mira-training run run.yaml                    a TrainingRun, here, into ./mira-registry
"""
EXITS = """\
exit codes:
  0   done
  64  trying again cannot help: command, manifest, data or code must change
  1   trying again may help: S3 does not answer, interrupted, an unexpected error
"""
RUN = """\
Carries out a TrainingRun manifest (as for kubectl) or an order of the operator, with the
flow that a pod runs: ingest, validate, train, evaluate, publish. Data may lie in S3, at
file:///path, or at a path relative to the manifest. Without FILE: the order of this pod.
"""
DESCRIBE = """\
Prints the JSON Schema of spec.parameters for an estimator or a features hook: its pydantic
model, or what its signature and scikit-learn's own constraints say. By this schema the
parameters are checked before any data is read.
"""
INFER = """\
Prints a first spec.data.checks for the data, as YAML, with the reason for each bound. Read it
and correct it: it says what this data is, not what the next may be.
"""


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """The parser; a wrong use ends with exit code 64 and one sentence."""
    form = argparse.RawDescriptionHelpFormatter
    whole = _Parser(prog="mira-training", description=ABOUT, epilog=EXITS, formatter_class=form, allow_abbrev=False)
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)

    def command(name: str, short: str, description: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=short, description=description, epilog=EXITS, formatter_class=form, allow_abbrev=False
        )

    _run(command("run", "carry out a TrainingRun or an order", RUN))
    describe = command("describe", "print the parameters that an estimator takes", DESCRIBE)
    describe.add_argument(
        "reference", nargs="?", metavar="module:attr", help="or a registered name; default: the default estimator"
    )
    describe.add_argument("--features", action="store_true", help="it is a features hook: features(df, inputs, params)")
    describe.add_argument("--yaml", action="store_true", help="a commented block for spec.parameters instead")
    infer = command("infer", "print a first spec of the data's columns", INFER)
    infer.add_argument("data", metavar="DATA", help="a .csv, .csv.gz or .parquet: a path, file:///... or s3://...")
    infer.add_argument("--target", metavar="COLUMN", help="the column to predict")
    infer.add_argument("--format", choices=("CSV", "Parquet"), help="default: by the suffix")
    return whole


def _run(run: argparse.ArgumentParser) -> None:
    run.add_argument("file", nargs="?", type=Path, metavar="FILE", help="run.yaml, run.json or order.json")
    run.add_argument(
        "--registry", metavar="PLACE", help="where to publish: a folder, file:///folder or s3://bucket/root; default: "
        "./mira-registry for a manifest, the order's own for an order",
    )  # fmt: skip
    run.add_argument("--version", metavar="ID", help="the version's id; default: spec.version or metadata.name")
    run.add_argument("--against", metavar="ID", help="a version in the registry to compare with, on the same rows")
    run.add_argument("--verbose", action="store_true", help="the log as in a pod: every record, as JSON lines")
