"""The example that deploys the server, and the request that the documentation shows, are ones that it takes."""

import json
import re

import kubernetes_validate
import pytest
import yaml

from dev.processes import CHECKOUT
from mira_training.serve.__main__ import LAST_SECONDS
from mira_training.serve.settings import Settings

MANIFESTS = list(yaml.safe_load_all((CHECKOUT / "examples" / "serving" / "deployment.yaml").read_text()))
(POD,) = (each["spec"]["template"]["spec"] for each in MANIFESTS if each["kind"] == "Deployment")
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_kubernetes_knows_every_field(manifest):
    kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_its_variables_are_settings():
    given = {each["name"]: each.get("value", "team-a") for each in CONTAINER["env"]}
    known = {f"MIRA_{name.upper()}": name for name in Settings.model_fields}
    assert given.keys() <= known.keys()
    settings = Settings(**{known[name]: value for name, value in given.items()})
    assert (settings.model, settings.stage) == ("flights", "production")
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": settings.listen_port}]
    assert POD["terminationGracePeriodSeconds"] > settings.drain_seconds + LAST_SECONDS


def test_its_probes_are_answered(serving):
    probes = [CONTAINER[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")]
    assert [serving.code(path) for path in probes] == [200, 200, 200]


def test_the_documented_request_is_answered(serving):
    page = (CHECKOUT / "docs" / "serving" / "README.md").read_text()
    (body,) = re.findall(r"/infer -d '(.*?)'", page, re.DOTALL)
    answer = serving.infer(json.loads(body))
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["shape"] == [2]
