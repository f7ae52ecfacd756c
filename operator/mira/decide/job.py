"""The Job of a run, or of a promotion whose versions are to be compared, and the order that it carries."""

from dataclasses import dataclass, replace
from typing import Any

from mira.api import job as api
from mira.api.meta import API_VERSION, GROUP, Resource
from mira.api.trainingrun import TrainingRun
from mira.registry.order import Order, OrderKind
from mira.registry.ordering import ordered
from mira.registry.outcome import EXIT_NEVER_RETRY

CONTAINER = "train"
INPUT_DIR = "/mira/input"
TERMINATION_LOG = "/dev/termination-log"
SIGNING_DIR = "/mira/signing"
SIGNING_FILE = "key.pem"
SUITE_DIR, SUITE_FILE = "/mira/suite", "suite.json"
ORDER_ANNOTATION = f"{GROUP}/order"
RUN_LABEL = f"{GROUP}/run"
MODEL_LABEL = f"{GROUP}/model"
STAGE_LABEL = f"{GROUP}/stage"
MANAGED_BY = {"app.kubernetes.io/managed-by": "mira"}
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
NOBODY = 65532


@dataclass(frozen=True)
class Platform:
    """What the platform team sets for every Job."""

    registry: str
    default_image: str | None = None
    allowed_images: tuple[str, ...] = ()
    service_account: str = "mira-trainer"
    signing_secret: str | None = None


def job_name(run: TrainingRun) -> str:
    """`<run>-<uid8>`: a run that is created again under its name has another Job."""
    return f"{run.metadata.name}-{run.metadata.uid[:8]}"


def image_of(run: TrainingRun, platform: Platform) -> str | None:
    """The image that trains: the run's own, else the platform's; None if neither names one."""
    return run.spec.image or platform.default_image


def build_order(run: TrainingRun, spec_hash: str, platform: Platform) -> Order:
    """What the training image is told. Raises DocumentInvalid if a free-form value cannot be written."""
    return ordered(run, spec_hash, registry=platform.registry, image=image_of(run, platform))


def build_job(run: TrainingRun, order: Order, platform: Platform) -> dict[str, Any]:
    """The run's Job."""
    labels = {RUN_LABEL: run.metadata.name, MODEL_LABEL: run.spec.model}
    return job_of(run, job_name(run), order, run.spec.job or api.Job(), platform, labels=labels)


def job_of(
    owner: Resource[Any, Any],
    name: str,
    order: Order,
    wanted: api.Job,
    platform: Platform,
    *,
    labels: dict[str, str],
) -> dict[str, Any]:
    """A Job: one container, restricted, never restarted in place, replaced unless it said that this cannot help."""
    if order.kind is not OrderKind.TRAIN:
        # What publishes no version signs none.
        platform = replace(platform, signing_secret=None)
    labels = MANAGED_BY | labels
    queue = {QUEUE_LABEL: wanted.queue_name} if wanted.queue_name else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": owner.metadata.namespace,
            "labels": labels | queue,
            "ownerReferences": [_reference(owner)],
        },
        "spec": {
            "suspend": bool(wanted.queue_name),
            "backoffLimit": wanted.backoff_limit,
            "activeDeadlineSeconds": wanted.active_deadline_seconds,
            "ttlSecondsAfterFinished": wanted.ttl_seconds_after_finished,
            "podFailurePolicy": _pod_failure_policy(),
            "template": {
                "metadata": {"labels": labels, "annotations": {ORDER_ANNOTATION: order.render().decode()}},
                "spec": _pod(order, wanted, platform, suite=_suite_of(owner, order)),
            },
        },
    }


def owned_by(job: dict[str, Any], owner: Resource[Any, Any]) -> bool:
    """Whether the Job is this very object's, and not an earlier one's of the same name: owners are told by uid."""
    owners = job["metadata"].get("ownerReferences") or []
    return any(reference.get("uid") == owner.metadata.uid for reference in owners)


