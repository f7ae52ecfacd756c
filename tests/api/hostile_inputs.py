"""What the API server must refuse by the CRDs alone. Data only.

A change is a JSON merge patch (None removes a field) on the valid object of its kind in `VALID`.
"""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
HEX = "a" * 64
IMAGE = f"registry.example.com/churn@sha256:{HEX}"

VALID: dict[str, Json] = {
    "TrainingRun": {
        "apiVersion": "mira.constellation.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": "churn-1"},
        "spec": {
            "model": "churn",
            "task": "Classification",
            "data": {"training": {"uri": "s3://team-a-data/churn.parquet"}, "target": "churned"},
        },
    },
    "ModelStage": {
        "apiVersion": "mira.constellation.dev/v1alpha1",
        "kind": "ModelStage",
        "metadata": {"name": "churn.production"},
        "spec": {"model": "churn", "stage": "production", "gates": [{"metric": "roc_auc", "minimum": "0.75"}]},
    },
    "ModelPromotion": {
        "apiVersion": "mira.constellation.dev/v1alpha1",
        "kind": "ModelPromotion",
        "metadata": {"name": "churn-production-1"},
        # The test writes the caller's own name: Mira's policies want that.
        "spec": {"model": "churn", "stage": "production", "version": "churn-1", "requestedBy": "admin"},
    },
}


@dataclass(frozen=True)
class Refused:
    """A create that must fail with this status and with each of these fragments in its message."""

    name: str
    kind: str
    change: Json
    says: tuple[str, ...]
    status: int = 422


@dataclass(frozen=True)
class RefusedChange:
    """A merge patch of an existing object that must fail; `before` changes the valid object first."""

    name: str
    kind: str
    patch: Json
    says: tuple[str, ...]
    before: Json


def spec(**fields: Any) -> Json:
    """A change of the spec."""
    return {"spec": fields}


def training(**fields: Any) -> Json:
    """A change of the training data."""
    return spec(data={"training": fields})


def job(**fields: Any) -> Json:
    """A change of the job."""
    return spec(job=fields)


def gate(**fields: Any) -> Json:
    """One gate on roc_auc with these fields."""
    return spec(gates=[{"metric": "roc_auc"} | fields])


RUN, STAGE, PROMOTION = "TrainingRun", "ModelStage", "ModelPromotion"
LABEL_PATTERN = "should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'"

NAMES = (
    Refused("no model", RUN, spec(model=None), ("spec.model: Required value",)),
    Refused("empty model", RUN, spec(model=""), ("spec.model", "at least 1 chars long")),
    Refused("model that climbs out of its prefix", RUN, spec(model="../team-b/fraud"), ("spec.model", LABEL_PATTERN)),
    Refused("model with a slash", RUN, spec(model="a/b"), ("spec.model", LABEL_PATTERN)),
    Refused("model with a dot", RUN, spec(model="a.b"), ("spec.model", LABEL_PATTERN)),
    Refused("model in upper case", RUN, spec(model="Churn"), ("spec.model", LABEL_PATTERN)),
    Refused("model of 64 characters", RUN, spec(model="a" * 64), ("spec.model", "may not be more than 63")),
    Refused("model with a Cyrillic look-alike", RUN, spec(model="ch\u0443rn"), ("spec.model", LABEL_PATTERN)),
    Refused("model with NUL", RUN, spec(model="a\0b"), ("spec.model", LABEL_PATTERN)),
    Refused("model with a newline at its end", RUN, spec(model="churn\n"), ("spec.model", LABEL_PATTERN)),
    Refused("version ..", RUN, spec(version=".."), ("spec.version", "should match")),
    Refused("version with two dots", RUN, spec(version="v1..2"), ("spec.version", "should match")),
    Refused("version with a slash", RUN, spec(version="v1/../../x"), ("spec.version", "should match")),
    Refused("version with percent encoding", RUN, spec(version="%2e%2e"), ("spec.version", "should match")),
    Refused("version named current", RUN, spec(version="current"), ("spec.version", "choose another name")),
    Refused("version of 129 characters", RUN, spec(version="a" * 129), ("spec.version", "may not be more than 128")),
    Refused("version that YAML reads as a number", RUN, spec(version=1.5), ("spec.version", "must be of type string")),
    Refused("run named current", RUN, {"metadata": {"name": "current"}}, ("metadata.name", "use another name")),
    Refused("run with a name of 55 characters", RUN, {"metadata": {"name": "a" * 55}}, ("metadata.name", "at most 54")),
    Refused("no spec", RUN, {"spec": None}, ("spec: Required value",)),
)

