"""Every example manifest is taken by a real API server, from somebody who holds the role that it is for."""

from pathlib import Path

import pytest

from dev.local import Local
from tests.policies.language import CLOSED

MANIFESTS = Path(__file__).parents[2] / "examples" / "manifests"
# Stages are the platform team's, and so are rollbacks; a run that names a Secret needs the right to read it.
BY = {"03-stage": "carol", "05-rollback": "carol", "02-run-typical": "admin"}


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_example_is_taken(cluster: Local, path: Path) -> None:
    who = next((name for prefix, name in BY.items() if path.name.startswith(prefix)), "alice")
    done = cluster.kubectl(who, "apply", "--dry-run=server", "--namespace", CLOSED, "--filename", str(path))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