def _suite_of(owner: Resource[Any, Any], order: Order) -> str | None:
    """The ConfigMap with the Great Expectations suite that a training holds its data against."""
    if order.kind is not OrderKind.TRAIN or not isinstance(owner, TrainingRun):
        return None
    checks = owner.spec.data.checks
    return checks.expectations.config_map if checks and checks.expectations else None


def _reference(owner: Resource[Any, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.metadata.name,
        "uid": owner.metadata.uid,
        "controller": True,
    }


def _pod_failure_policy() -> dict[str, Any]:
    exit_codes = {"containerName": CONTAINER, "operator": "In", "values": [EXIT_NEVER_RETRY]}
    return {
        "rules": [
            {"action": "FailJob", "onExitCodes": exit_codes},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }


def _pod(order: Order, wanted: api.Job, platform: Platform, *, suite: str | None) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": wanted.service_account_name or platform.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(order, wanted, platform, suite=suite)],
        "volumes": [
            {"name": "order", "downwardAPI": {"items": [_order_file()]}},
            {"name": "tmp", "emptyDir": {}},
            *([_signing_key(platform.signing_secret)] if platform.signing_secret else []),
            *([_suite(suite)] if suite else []),
        ],
    }
    if wanted.node_selector:
        pod["nodeSelector"] = dict(wanted.node_selector)
    if wanted.tolerations:
        pod["tolerations"] = [toleration.wire() for toleration in wanted.tolerations]
    if wanted.priority_class_name:
        pod["priorityClassName"] = wanted.priority_class_name
    return pod


def _order_file() -> dict[str, Any]:
    return {"path": "order.json", "fieldRef": {"fieldPath": f"metadata.annotations['{ORDER_ANNOTATION}']"}}


def _signing_key(secret: str) -> dict[str, Any]:
    # Not optional: a pod that waits for the Secret is seen, a version without a signature only when it is promoted.
    items = [{"key": SIGNING_FILE, "path": SIGNING_FILE}]
    return {"name": "signing", "secret": {"secretName": secret, "items": items, "defaultMode": 0o440}}


def _suite(config_map: str) -> dict[str, Any]:
    # Optional: a pod that starts without it says so at once and for good; one that waits for it says nothing.
    items = [{"key": SUITE_FILE, "path": SUITE_FILE}]
    return {"name": "suite", "configMap": {"name": config_map, "items": items, "optional": True}}


def _container(order: Order, wanted: api.Job, platform: Platform, *, suite: str | None) -> dict[str, Any]:
    signs = platform.signing_secret is not None
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": order.image,
        "command": ["python", "-m", "mira_training", "run"],
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "env": [
            {"name": "MIRA_POD_UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": "MIRA_INPUT_DIR", "value": INPUT_DIR},
            {"name": "MIRA_TERMINATION_LOG", "value": TERMINATION_LOG},
            {"name": "TMPDIR", "value": "/tmp"},  # noqa: S108 - an emptyDir of the pod's own
            *([{"name": "MIRA_SIGNING_KEY", "value": f"{SIGNING_DIR}/{SIGNING_FILE}"}] if signs else []),
            *([{"name": "MIRA_SUITE_FILE", "value": f"{SUITE_DIR}/{SUITE_FILE}"}] if suite else []),
            *(_env(variable) for variable in wanted.env),
        ],
        "volumeMounts": [
            {"name": "order", "mountPath": INPUT_DIR, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of the pod's own
            *([{"name": "signing", "mountPath": SIGNING_DIR, "readOnly": True}] if signs else []),
            *([{"name": "suite", "mountPath": SUITE_DIR, "readOnly": True}] if suite else []),
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if wanted.resources:
        container["resources"] = wanted.resources.wire()
    return container


def _env(variable: api.EnvVar) -> dict[str, Any]:
    if variable.secret_key_ref is not None:
        return {"name": variable.name, "valueFrom": {"secretKeyRef": variable.secret_key_ref.wire()}}
    return {"name": variable.name, "value": variable.value or ""}
