"""Whatever the other end of the watch does, Watching stays alive, and what happens afterwards is told.

The other end is a small misbehaving server and no Kubernetes: see `misbehaving_peer`.
"""

import json
import subprocess
import sys

import pytest

from dev.processes import CHECKOUT
from tests.controller.outliving import TROUBLES


@pytest.fixture(scope="module")
def failures() -> dict[str, str]:
    """The traceback of each trouble that was not outlived, all of them at once in a process of their own."""
    command = [sys.executable, "-m", "tests.controller.outliving"]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True, timeout=120, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("trouble", TROUBLES)
def test_watching_outlives(trouble: str, failures: dict[str, str]) -> None:
    assert not failures[trouble], failures[trouble]
