"""Whatever we start ends with us, and what it said and how it ended can be told."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.ports import CLIENT_RANGE, free_ports
from dev.processes import CHECKOUT, Process, Supervisor
from dev.waiting import wait_until

# A parent that starts one sleeper, prints its pid and then waits to be killed. It sleeps in small bits, because Python
# does not notice a signal that comes just before a sleep begins; and it may have been started with SIGINT ignored.
PARENT = """
import signal, sys, time
from pathlib import Path
from dev.processes import Supervisor
signal.signal(signal.SIGINT, signal.default_int_handler)
with Supervisor(grace=0.5) as supervisor:
    print(supervisor.start("sleeper", sys.argv[2:], log=Path(sys.argv[1])).pid, flush=True)
    while True:
        time.sleep(0.05)
"""
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(grace=0.5) as supervisor:
        yield supervisor


def alive(pid: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> None:
    wait_until(lambda: not alive(pid), timeout=10, what=f"the end of {pid}")


def said(log: Path) -> str:
    """The first thing written to the log."""
    return wait_until(lambda: log.exists() and log.read_text(), timeout=10, what=f"a word in {log.name}") or ""


def test_output_exit_code_environment_and_folder(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "shell.log"
    program = "echo $WORD; pwd >&2; ls /proc/self/fd; exit 7"
    shell = supervisor.start("shell", ["/bin/sh", "-c", program], env={"WORD": "grüß"}, cwd=tmp_path, log=log)
    assert shell.wait(10) == 7
    assert shell.poll() == 7
    # The three standard ones and that of `ls`: nothing of ours or the keeper's is inherited.
    assert log.read_text().split() == ["grüß", str(tmp_path), "0", "1", "2", "3"]


def test_what_cannot_start_says_why(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        supervisor.start("x", ["/no-such-program"], log=tmp_path / "log")
    with pytest.raises(PermissionError):
        supervisor.start("x", [tmp_path], log=tmp_path / "log")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        supervisor.start("x", ["/bin/true"], log=tmp_path / "log", cwd=tmp_path / "nowhere")
    with pytest.raises(OSError, match="null"):
        supervisor.start("x", ["/bin/true", "\0"], log=tmp_path / "log")


def test_terminate_asks_and_kill_does_not(supervisor: Supervisor, tmp_path: Path) -> None:
    polite = supervisor.start("polite", ["sleep", "600"], log=tmp_path / "polite")
    polite.terminate()
    assert polite.wait(10) == -signal.SIGTERM
    polite.terminate()  # it has ended: nothing happens

    stubborn = supervisor.start("stubborn", STUBBORN, log=tmp_path / "stubborn")
    said(stubborn.log)
    stubborn.terminate()
    with pytest.raises(TimeoutError, match="stubborn"):
        stubborn.wait(0.2)
    assert stubborn.poll() is None
    stubborn.kill()
    assert stubborn.wait(10) == -signal.SIGKILL


def test_signals_are_as_we_found_them(supervisor: Supervisor, tmp_path: Path) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        sleeper = supervisor.start("sleeper", ["sleep", "600"], log=tmp_path / "log")
        sleeper.signal(sign)
        assert sleeper.wait(10) == -sign


def test_a_group_ends_with_its_first_process(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shell = supervisor.start("shell", ["/bin/sh", "-c", "sleep 600 & echo $!"], log=log)
    assert shell.wait(10) == 0
    gone(int(said(log)))


def test_the_files_that_a_killed_process_leaves_go_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    socket_file, never = tmp_path / "a.sock", tmp_path / "never.sock"
    sleeper = supervisor.start("sleeper", ["sleep", "600"], log=tmp_path / "log", leaves=[socket_file, never])
    socket_file.touch()
    sleeper.kill()
    sleeper.wait(10)
    assert not socket_file.exists()


def test_leaving_the_context_ends_everything(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Supervisor(grace=0.5) as supervisor:
        stubborn = supervisor.start("stubborn", STUBBORN, log=tmp_path / "stubborn")
        # One that has left its group and lost its parent.
        runaway = supervisor.start("runaway", ["/bin/sh", "-c", "setsid sleep 600 & echo $!"], log=log)
        pids = [stubborn.pid, runaway.pid, int(said(log))]
        said(stubborn.log)
    assert not any(map(alive, pids))
    assert stubborn.poll() == -signal.SIGKILL
    with pytest.raises(ChildProcessError, match="late"):
        supervisor.start("late", ["true"], log=log)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("sleeper", [["sleep", "600"], STUBBORN])
def test_a_parent_that_is_killed_leaves_nothing(sign: signal.Signals, sleeper: list[str], tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), *sleeper],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with parent:
        try:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert alive(pid)
            parent.send_signal(sign)
            gone(pid)
        finally:
            parent.kill()


def test_a_keeper_that_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    with Supervisor() as supervisor:
        sleeper = supervisor.start("sleeper", ["sleep", "600"], log=tmp_path / "log")
        os.kill(supervisor._keeper.pid, signal.SIGKILL)
        assert sleeper.wait(10) == -signal.SIGKILL
        gone(sleeper.pid)
        with pytest.raises(ChildProcessError):
            supervisor.start("late", ["true"], log=tmp_path / "log")


def test_many_short_processes_lose_no_exit_code(supervisor: Supervisor, tmp_path: Path) -> None:
    codes = range(100)
    shells = [
        supervisor.start(f"exit {code}", ["/bin/sh", "-c", f"exit {code}"], log=tmp_path / "log") for code in codes
    ]
    assert [shell.wait(30) for shell in shells] == list(codes)


def test_free_ports_differ_and_are_no_clients_ports() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert max(ports) < int(CLIENT_RANGE.read_text().split()[0])
    for port in ports:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


TRIES_IT_FIRST = """
import random, sys
from dev.ports import free_ports
mine = int(sys.argv[1])
random.SystemRandom.sample = lambda *_: list(range(mine + 100, mine - 1, -1))
print(*free_ports(2))
"""


def test_a_port_is_given_to_no_other_process_though_nothing_listens_on_it_yet() -> None:
    (mine,) = free_ports(1)
    argv = [sys.executable, "-c", TRIES_IT_FIRST, str(mine)]
    other = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    chosen = {int(port) for port in other.stdout.split()}
    assert len(chosen) == 2
    assert mine not in chosen


def test_waiting_returns_the_value_or_names_what_it_waited_for() -> None:
    answers = iter(["", "", "here"])
    assert wait_until(lambda: next(answers), timeout=10, every=0.001, what="a word") == "here"
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="Godot"):
        wait_until(lambda: None, timeout=0.05, what="Godot")
    assert time.monotonic() - began < 5


WAITS = """
import time
if __name__ == "__main__":
    print("up", flush=True)
    time.sleep(float(os.environ["FOR"]))
    raise ValueError("no")
