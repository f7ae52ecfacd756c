"""Carries out an order as the real image does, from the outside: a model file, a comparison, the manifest last.

A Compare order is carried out, too, by what the manifests say. `parameters.roc_auc` is the metric to report;
`parameters.fail` (exit code) makes it fail with an outcome; `parameters.at_step` makes it tell every step up to this
one; `parameters.wait_for` names a key in S3 that it then waits for before it publishes, so that a test can hold it.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.document import digest, sha256
from mira.registry.keys import VersionKey, attempt_id
from mira.registry.manifest import Code, ComparedWith, Direction, File, Manifest, Metric, Rows, Run, Schema
from mira.registry.order import Order, OrderKind
from mira.registry.outcome import Outcome, Result, Termination
from mira.registry.progress import Progress, Step
from mira.registry.reader import Current, Registry, VerifiedVersion
from mira.registry.s3 import S3Store
from mira.registry.store import ObjectStore


def main() -> int:
    order = Order.parse(Path(os.environ["MIRA_INPUT_DIR"], "order.json").read_bytes())
    store = S3Store(order.registry)
    key = VersionKey(order.namespace, order.model, order.version)
    attempt = attempt_id(order.run.uid, os.environ["MIRA_POD_UID"])
    if order.kind is OrderKind.COMPARE:
        return compare_as_ordered(store, order, now=datetime.now(UTC))
    parameters = order.spec.get("parameters", {})
    tell_steps(store, key, attempt, parameters.get("at_step"))
    while (gate := parameters.get("wait_for")) and store.head(gate) is None:
        time.sleep(0.05)
    if code := parameters.get("fail"):
        return fail(store, key, attempt, code)
    current = (
        Registry(store).current(namespace=order.namespace, model=order.model, stage=order.against)
        if order.against
        else None
    )
    now = datetime.now(UTC)
    manifest = build(order, key, attempt, parameters.get("roc_auc", "0.8"), current, now=now)
    store.create(key.file(manifest.files[0].path), b"a model")
    if current is not None:
        comparison = compare(manifest, current, now=now)
        store.create(key.comparison(comparison.candidate, comparison.current), comparison.render())
    if path := os.environ.get("MIRA_SIGNING_KEY"):
        sign(store, manifest, Path(path))
    store.create(key.manifest, manifest.render())
    return 0


def sign(store: S3Store, manifest: Manifest, path: Path) -> None:
    from mira.registry.signing import SigningKey

    signer, found = SigningKey.in_file(path), digest(manifest.render())
    store.create(manifest.key.signature(found, signer.key_id), signer.signed(manifest.key, found))


def tell_steps(store: S3Store, key: VersionKey, attempt: str, last: str | None) -> None:
    for number, step in enumerate(Step if last else (), start=1):
        told = Progress(attempt=attempt, number=number, step=step, message="7 rows", begun_at=datetime.now(UTC))
        store.create(key.progress(attempt, number), told.render())
        if step == last:
            return


def fail(store: S3Store, key: VersionKey, attempt: str, code: int) -> int:
    outcome = failed(attempt, code, datetime.now(UTC))
    store.create(key.outcome(attempt), outcome.render())
    told = Termination(result=outcome.result, reason=outcome.reason, message=outcome.message, step=outcome.step)
    Path(os.environ["MIRA_TERMINATION_LOG"]).write_bytes(told.render())
    return code


def failed(attempt: str, code: int, now: datetime) -> Outcome:
    return Outcome(
        attempt=attempt,
        result=Result.FAILED,
        reason="ColumnsMissing",
        message="data.training: column 'x' is missing",
        retryable=code != 64,
        step="validate",
        started_at=now,
        finished_at=now,
    )


def build(
    order: Order, key: VersionKey, attempt: str, roc_auc: str, current: Current | None, *, now: datetime
) -> Manifest:
    path = f"attempts/{attempt}/model/model.onnx"
    against = None
    if current is not None and order.against:
        against = ComparedWith(stage=order.against, version=current.version, digest=current.digest)
    return Manifest(
        namespace=key.namespace,
        model=key.model,
        version=key.version,
        task="Classification",
        attempt=attempt,
        run=Run(name=order.run.name, uid=order.run.uid, spec_hash=order.run.spec_hash),
        code=Code(estimator="none", image=order.image),
        seed=0,
        sources=[],
        rows=Rows(training=1, evaluation=1),
        model_schema=Schema(columns=[]),
        metrics=[Metric(name="roc_auc", value=roc_auc, direction=Direction.HIGHER)],
        compared_with=against,
        files=[File(path=path, size=7, sha256=sha256(b"a model"))],
        created_at=now,
    )


def compare_as_ordered(store: ObjectStore, order: Order, *, now: datetime) -> int:
    assert order.digest
    assert order.current
    registry = Registry(store)
    candidate = registry.manifest(VersionKey(order.namespace, order.model, order.version), order.digest)
    other = VersionKey(order.namespace, order.model, order.current.version)
    found = registry.manifest(other, order.current.digest)
    current = VerifiedVersion(version=other.version, digest=order.current.digest, manifest=found)
    comparison = compare(candidate, current, now=now)
    store.create(candidate.key.comparison(order.digest, current.digest), comparison.render())
    return 0


def compare(manifest: Manifest, current: VerifiedVersion, *, now: datetime) -> Comparison:
    mine, theirs = manifest.metric("roc_auc"), current.manifest.metric("roc_auc")
    assert mine and theirs
    gain = f"{float(mine.value) - float(theirs.value):.6f}"
    difference = Difference(
        metric="roc_auc", direction=Direction.HIGHER, candidate=mine.value, current=theirs.value, lower=gain, upper=gain
    )
    return Comparison(
        candidate=digest(manifest.render()),
        current=current.digest,
        current_version=current.version,
        verdict=Verdict.COMPARED,
        rows=1,
        differences=[difference],
        created_at=now,
    )


if __name__ == "__main__":
    sys.exit(main())
