"""One local cluster for a whole test process, with the chart installed; no operator, no node."""

import os
from collections.abc import Iterator

import pytest

from dev.local import Local


@pytest.fixture(scope="session")
def cluster() -> Iterator[Local]:
    """A control plane of this process's own, in which Mira's kinds and policies are served."""
    with Local(f"tests-{os.getpid()}") as local:
        yield local
