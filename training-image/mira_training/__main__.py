"""`mira-training`: what a pod runs (`run` without a file), and what a data scientist types on a laptop."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mira_training.arguments import USAGE, parser
from mira_training.tracking.environment import clean_up

if TYPE_CHECKING:
    import argparse

    from mira.registry.reader import ReadableStore
    from mira_training.data.objects import DataObjects


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is 0, 64 (never retry: data, order, code or command must change) or 1."""
    wanted = parser().parse_args(arguments)
    if wanted.command is None:
        if not _order_of_pod(os.environ).exists():
            parser().print_help(sys.stderr)
            return USAGE
        wanted = parser().parse_args(["run"])
    _share_the_node()
    if wanted.command == "run" and (wanted.file is None or "MIRA_POD_UID" in os.environ):
        return _in_pod(wanted.file)
    return _for_a_person(_COMMANDS[wanted.command], wanted)


def _share_the_node() -> None:
    """Sets, before anything reads them, the variables that keep cores and memory free for others."""
    # Threads that wait for each other keep a core busy for a moment only. By default they do for long: of two trainings
    # on the same two cores each then takes eight times as long; and never to do it costs one alone half as much again.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # Arrow's own allocator keeps what the file took while it was read; nothing here reads a second one as large.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


# The imports stand inside: `--help` and `describe` wait for no library that they do not use.


def _in_pod(file: Path | None) -> int:
    from mira_training import logs  # noqa: PLC0415
    from mira_training.attempt import Attempt  # noqa: PLC0415
    from mira_training.interruption import Interruption  # noqa: PLC0415
    from mira_training.settings import Settings  # noqa: PLC0415
    from mira_training.watchdog import Watchdog  # noqa: PLC0415

    interruption = Interruption()
    interruption.listen()
    logs.configure()
    return Attempt(Settings.of(os.environ, file), connect, interruption, known=Watchdog().arm).run()


def connect(registry: str) -> "tuple[ReadableStore, DataObjects]":
    """The registry and the data in S3, with the usual AWS variables. Raises Refused for a root that is not in S3."""
    import boto3  # noqa: PLC0415

    from mira.api.reasons import Reason  # noqa: PLC0415
    from mira.registry.s3 import S3Store  # noqa: PLC0415
    from mira_training.data.objects import S3Objects  # noqa: PLC0415
    from mira_training.refusal import Refused  # noqa: PLC0415

    if not registry.startswith("s3://"):
        raise Refused(Reason.ORDER_INVALID, f"order.registry: {registry} is not allowed in a pod; set s3://bucket/root")
    session = boto3.session.Session()
    return S3Store(registry, session=session), S3Objects.with_session(session)


def _for_a_person(command: "Callable[[argparse.Namespace], int]", wanted: "argparse.Namespace") -> int:
    """The command's exit code; what it refuses, in one sentence on standard error."""
    from mira.registry.store import StoreRefused, StoreUnavailable  # noqa: PLC0415
    from mira_training.refusal import Refused  # noqa: PLC0415

    # As `python -m` does: `module:attr` may name a module of the folder that one stands in.
    if str(Path.cwd()) not in sys.path and "" not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return command(wanted)
    except Refused as error:
        return _said(f"{error.reason}: {error.message}", USAGE)
    except (StoreRefused, StoreUnavailable) as error:
        return _said(f"S3 does not give it: {error}", 1)


def _said(sentence: str, exit_code: int) -> int:
    sys.stderr.write(f"mira-training: {sentence}\n")
    return exit_code


def _run(wanted: "argparse.Namespace") -> int:
    from mira_training.laptop.running import Wanted, run  # noqa: PLC0415

    typed = Wanted(
        wanted.file, registry=wanted.registry, version=wanted.version, against=wanted.against, verbose=wanted.verbose
    )
    return run(typed, os.environ)


def _describe(wanted: "argparse.Namespace") -> int:
    from mira_training.laptop.describe import describe  # noqa: PLC0415

    sys.stdout.write(describe(wanted.reference, is_features=wanted.features, in_yaml=wanted.yaml))
    return 0


def _infer(wanted: "argparse.Namespace") -> int:
    from mira_training.laptop.infer import infer  # noqa: PLC0415

    sys.stdout.write(infer(wanted.data, wanted.target, wanted.format))
    return 0


_COMMANDS: "dict[str, Callable[[argparse.Namespace], int]]" = {"run": _run, "describe": _describe, "infer": _infer}


def _order_of_pod(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("MIRA_INPUT_DIR") or "/mira/input") / "order.json"


def _leave(exit_code: int) -> None:
    """Ends the process at once: what is known is written, and tearing down a dozen libraries takes half a second."""
    clean_up()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    _leave(main())
