"""What the API server makes of a body before it is stored: unknown fields go, defaults come."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import from_json

from mira.adapters.cluster import MIRA, TYPES, Object

CRDS = Path(__file__).parents[2] / "crds"
PRESERVE = "x-kubernetes-preserve-unknown-fields"
OWN_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
CONTAINER = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
}
POD = {
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
JOB = {
    "parallelism": 1,
    "completions": 1,
    "backoffLimit": 6,
    "completionMode": "NonIndexed",
    "suspend": False,
    "manualSelector": False,
}
EVENT: Object = {"source": {}, "eventTime": None, "reportingComponent": "", "reportingInstance": ""}


# What objects consist of: Mira's kinds as their CRDs say, and others.
FIELDS_OF_MOST = ("apiVersion", "kind", "metadata", "spec", "status")
FIELDS = {
    "Event": (
        *("apiVersion", "kind", "metadata", "involvedObject", "type", "reason", "message", "firstTimestamp"),
        *("lastTimestamp", "count", *EVENT),
    ),
    "Lease": ("apiVersion", "kind", "metadata", "spec"),
}


def is_miras(kind: str) -> bool:
    """Whether the kind is defined by one of Mira's CRDs."""
    return (TYPES[kind].group, TYPES[kind].version) == MIRA


def copied(value: Any) -> Any:
    """The value as it arrives over the wire: nothing of it is shared with the sender."""
    return from_json(json.dumps(value))


def as_stored(kind: str, body: Mapping[str, Any]) -> Object:
    """A copy of the body, pruned and with defaults; for a Job, metadata.uid has to be there already."""
    made: Object = copied(body)
    own = {key: made["metadata"].get(key) for key in OWN_METADATA}
    made["metadata"] = {key: value for key, value in own.items() if value not in (None, "", [], {})}
    made = {key: value for key, value in made.items() if key in FIELDS.get(kind, FIELDS_OF_MOST)}
    if is_miras(kind):
        for part in ("spec", "status"):
            if made.get(part) is None:
                made.pop(part, None)
            else:
                made[part] = _conformed(made[part], _schemas()[kind][part])
    elif kind == "Job":
        made["spec"] = _job(made)
        # A Job without labels gets its pods'.
        made["metadata"].setdefault("labels", copied(made["spec"]["template"]["metadata"]["labels"]))
    elif kind == "Event":
        made = EVENT | made
    elif kind == "Namespace":
        made["metadata"]["labels"] = {"kubernetes.io/metadata.name": made["metadata"]["name"]} | (
            made["metadata"].get("labels") or {}
        )
    return made


@functools.cache
def _schemas() -> dict[str, Mapping[str, Any]]:
    """By kind the schemas of its parts, as the CRDs say."""
    crds = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CRDS.glob("*.yaml"))]
    return {
        crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for crd in crds
    }


def _conformed(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value without fields that the schema does not know, with the defaults of those that are not there."""
    if isinstance(value, list):
        return [_conformed(each, schema["items"]) for each in value] if "items" in schema else value
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    made = {}
    for key, each in value.items():
        if key in known or isinstance(others, dict):
            # A null counts as absent: Mira's schemas have nothing nullable.
            if each is not None:
                made[key] = _conformed(each, known.get(key, others))
        elif schema.get(PRESERVE) or others:
            made[key] = each
    for key, child in known.items():
        if key not in made and "default" in child:
            made[key] = _conformed(copied(child["default"]), child)
    return made


def _job(job: Object) -> Object:
    """The spec of a Job with what the API server adds for the Job controller, and the defaults of its pod."""
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    spec: Object = JOB | job["spec"]
    failed_first = "podFailurePolicy" in spec
    spec.setdefault("podReplacementPolicy", "Failed" if failed_first else "TerminatingOrFailed")
    spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
    for rule in (spec.get("podFailurePolicy") or {}).get("rules", []):
        for pattern in rule.get("onPodConditions", []):
            pattern.setdefault("status", "True")
    template = spec["template"]
    own = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    metadata = template.get("metadata") or {}
    template["metadata"] = metadata | {"labels": (metadata.get("labels") or {}) | own}
    template["spec"] = _pod(template["spec"])
    return spec


def _pod(spec: Object) -> Object:
    made: Object = POD | spec
    made["containers"] = [CONTAINER | container for container in spec["containers"]]
    if "serviceAccountName" in made:
        made["serviceAccount"] = made["serviceAccountName"]
    for container in made["containers"]:
        for variable in container.get("env", []):
            if "fieldRef" in variable.get("valueFrom", {}):
                variable["valueFrom"]["fieldRef"].setdefault("apiVersion", "v1")
    for volume in made.get("volumes", []):
        if "downwardAPI" in volume:
            volume["downwardAPI"].setdefault("defaultMode", 420)
            for item in volume["downwardAPI"].get("items", []):
                item["fieldRef"].setdefault("apiVersion", "v1")
    return made
