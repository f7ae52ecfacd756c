"""The keeper: starts processes on behalf of a `Supervisor` in another process, and ends them when that one is gone.

It reads commands from a pipe whose only writing end is the supervisor's: when that process ends, in whatever way, the
keeper reads the end of the file. Commands and answers are lines of JSON:

    {"start": 7, "argv": [], "env": {}, "cwd": "", "log": ""}  ->  {"started": 7, "pid": 4711}
                                                               or  {"failed": 7, "error": [2, "No such file", "argv0"]}
    {"start": 7, "module": "a.b", ...}                     ->  the same: a fork of this module's zygote
    {"start": 7, "leaves": ["/tmp/a.sock"], ...}           ->  the same: these files are removed once it has ended
    {"signal": 7, "number": 15, "group": false}                ->  nothing; ignored if it has ended
                                            when it has ended  ->  {"ended": 7, "code": -15}
"""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

COMMANDS, ANSWERS = 0, 1
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
prctl = getattr(ctypes.CDLL(None), "prctl", lambda *_: -1)  # Linux has it


def die_with_parent() -> None:
    """Has this process killed when its parent ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True)
class Fork:
    """A process that a zygote has forked, and that became our child when its parent ended."""

    pid: int

    def wait(self) -> int:
        """Its exit code, negative for a signal; reaps it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Keeper:
    """Starts, signals, reaps: one thread, woken by a command or by the end of a child."""

    def __init__(self, *, grace: float) -> None:
        """`grace`: the seconds between SIGTERM and SIGKILL at the end."""
        self._grace = grace
        self._supervisor = os.getppid()
        self._numbers: dict[int, int] = {}  # by pid
        self._processes: dict[int, subprocess.Popen[bytes] | Fork] = {}
        self._leaves: dict[int, list[str]] = {}
        self._zygotes: dict[tuple[str, str], subprocess.Popen[bytes]] = {}  # by module and PYTHONPATH
        self._unread = b""
        self._woken = _wake_on_signals()
        # Whatever our processes leave behind becomes our child, also when it has left its group.
        prctl(PR_SET_CHILD_SUBREAPER, 1)

    def run(self) -> None:
        """Obeys until the supervisor is gone, then ends every process."""
        while self._obey():
            self._reap()
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while self._processes and (left := deadline - time.monotonic()) > 0:
            self._sleep(left)
            self._reap()
        self._end_all()

    def _obey(self) -> bool:
        # The look at our parent is for a supervisor that has forked: the copy holds the pipe open after its end.
        if COMMANDS not in self._sleep(1.0, COMMANDS):
            return os.getppid() == self._supervisor
        received = os.read(COMMANDS, 1 << 16)
        *lines, self._unread = (self._unread + received).split(b"\n")
        for line in lines:
            self._carry_out(json.loads(line))
        return bool(received)

    def _sleep(self, seconds: float, *also: int) -> list[int]:
        ready, _, _ = select.select([self._woken, *also], [], [], seconds)
        if self._woken in ready:
            os.read(self._woken, 1 << 16)
        return ready

    def _carry_out(self, command: dict[str, Any]) -> None:
        match command:
            case {"start": number, "argv": argv, "env": env, "cwd": cwd, "log": log, **more}:
                process: subprocess.Popen[bytes] | Fork
                try:
                    if module := more.get("module"):
                        process = self._fork(module, command)
                    else:
                        process = _spawn(argv, env, cwd, Path(log))
                except OSError as error:
                    _answer(failed=number, error=[error.errno, error.strerror, error.filename])
                except ValueError as error:  # a zero byte in a word
                    _answer(failed=number, error=[errno.EINVAL, str(error), argv[0]])
                else:
                    self._processes[number], self._leaves[number] = process, more.get("leaves", [])
                    self._numbers[process.pid] = number
                    _answer(started=number, pid=process.pid)
            case {"signal": number, "number": sign, "group": group} if number in self._processes:
                _signal(self._processes[number].pid, sign, group=group)
            case _:  # a signal to what has ended
                pass

    def _fork(self, module: str, command: dict[str, Any]) -> Fork:
        """A run of the module from its zygote, which is started for the first one and waited for."""
        if not Path(command["cwd"]).is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command["cwd"])
        Path(command["log"]).parent.mkdir(parents=True, exist_ok=True)
        known = (module, command["env"].get("PYTHONPATH", ""))
        zygote = self._zygotes.get(known)
        if zygote is None or zygote.poll() is not None:
            zygote = self._zygotes[known] = _zygote(*known)
        orders, pids = cast("IO[bytes]", zygote.stdin), cast("IO[bytes]", zygote.stdout)
        with contextlib.suppress(BrokenPipeError):
            orders.write(json.dumps(command).encode() + b"\n")
            orders.flush()
        answer = pids.readline()
        if not answer:
            zygote.wait()
            del self._zygotes[known]
            raise OSError(errno.ECHILD, "its zygote has ended", module)
        if not int(answer):
            raise OSError(errno.EAGAIN, "its zygote could not fork", module)
        return Fork(int(answer))

    def _reap(self) -> None:
        while pid := _ended_child():
            if number := self._numbers.pop(pid, None):
                # Before the process is reaped, because from then on its number may be another's.
                _signal(pid, signal.SIGKILL, group=True)
                code = self._processes.pop(number).wait()
                for path in self._leaves.pop(number):
                    Path(path).unlink(missing_ok=True)
                _answer(ended=number, code=code)
            else:  # an orphan
                os.waitpid(pid, 0)

    def _signal_all(self, sign: int) -> None:
        for pid in self._numbers:
            _signal(pid, sign, group=True)

    def _end_all(self) -> None:
        while children := _children() or list(self._numbers):
            for pid in children:
                _signal(pid, signal.SIGKILL)
            self._sleep(1.0)
            self._reap()


def _wake_on_signals() -> int:
    """The end of a pipe that becomes readable with every signal, of which none ends the keeper."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Not SIG_IGN: every program that we start would inherit it.
        signal.signal(number, lambda *_: None)
    return woken


def _spawn(argv: list[str], env: dict[str, str], cwd: str, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # Should the keeper itself be killed. Safe, because it has one thread only.
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )


def _zygote(module: str, path: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dev.zygote", module],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )


def _answer(**answer: object) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(ANSWERS, json.dumps(answer).encode() + b"\n")


def _signal(pid: int, sign: int, *, group: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, sign)


def _ended_child() -> int | None:
    """The pid of a child that has ended and is not reaped yet."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended and ended.si_pid


def _children() -> list[int]:
    """Our children, adopted ones too, where the kernel tells."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    Keeper(grace=float(sys.argv[1])).run()
