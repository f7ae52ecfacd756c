"""A command in the foreground of a terminal: ended in good order however that is asked for, its errors one sentence.

The command runs in a child, and this process only waits, from the first moment on: an interrupt that comes while a
library is being imported can be swallowed there, and would be lost.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from dev.keeper import PR_SET_PDEATHSIG, die_with_parent, prctl

INTERRUPTED = 130
ENDS_WITHIN = 15  # seconds; then it is killed, and its keeper ends what it started
AGAIN_IN = 0.05  # seconds; by then Python is elsewhere
ASKED_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandError(Exception):
    """A command cannot go on; the message is for whoever typed it."""


def run_in_foreground(command: Callable[[], int]) -> NoReturn:
    """Exits with the command's code.

    Ctrl-C, SIGTERM, a closed terminal and the end of our parent (`make`) raise KeyboardInterrupt in it, so that
    everything that it started ends with it.
    """
    awaited = {*ASKED_TO_END, signal.SIGCHLD, signal.SIGALRM}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    child = os.fork()
    if not child:
        os.setsid()  # the terminal's Ctrl-C is for our parent, which hands it on
        die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        sys.unraisablehook = _interrupt_again
        sys.exit(_told(command, blocked=awaited))
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if not _parent_lives():
        signal.raise_signal(signal.SIGTERM)
    asked = False
    while True:
        came = signal.sigwait(awaited)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if came == signal.SIGALRM:
            os.kill(child, signal.SIGKILL)
        elif came in ASKED_TO_END and not asked:
            asked = True
            signal.alarm(ENDS_WITHIN)
            os.kill(child, signal.SIGINT)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else INTERRUPTED)


def _told(command: Callable[[], int], *, blocked: set[signal.Signals]) -> int:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)  # here, where an interrupt that waits is caught
        return command()
    except KeyboardInterrupt:
        _say("\nInterrupted; everything that was started is stopped.")
        return INTERRUPTED
    except (CommandError, OSError) as error:
        _say(f"\n{error}")
        return 1


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """An interrupt that came where Python lets no exception out, e.g. while it forks or frees, comes once more."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        # By an alarm: raised from here, it would be lost in the same way.
        signal.setitimer(signal.ITIMER_REAL, AGAIN_IN)
    else:
        sys.__unraisablehook__(unraisable)


def _parent_lives() -> bool:
    """A parent that ended before we asked for its end sends nothing; `make` says who it is."""
    return os.environ.get("STARTED_BY", str(os.getppid())) == str(os.getppid())


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal is gone
        print(text, file=sys.stderr, flush=True)
