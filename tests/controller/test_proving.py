"""Proofs of the admission policies: a decision never rests on a remembered one."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.controller.answering import LiveReader
from mira.controller.proving import REMEMBERED, Prover
from mira.decide.approvals import Proof
from tests.support.world import NAMESPACE, NOON, asked, promotion, stage


@dataclass
class Policies:
    """What the cluster would show now, and how often it was asked to."""

    now: float = 0.0
    asked: list[str] = field(default_factory=list)

    def prove_now(self, namespace: str) -> Proof:
        self.asked.append(namespace)
        return Proof(f"proof {len(self.asked)} of {namespace}")

    def prover(self) -> Prover:
        return Prover(self.prove_now, lambda: self.now)


def test_the_first_proof_of_a_namespace_is_made_even_for_display() -> None:
    policies = Policies()
    assert policies.prover().prove("a", anew=False) == Proof("proof 1 of a")


def test_a_proof_for_a_decision_is_made_anew_however_young_the_last_one_is() -> None:
    policies = Policies()
    prover = policies.prover()
    proofs = [prover.prove("a", anew=anew) for anew in (False, True, True)]
    assert proofs == [Proof(f"proof {number} of a") for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("age", "made"), [(0.0, 1), (REMEMBERED / 2, 1), (REMEMBERED - 0.001, 1), (REMEMBERED, 2), (REMEMBERED * 9, 2)]
)
def test_for_display_a_proof_is_remembered_for_a_while(age: float, made: int) -> None:
    policies = Policies()
    prover = policies.prover()
    prover.prove("a", anew=False)
    policies.now += age
    assert prover.prove("a", anew=False) == Proof(f"proof {made} of a")
    assert len(policies.asked) == made


def test_a_proof_that_was_made_for_a_decision_is_displayed_too() -> None:
    prover = Policies().prover()
    assert prover.prove("a", anew=True) == prover.prove("a", anew=False)


def test_a_proof_says_nothing_about_another_namespace() -> None:
    policies = Policies()
    prover = policies.prover()
    assert [prover.prove(namespace, anew=False) for namespace in "ab"] == [Proof("proof 1 of a"), Proof("proof 2 of b")]


def test_a_proof_that_cannot_be_made_is_not_replaced_by_the_remembered_one() -> None:
    policies = Policies()
    prover = policies.prover()
    remembered = prover.prove("a", anew=False)

    def away(_: str) -> Proof:
        raise ConnectionError("the API server is away")

    prover.prove_now = away
    with pytest.raises(ConnectionError):
        prover.prove("a", anew=True)
    assert prover.prove("a", anew=False) == remembered
    with pytest.raises(ConnectionError):
        prover.prove("never proven", anew=False)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 2 * REMEMBERED)), max_size=30))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_in_any_history_decisions_see_now_and_displays_at_most_a_while_ago(history: Any) -> None:
    policies = Policies()
    prover = policies.prover()
    newest: dict[str, tuple[float, Proof]] = {}
    for namespace, anew, passes in history:
        policies.now += passes
        before = len(policies.asked)
        proof = prover.prove(namespace, anew=anew)
        if len(policies.asked) > before:
            newest[namespace] = policies.now, proof
        made_at, expected = newest[namespace]
        assert proof == expected
        assert policies.now - made_at < (REMEMBERED if not anew else 1e-9)


APPROVED = {"approvals": {"bob": "sha256:" + "1" * 64}}
ROLL_BACK = {"action": "RollBack"}
AUTOMATIC = {"approvalPolicy": {"mode": "Automatic"}}
READS = {
    "nobody approved yet": ({}, {}, False),
    "somebody approved": (APPROVED, {}, True),
    "the stage is automatic": ({}, AUTOMATIC, True),
    "a rollback": (ROLL_BACK, {}, True),
}


@pytest.mark.parametrize(("asks", "policy", "anew"), READS.values(), ids=READS.keys())
def test_what_may_be_decided_on_a_live_read_has_its_proof_made_anew(asks: Any, policy: Any, anew: bool) -> None:
    resource = promotion("p", "v1", **asks)
    # What the API server answers is what it stored: JSON, by kind.
    stored = {"ModelPromotion": resource.model_dump(mode="json", by_alias=True), "ModelStage": None, "Namespace": {}}
    stored["ModelStage"] = stage(**policy).model_dump(mode="json", by_alias=True)
    cluster = SimpleNamespace(get=lambda kind, _namespace, _name: stored[kind])
    policies = Policies()
    prover = policies.prover()
    prover.prove(NAMESPACE, anew=False)
    clock: Any = SimpleNamespace(now=lambda: NOON)
    live, _ = LiveReader(cluster, clock, prover.prove).read(asked(resource))
    assert live.proof == Proof(f"proof {2 if anew else 1} of {NAMESPACE}")
