"""Runs one program and says what it took: wall time, processor time and the most memory that it held."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """What one run of a program took, itself and the processes that it waited for; `said` is what it measured."""

    wall: float
    cpu: float
    peak: float
    said: dict[str, Any] = field(default_factory=dict)


def cost_of(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """One run of `python <arguments>` in the folder. Raises RuntimeError with the end of its output if it fails.

    The peak is `ru_maxrss` in MiB. It counts what the parent held when it forked as well: whoever calls this must be
    small.
    """
    out = folder / "out.txt"
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | dict(environment or {})
    with out.open("wb") as output:
        began = time.monotonic()
        child = subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=output, cwd=folder, env=paths)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    text = out.read_text(errors="replace")
    if child.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {child.returncode}:\n{text[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / MIB, _last_json(text))


def _last_json(text: str) -> dict[str, Any]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    said: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return said
