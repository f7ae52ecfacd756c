"""What can happen to one call, and how it is made to happen."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from tests.faults.calls import Identity, Name
from tests.faults.proxy import Forward, Response

LATE = 10.0


class Fault(StrEnum):
    """What happens to a call."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    ANSWER_LOST = "answer lost"
    ERROR_500 = "500"
    CONFLICT_409 = "409"
    SLOW_DOWN_429 = "429"
    LATE = "10 s late"

    @property
    def kills(self) -> bool:
        return self in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


@dataclass(frozen=True)
class Plan:
    """One fault at one call."""

    name: Name
    fault: Fault

    def __str__(self) -> str:
        return f"{self.name}: {self.fault}"


def every_plan(names: Sequence[Name]) -> list[Plan]:
    """Every fault at every call."""
    return [Plan(name, fault) for name in names for fault in Fault]


def sample(names: Sequence[Name], count: int, *, seed: int) -> list[Plan]:
    """So many plans, spread evenly over the identities of the calls, and for each over the faults."""
    chance = Random(seed)  # noqa: S311 - the same plans every time
    faults = tuple(Fault)
    ordinals: dict[Identity, list[Name]] = {}
    for name in names:
        ordinals.setdefault(name.identity, []).append(name)
    identities = sorted(ordinals)
    chance.shuffle(identities)
    chosen = []
    for number in range(count):
        turn, place = divmod(number, len(identities))
        # In each turn every identity gets another fault, and in one turn every fault comes equally often.
        fault = faults[(place + turn) % len(faults)]
        chosen.append(Plan(chance.choice(ordinals[identities[place]]), fault))
    return chosen


@dataclass
class Aim:
    """Lets every call pass but the one of the plan."""

    plan: Plan | None
    kill: Callable[[], None]
    hit_at: float | None = None
    over_at: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)

    def at(self, name: Name, forward: Forward) -> Response | None:
        """What the client gets; None: its connection is cut."""
        if self.plan is None or name != self.plan.name:
            return forward()
        self.hit_at = time.monotonic()
        try:
            return self._happens(self.plan.fault, name, forward)
        finally:
            self.over_at = time.monotonic()
            self.ended.set()

    def _happens(self, fault: Fault, name: Name, forward: Forward) -> Response | None:
        match fault:
            case Fault.KILLED_BEFORE:
                self.kill()
                return None
            case Fault.KILLED_AFTER:
                forward()
                self.kill()
                return None
            case Fault.ANSWER_LOST:
                forward()
                return None
            case Fault.LATE:
                # It takes effect late: just when the client has given it up and does it again.
                self.given_up.wait(LATE)
                return forward()
            case _:
                return refusal(name, fault)


REFUSALS = {
    Fault.ERROR_500: (500, "InternalError", "InternalError"),
    Fault.CONFLICT_409: (409, "Conflict", "ConditionalRequestConflict"),
    Fault.SLOW_DOWN_429: (429, "TooManyRequests", "SlowDown"),
}


def refusal(name: Name, fault: Fault) -> Response:
    """An answer without an effect, in the words of whom was asked."""
    status, reason, s3_code = REFUSALS[fault]
    again = (("Retry-After", "1"),) if fault is Fault.SLOW_DOWN_429 else ()
    if name.identity.to == "S3":
        said = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{s3_code}</Code><Message>{fault}</Message></Error>'
        body = b"" if name.identity.verb == "head" else said.encode()
        return Response(status, (("Content-Type", "application/xml"), *again), body)
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "reason": reason,
        "message": f"a fault on purpose: {fault}",
        "code": status,
    }
    return Response(status, (("Content-Type", "application/json"), *again), json.dumps(document).encode())
