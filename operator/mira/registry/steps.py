"""The calls of which every procedure of the registry is made, and how a procedure is driven.

A procedure is a generator: it yields its next call and is sent the answer. Production, the walk over every crash point
and a model checker drive the same procedures; none of them knows a clock, a network or a thread.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from mira.registry.document import REGISTRY_LIMIT
from mira.registry.manifest import Manifest
from mira.registry.store import ObjectStore, Put, Stored, StoreRefused, StoreUnavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Get:
    """Read one object; answered with Stored or None."""

    key: str
    limit: int = REGISTRY_LIMIT


@dataclass(frozen=True)
class Create:
    """Write one object if its key is free; answered with Put."""

    key: str
    body: bytes


@dataclass(frozen=True)
class Replace:
    """Write one object if it is still the one that was read; answered with Put."""

    key: str
    body: bytes
    etag: str


@dataclass(frozen=True)
class ListKeys:
    """List the keys below a prefix; answered with a tuple of keys, in order."""

    prefix: str


@dataclass(frozen=True)
class CheckFiles:
    """Hash every file of a manifest; answered with None, or with a sentence that names the first file that is wrong."""

    manifest: Manifest


@dataclass(frozen=True)
class ReadLive(Generic[T]):
    """Read, from Kubernetes itself and never from a cache, what a decision rests on; answered by whoever drives."""

    about: T


Call: TypeAlias = Get | Create | Replace | ListKeys | CheckFiles | ReadLive[Any]
Steps: TypeAlias = Generator[Call, Any, T]


def get(key: str, *, limit: int = REGISTRY_LIMIT) -> Steps[Stored | None]:
    """The object under the key, None if there is none; of a larger one only limit + 1 bytes."""
    return cast("Stored | None", (yield Get(key, limit)))


def create(key: str, body: bytes) -> Steps[Put]:
    """What S3 answered to a write to a free key; after UNCLEAR only a read can tell."""
    return cast("Put", (yield Create(key, body)))


def replace(key: str, body: bytes, etag: str) -> Steps[Put]:
    """What S3 answered to a write over the object with this ETag; after UNCLEAR only a read can tell."""
    return cast("Put", (yield Replace(key, body, etag)))


def list_keys(prefix: str) -> Steps[tuple[str, ...]]:
    """Every key below the prefix, in order."""
    return cast("tuple[str, ...]", (yield ListKeys(prefix)))


def check_files(manifest: Manifest) -> Steps[str | None]:
    """None if every file of the manifest is intact, else a sentence about the first that is not."""
    return cast("str | None", (yield CheckFiles(manifest)))


class Unsettled(Exception):
    """The procedure has not ended within its budget of calls; it can be driven on later."""


class Procedure(Generic[T]):
    """One procedure under way: it keeps the call that has no answer yet, so that a failed read forgets no attempt.

    `advance` drives it until it ends. When a read raises (the store or the API server is away), the exception goes to
    the caller and the procedure stays where it is: the next `advance` asks the same again. A write that raises is not
    sent again as it is: the procedure first reads, as after any unclear answer.
    """

    def __init__(self, steps: Steps[T], *, budget: int = 200) -> None:
        self._steps = steps
        self._call: Call | None = None
        self._budget = budget

    def advance(self, answer: Callable[[Call], Any]) -> T:
        """The procedure's result. Raises what `answer` raises, Unsettled, or what the procedure itself raises."""
        try:
            if self._call is None:
                self._call = next(self._steps)
            for _ in range(self._budget):
                self._call = self._steps.send(self._answered(self._call, answer))
        except StopIteration as end:
            return cast("T", end.value)
        raise Unsettled(f"not settled within {self._budget} calls")

    def _answered(self, call: Call, answer: Callable[[Call], Any]) -> Any:
        try:
            return answer(call)
        except (StoreRefused, StoreUnavailable):
            if isinstance(call, Create | Replace):
                # An hour may pass until the next try; what it was decided on must be read again before it is resent.
                self._call = self._steps.send(Put.UNCLEAR)
            raise


def answer_from(store: ObjectStore, call: Call) -> Any:
    """The store's answer to a call that is the store's to answer."""
    match call:
        case Get(key, limit):
            return store.get(key, limit=limit)
        case Create(key, body):
            return store.create(key, body)
        case Replace(key, body, etag):
            return store.replace(key, body, etag)
        case ListKeys(prefix):
            return tuple(store.list(prefix))
        case CheckFiles(manifest):
            return check_against(store, manifest)
        case ReadLive():
            raise TypeError("ReadLive is not the store's to answer")


def check_against(store: ObjectStore, manifest: Manifest) -> str | None:
    """None if every file of the manifest has its size and sha256, else a sentence about the first that has not."""
    for file in manifest.files:
        found = store.sha256(manifest.key.file(file.path))
        if found is None:
            return f"file {file.path} is missing"
        if found != (file.size, file.sha256):
            return (
                f"file {file.path} has {found[0]} bytes with sha256 {found[1]}, "
                f"the manifest says {file.size} and {file.sha256}"
            )
    return None
