"""`python -m mira_training run [order.json]`: carries out one order, in a pod or on a laptop."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3

from mira.registry.reader import ReadableStore
from mira.registry.s3 import S3Store
from mira_training import logs
from mira_training.attempt import Attempt
from mira_training.data.objects import DataObjects, S3Objects
from mira_training.interruption import Interruption
from mira_training.settings import Settings
from mira_training.watchdog import Watchdog


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 0, 64 (never retry: data, spec or code must change) or 1."""
    parser = argparse.ArgumentParser(prog="mira-training", description="Trains one model and publishes one version.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="carry out an order")
    run.add_argument("order", nargs="?", type=Path, help="the order; default: order.json in $MIRA_INPUT_DIR")
    wanted = parser.parse_args(arguments)
    interruption = Interruption()
    interruption.listen()
    logs.configure()
    # Threads of a library that wait must not keep a core busy that others, in this pod or beside it, could use.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    settings = Settings.of(os.environ, wanted.order)
    return Attempt(settings, connect, interruption, known=Watchdog().arm).run()


def connect(registry: str) -> tuple[ReadableStore, DataObjects]:
    """The registry and the data in S3, with the usual AWS variables. Raises ValueError for a root that is not in S3."""
    session = boto3.session.Session()
    return S3Store(registry, session=session), S3Objects.with_session(session)


def _leave(exit_code: int) -> None:
    """Ends the process at once: what is known is written, and tearing down a dozen libraries takes half a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    _leave(main())
