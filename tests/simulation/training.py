"""What a pod's training does in S3 before it ends, as its order says: the documents of the instant image."""

from datetime import datetime

from mira.adapters.cluster import Object
from mira.decide.job import ORDER_ANNOTATION
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey, attempt_id
from mira.registry.memory import MemoryStore
from mira.registry.order import Order, OrderKind
from mira.registry.reader import Current, Registry, Tampered
from tests.simulation.node import Ending
from tests.support.instant_image.mira_training.__main__ import build, compare, compare_as_ordered, failed


def train(store: MemoryStore, pod: Object, now: datetime) -> Ending:
    """How the pod ends, after it wrote what such an end leaves in S3."""
    order = Order.parse(pod["metadata"]["annotations"][ORDER_ANNOTATION].encode())
    key = VersionKey(order.namespace, order.model, order.version)
    attempt = attempt_id(order.run.uid, pod["metadata"]["uid"])
    parameters = order.spec.get("parameters", {})
    if pod["metadata"].get("deletionTimestamp"):
        return Ending(143)
    if order.kind is OrderKind.COMPARE:
        return Ending(compare_as_ordered(store, order, now=now))
    if code := parameters.get("fail"):
        outcome = failed(attempt, code, now)
        store.create(key.outcome(attempt), outcome.render())
        return Ending(code)
    current = _current(store, order)
    manifest = build(order, key, attempt, parameters.get("roc_auc", "0.8"), current, now=now)
    store.create(key.file(manifest.files[0].path), b"a model")
    if current is not None and current.digest != digest(manifest.render()):
        comparison = compare(manifest, current, now=now)
        store.create(key.comparison(comparison.candidate, comparison.current), comparison.render())
    store.create(key.manifest, manifest.render())
    return Ending(0)


def _current(store: MemoryStore, order: Order) -> Current | None:
    """What the stage serves; a pointer that cannot be trusted costs the comparison, not the training."""
    if not order.against:
        return None
    try:
        return Registry(store).current(namespace=order.namespace, model=order.model, stage=order.against)
    except (DocumentInvalid, Tampered):
        return None
