"""`mira-training run FILE` on a laptop: the flow of the pod on one's own files, told to a person."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mira.api.reasons import Reason
from mira.registry.folder import FolderStore
from mira.registry.keys import VersionKey
from mira.registry.order import Order
from mira.registry.reader import ReadableStore
from mira_training import logs
from mira_training.attempt import Attempt
from mira_training.data.files import SCHEME, FilesOrElse
from mira_training.data.objects import DataObjects, S3Objects
from mira_training.ending import Ending
from mira_training.interruption import Interruption
from mira_training.laptop.orders import order_in
from mira_training.laptop.telling import StepLines, checks, result
from mira_training.settings import Settings
from mira_training.watchdog import Watchdog


@dataclass(frozen=True)
class Wanted:
    """What a person typed after `mira-training run`."""

    file: Path
    registry: str | None = None
    version: str | None = None
    against: str | None = None
    verbose: bool = False


def run(wanted: Wanted, environment: Mapping[str, str]) -> int:
    """Carries the order out: 0, 64 (data, order or code must change) or 1 (trying again may help).

    Raises Refused if there is no order in the file.
    """
    order = order_in(wanted.file, registry=wanted.registry, version=wanted.version)
    if wanted.against is not None:
        # A version that somebody names stands in for what a stage serves.
        order = order.model_copy(update={"against": None})
    logs.configure(None if wanted.verbose else StepLines())
    interruption = Interruption()
    interruption.listen()
    with tempfile.TemporaryDirectory(prefix="mira-order-") as folder:
        file = Path(folder) / "order.json"
        # As bytes and back, like in a cluster: what is stored as 1 there is 1 here too.
        file.write_bytes(order.render())
        settings = replace(Settings.of(environment, file), on_laptop=True, against=wanted.against)
        attempt = Attempt(settings, connect, interruption)

        def known(exit_code: int) -> None:
            # Told first: nothing that Prefect does afterwards can take it away.
            _tell(order, attempt.ending)
            Watchdog().arm(exit_code)

        attempt.known = known
        return attempt.run()


def connect(registry: str) -> tuple[ReadableStore, DataObjects]:
    """The registry, in a folder or in S3, and data in files or in S3; without S3 nothing asks for credentials."""
    if registry.startswith(SCHEME):
        return FolderStore(registry), FilesOrElse(lambda: S3Objects.with_session(_session()))
    from mira.registry.s3 import S3Store  # noqa: PLC0415

    session = _session()
    return S3Store(registry, session=session), FilesOrElse(lambda: S3Objects.with_session(session))


@cache
def _session() -> Any:
    """One for all clients: its credentials are fetched once, and the models of S3 read once."""
    import boto3  # noqa: PLC0415 - half a second that a run on files alone need not wait

    return boto3.session.Session()


def _tell(order: Order, ending: Ending | None) -> None:
    if ending is None:
        return
    if ending.exit_code:
        sys.stderr.writelines(f"{line}\n" for line in checks(ending.failed_checks))
        return
    if ending.reason is Reason.ADOPTED:
        sys.stdout.write(f"nothing is trained: {ending.message}; to train again, give --version another id\n")
    store, _ = connect(order.registry)
    place = unquote(order.registry.removeprefix(SCHEME))
    key = VersionKey(order.namespace, order.model, order.version)
    sys.stdout.writelines(f"{line}\n" for line in result(store, key, place))
