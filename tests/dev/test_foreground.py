"""A command in the foreground: whenever the interrupt comes, it ends in good order."""

import signal
import subprocess
import sys
from pathlib import Path

from dev.processes import CHECKOUT
from dev.waiting import wait_until

# Python reports an exception in `__del__`, and goes on as if it had not been.
FREES_FOR_LONG = """
import signal
from dev.foreground import run_in_foreground

class Slow:
    def __del__(self):
        print("freeing", flush=True)
        signal.pause()

def command():
    Slow()
    print("freed", flush=True)
    signal.pause()
    return 0

run_in_foreground(command)
"""


def test_an_interrupt_while_something_is_freed_is_not_lost(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("wb") as file:
        running = subprocess.Popen(
            [sys.executable, "-c", FREES_FOR_LONG], cwd=CHECKOUT, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: "freeing" in said.read_text(), timeout=20, what="it frees")
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=10) == 130
    finally:
        running.kill()
        running.wait()
    assert said.read_text() == "freeing\nfreed\n\nInterrupted; everything that was started is stopped.\n"
