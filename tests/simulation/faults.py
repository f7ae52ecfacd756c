"""What goes wrong in a history, and when: drawn from the seed, so that the same goes wrong again."""

from random import Random
from typing import NamedTuple

KUBERNETES, S3 = "kubernetes", "s3"


class Call(NamedTuple):
    """One request of one process: which server, which verb, about what (a kind, or a key)."""

    process: str
    server: str
    verb: str
    about: str
    name: str = ""

    @property
    def writes(self) -> bool:
        return self.verb in ("create", "patch", "patch_status", "replace")


class Fault(NamedTuple):
    """One thing that goes wrong once. Armed from a moment on, it strikes the first call that it is aimed at."""

    at: float
    what: str
    where: str = ""
    amount: float = 0.0

    def __str__(self) -> str:
        where = f" at {self.where}" if self.where else ""
        return f"{self.what}{where}, from {self.at:.2f} s" + (f", {self.amount:.2f}" if self.amount else "")


# What a fault of one call can be aimed at.
AIMS = {
    "any call": lambda call: True,
    "any write": lambda call: call.writes,
    "a status": lambda call: call.verb == "patch_status",
    "a Job": lambda call: call.verb == "create" and call.about == "Job",
    "a promotion": lambda call: call.verb == "create" and call.about == "ModelPromotion" and call.name != "canary",
    "a live read": lambda call: call.verb == "get" and call.about in ("ModelPromotion", "ModelStage"),
    "the Lease": lambda call: call.about == "Lease",
    "an entry": lambda call: call.verb == "create" and call.about.startswith("lineage/"),
    "a decision": lambda call: call.verb == "create" and call.about.startswith("decisions/"),
    "the pointer": lambda call: call.writes and call.about.startswith("stages/"),
    "a read of S3": lambda call: call.server == S3 and not call.writes,
}
OF_CALLS = (
    "killed before it",
    "killed after it",
    "its answer lost",
    "answered 500 before it",
    "answered 500 after it",
    "answered 409",
    "answered 429",
    "answered 10 s late",
    "carried out late",
    "frozen before it",
)
OF_SERVERS = ("kubernetes away", "s3 away")
OF_PROCESSES = ("told to end", "a second leader", "clock set")
OF_WATCHES = (
    "event dropped",
    "event doubled",
    "events in another order",
    "stream ended",
    "stream silent",
    "lists stale",
)
# A pointer that somebody edits by hand is seen at the stage's next look, up to 30 s later: S3 tells nobody.
BY_HAND = ("pointer deleted", "pointer garbled", "pointer set back", "pointer forged")
OF_THE_WORLD = (*BY_HAND, "pod evicted", "pod killed")
MOST = 4


def draw(random: Random, *, within: float) -> tuple[Fault, ...]:
    """Up to four faults within this time, the ones at writes that matter more often than chance would."""
    faults = [_one(random, within) for _ in range(random.choice((0, 1, 1, 2, 2, 3, MOST)))]
    return tuple(sorted(faults))


def _one(random: Random, within: float) -> Fault:
    at = round(random.uniform(0, within), 2)
    match random.choices(("call", "server", "process", "watch", "world"), (12, 2, 2, 4, 3))[0]:
        case "call":
            what = random.choice(OF_CALLS)
            amount = {"carried out late": random.uniform(0.1, 20), "frozen before it": random.choice((2, 9, 15, 60))}
            return Fault(at, what, random.choice(list(AIMS)), round(amount.get(what, 0.0), 2))
        case "server":
            return Fault(at, random.choice(OF_SERVERS), amount=random.choice((3.0, 20.0, 60.0)))
        case "process":
            what = random.choice(OF_PROCESSES)
            return Fault(at, what, amount=random.choice((-3600.0, 3600.0)) if what == "clock set" else 0.0)
        case "watch":
            what = random.choice(OF_WATCHES)
            return Fault(at, what, amount=float(random.randint(1, 8)) if what == "lists stale" else 0.0)
    return Fault(at, random.choice(OF_THE_WORLD))


class Weather:
    """The faults that have not struck yet."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.coming = list(faults)
        self.struck: list[tuple[float, Fault]] = []

    def strikes(self, call: Call, now: float) -> Fault | None:
        """The fault that this call meets, if any; it strikes no other one."""
        for fault in self.coming:
            if fault.at > now:
                return None
            if fault.what in OF_CALLS and AIMS[fault.where](call):
                return self._struck(fault, now)
        return None

    def due(self, kinds: tuple[str, ...], now: float) -> Fault | None:
        """The next fault of these kinds whose time has come."""
        for fault in self.coming:
            if fault.at <= now and fault.what in kinds:
                return self._struck(fault, now)
        return None

    def next_at(self, kinds: tuple[str, ...]) -> float | None:
        """When the next fault of these kinds comes."""
        return min((fault.at for fault in self.coming if fault.what in kinds), default=None)

    def over(self) -> None:
        """What has not struck by now never will: nothing was there that it was aimed at."""
        self.coming.clear()

    def _struck(self, fault: Fault, now: float) -> Fault:
        self.coming.remove(fault)
        self.struck.append((now, fault))
        return fault
