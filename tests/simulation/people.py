"""What people do, as tasks of the simulation: they read and write the API server, and wait for what they asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mira.adapters.cluster import AlreadyExists, Object
from tests.simulation.world import IMAGE, World

API = "mira.constellation.dev/v1alpha1"
PATIENCE = 600.0


class GaveUp(AssertionError):
    """Somebody waited in vain."""


@dataclass(frozen=True)
class Team:
    """One namespace's people and their model."""

    world: World
    namespace: str
    model: str
    stage: str = "production"

    # --- what they write

    def make(self, kind: str, name: str, spec: dict[str, Any]) -> Object:
        """Creates the object; one that is there already stays."""
        body = {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": self.namespace}, "spec": spec}

        def create() -> Object:
            try:
                return self.world.server.create(kind, self.namespace, body)
            except AlreadyExists:
                return self.get(kind, name) or body

        return self.world.act("people", f"create {kind} {name}", create)

    def own_stage(self, **spec: Any) -> None:
        self.make("ModelStage", f"{self.model}.{self.stage}", {"model": self.model, "stage": self.stage, **spec})

    def run(self, name: str, *, roc_auc: str = "0.8", promote: bool = True, fail: int = 0) -> None:
        spec: dict[str, Any] = {
            "model": self.model,
            "task": "Classification",
            "image": IMAGE,
            "data": {"training": {"uri": "s3://flights/any.csv"}, "target": "late"},
            "parameters": {"roc_auc": roc_auc} | ({"fail": fail} if fail else {}),
        }
        if promote:
            spec |= {"promotion": {"stage": self.stage}, "requestedBy": "alice"}
        self.make("TrainingRun", name, spec)

    def promote(self, name: str, version: str, **spec: Any) -> None:
        wanted = {"model": self.model, "stage": self.stage, "version": version, "requestedBy": "alice", **spec}
        self.make("ModelPromotion", name, wanted)

    def say(self, name: str, decision: str = "Approved", approver: str = "bob") -> None:
        """Approves or rejects the digest that the status shows, once it does; nothing if the promotion is gone."""
        self.until(f"{name} shows its digest", lambda: self._is_shown(name))

        def edit(body: Object) -> None:
            others = [each for each in body["spec"].get("approvals", []) if each["approver"] != approver]
            entry = {"approver": approver, "decision": decision, "digest": body["status"]["digest"]}
            body["spec"]["approvals"] = [*others, entry]

        if not self.gone(name) and not self.finished(name):
            change = self.world.server.change
            self.world.act(approver, f"{decision} {name}", lambda: change("ModelPromotion", self.namespace, name, edit))

    def _is_shown(self, name: str) -> bool:
        """Whether there is a digest to be approved, or nothing to be waited for any more."""
        return self.gone(name) or self.finished(name) or bool(self.status(name).get("digest"))

    def delete(self, kind: str, name: str) -> None:
        if self.get(kind, name):
            delete = self.world.server.delete
            self.world.act("people", f"delete {kind} {name}", lambda: delete(kind, self.namespace, name))

    # --- what they see

    def get(self, kind: str, name: str) -> Object | None:
        return self.world.server.get(kind, self.namespace, name)

    def gone(self, name: str, kind: str = "ModelPromotion") -> bool:
        return self.get(kind, name) is None

    def status(self, name: str, kind: str = "ModelPromotion") -> dict[str, Any]:
        return (self.get(kind, name) or {}).get("status") or {}

    def reason(self, name: str, kind: str = "ModelPromotion", condition: str = "Ready") -> str:
        conditions = self.status(name, kind).get("conditions") or []
        return next((str(each["reason"]) for each in conditions if each["type"] == condition), "")

    def finished(self, name: str, kind: str = "ModelPromotion") -> bool:
        conditions = self.status(name, kind).get("conditions") or []
        return any(each["type"] == "Finished" and each["status"] == "True" for each in conditions)

    # --- how they wait

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Waits as `kubectl wait` does."""
        began = self.world.scheduler.now
        while not holds():
            if self.world.scheduler.now - began > PATIENCE:
                raise GaveUp(f"people waited {PATIENCE:.0f} s in vain: {what}")
            self.world.changed.wait(5.0)

    def ends(self, name: str, kind: str = "ModelPromotion") -> None:
        self.until(f"{kind} {name} is finished", lambda: self.gone(name, kind) or self.finished(name, kind))

    def decided(self, name: str) -> None:
        """Waits for the promotion's end; if its versions cannot be compared, deletes the Job, as it is told to."""

        def seen_to() -> bool:
            if self.reason(name) == "ComparisonFailed":
                uid = (self.get("ModelPromotion", name) or {})["metadata"]["uid"]
                for job in self.world.server.objects("Job"):
                    owner, *_ = job["metadata"]["ownerReferences"]
                    if owner["uid"] == uid and not job["metadata"].get("deletionTimestamp"):
                        self.delete("Job", job["metadata"]["name"])
            return self.gone(name) or self.finished(name)

        self.until(f"{name} is decided", seen_to)

    def pause(self, longest: float) -> None:
        self.world.scheduler.sleep(self.world.scheduler.random.uniform(0, longest))
