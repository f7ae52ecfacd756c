"""One process's connections to the two servers: every call takes time, and may meet a fault on its way."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from mira.adapters.cluster import Answer, ClusterUnavailable, Conflict, Object
from mira.registry.store import Fingerprint, Put, Stored, StoreRefused, StoreUnavailable
from tests.simulation.apiserver import ApiServer
from tests.simulation.faults import KUBERNETES, S3, Call, Fault, Weather
from tests.simulation.scheduler import Scheduler

T = TypeVar("T")
Effect = Callable[[], T]
FAST, SLOW = 0.002, 0.03
CONNECT_TIMEOUT, READ_TIMEOUT = 3.0, 10.0
REFUSALS = (Answer, ClusterUnavailable, StoreUnavailable, StoreRefused)


class Ground(Protocol):
    """What a connection needs of the world that it leads through."""

    scheduler: Scheduler
    server: ApiServer
    store: Any
    weather: Weather
    away: dict[str, float]

    def tell(self, who: str, what: str) -> None: ...

    def effect(self, call: Call, effect: Effect[T]) -> T: ...

    def kill(self, process: str) -> None: ...

    def freeze(self, process: str, seconds: float) -> None: ...


@dataclass(frozen=True)
class Line:
    """Carries one process's calls. `lost` makes the exception for a call that got no answer."""

    ground: Ground
    process: str
    server: str
    lost: Callable[[str], Exception]

    def carry(self, call: Call, effect: Effect[T]) -> T:
        """The server's answer. Raises what the server raises, or that there was none."""
        self._travel()
        if self.ground.away[self.server] > self.ground.scheduler.now:
            self.ground.scheduler.sleep(self.ground.scheduler.random.uniform(0.01, CONNECT_TIMEOUT))
            raise self.lost(f"{self.server} is away")
        fault = self.ground.weather.strikes(call, self.ground.scheduler.now)
        if fault is None:
            return self._answered(call, effect)
        self.ground.tell(call.process, f"{call.verb} {call.about} {call.name}: {fault.what}")
        return self._struck(call, effect, fault)

    def _answered(self, call: Call, effect: Effect[T]) -> T:
        try:
            answer = self.ground.effect(call, effect)
        except REFUSALS:
            self._travel()
            raise
        self._travel()
        return answer

    def _struck(self, call: Call, effect: Effect[T], fault: Fault) -> T:
        match fault.what:
            case "killed before it":
                self._die()
            case "killed after it":
                self._try(call, effect)
                self._die()
            case "its answer lost":
                self._try(call, effect)
                self.ground.scheduler.sleep(self.ground.scheduler.random.choice((0.1, READ_TIMEOUT)))
                raise self.lost("the connection was cut")
            case "answered 500 after it":
                self._try(call, effect)
                raise self.lost("500 internal error")
            case "answered 10 s late":
                self.ground.scheduler.sleep(READ_TIMEOUT - 0.5)
            case "carried out late":
                self.ground.scheduler.spawn("the network", "a late call", lambda: self._later(call, effect, fault))
                self.ground.scheduler.sleep(READ_TIMEOUT)
                raise self.lost("no answer in time")
            case "frozen before it":
                self.ground.freeze(self.process, fault.amount)
                self.ground.scheduler.sleep(0.0)
            case "answered 409" if call.writes and self.server == KUBERNETES:
                raise Conflict(409, "Conflict", "the object has been modified")
            case _:
                raise self.lost(fault.what)
        return self._answered(call, effect)

    def _later(self, call: Call, effect: Effect[T], fault: Fault) -> None:
        self.ground.scheduler.sleep(fault.amount)
        self._try(call, effect)

    def _try(self, call: Call, effect: Effect[T]) -> None:
        try:
            self.ground.effect(call, effect)
        except REFUSALS:
            return

    def _die(self) -> None:
        self.ground.kill(self.process)
        # Whoever is dead does not come back from this.
        self.ground.scheduler.sleep(0.0)

    def _travel(self) -> None:
        self.ground.scheduler.sleep(self.ground.scheduler.random.uniform(FAST, SLOW))


class SimulatedCluster:
    """The port `Cluster` for one process."""

    def __init__(self, ground: Ground, process: str) -> None:
        self._server = ground.server
        self._line = Line(ground, process, KUBERNETES, ClusterUnavailable)
        self._process = process

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self._line.carry(self._call("get", kind, name), lambda: self._server.get(kind, namespace, name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        call = self._call("list", kind, "")
        return self._line.carry(call, lambda: self._server.list(kind, namespace=namespace, labels=labels))

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        call = self._call("create", kind, "canary" if dry_run else body["metadata"]["name"])
        return self._line.carry(call, lambda: self._server.create(kind, namespace, body, dry_run=dry_run))

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        return self._line.carry(
            self._call("patch", kind, name), lambda: self._server.patch(kind, namespace, name, body)
        )

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        call = self._call("patch_status", kind, name)
        return self._line.carry(call, lambda: self._server.patch_status(kind, namespace, name, body))

    def _call(self, verb: str, kind: str, name: str) -> Call:
        return Call(self._process, KUBERNETES, verb, kind, name)


class SimulatedStore:
    """The port `ObjectStore` for one process: as the S3 adapter, UNCLEAR where a write got no clear answer."""

    def __init__(self, ground: Ground, process: str) -> None:
        self._store = ground.store
        self._line = Line(ground, process, S3, StoreUnavailable)
        self._process = process

    def get(self, key: str, *, limit: int) -> Stored | None:
        return self._line.carry(self._call("get", key), lambda: self._store.get(key, limit=limit))

    def create(self, key: str, body: bytes) -> Put:
        return self._put(self._call("create", key), lambda: self._store.create(key, body))

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        return self._put(self._call("replace", key), lambda: self._store.replace(key, body, etag))

    def list(self, prefix: str) -> Iterator[str]:
        return self._line.carry(self._call("list", prefix), lambda: self._store.list(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        return self._line.carry(self._call("folders", prefix), lambda: self._store.folders(prefix))

    def head(self, key: str) -> Fingerprint | None:
        return self._line.carry(self._call("head", key), lambda: self._store.head(key))

    def sha256(self, key: str) -> tuple[int, str] | None:
        return self._line.carry(self._call("sha256", key), lambda: self._store.sha256(key))

    def _put(self, call: Call, effect: Effect[Put]) -> Put:
        try:
            return self._line.carry(call, effect)
        except StoreUnavailable:
            return Put.UNCLEAR

    def _call(self, verb: str, key: str) -> Call:
        return Call(self._process, S3, verb, key)
