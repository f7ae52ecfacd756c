"""An object store in memory that answers as S3 does, with hooks for faults: the ground to try the protocol on."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mira.registry.store import Fingerprint, Put, Stored


@dataclass(frozen=True)
class Request:
    """One call to the store, told to the fault hook before it takes effect."""

    verb: str
    key: str
    body: bytes = b""
    etag: str = ""


@dataclass
class MemoryStore:
    """A linearizable store. `before` may raise (the call never arrived), `after` may raise (it did)."""

    objects: dict[str, bytes] = field(default_factory=dict)
    before: Callable[[Request], None] = lambda _: None
    after: Callable[[Request], None] = lambda _: None
    requests: list[Request] = field(default_factory=list)

    def get(self, key: str, *, limit: int) -> Stored | None:
        self._arrives(Request("get", key))
        body = self.objects.get(key)
        return None if body is None else Stored(body[: limit + 1], _etag(body))

    def create(self, key: str, body: bytes) -> Put:
        return self._write(Request("create", key, body))

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        return self._write(Request("replace", key, body, etag))

    def _write(self, request: Request) -> Put:
        self._arrives(request)
        if request.verb == "create":
            free = request.key not in self.objects
        else:
            free = request.key in self.objects and _etag(self.objects[request.key]) == request.etag
        if free:
            self.objects[request.key] = request.body
        self.after(request)
        return Put.WRITTEN if free else Put.UNCLEAR

    def list(self, prefix: str) -> Iterator[str]:
        self._arrives(Request("list", prefix))
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def folders(self, prefix: str) -> Iterator[str]:
        self._arrives(Request("folders", prefix))
        below = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        return iter(sorted({f"{prefix}{rest.split('/')[0]}/" for rest in below if "/" in rest}))

    def head(self, key: str) -> Fingerprint | None:
        self._arrives(Request("head", key))
        body = self.objects.get(key)
        return None if body is None else Fingerprint(len(body), _etag(body))

    def sha256(self, key: str) -> tuple[int, str] | None:
        self._arrives(Request("sha256", key))
        body = self.objects.get(key)
        return None if body is None else (len(body), hashlib.sha256(body).hexdigest())

    def _arrives(self, request: Request) -> None:
        self.requests.append(request)
        self.before(request)


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