CODE = (
    Refused("unknown task", RUN, spec(task="Clustering"), ("spec.task", '"Classification", "Regression"')),
    Refused("image by tag", RUN, spec(image="registry.example.com/x:latest"), ("spec.image", "sha256")),
    Refused("image without registry", RUN, spec(image=f"python@sha256:{HEX}"), ("spec.image", "should match")),
    Refused("image of Docker Hub's short form", RUN, spec(image=f"me/x@sha256:{HEX}"), ("spec.image", "should match")),
    Refused("image that is an option", RUN, spec(image="--privileged x"), ("spec.image", "should match")),
    Refused("image with an md5 digest", RUN, spec(image="r.io/x@md5:" + "a" * 32), ("spec.image", "should match")),
    Refused("estimator that is code", RUN, spec(estimator="os.system('id')"), ("spec.estimator", "should match")),
    Refused("features without attribute", RUN, spec(features="churn.features"), ("spec.features", "should match")),
    Refused("train hook in a classification", RUN, spec(hooks={"train": "a:b"}), ("spec.hooks.train", "task: Custom")),
    Refused(
        "Custom without artifacts",
        RUN,
        spec(task="Custom", hooks={"train": "a:b"}),
        ("spec.artifacts: Required value", "Skops, ONNX, Joblib and Directory"),
    ),
    Refused(
        "Custom without code",
        RUN,
        spec(task="Custom", artifacts=["Directory"]),
        ("spec.hooks.train: Required value", "module:attr"),
    ),
    Refused(
        "Custom with only an estimator",
        RUN,
        spec(task="Custom", estimator="a:b", artifacts=["Directory"]),
        ("spec.hooks.train: Required value", "module:attr"),
    ),
    Refused("Transform without estimator", RUN, spec(task="Transform"), ("spec.estimator: Required", "module:attr")),
    Refused("unknown artifact", RUN, spec(artifacts=["Pickle"]), ("spec.artifacts[0]", '"Skops", "ONNX"')),
    Refused("same artifact twice", RUN, spec(artifacts=["ONNX", "ONNX"]), ("spec.artifacts[1]: Duplicate",)),
    Refused("parameters that are a list", RUN, spec(parameters=[1]), ("spec.parameters", "must be of type object")),
    Refused("negative seed", RUN, spec(seed=-1), ("spec.seed", "greater than or equal to 0")),
    Refused(
        "search without space", RUN, spec(search={"trials": 3, "metric": "f1", "space": {}}), ("spec.search.space",)
    ),
)

