"""From a TrainingRun to its order: one piece of code for the operator and for `mira-training run` on a laptop.

Here and not in `decide/`: the training image must not know what decides. Not in `order.py` either: who only reads the
registry's documents need not import the kinds.
"""

import json

from mira.api.identity import DETERMINING
from mira.api.job import Job
from mira.api.trainingrun import TrainingRun
from mira.registry.document import DocumentInvalid
from mira.registry.keys import VersionKey
from mira.registry.order import ORDER_LIMIT, Order, OrderedRun, OrderKind


def version_key(run: TrainingRun) -> VersionKey:
    """The version that the run makes, named by spec.version or else by the run itself."""
    return VersionKey(run.metadata.namespace, run.spec.model, run.spec.version or run.metadata.name)


def ordered(run: TrainingRun, spec_hash: str, *, registry: str, image: str | None) -> Order:
    """What the training image is told: the fields that determine the result, defaults filled in, and for whom.

    Raises DocumentInvalid if a free-form value cannot be written.
    """
    try:
        spec = run.spec.wire()
    except ValueError as error:
        raise DocumentInvalid(f"nested too deeply: {error}") from error
    against = run.spec.evaluation.against if run.spec.evaluation else None
    return Order(
        kind=OrderKind.TRAIN,
        registry=registry,
        namespace=run.metadata.namespace,
        model=run.spec.model,
        version=version_key(run).version,
        run=OrderedRun(
            name=run.metadata.name, uid=run.metadata.uid, spec_hash=spec_hash, requested_by=run.spec.requested_by
        ),
        image=image,
        description=run.spec.description,
        against=against or (run.spec.promotion.stage if run.spec.promotion else None),
        deadline_seconds=(run.spec.job or Job()).active_deadline_seconds if run.spec.search else None,
        spec={field: spec[field] for field in DETERMINING if field in spec},
    )


def order_too_large(order: Order) -> str | None:
    """A sentence with the size and the largest field if the order does not fit into a pod's annotation, else None."""
    size = len(order.render())
    if size <= ORDER_LIMIT:
        return None
    sizes = {field: len(json.dumps(value)) for field, value in order.spec.items()}
    largest = max(sizes, key=lambda field: sizes[field])
    return (
        f"the order has {size} bytes, at most {ORDER_LIMIT} are allowed; "
        f"the largest field is spec.{largest} with {sizes[largest]}"
    )


def check_arrives(order: Order) -> None:
    """Raises DocumentInvalid if the image would read another spec than was written: too deep, or a number too large."""
    if Order.parse(order.render()).spec != order.spec:
        raise DocumentInvalid("a whole number is too large to arrive as it is; write it as a string")
