"""The work queue: which key is due next. A plain structure; time is an argument, threads live in `workers`."""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

FIRST_BACKOFF = 0.25
# So that after an outage of any length nearly everything is right again within 10 s.
LONGEST_BACKOFF = 8.0


class Key(NamedTuple):
    """What one pass of the operator is about. A stage's key is `(ModelStage, namespace, <model>.<stage>)`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class Later(NamedTuple):
    """A key that becomes due at a time."""

    due: float
    key: Key


@dataclass
class WorkQueue:
    """Each key is worked on by one worker at a time; a key that is added meanwhile runs once more afterwards.

    Namespaces take turns, so that one namespace with a thousand keys delays another's key by one place, not by a
    thousand. A key that failed waits twice as long each time, up to 8 s, with jitter; `per_second` bounds all passes.
    """

    per_second: float = 200.0
    burst: int = 200
    jitter: Random = field(default_factory=Random)
    _ready: OrderedDict[str, deque[Key]] = field(default_factory=OrderedDict)
    _queued: dict[Key, float] = field(default_factory=dict)
    _running: set[Key] = field(default_factory=set)
    _dirty: set[Key] = field(default_factory=set)
    _later: list[Later] = field(default_factory=list)
    _due: dict[Key, float] = field(default_factory=dict)
    _failures: dict[Key, int] = field(default_factory=dict)
    _tokens: float = field(init=False)
    _refilled: float = 0.0

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def add(self, key: Key, now: float) -> None:
        """Makes the key due at once."""
        if key in self._running:
            self._dirty.add(key)
        elif key not in self._queued:
            self._queued[key] = now
            self._ready.setdefault(key.namespace, deque()).append(key)

    def add_later(self, key: Key, due: float) -> None:
        """Makes the key due at a time; of several times the earliest counts."""
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._later, Later(due, key))

    def take(self, now: float) -> Key | None:
        """The next key, marked as being worked on; None if nothing is due or the rate is used up."""
        self._admit_due(now)
        self._tokens = min(float(self.burst), self._tokens + (now - self._refilled) * self.per_second)
        self._refilled = now
        if not self._ready or self._tokens < 1:
            return None
        self._tokens -= 1
        namespace, keys = next(iter(self._ready.items()))
        key = keys.popleft()
        if keys:
            self._ready.move_to_end(namespace)
        else:
            del self._ready[namespace]
        del self._queued[key]
        self._running.add(key)
        return key

    def done(self, key: Key, now: float, *, again_in: float | None = None) -> None:
        """The pass ended well; the key's failures are forgotten."""
        self._failures.pop(key, None)
        self._release(key, now)
        if again_in is not None:
            self.add_later(key, now + again_in)

    def failed(self, key: Key, now: float) -> float:
        """The pass failed; the seconds after which the key is tried again, unless something adds it before."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures, 16)) * self.jitter.uniform(0.8, 1.0)
        self._release(key, now)
        self.add_later(key, now + delay)
        return delay

    def clear(self) -> None:
        """Forgets every key but those that are being worked on: nothing is due any more, and none has failed."""
        for kept in (self._ready, self._queued, self._dirty, self._later, self._due, self._failures):
            kept.clear()

    def wait(self, now: float) -> float | None:
        """The seconds until a key can be taken; 0.0 if one can now, None if nothing is known to become due."""
        self._admit_due(now)
        while self._later and self._due.get(self._later[0].key) != self._later[0].due:
            # An earlier time took the place of this one.
            heapq.heappop(self._later)
        if not self._ready and not self._later:
            return None
        tokens = self._tokens + (now - self._refilled) * self.per_second
        allowed = max(0.0, (1 - tokens) / self.per_second)
        return allowed if self._ready else max(self._later[0].due - now, allowed)

    @property
    def depth(self) -> int:
        """How many keys are due and not being worked on, as of the last time that a method was told."""
        return len(self._queued)

    def oldest(self, now: float) -> float:
        """How long the key that waits longest has been due, in seconds, also while no worker asks for one."""
        self._admit_due(now)
        return max((now - since for since in self._queued.values()), default=0.0)

    def running(self) -> Iterator[Key]:
        """The keys that are being worked on."""
        return iter(self._running)

    def _release(self, key: Key, now: float) -> None:
        self._running.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key, now)

    def _admit_due(self, now: float) -> None:
        while self._later and self._later[0].due <= now:
            due, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key, due)
