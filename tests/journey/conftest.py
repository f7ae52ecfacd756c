"""One local cluster with S3, a node and an operator for the whole module, and a namespace for each test."""

import itertools
import os
from collections.abc import Iterator

import pytest

from dev.local import Local, OperatorProcess
from tests.support.team import INSTANT, Team

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def mira() -> Iterator[Local]:
    """Everything but an operator."""
    with Local(f"journey-{os.getpid()}", forked=True) as local:
        local.image(INSTANT, "operator", "tests/support/instant_image")
        local.start_s3_and_node()
        yield local


@pytest.fixture(scope="module")
def operator(mira: Local) -> Iterator[OperatorProcess]:
    """One operator for the module's tests."""
    process = mira.start_operator(MIRA_RESYNC_SECONDS="3")
    yield process
    process.process.terminate()
    process.process.wait(30)


@pytest.fixture
def team(mira: Local) -> Team:
    """A namespace of its own for each test."""
    return Team(mira, mira.namespace(f"team-{next(NUMBERS)}"))
