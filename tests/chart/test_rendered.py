"""What the chart makes of its values, and what it refuses."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

import mira
from mira.adapters.policies import chart, filling, shipped
from mira.api import crd
from mira.controller.settings import Settings
from tests.chart.conftest import CHART, ROOT, Objects, Render, named, of_kind

RunHelm = Callable[..., subprocess.CompletedProcess[str]]
DIGEST = f"sha256:{'a' * 64}"
RUNNING: dict[str, Any] = {
    "replicas": 1,
    "registry": "s3://models/mira",
    "clusterName": "ml",
    "image": {"repository": "registry.example.com/mira-operator"},
}
OWN = "system:serviceaccount:mira-system:mira-operator"
KEPT = {
    "CustomResourceDefinition",
    *(f"{how}AdmissionPolicy{what}" for how in ("Validating", "Mutating") for what in ("", "Binding")),
}


def bare(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what the chart adds to its metadata."""
    return document | {"metadata": {"name": document["metadata"]["name"]}}


def operator(objects: Objects) -> dict[str, Any]:
    (deployment,) = of_kind(objects, "Deployment")
    container: dict[str, Any] = deployment["spec"]["template"]["spec"]["containers"][0]
    return container


def test_generated_templates_are_current() -> None:
    assert chart.main(["--check", "--root", str(ROOT)]) == 0


def test_lint_finds_nothing(run_helm: RunHelm) -> None:
    done = run_helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout


def test_the_chart_has_the_programs_version() -> None:
    described = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert described["version"] == described["appVersion"] == mira.__version__


def test_crds_and_policies_are_those_of_the_program(render: Render) -> None:
    objects = render()
    wanted = [*(yaml.safe_load(text) for text in crd.files().values()), *shipped([OWN]), *filling([OWN])]
    found = [bare(each) for each in objects if each["kind"] in KEPT]
    assert sorted(found, key=json.dumps) == sorted(wanted, key=json.dumps)


def test_policies_name_every_operators_account(render: Render) -> None:
    first = "system:serviceaccount:first:mira-operator"
    objects = render(operatorAccounts=[OWN, first])
    accounts = [first, OWN]
    for policy in shipped(accounts):
        assert bare(named(objects, policy["kind"], policy["metadata"]["name"])) == policy
    assert {"name": "MIRA_OPERATOR_ACCOUNTS", "value": ",".join(accounts)} in operator(objects)["env"]


def test_what_is_kept_on_uninstall_is_kept_together(render: Render) -> None:
    def kept(objects: Objects) -> set[str]:
        policy = "helm.sh/resource-policy"
        return {each["kind"] for each in objects if each["metadata"].get("annotations", {}).get(policy) == "keep"}

    assert kept(render()) == KEPT
    assert kept(render(crds={"keep": False})) == set()


def test_names_are_filled_in_only_where_the_cluster_can(render: Render) -> None:
    assert len(of_kind(render(), "MutatingAdmissionPolicy")) == 3
    assert of_kind(render(fills=False), "MutatingAdmissionPolicy") == []
    assert of_kind(render(policies={"fill": False}), "MutatingAdmissionPolicyBinding") == []
    assert len(of_kind(render(policies={"fill": False}), "ValidatingAdmissionPolicy")) == 4


def test_a_second_install_shares_nothing_with_the_first(render: Render) -> None:
    off = {"enabled": False}

    def cluster_wide(objects: Objects) -> set[tuple[str, str]]:
        return {(each["kind"], each["metadata"]["name"]) for each in objects if "namespace" not in each["metadata"]}

    second = cluster_wide(render(namespace="mira-second", crds=off, policies=off, roles=off))
    assert second & cluster_wide(render()) == set()
    assert len(second) == 2


