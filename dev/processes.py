"""Processes that end with us, however we end: by leaving the context, by Ctrl-C, by a crash, by SIGKILL.

They are children not of ours but of a keeper (`dev/keeper.py`), which takes them down as soon as it no longer hears us.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self, cast

from dev.keeper import die_with_parent

CHECKOUT = Path(__file__).parents[1]
LAST_LINES, LONGEST_LINE = 20, 400


def run_once(
    argv: Sequence[str | Path], *, stdin: str | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """What the program said and how it ended. It ends with us, and the terminal's Ctrl-C is for us alone."""
    return subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


@dataclass(frozen=True)
class Process:
    """A program that runs under a supervisor, in a process group of its own that ends with it."""

    name: str
    pid: int
    log: Path
    _number: int = field(repr=False)
    _ended: Future[int] = field(repr=False)
    _command: Callable[[dict[str, Any]], None] = field(repr=False)

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), None while it runs."""
        return self._ended.result() if self._ended.done() else None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, as soon as the process has ended; a TimeoutError if it still runs after `timeout` seconds."""
        try:
            return self._ended.result(timeout)
        except TimeoutError:
            raise TimeoutError(f"{self.name} (pid {self.pid}) still runs after {timeout:g} s") from None

    def last_words(self) -> str:
        """How its log ends, for an error's text: when somebody reads that, the log may be gone."""
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:] if self.log.exists() else []
        said = "\n".join(line[:LONGEST_LINE] for line in lines) or "nothing"
        return f"the last that {self.name} logged:\n{said}"

    def signal(self, number: int) -> None:
        """Signals the process alone, as a kubelet signals a container's first process; nothing if it has ended."""
        self._command({"signal": self._number, "number": int(number), "group": False})

    def terminate(self) -> None:
        """Asks the process to end."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process and its whole group at once."""
        self._command({"signal": self._number, "number": int(signal.SIGKILL), "group": True})


class Supervisor:
    """Starts processes that end when this context is left, and also when this process ends without leaving it."""

    def __init__(self, *, grace: float = 5.0) -> None:
        """`grace`: the seconds between SIGTERM and SIGKILL for what still runs at the end."""
        self._grace = grace
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._lost = False
        self._starting: dict[int, Future[int]] = {}
        self._running: dict[int, Future[int]] = {}

    def __enter__(self) -> Self:
        # A session of its own: the terminal's Ctrl-C is for us, who then end everything in good order.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "dev.keeper", str(self._grace)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._commands = cast("IO[bytes]", self._keeper.stdin)
        self._answers = cast("IO[bytes]", self._keeper.stdout)
        self._listener = threading.Thread(target=self._listen, name="supervisor", daemon=True)
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process, and returns when none is left."""
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._commands.close()
        try:
            self._keeper.wait(self._grace + 10)
        finally:
            self._keeper.kill()  # it has ended; had it hung, its processes would end with it
            self._keeper.wait()
            self._listener.join()
            self._answers.close()

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        module: str = "",
        leaves: Sequence[str | Path] = (),
    ) -> Process:
        """The process that runs `argv`, its output appended to `log`; an OSError if it cannot be started.

        `env` is the whole environment (default: ours), `cwd` the working directory (default: ours). With a `module` it
        runs that one with these arguments, as `python -m`, but forked from a process that has imported it already.
        `leaves` are files that it would leave behind when it is killed: they are removed once it has ended.
        """
        number = next(self._numbers)
        started: Future[int] = Future()
        ended: Future[int] = Future()
        with self._lock:
            if self._lost:
                raise ChildProcessError(f"{name} cannot start: the supervisor has ended")
            self._starting[number], self._running[number] = started, ended
        self._command(
            {
                "start": number,
                **({"module": module} if module else {}),
                "leaves": [str(path) for path in leaves],
                "argv": [str(word) for word in argv],
                "env": dict(os.environ if env is None else env),
                "cwd": str((cwd or Path()).absolute()),
                "log": str(log.absolute()),
            }
        )
        return Process(name, started.result(), log, number, ended, self._command)

    def _command(self, command: dict[str, Any]) -> None:
        # A keeper that is gone took its processes along, and the listener tells so whoever waits for an answer.
        with self._lock, contextlib.suppress(BrokenPipeError, ValueError):
            self._commands.write(json.dumps(command).encode() + b"\n")
            self._commands.flush()

    def _listen(self) -> None:
        for line in self._answers:
            self._learn(json.loads(line))
        with self._lock:
            self._lost = True
        for future in self._starting.values():
            future.set_exception(ChildProcessError("the supervisor has ended"))
        for future in self._running.values():
            future.set_result(-signal.SIGKILL)

    def _learn(self, answer: dict[str, Any]) -> None:
        match answer:
            case {"started": number, "pid": pid}:
                self._starting.pop(number).set_result(pid)
            case {"failed": number, "error": error}:
                del self._running[number]
                self._starting.pop(number).set_exception(OSError(*error))
            case {"ended": number, "code": code}:
                self._running.pop(number).set_result(code)
            case _:
                raise ValueError(f"the keeper speaks another language: {answer}")