DATA = (
    Refused("classification without target", RUN, spec(data={"target": None}), ("spec.data.target: Required value",)),
    Refused("data at a link-local address", RUN, training(uri="http://169.254.169.254/x.csv"), ("uri", "s3://")),
    Refused("data in a local file", RUN, training(uri="file:///etc/shadow"), ("spec.data.training.uri", "s3://")),
    Refused(
        "data that climbs", RUN, training(uri="s3://data/a/../b.csv"), ("spec.data.training.uri", "must not have .")
    ),
    Refused("data without key", RUN, training(uri="s3://data"), ("spec.data.training.uri", "should match")),
    Refused("bucket in upper case", RUN, training(uri="s3://Data/x.csv"), ("spec.data.training.uri", "should match")),
    Refused("a schedule's placeholder", RUN, training(uri="s3://data/{date}.csv"), ("uri", "should match")),
    Refused(
        "prefix without format",
        RUN,
        training(uri="s3://team-a-data/churn/"),
        ("spec.data.training.format: Required value", "CSV or Parquet"),
    ),
    Refused("unknown suffix", RUN, training(uri="s3://data/x.xlsx"), ("spec.data.training.format: Required value",)),
    Refused("unknown format", RUN, training(format="Excel"), ("spec.data.training.format", '"CSV", "Parquet"')),
    Refused(
        "pinned prefix",
        RUN,
        training(uri="s3://data/x/", format="CSV", versionId="v"),
        ("spec.data.training.versionId", "remove versionId"),
    ),
    Refused(
        "inputs that nothing takes",
        RUN,
        spec(data={"inputs": [{"name": "plans", "uri": "s3://data/plans.csv"}]}),
        ("spec.data.inputs", "features or hooks.ingest"),
    ),
    Refused(
        "two inputs of one name",
        RUN,
        spec(features="a:b", data={"inputs": [{"name": "p", "uri": "s3://data/p.csv"}] * 2}),
        ("spec.data.inputs[1]: Duplicate value",),
    ),
    Refused("target dropped", RUN, spec(data={"drop": ["churned"]}), ("spec.data.drop", "remove it there")),
    Refused("target as weight", RUN, spec(data={"weight": "churned"}), ("spec.data.weight", "name another one")),
    Refused(
        "split by time without column",
        RUN,
        spec(data={"split": {"method": "Time", "evaluationFrom": "2026-10-01"}}),
        ("spec.data.split.column: Required value", "name the column"),
    ),
    Refused(
        "split by time without moment",
        RUN,
        spec(data={"split": {"method": "Time", "column": "day"}}),
        ("spec.data.split.evaluationFrom", "e.g. 2026-10-01"),
    ),
    Refused("split by group", RUN, spec(data={"split": {"method": "Group"}}), ("spec.data.split.column: Required",)),
    Refused(
        "fraction as a float", RUN, spec(data={"split": {"fraction": 0.2}}), ("fraction", "must be of type string")
    ),
    Refused("fraction of 1", RUN, spec(data={"split": {"fraction": "1.0"}}), ("fraction", "should match")),
    Refused(
        "holdout and split",
        RUN,
        spec(data={"holdout": {"uri": "s3://data/h.csv"}, "split": {"method": "Hash"}}),
        ("spec.data.split", "exclude each other"),
    ),
    Refused(
        "bounds on text",
        RUN,
        spec(data={"checks": {"columns": [{"name": "plan", "type": "String", "minimum": "0"}]}}),
        ("spec.data.checks.columns[0].type", "Integer or Number"),
    ),
    Refused(
        "minimum above maximum",
        RUN,
        spec(data={"checks": {"columns": [{"name": "age", "type": "Number", "minimum": "2", "maximum": "1.5"}]}}),
        ("spec.data.checks.columns[0].minimum", "must not be above maximum"),
    ),
    Refused(
        "expectations in two places",
        RUN,
        spec(data={"checks": {"expectations": {"configMap": "a", "uri": "s3://data/a.json"}}}),
        ("spec.data.checks.expectations", "exactly one"),
    ),
)

