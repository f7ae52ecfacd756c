"""One local cluster for a whole test process: with the chart installed, or with everything that a journey needs."""

from collections.abc import Iterator

import pytest

from dev.local import Local


@pytest.fixture(scope="session")
def cluster(worker_id: str) -> Iterator[Local]:
    """A control plane with Mira's chart installed; no operator, no node."""
    with Local(f"tests-{worker_id}") as local:
        yield local
