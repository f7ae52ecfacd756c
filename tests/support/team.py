"""One team's namespace on the local cluster, and what its people do there."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import boto3

from dev.local import Local
from dev.s3.roles import REGION, REGISTRY_URI, Role
from dev.waiting import wait_until
from mira.registry.entry import Entry, Pointer
from mira.registry.keys import StageKey, VersionKey
from mira.registry.s3 import S3Store

PLURALS = {"mrun": "trainingruns", "mpromo": "modelpromotions", "mstage": "modelstages"}
API = "mira.constellation.dev/v1alpha1"
INSTANT = f"instant.example.com/mira@sha256:{'b' * 64}"
WITHIN = 30.0


@dataclass
class Team:
    """A namespace; `store` reads the registry, `s3_admin` may change it by hand."""

    local: Local
    namespace: str

    def __post_init__(self) -> None:
        self.store = S3Store(REGISTRY_URI, session=self._session(Role.READER), endpoint=self.local.s3.endpoint)
        self.s3_admin = S3Store(REGISTRY_URI, session=self._session(Role.ADMIN), endpoint=self.local.s3.endpoint)
        # What is asked again and again is not asked by a kubectl each time: that would take a core of its own.
        self._rest = self.local.control_plane.rest("admin")

    def _session(self, role: Role) -> boto3.Session:
        keys = self.local.s3.credentials(role)
        return boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)

    def kubectl(self, user: str, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl answers; an AssertionError with its words if it refuses."""
        done = self.local.kubectl(user, "--namespace", self.namespace, *arguments, stdin=stdin)
        assert done.returncode == 0, f"{user}: kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def refused(self, user: str, *arguments: str, stdin: str | None = None) -> str:
        """The words with which kubectl refuses."""
        done = self.local.kubectl(user, "--namespace", self.namespace, *arguments, stdin=stdin)
        assert done.returncode != 0, f"{user}: kubectl {' '.join(arguments)} was not refused: {done.stdout}"
        return done.stderr

    def apply(self, user: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Applies one object as this user."""
        body = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self.kubectl(user, "apply", "-f", "-", stdin=json.dumps(body))

    def stage(self, model: str = "churn", stage: str = "production", **spec: Any) -> None:
        self.apply("carol", "ModelStage", f"{model}.{stage}", {"model": model, "stage": stage, **spec})

    def run(self, name: str, *, user: str = "alice", model: str = "churn", roc_auc: str = "0.8", **spec: Any) -> None:
        """A run of the instant image, which publishes what its parameters say."""
        parameters = {"roc_auc": roc_auc, **spec.pop("parameters", {})}
        data = {"training": {"uri": "s3://flights/any.csv"}, "target": "late"}
        run = {
            "model": model,
            "task": "Classification",
            "image": INSTANT,
            "parameters": parameters,
            "data": data,
            **spec,
        }
        self.apply(user, "TrainingRun", name, run)

    def train(self, name: str, *, user: str = "alice", model: str = "churn", **spec: Any) -> None:
        """A run of the image that the spec names."""
        self.apply(user, "TrainingRun", name, {"model": model, "task": "Classification", **spec})

    def promote(self, name: str, version: str, *, user: str = "alice", model: str = "churn", **spec: Any) -> None:
        self.apply(user, "ModelPromotion", name, {"model": model, "stage": "production", "version": version, **spec})

    def approve(self, name: str, *, user: str = "bob", decision: str = "Approved") -> None:
        """Approves the digest that the status shows, as a person would."""
        self.until(f"mpromo/{name} to show its digest", lambda: bool(self.status("mpromo", name).get("digest")))
        entry = {"decision": decision, "digest": self.status("mpromo", name)["digest"]}
        patch = [{"op": "add", "path": "/spec/approvals/-", "value": entry}]
        self.kubectl(user, "patch", "mpromo", name, "--type=json", "-p", json.dumps(patch))

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The object, empty if there is none."""
        answer = self._rest.call("GET", f"/apis/{API}/namespaces/{self.namespace}/{PLURALS[kind]}/{name}")
        if answer.status == HTTPStatus.NOT_FOUND:
            return {}
        assert answer.status == HTTPStatus.OK, answer.message
        found: dict[str, Any] = answer.body
        return found

    def jobs(self) -> list[str]:
        """The names of the Jobs that there are."""
        answer = self._rest.call("GET", f"/apis/batch/v1/namespaces/{self.namespace}/jobs")
        assert answer.status == HTTPStatus.OK, answer.message
        return [job["metadata"]["name"] for job in answer.body["items"]]

    def status(self, kind: str, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get(kind, name).get("status") or {}
        return status

    def condition(self, kind: str, name: str, type_: str = "Ready") -> dict[str, Any]:
        """One condition, empty if there is none."""
        return next((c for c in self.status(kind, name).get("conditions", []) if c["type"] == type_), {})

    def reason(self, kind: str, name: str) -> str:
        return str(self.condition(kind, name).get("reason", ""))

    def finished(self, kind: str, name: str, reason: str, *, within: float = WITHIN) -> dict[str, Any]:
        """The status once it is finished; its reason must be this one."""
        self.until(
            f"{kind}/{name} to finish",
            lambda: self.condition(kind, name, "Finished").get("status") == "True",
            within=within,
        )
        assert self.reason(kind, name) == reason, self.condition(kind, name)
        return self.status(kind, name)

    def until(self, what: str, holds: Callable[[], bool], *, within: float = WITHIN) -> None:
        wait_until(holds, timeout=within, every=0.1, what=what)

    def pointer(self, model: str = "churn", stage: str = "production") -> Pointer | None:
        stored = self.store.get(StageKey(self.namespace, model, stage).pointer, limit=65536)
        return Pointer.parse(stored.body) if stored else None

    def current(self, model: str = "churn") -> str | None:
        """The id of the version that readers see."""
        pointer = self.pointer(model)
        return pointer.current.version if pointer and pointer.current else None

    def lineage(self, model: str = "churn", stage: str = "production") -> list[Entry]:
        keys = self.store.list(StageKey(self.namespace, model, stage).lineage)
        return [Entry.parse(stored.body) for key in keys if (stored := self.store.get(key, limit=65536))]

    def told(self) -> list[tuple[str, str, str | None]]:
        """The lineage in short: kind, reason and current version of each entry."""
        return [(e.kind.value, e.reason, e.current.version if e.current else None) for e in self.lineage()]

    def has_version(self, version: str, model: str = "churn") -> bool:
        return self.store.head(VersionKey(self.namespace, model, version).manifest) is not None
