"""A Python program that is imported once and run many times: each run is a fork of what has been imported.

`python -m dev.zygote mira.controller` reads orders from its standard input, a line of JSON each, and answers with the
pid of the process in which the module now runs as `python -m` would run it:

    {"argv": [], "env": {}, "cwd": "", "log": ""}  ->  4711, or 0 if the system gives no further process

That process is a child not of ours but of the one that adopts orphans, the keeper, and in a session of its own.
"""

import contextlib
import importlib
import json
import os
import runpy
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from dev.keeper import die_with_parent


def main(module: str) -> None:
    """Obeys until the standard input ends."""
    main_module = f"{module}.__main__"
    importlib.import_module(main_module)
    # It is run anew each time; only what it imports is there already.
    del sys.modules[main_module]
    if threading.active_count() > 1:
        raise RuntimeError(f"{main_module} starts a thread when it is imported, which no fork would have")
    for line in sys.stdin:
        sys.stdout.write(f"{_forked(module, json.loads(line))}\n")
        sys.stdout.flush()


def _forked(module: str, order: dict[str, Any]) -> int:
    """The pid of an orphan that runs the module, 0 if there is none."""
    keeper = os.getppid()
    told, tell = os.pipe()
    try:
        between = os.fork()
    except OSError:
        between = -1
    if between == 0:
        try:
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                _become(order, parent, keeper)
                _run(module)
            os.write(tell, str(pid).encode())
        finally:
            os._exit(0)
    # Ours is closed before it is read: a child that ended without a word leaves the end of the file.
    os.close(tell)
    if between > 0:
        os.waitpid(between, 0)
    pid = int(os.read(told, 32) or 0)
    os.close(told)
    return pid


def _become(order: dict[str, Any], parent: int, keeper: int) -> None:
    """Makes this process what was ordered, and a child of the keeper, who adopts it once this parent has ended."""
    os.setsid()
    with Path(order["log"]).open("ab") as log, Path(os.devnull).open("rb") as nothing:
        for number, file in ((0, nothing), (1, log), (2, log)):
            os.dup2(file.fileno(), number)
    os.closerange(3, 64)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    tempfile.tempdir = None
    sys.argv = [sys.argv[0], *order["argv"]]
    while os.getppid() == parent:
        time.sleep(0.001)
    die_with_parent()
    if os.getppid() != keeper:
        os._exit(1)


def _run(module: str) -> None:
    """Runs the module as the main program; does not return."""
    code = 1
    with contextlib.suppress(BaseException):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
