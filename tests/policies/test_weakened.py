"""A weakened policy is noticed: by the comparison always, by the canary where a request shows it."""

import copy
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.waiting import wait_until
from mira.adapters.admission import canary, differences, prove
from mira.adapters.kubernetes import KubernetesCluster
from mira.adapters.policies import shipped
from tests.policies.calls import Calls, Json
from tests.policies.conftest import ACCOUNTS
from tests.policies.in_force import EFFECT, delete, path, put
from tests.policies.language import CLOSED, OPERATOR

POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
HERE = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [CLOSED]}]}
PASSED = f"policy mira-promotions is not in force in namespace {CLOSED}: it let a forbidden request pass"


@dataclass(frozen=True)
class Weakened:
    """How one object is changed (None: deleted), what the comparison says of it, and whether the canary sees it.

    The canary takes up to a second to see anything, so it is asked where something new is shown.
    """

    name: str
    kind: str
    policy: str
    change: Callable[[Json], object] | None
    says: str
    canary_sees: bool = False


def without_rule(words: str) -> Callable[[Json], object]:
    def change(spec: Json) -> None:
        kept = [rule for rule in spec["validations"] if words not in rule["message"]]
        assert len(kept) == len(spec["validations"]) - 1
        spec["validations"] = kept

    return change


def with_rule_that_always_holds(spec: Json) -> None:
    spec["validations"][0]["expression"] = "true"


def with_alice_as_operator(spec: Json) -> None:
    operators = next(each for each in spec["variables"] if each["name"] == "operators")
    operators["expression"] = operators["expression"].replace("[", "['alice', ")


def excluding_promotions(spec: Json) -> None:
    spec["matchConstraints"]["excludeResourceRules"] = copy.deepcopy(spec["matchConstraints"]["resourceRules"])


WEAKENED = (
    Weakened(
        "a binding that only audits",
        BINDING,
        "mira-promotions",
        lambda spec: spec.update(validationActions=["Audit"]),
        "spec.validationActions",
        canary_sees=True,
    ),
    Weakened(
        "a binding that only warns",
        BINDING,
        "mira-promotions",
        lambda spec: spec.update(validationActions=["Warn"]),
        "spec.validationActions",
    ),
    Weakened("a deleted binding", BINDING, "mira-promotions", None, "is missing", canary_sees=True),
    Weakened("a deleted policy", POLICY, "mira-promotions", None, "is missing", canary_sees=True),
    Weakened(
        "a namespace that the binding leaves out",
        BINDING,
        "mira-promotions",
        lambda spec: spec.update(matchResources={"namespaceSelector": HERE}),
        "spec.matchResources",
        canary_sees=True,
    ),
    Weakened(
        "a namespace that the policy leaves out",
        POLICY,
        "mira-promotions",
        lambda spec: spec["matchConstraints"].update(namespaceSelector=HERE),
        "spec.matchConstraints.namespaceSelector",
    ),
    Weakened(
        "a condition that never holds",
        POLICY,
        "mira-promotions",
        lambda spec: spec.update(matchConditions=[{"name": "never", "expression": "false"}]),
        "spec.matchConditions",
        canary_sees=True,
    ),
    Weakened(
        "excluded resources",
        POLICY,
        "mira-promotions",
        excluding_promotions,
        "spec.matchConstraints.excludeResourceRules",
    ),
    Weakened(
        "failurePolicy Ignore",
        POLICY,
        "mira-promotions",
        lambda spec: spec.update(failurePolicy="Ignore"),
        "spec.failurePolicy",
    ),
    Weakened("a removed rule", POLICY, "mira-promotions", without_rule("the requester of"), "spec.validations"),
    Weakened(
        "a rule that always holds",
        POLICY,
        "mira-promotions",
        with_rule_that_always_holds,
        "spec.validations[0].expression",
    ),
    Weakened(
        "somebody else among the operator's accounts",
        POLICY,
        "mira-operator-only",
        with_alice_as_operator,
        "spec.variables[1].expression",
    ),
    Weakened(
        "another policy's binding that only audits",
        BINDING,
        "mira-runs",
        lambda spec: spec.update(validationActions=["Audit"]),
        "spec.validationActions",
    ),
)


@pytest.fixture(scope="module")
def operator(calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> KubernetesCluster:
    """The port with the operator's own account and exactly the chart's rights."""
    kubeconfig = yaml.safe_load(Path(calls.cluster.kubeconfig("admin")).read_text())
    kubeconfig["users"][0]["user"] = {"token": calls.token(OPERATOR)}
    file = tmp_path_factory.mktemp("operator") / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))
    return KubernetesCluster(kubeconfig=str(file), pool=1)


@pytest.fixture
def restored(calls: Calls, operator: KubernetesCluster) -> Iterator[None]:
    """Whatever a test does to the policies, afterwards they are in force as shipped."""
    yield
    put(calls, shipped(ACCOUNTS))
    wait_for(operator, "")


