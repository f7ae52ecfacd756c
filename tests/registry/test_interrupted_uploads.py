"""An upload that is interrupted leaves nothing: parts that nobody ends are paid for and seen by nobody."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.s3 import Role, SeaweedFS
from mira_training.interruption import Interruption
from mira_training.refusal import Interrupted
from tests.registry.servers import in_role

KEY = "models/team-a/interrupted/big"


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    """As in a pod; the handlers of signals are as they were, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    listening = Interruption()
    listening.listen()
    yield listening
    listening.close()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("interruption")
def test_sigterm_stops_an_upload_in_parts_and_takes_the_parts_away(seaweedfs: SeaweedFS, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(1024 * 1024) * 80)
    store, sent = in_role(seaweedfs, Role.TRAINER), threading.Event()

    def progress(_: int) -> None:
        if not sent.is_set():
            sent.set()
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        store.upload(KEY, tmp_path / "big", progress=progress)
    assert seaweedfs.client(Role.ADMIN).list_multipart_uploads(Bucket=store.bucket).get("Uploads", []) == []
    assert store.head(KEY) is None
