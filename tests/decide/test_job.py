"""The Job that carries a run's order: a golden file, Pod Security's restricted profile, the API's own schema.

`golden/02-run-typical.job.yaml` is what becomes of `examples/manifests/02-run-typical.yaml`; the order, which is text
in an annotation, stands there as YAML. A wanted change is made there by hand, where a reviewer reads it.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from mira.api.identity import spec_hash
from mira.api.trainingrun import TrainingRun
from mira.decide.job import ORDER_ANNOTATION, Platform, build_job, build_order, job_name, owned_by
from mira.registry.order import ORDER_LIMIT, Order, OrderKind
from mira.registry.ordering import order_too_large
from tests.decide.runs import PLATFORM, UID, a_job, a_run

EXAMPLE = Path("examples/manifests/02-run-typical.yaml")
GOLDEN = Path("tests/decide/golden/02-run-typical.job.yaml")
EVERYTHING = {
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute", "tolerationSeconds": 5}],
    "priorityClassName": "high",
    "queueName": "q",
    "env": [{"name": "A", "value": ""}, {"name": "B", "secretKeyRef": {"name": "s", "key": "k"}}],
    "serviceAccountName": "own",
    "activeDeadlineSeconds": 5,
    "backoffLimit": 0,
    "ttlSecondsAfterFinished": 3600,
}
RUNS = {
    "the smallest": a_run(),
    "one with every field of its Job": a_run(job=EVERYTHING),
    "one with the longest names": a_run("r" * 54, model="m" * 63, version="v" * 128),
}


def job_of(run: TrainingRun, platform: Platform = PLATFORM) -> dict[str, Any]:
    return build_job(run, build_order(run, spec_hash(run.spec.wire()), platform), platform)


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


SIGNING = replace(PLATFORM, signing_secret="mira-signing")


def test_a_training_that_signs_is_given_the_key_and_nothing_else_of_the_secret() -> None:
    pod = pod_of(job_of(a_run(), SIGNING))
    (volume,) = (each for each in pod["volumes"] if each["name"] == "signing")
    assert volume["secret"] == {
        "secretName": "mira-signing",
        "items": [{"key": "key.pem", "path": "key.pem"}],
        "defaultMode": 0o440,
    }
    (mount,) = (each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "signing")
    assert mount == {"name": "signing", "mountPath": "/mira/signing", "readOnly": True}
    assert {"name": "MIRA_SIGNING_KEY", "value": "/mira/signing/key.pem"} in pod["containers"][0]["env"]
    kubernetes_validate.validate(job_of(a_run(), SIGNING), "1.37", strict=True)


CHECKED = {
    "data": {
        "training": {"uri": "s3://data/rows.csv"},
        "target": "churned",
        "checks": {"expectations": {"configMap": "churn-suite"}},
    }
}


def test_a_training_with_a_suite_is_given_its_config_map_and_nothing_else_of_it() -> None:
    run = a_run(**CHECKED)
    pod = pod_of(job_of(run))
    (volume,) = (each for each in pod["volumes"] if each["name"] == "suite")
    assert volume["configMap"] == {
        "name": "churn-suite",
        "items": [{"key": "suite.json", "path": "suite.json"}],
        "optional": True,
    }
    (mount,) = (each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "suite")
    assert mount == {"name": "suite", "mountPath": "/mira/suite", "readOnly": True}
    assert {"name": "MIRA_SUITE_FILE", "value": "/mira/suite/suite.json"} in pod["containers"][0]["env"]
    kubernetes_validate.validate(job_of(run), "1.37", strict=True)
    check = build_order(run, spec_hash(run.spec.wire()), PLATFORM).model_copy(update={"kind": OrderKind.DRIFT_CHECK})
    assert "suite" not in [each["name"] for each in pod_of(build_job(run, check, PLATFORM))["volumes"]]


def test_what_publishes_no_version_is_given_no_key() -> None:
    run = a_run()
    order = build_order(run, spec_hash(run.spec.wire()), SIGNING)
    check = order.model_copy(update={"kind": OrderKind.DRIFT_CHECK})
    assert build_job(run, check, SIGNING) == build_job(run, check, PLATFORM)
    assert build_job(run, order, SIGNING) != build_job(run, order, PLATFORM)


def test_the_typical_manifest_becomes_the_golden_job() -> None:
    raw = yaml.safe_load(EXAMPLE.read_text())
    raw["metadata"] |= {"namespace": "team-a", "uid": UID}
    run = TrainingRun.strictly(raw)
    job = build_job(run, build_order(run, spec_hash(raw["spec"]), PLATFORM), PLATFORM)
    annotations = job["spec"]["template"]["metadata"]["annotations"]
    annotations[ORDER_ANNOTATION] = json.loads(annotations[ORDER_ANNOTATION])
    assert job == yaml.safe_load(GOLDEN.read_text())


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
class TestTheJobOf:
    def test_is_one_that_kubernetes_knows(self, run: TrainingRun) -> None:
        kubernetes_validate.validate(job_of(run), "1.37", strict=True)

    def test_passes_pod_security_restricted(self, run: TrainingRun) -> None:
        pod = pod_of(job_of(run))
        assert not any(pod.get(field) for field in ("hostNetwork", "hostPID", "hostIPC", "initContainers"))
        assert all(set(volume) - {"name"} <= {"downwardAPI", "emptyDir"} for volume in pod["volumes"])
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"sysctls", "seLinuxOptions", "supplementalGroups"} & set(context)
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own["readOnlyRootFilesystem"] is True
            assert not {"privileged", "procMount", "runAsUser", "runAsNonRoot"} & set(own)
            assert not any("hostPort" in port for port in container.get("ports", []))

    def test_gives_the_pod_no_way_to_the_api_server(self, run: TrainingRun) -> None:
        assert pod_of(job_of(run))["automountServiceAccountToken"] is False

    def test_carries_an_order_that_reads_back(self, run: TrainingRun) -> None:
        template = job_of(run)["spec"]["template"]
        order = Order.parse(template["metadata"]["annotations"][ORDER_ANNOTATION].encode())
        assert (order.run.uid, order.run.name, order.model) == (UID, run.metadata.name, run.spec.model)
        assert order.render().decode() == template["metadata"]["annotations"][ORDER_ANNOTATION]

    def test_has_a_name_that_fits_into_a_label_and_belongs_to_this_very_run(self, run: TrainingRun) -> None:
        job = job_of(run)
        assert len(job["metadata"]["name"]) <= 63
        assert job["metadata"]["name"] == f"{run.metadata.name}-{UID[:8]}" == job_name(run)
        assert all(len(value) <= 63 for value in job["metadata"]["labels"].values())
        assert owned_by(job, run)
        assert not owned_by(job, a_run(run.metadata.name, uid="ffffffff-1"))

    def test_ends_for_good_on_exit_64_and_does_not_count_disruptions(self, run: TrainingRun) -> None:
        first, second = job_of(run)["spec"]["podFailurePolicy"]["rules"]
        container = pod_of(job_of(run))["containers"][0]["name"]
        assert first == {
            "action": "FailJob",
            "onExitCodes": {"containerName": container, "operator": "In", "values": [64]},
        }
        assert second == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
        assert pod_of(job_of(run))["restartPolicy"] == "Never", "a pod failure policy needs it"

    def test_is_the_same_however_often_it_is_made(self, run: TrainingRun) -> None:
        assert job_of(run) == job_of(run)


def test_every_field_of_the_runs_job_is_in_the_job() -> None:
    job = job_of(a_run(job=EVERYTHING))
    spec, pod = job["spec"], pod_of(job)
    [container] = pod["containers"]
    assert (spec["suspend"], spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (
        True,
        0,
        5,
        3600,
    )
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "q"
    assert (pod["nodeSelector"], pod["priorityClassName"], pod["serviceAccountName"]) == ({"a": "b"}, "high", "own")
    assert pod["tolerations"] == EVERYTHING["tolerations"]
    assert container["resources"] == EVERYTHING["resources"]
    assert container["env"][-2:] == [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]


def test_without_a_queue_the_job_starts_at_once_and_has_no_queues_label() -> None:
    job = job_of(a_run())
    assert job["spec"]["suspend"] is False
    assert set(job["metadata"]["labels"]) == {
        "app.kubernetes.io/managed-by",
        "mira.constellation.dev/run",
        "mira.constellation.dev/model",
    }


AGAINST: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"promotion": {"stage": "production"}}, "production"),
    ({"evaluation": {"against": "staging"}}, "staging"),
    ({"evaluation": {"against": "staging"}, "promotion": {"stage": "production"}}, "staging"),
    ({"evaluation": {"metrics": ["f1"]}, "promotion": {"stage": "production"}}, "production"),
]


@pytest.mark.parametrize(("spec", "against"), AGAINST)
def test_the_candidate_is_compared_where_it_is_to_be_promoted_unless_told_otherwise(
    spec: dict[str, Any], against: str | None
) -> None:
    assert build_order(a_run(**spec), "sha256:" + "1" * 64, PLATFORM).against == against


NOT_DETERMINING = {"job": EVERYTHING, "suspend": True, "requestedBy": "carol", "description": "other", "version": "v7"}


def test_the_order_tells_what_determines_the_result_and_nothing_else() -> None:
    plain = build_order(a_run(), "sha256:" + "1" * 64, PLATFORM)
    other = build_order(a_run(**NOT_DETERMINING), "sha256:" + "1" * 64, PLATFORM)
    assert other.spec == plain.spec
    assert {"model", "task", "seed", "data"} <= set(plain.spec)
    assert not set(plain.spec) & {"job", "suspend", "requestedBy", "promotion", "version", "description"}


def test_an_order_is_too_large_from_one_byte_over_the_limit() -> None:
    def order(size: int) -> Order:
        return build_order(a_run(parameters={"a": "x" * size}), "sha256:" + "1" * 64, PLATFORM)

    room = ORDER_LIMIT - len(order(0).render())
    assert order_too_large(order(room)) is None
    assert order_too_large(order(room + 1)) == (
        f"the order has {ORDER_LIMIT + 1} bytes, at most {ORDER_LIMIT} are allowed; "
        f"the largest field is spec.parameters with {room + 1 + len(json.dumps({'a': ''}))}"
    )


def test_bytes_are_counted_and_not_characters() -> None:
    order = build_order(a_run(parameters={"a": "ä" * (ORDER_LIMIT // 2)}), "sha256:" + "1" * 64, PLATFORM)
    assert order_too_large(order) is not None


@pytest.mark.parametrize("owners", [None, [], [{"uid": "other"}], [{}]])
def test_a_job_without_this_owner_is_somebody_elses(owners: Any) -> None:
    job = a_job(a_run())
    job["metadata"]["ownerReferences"] = owners
    assert not owned_by(job, a_run())
