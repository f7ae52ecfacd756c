"""The promotion that a run asks for on success: a pure function of the run's spec, so making it twice is harmless."""

from typing import Any

from mira.api.meta import API_VERSION
from mira.api.trainingrun import TrainingRun
from mira.decide.job import MANAGED_BY, MODEL_LABEL, RUN_LABEL, STAGE_LABEL
from mira.registry.ordering import version_key


def promotion_name(run: TrainingRun) -> str | None:
    """`<run>.<stage>`, None if the run asks for no promotion."""
    return f"{run.metadata.name}.{run.spec.promotion.stage}" if run.spec.promotion else None


def promotion_of(run: TrainingRun) -> dict[str, Any] | None:
    """The ModelPromotion in the name of whoever asked for the run, None if it asks for none.

    It has no owner, because it outlives the run.
    """
    name = promotion_name(run)
    if run.spec.promotion is None or name is None:
        return None
    spec: dict[str, Any] = {
        "model": run.spec.model,
        "stage": run.spec.promotion.stage,
        "version": version_key(run).version,
        "requestedBy": run.spec.requested_by,
    }
    if run.spec.promotion.justification:
        spec["justification"] = run.spec.promotion.justification
    labels = MANAGED_BY | {
        RUN_LABEL: run.metadata.name,
        MODEL_LABEL: run.spec.model,
        STAGE_LABEL: run.spec.promotion.stage,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "ModelPromotion",
        "metadata": {"name": name, "namespace": run.metadata.namespace, "labels": labels},
        "spec": spec,
    }
