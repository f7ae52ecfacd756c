"""Writes one artifact of every kind with today's code: `python -m tests.contract.write tests/contract/v2`.

For a new folder, when a document's version changes or a new kind is added. A folder that exists is never written.
"""

import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_p256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mira.api.identity import spec_hash
from mira.decide.modelpromotion import void
from mira.registry import Registry
from mira.registry.deciding import Decided
from mira.registry.document import sha256
from mira.registry.lineage import Head, Link
from mira.registry.order import Order, OrderedRun, OrderedVersion, OrderKind
from mira.registry.pointing import pointing
from mira.registry.probe import open_registry
from mira.registry.steps import Procedure
from mira_training.refusal import Interrupted
from mira_training.serve.predictor import load, sample
from tests.support.signers import _MADE, a_signer, keys, private_pem, public_pem
from tests.support.world import KEY, MODEL, NAMESPACE, NOON, STAGE, World, asked, promotion, stage
from tests.training.workbench import MemoryFiles, Workbench, csv, customers

DROP = {"drop": ["customer", "since", "loss", "band"]}
UID = "01234567-89ab-4cde-8f01-23456789ab0{}"
SUMS = "SHA256SUMS"
SUITE = "s3://data/suite.json"
EXPECTATIONS = [
    {"type": "expect_column_to_exist", "kwargs": {"column": "age"}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "spend"}, "severity": "warning"},
]


class Writing:
    """One folder of artifacts on its way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MemoryFiles()
        open_registry(self.store, owner="a-cluster", new_id=UID.format(9))
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        self.bench = Workbench(self.work, store=self.store)
        self.bench.data.objects["s3://data/rows/1.csv"] = csv(customers(150))
        self.bench.data.objects["s3://data/rows/2.csv"] = csv(customers(50, seed=1))
        self.bench.data.objects[SUITE] = json.dumps({"expectations": EXPECTATIONS}).encode()
        self.signers = [a_signer(Ed25519PrivateKey.generate()), a_signer(new_p256(SECP256R1()))]
        self.world = World(store=self.store, keys=keys(*self.signers))
        self.number = 0

    def train(self, version: str, pod: str, **spec: Any) -> Any:
        """The version's end; the order, the outcome and the termination message are kept."""
        self.number += 1
        data = {"training": {"uri": "s3://data/rows/"} | {"format": "CSV"}} | DROP | spec.pop("data", {})
        spec = {"data": data, "evaluation": {"slices": ["plan"]}} | spec
        against = spec.pop("against", None)
        order = self.bench.order(version, against=against, uid=UID.format(self.number), **spec)
        order = order.model_copy(update={"image": "registry.example.com/churn@sha256:" + "a" * 64, "description": "d"})
        end = self.bench.run(order, pod=UID.format(8).replace("01234567", pod))
        self.keep(f"orders/{version}.json", order.render())
        self.keep(f"terminations/{version}.json", (self.work / "termination").read_bytes())
        return end

    def drift_check(self) -> None:
        """A drift check of new rows against v1; without a model to train it is small."""
        data = DROP | {"training": {"uri": "s3://data/rows/2.csv"}}
        order = Order(
            kind=OrderKind.DRIFT_CHECK,
            registry=self.bench.registry,
            namespace=NAMESPACE,
            model=MODEL,
            version="v1",
            run=OrderedRun(name="drift", uid=UID.format(7), spec_hash=spec_hash({"model": MODEL})),
            spec={"model": MODEL, "task": "Classification", "data": data},
        )
        self.bench.run(order, pod=UID.format(8))
        self.keep("orders/drift-check.json", order.render())
        self.keep("terminations/drift-check.json", (self.work / "termination").read_bytes())

    def compare(self, candidate: str, current: str) -> None:
        """A comparison of a pair that no training has compared."""
        order = Order(
            kind=OrderKind.COMPARE,
            registry=self.bench.registry,
            namespace=NAMESPACE,
            model=MODEL,
            version=candidate,
            digest=self.digest_of(candidate),
            current=OrderedVersion(version=current, digest=self.digest_of(current)),
            run=OrderedRun(name="compare", uid=UID.format(6), spec_hash=spec_hash({"model": MODEL})),
            spec={},
        )
        self.bench.run(order, pod=UID.format(8))
        self.keep("orders/compare.json", order.render())
        self.keep("terminations/compare.json", (self.work / "termination").read_bytes())

    def decide(self, name: str, version: str, *, reason: str, **spec: Any) -> None:
        """One entry that ends like this, and the pointer after it."""
        minutes = timedelta(minutes=len(self.world.entries()))
        self.world.now = NOON + timedelta(minutes=5) + minutes
        mine = promotion(name, version, created=NOON + minutes, **spec)
        end = self.world.decide(self.world.put(mine))
        if not isinstance(end, Decided) or end.link.entry.reason != reason:
            raise SystemExit(f"{name} ends with {end}, not with {reason}")
        self.point()

    def close(self, name: str) -> None:
        """A Void, as an operator writes it that has nothing left to decide."""
        last = self.world.entries()[-1]
        raw = self.store.objects[KEY.entry(last.number)]
        mine = promotion(name, "v2")
        entry = void(asked(mine), mine, "test", self.world.now, Head(Link(last, raw), None))
        self.store.create(KEY.entry(entry.number), entry.render())
        self.point()

    def point(self) -> None:
        """The pointer shows the newest entry."""
        Procedure(pointing(KEY)).advance(self.world.answer)

    def keep(self, name: str, body: bytes) -> None:
        """A file beside the registry."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def digest_of(self, version: str) -> str:
        """The version's digest."""
        return f"sha256:{sha256(self.bench.body(version) or b'')}"

    def scores(self, version: str) -> list[float]:
        """What the version's ONNX file says of its own sample row."""
        registry = Registry(self.store, cache=self.work / "cache")
        found = registry.version(namespace=NAMESPACE, model=MODEL, version=version)
        if found is None:
            raise SystemExit(f"{version} is not published")
        scores = load(found, registry.folder(found), threads=1).scores(sample(found.manifest.model_schema))
        return [round(float(each), 6) for each in scores.ravel()]