JOB = (
    Refused("pod template", RUN, spec(podTemplate={}), ('unknown field "spec.podTemplate"',), 400),
    Refused("volumes", RUN, job(volumes=[]), ('unknown field "spec.job.volumes"',), 400),
    Refused("security context", RUN, job(securityContext={}), ('unknown field "spec.job.securityContext"',), 400),
    Refused("namespace in the spec", RUN, spec(namespace="team-b"), ('unknown field "spec.namespace"',), 400),
    Refused("bucket in the spec", RUN, spec(bucket="other"), ('unknown field "spec.bucket"',), 400),
    Refused(
        "AWS role by environment",
        RUN,
        job(env=[{"name": "AWS_ROLE_ARN", "value": "x"}]),
        ("spec.job.env[0].name", "use another name"),
    ),
    Refused("LD_PRELOAD", RUN, job(env=[{"name": "LD_PRELOAD", "value": "x"}]), ("spec.job.env[0].name", "LD_")),
    Refused("variable with a dash", RUN, job(env=[{"name": "A-B", "value": "x"}]), ("env[0].name", "should match")),
    Refused("variable twice", RUN, job(env=[{"name": "A", "value": "x"}] * 2), ("spec.job.env[1]: Duplicate value",)),
    Refused("variable without value", RUN, job(env=[{"name": "A"}]), ("spec.job.env[0]", "exactly one of value")),
    Refused(
        "17 secrets",
        RUN,
        job(env=[{"name": f"A{i}", "secretKeyRef": {"name": "s", "key": "k"}} for i in range(17)]),
        ("spec.job.env", "at most 16"),
    ),
    Refused(
        "65 variables",
        RUN,
        job(env=[{"name": f"A{i}", "value": ""} for i in range(65)]),
        ("spec.job.env", "at most 64 items"),
    ),
    Refused(
        "negative cpu", RUN, job(resources={"requests": {"cpu": "-1"}}), ("spec.job.resources.requests", "above 0")
    ),
    Refused("no cpu", RUN, job(resources={"requests": {"cpu": 0}}), ("spec.job.resources.requests", "above 0")),
    Refused("too much cpu", RUN, job(resources={"requests": {"cpu": "2k"}}), ("resources.requests", "at most 1024")),
    Refused(
        "cpu in words", RUN, job(resources={"requests": {"cpu": "lots"}}), ("spec.job.resources.requests", "above 0")
    ),
    Refused(
        "memory in Gib", RUN, job(resources={"limits": {"memory": "16Gib"}}), ("spec.job.resources.limits", "16Gi")
    ),
    Refused("memory with exponent", RUN, job(resources={"limits": {"memory": "1e9"}}), ("resources.limits", "16Gi")),
    Refused(
        "memory of 40 digits", RUN, job(resources={"limits": {"memory": "1" * 40}}), ("resources.limits.memory", "32")
    ),
    Refused("memory in bytes", RUN, job(resources={"limits": {"memory": 16}}), ("resources.limits", "mind the unit")),
    Refused(
        "request above limit",
        RUN,
        job(resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}),
        ("spec.job.resources.requests", "raise limits"),
    ),
    Refused("unknown resource", RUN, job(resources={"limits": {"gpu": 1}}), ("resources.limits", "nvidia.com/gpu")),
    Refused("no time", RUN, job(activeDeadlineSeconds=0), ("activeDeadlineSeconds", "greater than or equal to 1")),
    Refused("logs for a minute", RUN, job(ttlSecondsAfterFinished=60), ("greater than or equal to 3600",)),
    Refused("negative tries", RUN, job(backoffLimit=-1), ("spec.job.backoffLimit", "greater than or equal to 0")),
    Refused(
        "priority of the system",
        RUN,
        job(priorityClassName="system-node-critical"),
        ("spec.job.priorityClassName", "use another one"),
    ),
    Refused(
        "service account of another namespace",
        RUN,
        job(serviceAccountName="mira-system/op"),
        ("spec.job.serviceAccountName", "should match"),
    ),
    Refused("unknown runtime", RUN, job(runtime="Docker"), ("spec.job.runtime", '"Kubernetes", "ECS"')),
)

STAGES = (
    Refused("stage under another name", STAGE, {"metadata": {"name": "prod"}}, ("churn.production",)),
    Refused("stage with a dot", STAGE, spec(stage="prod.eu"), ("spec.stage", LABEL_PATTERN)),
    Refused("gate that lets all pass", STAGE, gate(), ("spec.gates[0]", "at least one of minimum")),
    Refused("gate with a float", STAGE, gate(minimum=0.75), ("spec.gates[0].minimum", "must be of type string")),
    Refused("gate with a comma", STAGE, gate(minimum="0,75"), ("spec.gates[0].minimum", "should match")),
    Refused("gate not a number", STAGE, gate(minimum="NaN"), ("spec.gates[0].minimum", "should match")),
    Refused("gate in reverse", STAGE, gate(minimum="2", maximum="1"), ("spec.gates[0].minimum", "not be above")),
    Refused("negative regression", STAGE, gate(maxRegression="-1"), ("spec.gates[0].maxRegression", "should match")),
    Refused("slice without value", STAGE, gate(minimum="1", slice="plan"), ("spec.gates[0].slice", "should match")),
    Refused("same gate twice", STAGE, spec(gates=[{"metric": "f1", "minimum": "0"}] * 2), ("gates[1]: Duplicate",)),
    Refused("no approvals", STAGE, spec(approvalPolicy={"requiredApprovals": 0}), ("requiredApprovals", "to 1")),
    Refused("unknown mode", STAGE, spec(approvalPolicy={"mode": "Auto"}), ("mode", '"Manual", "Automatic"')),
    Refused("requires itself", STAGE, spec(requires={"stage": "production"}), ("spec.requires.stage", "another stage")),
    Refused(
        "freeze of six fields",
        STAGE,
        spec(freezeWindows=[{"schedule": "0 0 16 * * 5", "durationSeconds": 3600}]),
        ("spec.freezeWindows[0].schedule", "should match"),
    ),
    Refused("unknown target", STAGE, spec(refresh=[{"kind": "Pod", "name": "x"}]), ("refresh[0].kind", '"Deployment"')),
    Refused(
        "ECS service without cluster",
        STAGE,
        spec(refresh=[{"kind": "ECSService", "name": "x"}]),
        ("spec.refresh[0].name", "<cluster>/<service>"),
    ),
)

