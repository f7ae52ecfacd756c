"""The journey that is disturbed: a version that is there, a run, two promotions, a rollback; and where it ends."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dev.s3.roles import REGISTRY_BUCKET
from mira.registry.document import sha256
from mira.registry.entry import Entry, Pointer
from mira.registry.keys import StageKey, VersionKey
from mira.registry.manifest import Code, Direction, File, Manifest, Metric, Rows, Run, Schema
from tests.faults.ground import Ground
from tests.support.team import API, INSTANT

MODEL, STAGE = "churn", "production"
KIND = {"mrun": "trainingruns", "mpromo": "modelpromotions", "mstage": "modelstages"}
# Names that sort as they are made: of two promotions of the same second the later name is the later one.
FIRST, SECOND, BACK = "v0.production", "v1.production", "v1.rollback"
VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"[0-9a-f]{64}"), "<sha256>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}"), "<attempt>"),
    (re.compile(r"(?<=v1-)[0-9a-f]{8}"), "<uid8>"),
)


@dataclass(frozen=True)
class Step:
    """What a person does, and the sign that the operator has done its part."""

    act: Callable[[], None]
    sign: str
    holds: Callable[[], bool]


class Journey:
    """One namespace and one root of the registry, and what happens there."""

    def __init__(self, ground: Ground, namespace: str) -> None:
        self._ground = ground
        self.namespace = namespace
        # The trainer may write below models/ only, so every plan's root lies there.
        self.root = f"registry/models/{namespace}"
        self.key = StageKey(namespace, MODEL, STAGE)

    @property
    def registry(self) -> str:
        return f"s3://{REGISTRY_BUCKET}/{self.root}"

    def prepare(self) -> None:
        """Makes the namespace and the stage and publishes the version v0; nobody works yet."""
        self._call("admin", "POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        accounts = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        self._call("admin", "POST", accounts, {"metadata": {"name": "mira-trainer"}})
        key = VersionKey(self.namespace, MODEL, "v0")
        manifest = _manifest(key)
        self._put(key.file(manifest.files[0].path), b"a model")
        self._put(key.manifest, manifest.render())
        gates = [{"metric": "roc_auc", "minimum": "0.5", "maxRegression": "0.5"}]
        self._create("carol", "ModelStage", f"{MODEL}.{STAGE}", {"model": MODEL, "stage": STAGE, "gates": gates})

    def steps(self) -> tuple[Step, ...]:
        """Everything that people do once an operator is there."""
        return (
            Step(
                lambda: self._promote("alice", FIRST, "v0"),
                "v0 waits for approval",
                lambda: self._reason("mpromo", FIRST) == "AwaitingApproval",
            ),
            Step(
                lambda: self._approve(FIRST),
                "v0 is promoted",
                lambda: self._ends("mpromo", FIRST, "Promoted") and self._current() == "v0",
            ),
            Step(
                self._run,
                "v1 is trained and waits for approval",
                lambda: self._ends("mrun", "v1", "Succeeded") and self._reason("mpromo", SECOND) == "AwaitingApproval",
            ),
            Step(
                lambda: self._approve(SECOND),
                "v1 is promoted",
                lambda: self._ends("mpromo", SECOND, "Promoted") and self._current() == "v1",
            ),
            Step(
                lambda: self._promote(
                    "carol", BACK, "v0", action="RollBack", expectedCurrent="v1", justification="INC-99"
                ),
                "v0 is back",
                lambda: self._ends("mpromo", BACK, "RolledBack") and self._current() == "v0",
            ),
        )

    def end(self) -> dict[str, Any]:
        """Where everything stands, without times and identities: the same in every run that went well."""
        entries = [body for key in self._keys(self.key.lineage) if (body := self._get(key))]
        pointer = self._get(self.key.pointer)
        told = [Entry.parse(body) for body in entries]
        state = {
            "told": [(e.number, e.kind, e.reason, e.current.version if e.current else None) for e in told],
            "lineage": [json.loads(body) for body in entries],
            "decisions": len(self._keys(f"decisions/{self.key.path}/")),
            "quarantine": len(self._keys("quarantine/")),
            "pointer": json.loads(pointer) if pointer else None,
            "run": self._told("mrun", "v1"),
            "promotions": {name: self._told("mpromo", name) for name in (FIRST, SECOND, BACK)},
            "stage": self._told("mstage", f"{MODEL}.{STAGE}"),
            "jobs": len(self._list("/apis/batch/v1", "jobs")),
            "pods": len(self._list("/api/v1", "pods")),
        }
        text = json.dumps(state, sort_keys=True, default=str).replace(self.namespace, "<namespace>")
        for pattern, placeholder in VOLATILE:
            text = pattern.sub(placeholder, text)
        plain: dict[str, Any] = json.loads(text)
        return plain

    def _run(self) -> None:
        spec = {
            "model": MODEL,
            "task": "Classification",
            "image": INSTANT,
            "parameters": {"roc_auc": "0.82"},
            "data": {"training": {"uri": "s3://flights/any.csv"}, "target": "late"},
            "promotion": {"stage": STAGE},
        }
        self._create("alice", "TrainingRun", "v1", spec)

    def _promote(self, user: str, name: str, version: str, **spec: Any) -> None:
        self._create(user, "ModelPromotion", name, {"model": MODEL, "stage": STAGE, "version": version, **spec})

    def _approve(self, name: str) -> None:
        entry = {"decision": "Approved", "digest": self._status("mpromo", name)["digest"]}
        patch = [{"op": "add", "path": "/spec/approvals/-", "value": entry}]
        self._call("bob", "PATCH", self._path("modelpromotions", name), patch, "application/json-patch+json")

    def _create(self, user: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        body = {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self._call(user, "POST", self._path(f"{kind.lower()}s"), body)

    def _status(self, kind: str, name: str) -> dict[str, Any]:
        answer = self._ground.call("admin", "GET", self._path(KIND[kind], name))
        status: dict[str, Any] = answer.body.get("status") or {} if answer.status == 200 else {}
        return status

    def _told(self, kind: str, name: str) -> dict[str, Any]:
        """The status without the conditions' sentences: who adopts an end knows less of what was seen on the way."""
        status = self._status(kind, name)
        told = [{k: v for k, v in each.items() if k != "message"} for each in status.get("conditions", [])]
        return status | {"conditions": told}

    def _condition(self, kind: str, name: str, type_: str) -> dict[str, Any]:
        return next((c for c in self._status(kind, name).get("conditions", []) if c["type"] == type_), {})

    def _reason(self, kind: str, name: str) -> str:
        return str(self._condition(kind, name, "Ready").get("reason", ""))

    def _ends(self, kind: str, name: str, reason: str) -> bool:
        """Whether it is finished as it should; an AssertionError if it is finished otherwise."""
        finished = self._condition(kind, name, "Finished")
        if finished.get("status") != "True":
            return False
        assert finished["reason"] == reason, f"{kind} {name} ended otherwise: {finished}"
        return True

    def _current(self) -> str | None:
        body = self._get(self.key.pointer)
        current = Pointer.parse(body).current if body else None
        return current.version if current else None

    def _list(self, group: str, plural: str) -> list[Any]:
        items: list[Any] = self._call("admin", "GET", f"{group}/namespaces/{self.namespace}/{plural}")["items"]
        return items

    def _path(self, plural: str, name: str = "") -> str:
        return f"/apis/{API}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def _call(self, user: str, method: str, path: str, body: Any = None, content: str = "application/json") -> Any:
        answer = self._ground.call(user, method, path, body, content=content)
        assert answer.status in (200, 201), f"{user}: {method} {path}: {answer.status} {answer.message}"
        return answer.body

    def _get(self, key: str) -> bytes | None:
        stored = self._ground.store.get(f"{self.root}/{key}", limit=65536)
        return stored.body if stored else None

    def _put(self, key: str, body: bytes) -> None:
        self._ground.store.create(f"{self.root}/{key}", body)

    def _keys(self, prefix: str) -> list[str]:
        return [key.removeprefix(f"{self.root}/") for key in self._ground.store.list(f"{self.root}/{prefix}")]


def _manifest(key: VersionKey) -> Manifest:
    return Manifest(
        namespace=key.namespace,
        model=key.model,
        version=key.version,
        task="Classification",
        attempt="aaaaaaaa-bbbbbbbb",
        run=Run(name=key.version, uid="00000000-0000-0000-0000-000000000000", spec_hash=f"sha256:{'1' * 64}"),
        code=Code(estimator="none"),
        seed=0,
        sources=[],
        rows=Rows(training=1, evaluation=1),
        model_schema=Schema(columns=[]),
        metrics=[Metric(name="roc_auc", value="0.8", direction=Direction.HIGHER)],
        files=[File(path="attempts/aaaaaaaa-bbbbbbbb/model/model.onnx", size=7, sha256=sha256(b"a model"))],
        created_at=datetime.now(UTC),
    )
