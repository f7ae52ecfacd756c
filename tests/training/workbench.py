"""A place to train on in a test: registry and data in memory, orders made from a few words, ends read back."""

import hashlib
import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mira.api.identity import spec_hash
from mira.registry.comparison import Comparison
from mira.registry.document import digest
from mira.registry.entry import Pointer, Version
from mira.registry.inputs import Listed
from mira.registry.keys import StageKey, VersionKey
from mira.registry.manifest import Manifest
from mira.registry.memory import MemoryStore
from mira.registry.order import Order, OrderedRun, OrderKind
from mira.registry.outcome import Outcome, Termination
from mira_training.attempt import Attempt
from mira_training.data.objects import Read
from mira_training.interruption import Interruption
from mira_training.refusal import Refused
from mira_training.settings import Settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NAMESPACE, MODEL, STAGE = "team-a", "churn", "production"


@dataclass
class MemoryFiles(MemoryStore):
    """The store in memory, which also takes files."""

    def upload(self, key, path, *, progress=None):
        self.objects[key] = path.read_bytes()

    def download(self, key, path, *, progress=None):
        path.write_bytes(self.objects[key])


@dataclass
class MemoryObjects:
    """Data in memory, by uri; `denied` uris answer as S3 does to somebody who may not read them."""

    objects: dict[str, bytes] = field(default_factory=dict)
    denied: dict[str, Exception] = field(default_factory=dict)

    def find(self, uri, version_id=None):
        if uri in self.denied:
            raise self.denied[uri]
        body = self.objects.get(uri)
        return None if body is None else Listed(uri=uri, size=len(body), etag=_etag(body), version_id=version_id)

    def under(self, prefix):
        return [self.find(uri) for uri in sorted(self.objects) if uri.startswith(prefix)]

    def read(self, listed, path):
        body = self.objects.get(listed.uri)
        if body is None:
            return None
        if _etag(body) != listed.etag:
            raise Refused("DataInvalid", f"{listed.uri}: has changed since this run's first attempt listed it")
        path.write_bytes(body)
        return Read(path, len(body), hashlib.sha256(body).hexdigest(), listed.version_id)


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@dataclass(frozen=True)
class End:
    """How an attempt ended, from all three places where it says so."""

    code: int
    outcome: Outcome | None
    termination: Termination
    attempt: str


@dataclass
class Workbench:
    """Runs attempts in this process; Prefect reports to its stand-in."""

    folder: Path
    store: Any = field(default_factory=MemoryFiles)
    data: Any = field(default_factory=MemoryObjects)
    registry: str = "s3://bucket/registry"
    signing_key: Path | None = None
    revision: str | None = None
    suite_file: Path | None = None

    def order(self, version: str = "v1", *, against: str | None = None, uid: str = "", **spec: Any) -> Order:
        """An order; `spec` in camelCase, `data` merged into the usual one."""
        content = {"model": MODEL, "task": "Classification"} | spec
        content["data"] = {"training": {"uri": "s3://data/rows.csv"}, "target": "churned"} | content.get("data", {})
        content["data"] = {name: value for name, value in content["data"].items() if value is not None}
        return Order(
            kind=OrderKind.TRAIN,
            registry=self.registry,
            namespace=NAMESPACE,
            model=MODEL,
            version=version,
            run=OrderedRun(
                name=version, uid=uid or str(uuid.uuid4()), spec_hash=spec_hash(content), requested_by="alice"
            ),
            against=against,
            spec=content,
        )

    def run(self, order: Order | bytes, *, pod: str = "", tracking_url: str | None = None) -> End:
        """One attempt at the order, in a pod of its own."""
        raw = order if isinstance(order, bytes) else order.render()
        (self.folder / "order.json").write_bytes(raw)
        pod = pod or str(uuid.uuid4())
        settings = Settings(
            self.folder / "order.json",
            self.folder / "termination",
            pod,
            tracking_url,
            signing_key=self.signing_key,
            revision=self.revision,
            suite_file=self.suite_file,
        )
        code = Attempt(settings, lambda _: (self.store, self.data), Interruption(), now=lambda: NOW).run()
        termination = Termination.parse((self.folder / "termination").read_bytes())
        attempt = "" if isinstance(order, bytes) else f"{order.run.uid[:8]}-{pod[:8]}"
        stored = None if not attempt else self.store.get(self.key(order.version).outcome(attempt), limit=1_000_000)
        return End(code, stored and Outcome.parse(stored.body), termination, attempt)

    def key(self, version: str) -> VersionKey:
        return VersionKey(NAMESPACE, MODEL, version)

    def body(self, version: str) -> bytes | None:
        stored = self.store.get(self.key(version).manifest, limit=10_000_000)
        return stored and stored.body

    def manifest(self, version: str) -> Manifest:
        body = self.body(version)
        assert body is not None, f"{version} is not published"
        return Manifest.parse(body)

    def file(self, version: str, name: str) -> bytes:
        """The file of the version under `model/` or `report/`."""
        manifest = self.manifest(version)
        path = next(file.path for file in manifest.files if file.path.endswith(name))
        return self.store.get(manifest.key.file(path), limit=100_000_000).body

    def make_current(self, version: str, stage: str = STAGE) -> None:
        """As if the operator had promoted it."""
        pointer = Pointer(
            number=1,
            entry_sha256="0" * 64,
            namespace=NAMESPACE,
            model=MODEL,
            stage=stage,
            current=Version(version=version, digest=digest(self.body(version))),
            decided_at=NOW,
        )
        self.store.create(StageKey(NAMESPACE, MODEL, stage).pointer, pointer.render())

    def comparison(self, candidate: str, current: str) -> Comparison | None:
        pair = (digest(self.body(candidate)), digest(self.body(current)))
        stored = self.store.get(self.key(candidate).comparison(*pair), limit=1_000_000)
        return stored and Comparison.parse(stored.body)


def customers(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Rows with numbers, text, booleans, missing values, a time, and an answer that depends on them."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer": np.arange(rows) + seed * 1_000_000,
            "age": draw.integers(18, 90, rows),
            "spend": draw.gamma(2, 30, rows).round(2),
            "plan": draw.choice(["free", "pro", "team"], rows, p=[0.6, 0.3, 0.1]),
            "active": draw.random(rows) < 0.7,
            "since": pd.date_range("2024-01-01", periods=rows, freq="h").strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    score = (frame["plan"] == "free") * 1.2 - frame["active"] * 1.5 - frame["spend"] / 100 + draw.normal(0, 0.8, rows)
    frame["churned"] = score > 0
    frame["loss"] = (score * 10 + 50).round(3)
    frame["band"] = pd.cut(score, [-99, -1, 0.2, 99], labels=["low", "middle", "high"]).astype(str)
    frame.loc[::11, "spend"] = np.nan
    frame.loc[::13, "plan"] = None
    return frame


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