"""
SECOND_FORK_FAILS = """
forked, fork = [], os.fork

def fails_the_second_time():
    forked.append(1)
    if len(forked) == 2:
        raise OSError("no")
    return fork()

if __name__ != "__main__":
    os.fork = fails_the_second_time
"""


def forked(supervisor: Supervisor, folder: Path, code: str, **env: str) -> Process:
    """A run of a module that has this code, from a zygote that has imported what it imports."""
    (folder / "slow_to_import.py").write_text("import os\nPID = os.getpid()\n")
    (folder / "program").mkdir(exist_ok=True)
    (folder / "program" / "__main__.py").write_text("import os, sys, slow_to_import\n" + code)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}{os.pathsep}{CHECKOUT}", **env}
    return supervisor.start("fork", ["a b"], log=folder / "fork.log", env=environment, cwd=folder, module="program")


def test_a_fork_is_as_a_program_of_its_own(supervisor: Supervisor, tmp_path: Path) -> None:
    guard = "if __name__ == '__main__':\n    "
    told = f"{guard}print(slow_to_import.PID != os.getpid(), sys.argv[1:], os.environ['X'], os.getcwd()); sys.exit(3)"
    process = forked(supervisor, tmp_path, told, X="y")
    assert process.wait(10) == 3
    assert process.log.read_text() == f"True ['a b'] y {tmp_path}\n"


def test_a_fork_that_is_killed_says_so_and_one_that_raises_tells_what(supervisor: Supervisor, tmp_path: Path) -> None:
    process = forked(supervisor, tmp_path, WAITS, FOR="600")
    said(process.log)
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    process = forked(supervisor, tmp_path, WAITS, FOR="0")
    assert process.wait(10) == 1
    assert "ValueError: no" in process.log.read_text()


def test_a_fork_ends_with_its_supervisor(tmp_path: Path) -> None:
    with Supervisor(grace=0.5) as supervisor:
        process = forked(supervisor, tmp_path, WAITS, FOR="600")
        said(process.log)
        assert alive(process.pid)
    gone(process.pid)


def test_another_path_is_another_program(supervisor: Supervisor, tmp_path: Path) -> None:
    for word in ("one", "two"):
        (tmp_path / word).mkdir()
        process = forked(supervisor, tmp_path / word, f"if __name__ == '__main__':\n    print('{word}')")
        assert process.wait(10) == 0
        assert process.log.read_text() == f"{word}\n"


def test_after_the_end_of_its_zygote_the_next_fork_comes_from_a_new_one(supervisor: Supervisor, tmp_path: Path) -> None:
    ends = "if __name__ == '__main__':\n    print(slow_to_import.PID, flush=True)"
    zygotes = []
    for _ in range(2):
        process = forked(supervisor, tmp_path, ends)
        process.wait(10)
        zygotes.append(int(process.log.read_text().splitlines()[-1]))
        os.kill(zygotes[-1], signal.SIGKILL)
        gone(zygotes[-1])
    assert zygotes[0] != zygotes[1]


def test_a_fork_that_cannot_be_made_is_told_and_the_next_one_runs(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="could not fork"):
        forked(supervisor, tmp_path, SECOND_FORK_FAILS)


def test_a_folder_that_is_not_there_is_refused(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        supervisor.start("fork", [], log=tmp_path / "log", env={}, cwd=tmp_path / "nowhere", module="program")


def test_a_module_that_cannot_be_imported_cannot_be_started(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="its zygote has ended"):
        forked(supervisor, tmp_path, "import there_is_no_such_thing")