def wait_for(operator: KubernetesCluster, answer: str) -> None:
    what = f"the canary to say {answer or 'nothing'}"
    wait_until(lambda: canary(operator, CLOSED, account=OPERATOR) == answer, timeout=EFFECT, what=what)


def test_as_shipped_is_proven_since_the_newest_creation(calls: Calls, operator: KubernetesCluster) -> None:
    created = [
        live(calls, each["kind"], each["metadata"]["name"])["metadata"]["creationTimestamp"]
        for each in shipped(ACCOUNTS)
    ]
    proof = prove(operator, CLOSED, accounts=ACCOUNTS)
    assert proof.problem == ""
    assert proof.since is not None
    assert proof.since >= max(datetime.fromisoformat(each) for each in created)


@pytest.mark.usefixtures("restored")
def test_a_policy_that_was_weakened_and_put_back_is_as_young_as_its_return(
    calls: Calls, operator: KubernetesCluster
) -> None:
    """What was written while it only audited is older than the proof, although no object was made anew."""
    binding = "ValidatingAdmissionPolicyBinding"
    name = next(each["metadata"]["name"] for each in shipped(ACCOUNTS) if each["kind"] == binding)
    strong = live(calls, binding, name)
    weak = deepcopy(strong)
    weak["spec"]["validationActions"] = ["Audit"]
    put(calls, [weak])
    meanwhile = datetime.now(UTC).replace(microsecond=0)
    put(calls, [strong])
    wait_for(operator, "")
    since = prove(operator, CLOSED, accounts=ACCOUNTS).since
    assert since is not None
    assert since >= meanwhile


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("weakened", WEAKENED, ids=lambda each: each.name)
def test_weakened(calls: Calls, operator: KubernetesCluster, weakened: Weakened) -> None:
    found = live(calls, weakened.kind, weakened.policy)
    if weakened.change is None:
        delete(calls, found)
    else:
        weakened.change(found["spec"])
        put(calls, [found])
    (said,) = differences(operator, ACCOUNTS)
    assert said.startswith(f"{weakened.kind} {weakened.policy} is ")
    assert weakened.says in said
    if weakened.canary_sees:
        wait_for(operator, PASSED)
    proof = prove(operator, CLOSED, accounts=ACCOUNTS)
    assert proof.problem == said
    assert proof.since is None


@pytest.mark.usefixtures("restored")
def test_a_policy_that_was_away_is_younger_than_what_was_written_meanwhile(
    calls: Calls, operator: KubernetesCluster
) -> None:
    before = prove(operator, CLOSED, accounts=ACCOUNTS).since
    assert before is not None
    wait_until(lambda: created_now(calls) > before, timeout=5, what="the next second")
    found = live(calls, BINDING, "mira-promotions")
    delete(calls, found)
    put(calls, shipped(ACCOUNTS))
    wait_for(operator, "")
    after = prove(operator, CLOSED, accounts=ACCOUNTS).since
    assert after is not None
    assert after > before


@pytest.mark.usefixtures("restored")
def test_labels_and_stated_defaults_are_no_difference(calls: Calls, operator: KubernetesCluster) -> None:
    found = live(calls, BINDING, "mira-promotions")
    found["metadata"]["labels"] = {"a": "b"}
    found["spec"]["matchResources"] = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    found["spec"]["validationActions"] = ["Audit", "Deny"]
    where = path(BINDING, "mira-promotions")
    assert calls.call("admin", "PUT", where, found).taken
    assert differences(operator, ACCOUNTS) == []


def test_other_accounts_are_a_difference(operator: KubernetesCluster) -> None:
    said = differences(operator, [OPERATOR])
    assert [line.split(" is not as shipped: ")[1] for line in said] == ["spec.variables[1].expression"] * 4


def test_an_operator_under_an_account_that_the_policies_do_not_know_is_told(calls: Calls) -> None:
    other = KubernetesCluster(kubeconfig=str(calls.cluster.kubeconfig("admin")), pool=1)
    said = canary(other, CLOSED, account=OPERATOR)
    assert said.startswith(f"policy mira-promotions does not answer in namespace {CLOSED}; refused was: ")
    assert 'and you are "admin"' in said


def live(calls: Calls, kind: str, name: str) -> Any:
    answer = calls.call("admin", "GET", path(kind, name))
    assert answer.taken, answer.message
    return answer.body


def created_now(calls: Calls) -> datetime:
    """The API server's time, to the second."""
    body = {"metadata": {"generateName": "now-"}}
    made = calls.call("admin", "POST", f"/api/v1/namespaces/{CLOSED}/configmaps", body, query={"dryRun": "All"})
    return datetime.fromisoformat(made.body["metadata"]["creationTimestamp"])
