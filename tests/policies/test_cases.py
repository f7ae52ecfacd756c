"""The table of cases.py, row by row, on a real API server with real RBAC: with names filled in, and without."""

import itertools
from typing import Any

import pytest

from dev.waiting import wait_until
from mira.api.meta import API_VERSION
from tests.policies.calls import PATCHES, Answer, Calls, Json, Where, merged
from tests.policies.cases import CASES, FILLED, WRITTEN
from tests.policies.conftest import LABEL
from tests.policies.in_force import EFFECT, document
from tests.policies.language import AUTOMATIC, OPERATOR, SPECS, STAGE, Case, Given, approve

NUMBERS = itertools.count(1)


def named(case: Case) -> str:
    return case.name


WITH_NAMES = pytest.mark.parametrize("filled", [True], indirect=True, ids=["names filled in"])
WITHOUT_NAMES = pytest.mark.parametrize("filled", [False], indirect=True, ids=["names written"])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("case", CASES, ids=named)
def test_case(calls: Calls, case: Case) -> None:
    check(calls, case)


@WITH_NAMES
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("case", FILLED, ids=named)
def test_with_names_filled_in(calls: Calls, case: Case) -> None:
    check(calls, case)


@WITHOUT_NAMES
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("case", WRITTEN, ids=named)
def test_with_names_to_be_written(calls: Calls, case: Case) -> None:
    check(calls, case)


def check(calls: Calls, case: Case) -> None:
    """The row comes out as told."""
    answer = ask(calls, case)
    if case.says:
        assert not answer.taken, answer.body
        assert case.says in answer.message
    else:
        assert answer.taken, answer.message
    assert part(answer.body, case.then) == case.then


def ask(calls: Calls, case: Case) -> Answer:
    """The answer to the row's request, made of a new object or of one that is there as the row says."""
    request, number = case.request, next(NUMBERS)
    kind, namespace = request.kind, request.namespace
    if case.given is None:
        fresh = document(kind, *named_object(kind, number))
        name, body = fresh["metadata"]["name"], merged(fresh, request.change)
    else:
        kind, namespace = case.given.kind, case.given.namespace
        name, body = exists(calls, case.given, number), request.change
    if request.how == "apply":
        body = {"apiVersion": API_VERSION, "kind": kind, **merged({"metadata": {"name": name}}, body)}
    return calls.send(case.who, request.how, Where(kind, namespace, name), body, dry_run=request.dry_run)


def exists(calls: Calls, given: Given, number: int) -> str:
    """The name of an object that is there as given."""
    name, spec = named_object(given.kind, number)
    where = Where(given.kind, given.namespace, name)

    def send(who: str, how: str, body: Any) -> None:
        answer = calls.send(who, how, where, body)
        assert answer.taken, answer.message

    send(given.by, "create", document(given.kind, name, spec | given.spec, given.metadata))
    if given.status:
        send(OPERATOR, "status patch", {"status": given.status})
    for who, decision in given.approvals:
        send(who, "json patch", [{"op": "add", "path": "/spec/approvals/-", "value": approve(who, decision)}])
    if given.ended:
        send(OPERATOR, "status patch", {"status": given.ended})
    return name


def named_object(kind: str, number: int) -> tuple[str, Json]:
    """A name that no other row has, and a spec that goes with it."""
    if kind == STAGE:
        return f"churn.s{number}", {**SPECS[kind], "stage": f"s{number}"}
    return f"c{number}", dict(SPECS[kind])


def part(found: Any, wanted: Any) -> Any:
    """Of what was found the fields that are wanted."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return {key: part(found.get(key), value) for key, value in wanted.items()}
    return found


def test_a_label_that_is_taken_away_does_not_stand_in_the_way_of_other_changes(calls: Calls) -> None:
    name, spec = named_object(STAGE, next(NUMBERS))
    namespace = {"metadata": {"generateName": "policies-was-open-", "labels": {LABEL: "ServiceAccounts"}}}
    there = calls.call("admin", "POST", "/api/v1/namespaces", namespace).body["metadata"]["name"]
    where = Where(STAGE, there, name)
    try:
        made = calls.send("admin", "create", where, document(STAGE, name, spec | {"approvalPolicy": AUTOMATIC}))
        assert made.taken, made.message
        unlabelled = {"metadata": {"labels": {LABEL: None}}}
        path, patch = f"/api/v1/namespaces/{there}", PATCHES["merge patch"]
        assert calls.call("admin", "PATCH", path, unlabelled, content_type=patch).taken

        def change(**change: Any) -> Answer:
            return calls.send("admin", "merge patch", where, {"spec": change}, dry_run=True)

        # The policy reads namespaces from a watch.
        wait_until(lambda: not change(approvalPolicy={"requiredApprovals": 2}).taken, timeout=EFFECT, what="no label")
        assert change(onRefreshFailure="RollBack").taken
    finally:
        calls.call("admin", "DELETE", f"/api/v1/namespaces/{there}")