def test_a_running_operator_has_settings_that_it_takes(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    values = RUNNING | {
        "s3Endpoint": "http://s3.example.com",
        "defaultImage": f"registry.example.com/train@{DIGEST}",
        "allowedImagePrefixes": ["registry.example.com/", "other.example.com/ml/"],
        "workers": 3,
        "logLevel": "DEBUG",
    }
    fields = {"metadata.namespace": "mira-system", "metadata.name": "mira-operator-7d4b-x2x"}
    for variable in operator(render(**values))["env"]:
        value = variable.get("value") or fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        monkeypatch.setenv(variable["name"], value)
    settings = Settings()
    assert settings.registry == "s3://models/mira"
    assert settings.cluster_name == "ml"
    assert settings.operator_accounts == (OWN,)
    assert settings.s3_endpoint == "http://s3.example.com"
    assert settings.default_image == f"registry.example.com/train@{DIGEST}"
    assert settings.allowed_image_prefixes == ("registry.example.com/", "other.example.com/ml/")
    assert (settings.workers, settings.log_level, settings.probe_port) == (3, "DEBUG", 8080)
    held = (settings.namespace, settings.lease, settings.identity)
    assert held == ("mira-system", "mira-operator", "mira-operator-7d4b-x2x")


def test_keys_to_verify_with_are_mounted_and_the_secret_to_sign_with_is_only_named(render: Render) -> None:
    objects = render(**RUNNING, verifyKeys={"configMap": "mira-keys"}, signing={"secretName": "mira-signing"})
    container = operator(objects)
    assert {"name": "MIRA_VERIFY_KEYS", "value": "/mira/verify-keys"} in container["env"]
    assert {"name": "MIRA_SIGNING_SECRET", "value": "mira-signing"} in container["env"]
    assert {"name": "verify-keys", "mountPath": "/mira/verify-keys", "readOnly": True} in container["volumeMounts"]
    (deployment,) = of_kind(objects, "Deployment")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    assert {"name": "verify-keys", "configMap": {"name": "mira-keys"}} in volumes
    assert "mira-signing" not in json.dumps([volumes, container["volumeMounts"]]), "the operator has no private key"
    assert "verify-keys" not in json.dumps(render(**RUNNING))


def test_two_replicas_are_kept_apart_and_drained_one_by_one(render: Render) -> None:
    objects = render(**{**RUNNING, "replicas": 2})
    (deployment,) = of_kind(objects, "Deployment")
    labels = deployment["spec"]["selector"]["matchLabels"]
    (spread,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert spread["labelSelector"]["matchLabels"] == budget["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(render(**RUNNING), "PodDisruptionBudget") == []
    assert yaml.safe_load((CHART / "values.yaml").read_text())["replicas"] == 2


def test_probes_and_metrics_meet_the_operators_port(render: Render) -> None:
    objects = render(**RUNNING)
    container = operator(objects)
    assert container["ports"] == [{"name": "probes", "containerPort": 8080}]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert asked == {
        "startup": {"path": "/healthz", "port": "probes"},
        "liveness": {"path": "/healthz", "port": "probes"},
        "readiness": {"path": "/readyz", "port": "probes"},
    }
    (service,) = of_kind(objects, "Service")
    (deployment,) = of_kind(objects, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 8080, "targetPort": "probes"}]


def test_the_image_is_taken_by_digest_where_there_is_one(render: Render) -> None:
    name = RUNNING["image"]["repository"]
    assert operator(render(**RUNNING))["image"] == f"{name}:{mira.__version__}"
    tagged = RUNNING | {"image": {"repository": name, "tag": "edge"}}
    assert operator(render(**tagged))["image"] == f"{name}:edge"
    pinned = RUNNING | {"image": {"repository": name, "tag": "edge", "digest": DIGEST}}
    assert operator(render(**pinned))["image"] == f"{name}@{DIGEST}"


def test_trainers_are_made_where_asked(render: Render) -> None:
    accounts = of_kind(render(trainerNamespaces=["team-a", "team-b"], trainerAnnotations={"a": "b"}), "ServiceAccount")
    trainers = {each["metadata"]["namespace"]: each for each in accounts if each["metadata"]["name"] == "mira-trainer"}
    assert trainers.keys() == {"team-a", "team-b"}
    assert all(each["automountServiceAccountToken"] is False for each in accounts)
    assert trainers["team-a"]["metadata"]["annotations"] == {"a": "b"}


def test_the_notes_say_what_comes_next(run_helm: RunHelm) -> None:
    # Rendered by a dry run that asks no cluster.
    done = run_helm("install", "mira", CHART, "--dry-run=client", "--namespace", "mira-system", values={"replicas": 0})
    notes = done.stdout.partition("NOTES:")[2]
    for words in ("kubectl create --dry-run=server", "--clusterrole mira-approver", "write requestedBy and approver"):
        assert words in notes


@pytest.mark.parametrize("missing", ["registry", "clusterName", "image"])
def test_a_running_operator_needs(run_helm: RunHelm, missing: str) -> None:
    done = run_helm("template", "mira", CHART, values=RUNNING | {missing: {} if missing == "image" else ""})
    assert re.search(rf"{missing}\S* is required where replicas is above 0", done.stderr)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"replica": 1}, "replica"),
        ({"crds": {"keeps": True}}, "keeps"),
        ({"policies": {"enabled": "yes"}}, "enabled"),
        ({"registry": "https://models"}, "registry"),
        ({"logLevel": "LOUD"}, "logLevel"),
        ({"replicas": -1}, "replicas"),
        ({"defaultImage": "train:latest"}, "defaultImage"),
        ({"operatorAccounts": ["a' || true || '"]}, "operatorAccounts"),
        ({"trainerNamespaces": ["Team A"]}, "trainerNamespaces"),
        ({"env": {"MIRA_REGISTRY": "s3://other"}}, "MIRA_REGISTRY"),
        ({"serviceAccount": {"name": "a' || 'b"}}, "name"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"verifyKeys": {"configMap": "Not_A_Name"}}, "configMap"),
        ({"signing": {"secretName": "a: b"}}, "secretName"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_schema_refuses(run_helm: RunHelm, values: dict[str, Any], names: str) -> None:
    done = run_helm("template", "mira", CHART, values={"replicas": 0, **values})
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert names in done.stderr


def test_every_value_has_a_comment_and_a_place_in_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values.keys() | {"global"} == schema["properties"].keys()
    lines = (CHART / "values.yaml").read_text().splitlines()
    for name, value in values.items():
        at = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
        nested = isinstance(value, dict) and value and "properties" in schema["properties"][name]
        if nested:
            assert value.keys() == schema["properties"][name]["properties"].keys(), name
        above, below = lines[at - 1], lines[at + 1] if at + 1 < len(lines) else ""
        assert above.startswith("#") or below.startswith("  #") or name in _TOLD_TOGETHER, name


_TOLD_TOGETHER = {"podAnnotations", "tolerations", "affinity", "priorityClassName"}