def write(folder: Path) -> None:
    """Everything, into a folder that does not exist yet."""
    one = Writing(folder)
    for name, signer in zip(("ed25519", "p256"), one.signers, strict=True):
        one.keep(f"keys/{name}.pub.pem", public_pem(signer))
    _train_and_decide(one)
    one.keep("scores.json", json.dumps({version: one.scores(version) for version in ("v1", "v2")}).encode())
    _finish(one)


def _train_and_decide(one: Writing) -> None:
    checks = {"columns": [{"name": "plan", "allowed": ["free", "pro", "team"]}], "extraColumns": "Warn"}
    _signing_with(one, 0)
    numbers = {"drop": [*DROP["drop"], "plan"], "checks": checks}
    one.train("v1", "aaaaaaaa", data=numbers, estimator="tests.contract.small:logistic")
    one.decide("first", "v1", reason="Promoted", approvals={"bob": one.digest_of("v1")})
    _signing_with(one, 1)
    one.train(
        "v2",
        "bbbbbbbb",
        against=STAGE,
        artifacts=["ONNX"],
        data={"checks": {"expectations": {"uri": SUITE}}},
        parameters={"max_leaf_nodes": 4},
        search={"trials": 2, "metric": "roc_auc", "space": {"max_iter": [1, 2]}},
        drift={"maxDriftedShare": "1"},
    )
    one.train("v3", "cccccccc", data={"checks": {"minRows": 10_000}})
    one.bench.data.denied["s3://data/rows/1.csv"] = Interrupted("told to stop")
    one.train("v4", "dddddddd")
    one.bench.data.denied.clear()
    one.compare("v1", "v2")
    one.world.stage = stage(gates=[{"metric": "roc_auc", "minimum": "0.1"}])
    one.decide("second", "v2", reason="Promoted", approvals={"bob": one.digest_of("v2")}, justification="CHG-1")
    one.decide("third", "v1", reason="Conflict", expectedCurrent="v9")
    one.close("fourth")
    one.decide("fifth", "v1", reason="RolledBack", action="RollBack")
    one.drift_check()


def _signing_with(one: Writing, number: int) -> None:
    one.bench.signing_key = one.work / "key.pem"
    one.bench.signing_key.write_bytes(private_pem(_MADE[one.signers[number].key_id]))


def _finish(one: Writing) -> None:
    """Only what others read stays: no private key, no cache, and the sums of all that is there."""
    shutil.rmtree(one.work)
    for key, body in one.store.objects.items():
        one.keep(f"registry/{key}", body)
    files = sorted(path for path in one.folder.rglob("*") if path.is_file())
    lines = [f"{sha256(path.read_bytes())}  {path.relative_to(one.folder).as_posix()}\n" for path in files]
    (one.folder / SUMS).write_text("".join(lines))


def main() -> int:
    """0, or 1 with a sentence for a folder that is there."""
    folder = Path(sys.argv[1])
    if folder.exists():
        sys.stderr.write(f"{folder} exists: what has been written once is never written again; name another folder\n")
        return 1
    write(folder)
    sys.stdout.write(f"{folder}: {sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
