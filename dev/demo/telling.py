"""How the demo speaks: one line for each step, the commands that people would type, and what they answer."""

import json
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dev.foreground import CommandError
from dev.local import Local

WIDTH = 110


class NotAsToldError(CommandError):
    """A step did not come out as the story says."""

    def __str__(self) -> str:
        return f"Not as told: {super().__str__()}"


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def _dim(text: str) -> str:
    return f"\033[2m{text}\033[0m" if sys.stdout.isatty() else text


@dataclass
class Telling:
    """Tells one story, with the seconds since its beginning."""

    local: Local
    namespace: str
    began: float = field(default_factory=time.monotonic)
    _steps: int = 0

    def step(self, text: str) -> None:
        """The next step, in one line."""
        self._steps += 1
        sys.stdout.write(f"\n{_bold(f'{self._steps:2}. {text}')}  {_dim(f'[{time.monotonic() - self.began:.0f} s]')}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """A remark, wrapped and indented."""
        for paragraph in text.splitlines():
            sys.stdout.write(textwrap.fill(paragraph, WIDTH, initial_indent="    ", subsequent_indent="    ") + "\n")
        sys.stdout.flush()

    def show(self, text: str) -> None:
        """Output as it is, indented."""
        sys.stdout.write(textwrap.indent(text.rstrip(), "    ") + "\n")
        sys.stdout.flush()

    def kubectl(self, user: str, *arguments: str, stdin: str | None = None, quiet: bool = False) -> str:
        """What kubectl answers this user, shown with the command; a refusal ends the story."""
        code, out, err = self._kubectl(user, arguments, stdin, quiet=quiet)
        if code:
            raise NotAsToldError(f"{user}: kubectl {' '.join(arguments)}: {err.strip()}")
        if not quiet:
            self.show(out)
        return out

    def refused(self, user: str, *arguments: str, stdin: str | None = None, because: str) -> None:
        """Shows that kubectl refuses this user, with these words in the refusal."""
        code, _, err = self._kubectl(user, arguments, stdin, quiet=False)
        if not code or because not in err:
            raise NotAsToldError(
                f"{user}: kubectl {' '.join(arguments)} was to be refused ({because}): {err.strip() or 'it was not'}"
            )
        self.show(textwrap.fill(err.strip(), WIDTH))

    def wait(self, resource: str, condition: str, *, seconds: int = 90) -> None:
        """Waits as a person would: by `kubectl wait`, which ends the story if the time is up."""
        self.kubectl("alice", "wait", resource, f"--for=condition={condition}", f"--timeout={seconds}s", quiet=True)

    def status(self, kind: str, name: str) -> dict[str, Any]:
        """The status of an object, as kubectl gives it."""
        found: dict[str, Any] = json.loads(self.kubectl("alice", "get", kind, name, "-o", "json", quiet=True))
        return dict(found.get("status") or {})

    def condition(self, kind: str, name: str, wanted: str) -> dict[str, Any]:
        """One condition of an object, empty if there is none."""
        return next((c for c in self.status(kind, name).get("conditions", []) if c["type"] == wanted), {})

    def reason(self, kind: str, name: str) -> str:
        """What its condition Ready gives as reason."""
        return str(self.condition(kind, name, "Ready").get("reason", ""))

    def expect(self, what: str, holds: Callable[[], bool]) -> None:
        """Ends the story unless this holds."""
        if not holds():
            raise NotAsToldError(what)

    def _kubectl(
        self, user: str, arguments: tuple[str, ...], stdin: str | None, *, quiet: bool
    ) -> tuple[int, str, str]:
        if not quiet:
            shown = " ".join(_quoted(argument) for argument in arguments)
            sys.stdout.write(f"  {_dim(f'{user} $')} kubectl {shown}\n")
        done = self.local.kubectl(user, "--namespace", self.namespace, *arguments, stdin=stdin)
        return done.returncode, done.stdout, done.stderr


def _quoted(argument: str) -> str:
    return f"'{argument}'" if any(mark in argument for mark in ' {}["') else argument
