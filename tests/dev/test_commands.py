"""`make demo` and `make cluster`, as somebody types them: they come out as told, and whatever ends them ends all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dev.processes import CHECKOUT
from dev.waiting import wait_until

RUN = CHECKOUT / ".cache/run"
INTERRUPTED = "\nInterrupted; everything that was started is stopped.\n"
AT_ONCE, STARTED, INSTALLED = "", "answers at", "export KUBECONFIG"


@contextmanager
def _typed(target: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`make target` in a session of its own, as in a terminal; all that it says goes to `output`."""
    with output.open("wb") as file:
        making = subprocess.Popen(
            ["make", target], cwd=CHECKOUT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield making
    finally:
        making.send_signal(signal.SIGTERM)
        making.wait()


def _left(target: str) -> list[str]:
    """The processes that know the folder in which `make target` runs, or are the command itself."""
    words = (str(RUN / target), f"dev.{target}")
    return [line for line in map(_command_line, Path("/proc").glob("[0-9]*")) if any(word in line for word in words)]


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _nothing_is_left(target: str) -> bool:
    return not _left(target) and not (RUN / target).exists()


def test_the_demo_comes_out_as_told_and_leaves_nothing() -> None:
    told = subprocess.run(["make", "demo"], cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    assert told.stdout.endswith("\nEvery step came out as told.\n")
    assert not told.stderr
    assert _nothing_is_left("demo")


@pytest.mark.parametrize("moment", [AT_ONCE, STARTED, INSTALLED], ids=["at once", "once it has started", "installed"])
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda each: each.name)
def test_a_cluster_ends_with_the_command(asked: signal.Signals, moment: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    with _typed("cluster", output) as making:
        # Two: the command and what waits for it. Before that, Python itself is still being started.
        wait_until(
            lambda: len(_left("cluster")) >= 2 and moment in output.read_text(), what=f"{moment!r} is told", timeout=120
        )
        if asked == signal.SIGKILL:
            making.kill()
        else:  # a terminal asks everything that runs in it
            os.killpg(making.pid, asked)
        wait_until(lambda: _nothing_is_left("cluster"), what="nothing is left", timeout=20)
        wait_until(lambda: INTERRUPTED in output.read_text(), what="the last word is said", timeout=5)
    assert "Traceback" not in output.read_text()


def test_a_second_cluster_is_refused_in_a_sentence(tmp_path: Path) -> None:
    first = tmp_path / "output"
    with _typed("cluster", first):
        wait_until(lambda: STARTED in first.read_text(), what="the first has started", timeout=120)
        second = subprocess.run(
            [sys.executable, "-m", "dev.cluster"], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
        )
    assert second.returncode == 1
    assert second.stderr == f"\nsomething runs in {RUN / 'cluster'} already: stop it, or choose another folder\n"
    assert _nothing_is_left("cluster")
