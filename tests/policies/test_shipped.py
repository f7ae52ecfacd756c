"""What is shipped holds together with the API and with the operator that relies on it, and its types are right."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from dev.waiting import wait_until
from mira.adapters import admission
from mira.adapters.cluster import Absent, AlreadyExists, ClusterUnavailable, Object, Refused
from mira.adapters.policies import cel_list, filling, shipped, source
from mira.api import trainingrun
from mira.api.crd import crd_manifest
from mira.api.kinds import KINDS
from mira.api.schema import PRESERVE
from mira.decide.approvals import COMPONENTS
from tests.policies.calls import Calls, Json
from tests.policies.in_force import EFFECT, delete, path
from tests.policies.language import OPERATOR

POLICIES = {each["metadata"]["name"]: each["spec"] for each in shipped([OPERATOR]) if each["kind"].endswith("Policy")}
BINDINGS = {each["metadata"]["name"]: each["spec"] for each in shipped([OPERATOR]) if each["kind"].endswith("Binding")}


def test_every_policy_fails_closed_and_is_bound_everywhere() -> None:
    assert BINDINGS.keys() == POLICIES.keys()
    for name, policy in POLICIES.items():
        assert policy["failurePolicy"] == "Fail"
        assert BINDINGS[name] == {"policyName": name, "validationActions": ["Deny", "Audit"]}


def test_names_are_filled_in_by_policies_that_may_fail() -> None:
    for each in filling([OPERATOR]):
        assert each["spec"].get("failurePolicy", "Ignore") == "Ignore"


def test_every_kind_and_its_status_are_the_operators() -> None:
    objects, statuses = POLICIES["mira-operator-only"]["matchConstraints"]["resourceRules"]
    assert sorted(objects["resources"]) == sorted(kind.plural for kind in KINDS)
    assert sorted(statuses["resources"]) == sorted(f"{kind.plural}/status" for kind in KINDS)


def test_every_free_form_field_is_compared_where_the_schema_cannot() -> None:
    rules = " ".join(rule["expression"] for rule in POLICIES["mira-runs"]["validations"])
    for kind in KINDS:
        spec = crd_manifest(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        for field in free_form(spec, "spec"):
            assert kind.plural == "trainingruns"
            assert f"object.{field} == oldObject.{field}" in rules


def free_form(schema: dict[str, Any], where: str) -> Iterator[str]:
    if schema.get(PRESERVE):
        yield where
    for name, child in schema.get("properties", {}).items():
        yield from free_form(child, f"{where}.{name}")


def test_each_secret_that_the_schema_allows_has_its_rule() -> None:
    (allowed,) = re.findall(r"has\(e\.secretKeyRef\)\)\.size\(\) <= (\d+)", str(crd_manifest(trainingrun.KIND)))
    places = re.findall(r"\.name\(variables\.secrets\[(\d+)\]\)", source("runs"))
    assert places == [str(place) for place in range(int(allowed))]


def test_policy_and_operator_agree_on_who_is_no_person() -> None:
    text = source("promotions")
    assert re.findall(r"variables\.user\.startsWith\('([^']+)'\)", text) == list(COMPONENTS)


def test_the_canary_waits_for_words_that_one_rule_says() -> None:
    said = [rule["message"] for rule in POLICIES[admission.POLICY]["validations"]]
    assert sum(admission.OWN_WORDS in message for message in said) == 1


@pytest.mark.parametrize("name", POLICIES)
def test_every_refusal_is_one_sentence_about_a_field(name: str) -> None:
    for rule in POLICIES[name]["validations"]:
        assert rule["reason"] in {"Forbidden", "Invalid"}
        for words in (rule["message"], rule.get("messageExpression", "").strip("'")):
            assert re.match(r"(spec|metadata|status)\b|the requester of|$", words), words
            assert not words.endswith(".")


def test_accounts_are_a_list_in_cel_each_once_and_in_order() -> None:
    assert cel_list(["c", "a", "b:1", "a"]) == "['a', 'b:1', 'c']"


@pytest.mark.parametrize("accounts", [[], [""], ["a' || true || '"], ["a\\"], ["a\nb"]])
def test_an_account_cannot_write_cel(accounts: list[str]) -> None:
    with pytest.raises(ValueError, match="operator accounts must be user names"):
        cel_list(accounts)


class OneAnswer:
    """A cluster that answers every create alike, and has no policies."""

    def __init__(self, answer: Exception | None) -> None:
        self.answer = answer

    def create(self, *_: Any, **__: Any) -> Object:
        if self.answer:
            raise self.answer
        return {}

    def get(self, *_: Any) -> Object | None:
        if isinstance(self.answer, ClusterUnavailable):
            raise self.answer
        return None


def ask_canary(answer: Exception | None) -> str:
    return admission.canary(OneAnswer(answer), "team-a", account=OPERATOR)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "policy mira-promotions is not in force in namespace team-a: it let a forbidden request pass"),
        (
            AlreadyExists(409, "AlreadyExists", "there is one"),
            "policy mira-promotions is not in force in namespace team-a: it let a forbidden request pass",
        ),
        (
            Refused(403, "Forbidden", "no rights"),
            "policy mira-promotions does not answer in namespace team-a; refused was: no rights",
        ),
        (
            Refused(403, "Forbidden", f"another policy: {admission.OWN_WORDS}"),
            "policy mira-promotions does not answer in namespace team-a; refused was: another policy: "
            + admission.OWN_WORDS,
        ),
        (
            Absent(404, "NotFound", "no such kind"),
            "policy mira-promotions does not answer in namespace team-a: no such kind",
        ),
    ],
    ids=["accepted", "there is one", "refused otherwise", "refused by another in the same words", "no such kind"],
)
def test_the_canary_says_what_happened(answer: Exception | None, said: str) -> None:
    assert ask_canary(answer) == said


def test_no_answer_is_no_proof_and_no_refutation() -> None:
    with pytest.raises(ClusterUnavailable):
        ask_canary(ClusterUnavailable("gone"))
    with pytest.raises(ClusterUnavailable):
        admission.prove(OneAnswer(ClusterUnavailable("gone")), "team-a", accounts=[OPERATOR])  # type: ignore[arg-type]


def test_without_policies_nothing_is_proven() -> None:
    proof = admission.prove(OneAnswer(None), "team-a", accounts=[OPERATOR])  # type: ignore[arg-type]
    assert proof.problem.count("is missing") == 8
    assert proof.since is None


@pytest.mark.parametrize("name", POLICIES)
def test_the_api_servers_type_checker_has_no_objection(calls: Calls, name: str) -> None:
    assert warnings(calls, name) == []


def test_and_it_would_have_one(calls: Calls) -> None:
    misspelt = next(each for each in shipped([OPERATOR]) if each["metadata"]["name"] == "mira-stages")
    misspelt["metadata"]["name"] = "mira-misspelt"
    misspelt["spec"]["validations"] = [{"expression": "object.spec.gatez == []"}]
    assert calls.call("admin", "POST", path(misspelt["kind"]), misspelt).taken
    try:
        assert "undefined field 'gatez'" in warnings(calls, "mira-misspelt")[0]["warning"]
    finally:
        delete(calls, misspelt)


def warnings(calls: Calls, name: str) -> list[Json]:
    """What the type checker says of the policy as it is now."""

    def checked() -> Json | None:
        found = calls.call("admin", "GET", path("ValidatingAdmissionPolicy", name)).body
        status: Json = found.get("status", {})
        return status if status.get("observedGeneration") == found["metadata"]["generation"] else None

    status = wait_until(checked, timeout=EFFECT, what=f"{name} to be type-checked")
    assert status is not None
    return list(status["typeChecking"].get("expressionWarnings", []))
