"""What looks unusual and is right: the API server must take it. Data only, changes as in hostile_inputs."""

from dataclasses import dataclass

from tests.api.hostile_inputs import HEX, PROMOTION, RUN, STAGE, Json, gate, job, spec, training
from tests.api.worded_inputs import freeze


@dataclass(frozen=True)
class Accepted:
    """A create that must succeed."""

    name: str
    kind: str
    change: Json


ACCEPTED = (
    Accepted("the smallest run", RUN, {}),
    Accepted("run with a name of 54 characters", RUN, {"metadata": {"name": "a" * 54}}),
    Accepted(
        "run named current with a version of its own", RUN, {"metadata": {"name": "current"}} | spec(version="v1")
    ),
    Accepted("version with dots, dashes and capitals", RUN, spec(version="V1.2.3-rc.1_x")),
    Accepted("image with tag and digest", RUN, spec(image=f"registry.example.com/ml/churn:1.2@sha256:{HEX}")),
    Accepted("image of a registry with a port", RUN, spec(image=f"registry:5000/churn@sha256:{HEX}")),
    Accepted("estimator by a registered name", RUN, spec(estimator="hist-gradient-boosting")),
    Accepted("parameters of any shape", RUN, spec(parameters={"a": 0.5, "b": None, "c": [{"d": True}], "e": ""})),
    Accepted("prefix with format", RUN, training(uri="s3://team-a-data/churn/", format="Parquet")),
    Accepted(
        "prefix that a hook reads",
        RUN,
        spec(hooks={"ingest": "a:b"}, data={"training": {"uri": "s3://team-a-data/churn/"}}),
    ),
    Accepted("suffix .csv.gz", RUN, training(uri="s3://team-a-data/churn.csv.gz")),
    Accepted("a key with spaces and umlauts", RUN, training(uri="s3://team-a-data/Kündigungen 2026.csv")),
    Accepted("a key with dots in names", RUN, training(uri="s3://team-a-data/.hidden/a..b.csv")),
    Accepted(
        "Transform of a prefix",
        RUN,
        spec(
            task="Transform", estimator="a:b", data={"training": {"uri": "s3://team-a-data/products/"}, "target": None}
        ),
    ),
    Accepted(
        "Custom", RUN, spec(task="Custom", hooks={"train": "a:b"}, artifacts=["Directory"], data={"target": None})
    ),
    Accepted("quantities as numbers", RUN, job(resources={"requests": {"cpu": 4}, "limits": {"nvidia.com/gpu": 1}})),
    Accepted("empty value of a variable", RUN, job(env=[{"name": "A", "value": ""}])),
    Accepted("node label without value", RUN, job(nodeSelector={"node-role.kubernetes.io/gpu": ""})),
    Accepted("every taint tolerated", RUN, job(tolerations=[{"operator": "Exists"}])),
    Accepted("stage without gates", STAGE, spec(gates=None)),
    Accepted(
        "one metric in two slices",
        STAGE,
        spec(
            gates=[
                {"metric": "f1", "minimum": "0.5"},
                {"metric": "f1", "slice": "plan=pro", "minimum": "0.4"},
            ]
        ),
    ),
    Accepted("negative minimum", STAGE, gate(minimum="-12.5")),
    Accepted("ECS service", STAGE, spec(refresh=[{"kind": "ECSService", "name": "prod/churn-api"}])),
    *(
        Accepted(f"freeze at {schedule}", STAGE, freeze(schedule))
        for schedule in (
            "0 16 * * 5",
            "*/15 0-23/2 1,15 jan-Mar MON-FRI",
            "5/10 22-4 L 12 7",
            "00 09 01 01 00",
            "59 23 31 DEC sat,sun",
        )
    ),
    *(
        Accepted(f"freeze in {zone}", STAGE, freeze(zone=zone))
        for zone in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC", "EST5EDT")
    ),
    Accepted("promotion", PROMOTION, {}),
    Accepted("rollback", PROMOTION, spec(action="RollBack", expectedCurrent="churn-2", digest=f"sha256:{HEX}")),
)
