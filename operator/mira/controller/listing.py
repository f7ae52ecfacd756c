"""The operator's own lists: before the workers start, and every so often after, whatever the watches say."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from mira.adapters.cluster import Absent, Answer, Cluster, ClusterUnavailable, Object
from mira.controller.cache import Cache
from mira.controller.queue import Key
from mira.controller.threads import Flag, Threads
from mira.decide.job import MANAGED_BY

log = logging.getLogger(__name__)
MIRA_LABELS = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
LISTED = {"TrainingRun": "", "ModelPromotion": "", "ModelStage": "", "Job": MIRA_LABELS}
WITH_JOBS = ("TrainingRun", "ModelPromotion")
FIRST_RETRY, LONGEST_RETRY = 0.5, 15.0


def keys_of(kind: str, body: Object) -> list[Key]:
    """The keys that have to look again because this object changed."""
    metadata = body["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    match kind:
        case "Job":
            owners = metadata.get("ownerReferences") or []
            return [Key(owner["kind"], namespace, owner["name"]) for owner in owners if owner["kind"] in WITH_JOBS]
        case "ModelPromotion":
            stage = Key("ModelStage", namespace, f"{body['spec']['model']}.{body['spec']['stage']}")
            return [Key(kind, namespace, name), stage]
        case _:
            return [Key(kind, namespace, name)]


def has_ended(body: Object) -> bool:
    """Whether the object says itself that nothing is left to be done for it, and says so of its present generation."""
    conditions = (body.get("status") or {}).get("conditions") or []
    generation = body["metadata"].get("generation", 0)
    return any(
        each.get("type") == "Finished" and each.get("status") == "True" and each.get("observedGeneration") == generation
        for each in conditions
    )


@dataclass
class Listing:
    """Lists every kind, first until it succeeds once, then every `seconds`."""

    cluster: Cluster
    cache: Cache
    changed: Callable[[str, Object], None]
    missed: Callable[[str, int], None]
    seconds: float
    threads: Threads
    clock: Callable[[], float]
    _stop: Flag = field(init=False)
    _tried_at: float = field(init=False)

    def __post_init__(self) -> None:
        """`missed` is told how many objects of a kind a later list found changed, which no watch had told."""
        self._stop = self.threads.flag()
        self._tried_at = self.clock()

    def until_listed(self) -> bool:
        """Whether every kind was listed; False if it was stopped before. A CRD that is not there yet is waited for."""
        delay = FIRST_RETRY
        while not self._stop.is_set():
            try:
                self._list_all()
            except Absent as error:
                log.info("waiting for the CRDs", extra={"answer": str(error)})
            except (Answer, ClusterUnavailable) as error:
                log.warning("the first list failed; trying again", extra={"error": str(error)})
            except Exception:
                log.exception("the first list failed; trying again")
            else:
                self._tried_at = self.clock()
                return True
            self._stop.wait(delay)
            delay = min(delay * 2, LONGEST_RETRY)
        return False

    def age(self) -> float:
        """The seconds since every kind was last listed, or that failed: more than a round means a hang."""
        return self.clock() - self._tried_at

    def start(self) -> None:
        """Lists again every `seconds` from now on, in a thread of its own."""
        self.threads.start("listing", self._again)

    def stop(self) -> None:
        """Lets no further list begin, and ends `until_listed` if it still waits."""
        self._stop.set()

    def _again(self) -> None:
        while not self._stop.wait(self.seconds):
            try:
                for kind, found in self._list_all().items():
                    self.missed(kind, found)
            except (Answer, ClusterUnavailable) as error:
                log.warning("a list failed; the watches go on", extra={"error": str(error)})
            except Exception:
                # One object that nobody expected must not end the lists of all others.
                log.exception("a list failed; the watches go on")
            self._tried_at = self.clock()

    def _list_all(self) -> dict[str, int]:
        """How many objects of each kind had changed."""
        found = {}
        for kind, labels in LISTED.items():
            mark = self.cache.begin_list()
            bodies = self.cluster.list(kind, labels=labels)
            before = {(body["metadata"]["namespace"], body["metadata"]["name"]): body for body in self.cache.all(kind)}
            changed = self.cache.finish_list(kind, mark, bodies)
            by_name = before | {(body["metadata"]["namespace"], body["metadata"]["name"]): body for body in bodies}
            found[kind] = len(changed)
            for name in sorted(changed):
                self.changed(kind, by_name[name])
        return found