PROMOTIONS = (
    Refused("no version", PROMOTION, spec(version=None), ("spec.version: Required value",)),
    Refused("version latest", PROMOTION, spec(version="latest"), ("spec.version", "choose another name")),
    Refused("empty requester", PROMOTION, spec(requestedBy=""), ("spec.requestedBy", "at least 1 chars long")),
    Refused("requester too long", PROMOTION, spec(requestedBy="a" * 513), ("requestedBy", "may not be more than 512")),
    Refused("requester with a newline", PROMOTION, spec(requestedBy="a\nb"), ("requestedBy", "should match")),
    Refused("short digest", PROMOTION, spec(digest="sha256:abc"), ("spec.digest",)),
    Refused("md5 digest", PROMOTION, spec(digest="md5:" + "a" * 67), ("spec.digest", "sha256")),
    Refused("unknown action", PROMOTION, spec(action="Demote"), ("spec.action", '"Promote", "RollBack"')),
    Refused("justification of 2000 characters", PROMOTION, spec(justification="x" * 2000), ("more than 1024",)),
    Refused(
        "approval with another word",
        PROMOTION,
        spec(approvals=[{"approver": "bob", "decision": "yes", "digest": f"sha256:{HEX}"}]),
        ("spec.approvals[0].decision", '"Approved", "Rejected"'),
    ),
    Refused(
        "approval of nothing",
        PROMOTION,
        spec(approvals=[{"approver": "bob", "decision": "Approved"}]),
        ("spec.approvals[0].digest: Required value",),
    ),
    Refused(
        "two decisions of one approver",
        PROMOTION,
        spec(approvals=[{"approver": "bob", "decision": "Approved", "digest": f"sha256:{HEX}"}] * 2),
        ("spec.approvals[1]: Duplicate value",),
    ),
)


REFUSED = NAMES + CODE + DATA + JOB + STAGES + PROMOTIONS

ONE_NAME = "a TrainingRun cannot be changed; create a new one under another name"
ANOTHER = "a ModelPromotion cannot be changed, apart from approvals; create a new one under another name"

REFUSED_CHANGES = (
    RefusedChange("another model", RUN, spec(model="other"), ("spec.model", ONE_NAME), {}),
    RefusedChange("another seed", RUN, spec(seed=1), ("spec.seed", ONE_NAME), {}),
    RefusedChange("data elsewhere", RUN, training(uri="s3://team-a-data/b.csv"), ("spec.data", ONE_NAME), {}),
    RefusedChange("a field added", RUN, spec(estimator="a:b"), ("spec.estimator", ONE_NAME), {}),
    RefusedChange("a field removed", RUN, spec(estimator=None), ("spec.estimator", ONE_NAME), spec(estimator="a:b")),
    RefusedChange("more memory", RUN, job(backoffLimit=5), ("spec.job", ONE_NAME), {}),
    RefusedChange("another parameter", RUN, spec(parameters={"a": 1}), ("spec.parameters", ONE_NAME), {}),
    RefusedChange("another requester", RUN, spec(requestedBy="b"), ("spec.requestedBy", ONE_NAME), {}),
    RefusedChange("promotion added", RUN, spec(promotion={"stage": "production"}), ("spec.promotion", ONE_NAME), {}),
    RefusedChange("another version", PROMOTION, spec(version="churn-2"), ("spec.version", ANOTHER), {}),
    RefusedChange("another stage", PROMOTION, spec(stage="staging"), ("spec.stage", ANOTHER), {}),
    RefusedChange("a digest added", PROMOTION, spec(digest=f"sha256:{HEX}"), ("spec.digest", ANOTHER), {}),
    RefusedChange("another action", PROMOTION, spec(action="RollBack"), ("spec.action", ANOTHER), {}),
    RefusedChange("a stage's model", STAGE, spec(model="other"), ("spec.model", "create another ModelStage"), {}),
)
