"""The people of cases.py on the session's real API server, with names filled in by it and without."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.local import Local
from tests.policies.calls import Calls, Json
from tests.policies.in_force import fill_names, put_in_force
from tests.policies.language import (
    CLOSED,
    FOR_ALL,
    FOR_SERVICE_ACCOUNTS,
    MISLABELLED,
    OPERATOR,
    OTHER_OPERATOR,
    OUTSIDE_OPERATOR,
    SPECS,
)

LABEL = "mira.constellation.dev/automatic-promotion"
LABELS = {
    CLOSED: {},
    FOR_SERVICE_ACCOUNTS: {LABEL: "ServiceAccounts"},
    FOR_ALL: {LABEL: "All"},
    MISLABELLED: {LABEL: "yes"},
}
SECOND = OTHER_OPERATOR.split(":")[2]
ACCOUNTS = (OPERATOR, OTHER_OPERATOR, OUTSIDE_OPERATOR)


@pytest.fixture(scope="package")
def calls(cluster: Local) -> Iterator[Calls]:
    """Requests as anybody; the people have their roles, and the policies know a second operator."""
    made = Calls(cluster)
    for namespace, labels in {**LABELS, SECOND: {}}.items():
        body = {"metadata": {"name": namespace, "labels": labels}}
        assert made.call("admin", "POST", "/api/v1/namespaces", body).taken
    for namespace, name in ((SECOND, "mira-operator"), (CLOSED, "argo")):
        where = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        assert made.call("admin", "POST", where, {"metadata": {"name": name}}).taken
    for namespace, rule in itertools.product(
        LABELS, yaml.safe_load_all((Path(__file__).parent / "rbac.yaml").read_text())
    ):
        where = f"/apis/{rule['apiVersion']}/namespaces/{namespace}/{rule['kind'].lower()}s"
        answer = made.call("admin", "POST", where, with_namespace(rule, namespace))
        assert answer.taken, answer.message
    put_in_force(made, ACCOUNTS, namespace=CLOSED)
    yield made
    for namespace in LABELS:
        for kind in SPECS:
            made.clear(OTHER_OPERATOR, kind, namespace)
    for namespace in (*LABELS, SECOND):
        made.call("admin", "DELETE", f"/api/v1/namespaces/{namespace}")
    put_in_force(made, ACCOUNTS[:1], namespace="default")


def with_namespace(rule: Json, namespace: str) -> Json:
    """The rule as kubectl would send it: a service account without a namespace is one of this namespace."""
    subjects = [
        {"namespace": namespace, **each} if each["kind"] == "ServiceAccount" else each
        for each in rule.get("subjects", [])
    ]
    return rule | ({"subjects": subjects} if subjects else {})


@pytest.fixture(scope="module", params=[True, False], ids=["names filled in", "names written"])
def filled(calls: Calls, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the API server fills in names: with the mutating policies' bindings, then without."""
    fill_names(calls, accounts=ACCOUNTS, on=request.param)
    yield request.param
    if not request.param:
        fill_names(calls, accounts=ACCOUNTS[:1], on=True)
