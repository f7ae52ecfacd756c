"""Which of several operators works: the holder of a Lease. It saves work; it decides nothing.

Two operators at once do no harm (conditions in S3, deterministic names), so the Lease need not be perfect. It is kept
honest all the same: whoever holds it counts its time from before the renewal was sent and stops well before anybody
else may take it, and each write asks first (`fencing`). Time is this process's monotonic clock only: an operator that
was stopped and goes on finds its time over, and no two clocks have to agree.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from mira.adapters.cluster import AlreadyExists, Answer, Cluster, ClusterUnavailable, Conflict, Object
from mira.adapters.events import Recorder
from mira.controller.clock import Clock
from mira.controller.threads import Flag, Running, Threads

log = logging.getLogger(__name__)
KIND, API_VERSION = "Lease", "coordination.k8s.io/v1"
# What the holder renews at, gives up at, and a standby looks at, as parts of the Lease's duration.
RENEW, GIVE_UP = 0.2, 0.8
LOOK = 0.5


class Claim(NamedTuple):
    """Whose Lease this is and which one: another one's is over when the same claim has stood for its whole duration."""

    name: str
    namespace: str
    holder: str
    duration: float


class _Observed(NamedTuple):
    """What another one's Lease looked like, and since when it has looked like that."""

    record: tuple[Any, ...]
    since: float


@dataclass
class Elector:
    """Holds the Lease whenever it can, in a thread of its own; tells when it was gained and lost."""

    cluster: Cluster
    claim: Claim
    clock: Clock
    threads: Threads
    gained: Callable[[], None]
    lost: Callable[[], None]
    _until: float = float("-inf")
    _leading: bool = False
    _observed: _Observed | None = None
    _held: Object | None = None
    _problem: str = ""
    _stopping: Flag = field(init=False)
    _thread: Running | None = None

    def __post_init__(self) -> None:
        self._stopping = self.threads.flag()

    def leads(self) -> bool:
        """Whether this operator may write now."""
        return self.clock.monotonic() < self._until

    def problem(self) -> str:
        """Empty, or why the Lease cannot be had whoever holds it."""
        return self._problem

    def alive(self) -> bool:
        """Whether it still tries."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Tries for the Lease from now on."""
        self._thread = self.threads.start("elector", self._run)

    def stop(self, *, seconds: float) -> None:
        """Gives the Lease back, so that a standby takes it at its next look; call it when nothing writes any more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
        if self.leads():
            self._until = float("-inf")
            self._release()

    def _run(self) -> None:
        while True:
            held = self._turn()
            self._tell_change()
            if self._stopping.wait(self.claim.duration * RENEW if held else LOOK):
                return

    def _tell_change(self) -> None:
        """Tells that the Lease was gained or lost; what could not be told is told again at the next look."""
        leads = self.leads()
        if leads == self._leading:
            return
        log.log(
            logging.INFO if leads else logging.WARNING,
            "this operator leads" if leads else "the lease is lost; another operator may work now",
            extra={"lease": self.claim.name, "holder": self.claim.holder},
        )
        try:
            (self.gained if leads else self.lost)()
        except Exception:
            log.exception("a change of the lease could not be told")
            return
        self._leading = leads
        if leads and self._held is not None:
            said = f"{self.claim.holder} became leader"
            Recorder(self.cluster, self.clock.now).record(self._held, "Normal", "LeaderElection", said)

    def _turn(self) -> bool:
        """Whether the Lease was renewed or taken just now."""
        try:
            return self._try()
        except Conflict:
            # Somebody else was quicker; the next look says who.
            pass
        except (Answer, ClusterUnavailable) as error:
            self._problem = f"the lease cannot be read or written: {error}" if isinstance(error, Answer) else ""
            log.warning("the lease could not be held or taken", extra={"error": str(error)[:300]})
        except Exception:
            log.exception("the lease could not be held or taken")
        return False

    def _try(self) -> bool:
        sent = self.clock.monotonic()
        lease = self.cluster.get(KIND, self.claim.namespace, self.claim.name)
        if self._is_free(lease, sent):
            self._hold(self._created() if lease is None else self._taken(lease), sent)
        else:
            self._until = float("-inf")
        self._problem = ""
        return self.leads()

    def _is_free(self, lease: Object | None, now: float) -> bool:
        """Whether it is ours, nobody's, or was left alone for its whole duration since we first saw it like that.

        One that was deleted while somebody held it is still held, as far as its holder knows.
        """
        spec = (lease or {}).get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        given_back = not holder and (lease is not None or self._observed is None)
        if given_back or holder == self.claim.holder:
            return True
        record = (holder, spec.get("renewTime"), spec.get("leaseTransitions"), lease is None)
        if self._observed is None or self._observed.record != record:
            self._observed = _Observed(record, self.clock.monotonic())
            return False
        return now - self._observed.since >= float(spec.get("leaseDurationSeconds") or self.claim.duration)

    def _created(self) -> Object:
        moment = _micro(self.clock.now())
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": self.claim.name, "namespace": self.claim.namespace},
            "spec": self._spec(moment) | {"acquireTime": moment, "leaseTransitions": 0},
        }
        try:
            return self.cluster.create(KIND, self.claim.namespace, body)
        except AlreadyExists as error:
            raise Conflict(error.status, error.reason, error.message) from error

    def _taken(self, lease: Object) -> Object:
        moment, spec = _micro(self.clock.now()), lease.get("spec") or {}
        change = self._spec(moment)
        if spec.get("holderIdentity") != self.claim.holder:
            change |= {"acquireTime": moment, "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1}
        return self._patched(lease, change)

    def _release(self) -> None:
        try:
            lease = self.cluster.get(KIND, self.claim.namespace, self.claim.name)
            if lease is not None and (lease.get("spec") or {}).get("holderIdentity") == self.claim.holder:
                self._patched(lease, {"holderIdentity": ""})
        except (Answer, ClusterUnavailable) as error:
            log.warning("the lease could not be given back; it runs out by itself", extra={"error": str(error)[:300]})

    def _patched(self, lease: Object, change: Mapping[str, Any]) -> Object:
        body = {"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]}, "spec": dict(change)}
        return self.cluster.patch(KIND, self.claim.namespace, self.claim.name, body)

    def _spec(self, moment: str) -> dict[str, Any]:
        return {
            "holderIdentity": self.claim.holder,
            "leaseDurationSeconds": int(self.claim.duration),
            "renewTime": moment,
        }

    def _hold(self, lease: Object, sent: float) -> None:
        self._until = sent + self.claim.duration * GIVE_UP
        self._observed = None
        self._held = lease


def _micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
