"""The status of a ModelPromotion: what it waits for, and what its entry says once it is decided."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mira.api.conditions import ConditionType, condition
from mira.api.modelpromotion import KIND, ModelPromotion, ModelPromotionStatus
from mira.api.reasons import Reason
from mira.decide.modelpromotion import (
    blocked_status,
    decided_status,
    is_finished,
    renewed_status,
    told_to_stage,
    waiting_status,
)
from mira.registry.deciding import Decided, Waiting
from mira.registry.lineage import Link
from tests.decide.consistency import check_status
from tests.decide.test_promotion_rules import FINAL, NOTHING, SITUATIONS, Situation, world_of
from tests.registry.lineages import a_world, entry_of
from tests.support.world import NOON, World, asked, later, promotion, stage

EVERY = SITUATIONS | {"nothing": NOTHING}


def told(world: World, mine: ModelPromotion) -> ModelPromotionStatus:
    """The status after one pass without faults."""
    end = world.decide(mine)
    if isinstance(end, Waiting):
        return waiting_status(mine, end.seen, world.now)
    return decided_status(mine, end, world.now)


def of(situation: Situation) -> tuple[World, ModelPromotion, ModelPromotionStatus]:
    world, mine, _ = world_of(situation)
    return world, mine, told(world, mine)


def said(status: ModelPromotionStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status} {each.reason}" for each in status.conditions}


@pytest.mark.parametrize("situation", EVERY.values(), ids=EVERY.keys())
def test_its_status_is_consistent_and_finished_only_at_its_end_when(situation: Situation) -> None:
    _, mine, status = of(situation)
    check_status(KIND, mine, status)
    assert (said(status)["Finished"].split()[0] == "True") is (situation.reason in FINAL)
    assert said(status)["Ready"].split()[1] == situation.reason


def test_a_rejection_is_told_where_one_looks_for_approvals() -> None:
    _, _, status = of(SITUATIONS["rejected"])
    approved = condition(status.conditions, ConditionType.APPROVED)
    assert approved is not None
    assert (approved.reason, approved.message) == ("Rejected", "rejected by carol: too risky today")


@pytest.mark.parametrize("situation", EVERY.values(), ids=EVERY.keys())
def test_a_second_look_says_the_same_when(situation: Situation) -> None:
    world, mine, status = of(situation)
    again = mine.model_copy(update={"status": ModelPromotionStatus.strictly(status.wire())})
    world.put(again)
    assert again.status == status
    world.now += timedelta(seconds=10)
    if not is_finished(again):
        assert told(world, again) == status


@pytest.mark.parametrize("situation", EVERY.values(), ids=EVERY.keys())
def test_a_resource_that_is_created_again_says_the_same_end_when(situation: Situation) -> None:
    world, mine, status = of(situation)
    if situation.reason not in FINAL:
        return
    again = later(mine, uid="uid-again").model_copy(update={"status": ModelPromotionStatus()})
    world.put(again)
    adopted = told(world, again)
    check_status(KIND, again, adopted)
    number, reason = adopted.number, situation.reason
    assert (number, said(adopted)["Ready"], said(adopted)["Finished"]) == (
        status.number,
        said(status)["Ready"],
        said(status)["Finished"],
    )
    ready = condition(adopted.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.message == (
        f"decided on 2026-11-25T12:05:00Z as entry {number}: {reason}; for a new decision use another name"
    )


GOOD = {"Promoted", "RolledBack", "Superseded", "AlreadyCurrent"}


@pytest.mark.parametrize("situation", EVERY.values(), ids=EVERY.keys())
def test_an_end_is_ready_or_stalled_as_its_reason_says_when(situation: Situation) -> None:
    _, _, status = of(situation)
    if situation.reason in FINAL:
        assert said(status)["Ready"].startswith("True" if situation.reason in GOOD else "False")
        assert said(status)["Promoted"].startswith(
            "True" if situation.reason in ("Promoted", "RolledBack") else "False"
        )


def test_a_promotion_that_was_carried_out() -> None:
    _, mine, status = of(NOTHING)
    assert said(status) == {
        "Ready": "True Promoted",
        "Reconciling": "False Promoted",
        "Stalled": "False Promoted",
        "Finished": "True Promoted",
        "Promoted": "True Promoted",
        "VersionVerified": "True Verified",
        "GatesPassed": "True NoGates",
        "Approved": "True Approved",
    }
    assert status.previous is not None
    assert (status.number, status.previous.version, status.decided_at) == (4, "v3", NOON + timedelta(minutes=5))
    assert status.digest == mine.spec.approvals[0].digest
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.message == "version v9 is current instead of v3 as entry 4, approved by bob"


def test_a_rollback_that_was_carried_out() -> None:
    world = a_world()
    mine = world.put(promotion("back", "v1", created=NOON + timedelta(minutes=1), action="RollBack"))
    status = told(world, mine)
    check_status(KIND, mine, status)
    assert {name: said(status)[name] for name in ("Ready", "Promoted", "GatesPassed", "Approved")} == {
        "Ready": "True RolledBack",
        "Promoted": "True RolledBack",
        "GatesPassed": "True SkippedForRollback",
        "Approved": "True NoApprovalNeeded",
    }
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.message == "version v1 is current instead of v3 as entry 4"


EVIDENCE: dict[str, dict[str, str]] = {
    "version_not_found": {"VersionVerified": "Unknown VersionNotFound", "GatesPassed": "Unknown Pending"},
    "manifest_invalid": {"VersionVerified": "False ManifestInvalid", "GatesPassed": "Unknown Pending"},
    "artifact_corrupt": {"VersionVerified": "False ArtifactCorrupt"},
    "stage_not_found": {
        "VersionVerified": "True Verified",
        "GatesPassed": "Unknown Pending",
        "Approved": "Unknown Pending",
    },
    "gates_failed": {"VersionVerified": "True Verified", "GatesPassed": "False GatesFailed"},
    "gates_inconclusive": {"GatesPassed": "Unknown Inconclusive"},
    "awaiting_approval": {"GatesPassed": "True NoGates", "Approved": "False AwaitingApproval"},
    "policies_missing": {"Approved": "False AdmissionPolicyMissing"},
    "frozen": {"GatesPassed": "True NoGates", "Approved": "True Approved", "Promoted": "False FrozenUntil"},
}


@pytest.mark.parametrize(("name", "expected"), EVIDENCE.items(), ids=EVIDENCE.keys())
def test_how_far_it_has_come_is_shown_when(name: str, expected: dict[str, str]) -> None:
    _, _, status = of(SITUATIONS[name])
    assert {key: said(status)[key] for key in expected} == expected


def test_the_digest_to_approve_is_shown_while_it_waits() -> None:
    _, _, status = of(SITUATIONS["awaiting_approval"])
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert status.digest is not None
    assert status.digest in ready.message


def test_each_gate_is_shown_as_it_was_measured() -> None:
    _, _, status = of(SITUATIONS["gates_failed"] & SITUATIONS["gates_inconclusive"])
    assert [(row.metric, row.slice, row.measured, row.threshold, row.result, row.reason) for row in status.gates] == [
        ("roc_auc", "", "0.80", "minimum 0.99", "Fail", "BelowMinimum"),
        ("roc_auc", "a=b", "0.80", "maxRegression 0.01", "Inconclusive", "NotCompared"),
    ]


def test_an_approval_is_recorded_before_it_counts_and_then_carried_out() -> None:
    world, mine, _ = world_of(NOTHING)
    fresh = mine.model_copy(update={"status": ModelPromotionStatus()})
    world.put(fresh)
    status = told(world, fresh)
    assert said(status)["Ready"] == "False AwaitingApproval"
    [record] = status.approvals
    assert (record.approver, record.seen_at, record.counts, record.reason) == ("bob", world.now, True, "Counted")
    written = fresh.model_copy(update={"status": status})
    world.put(written)
    assert said(told(world, written))["Ready"] == "True Promoted"


def test_what_is_blocked_says_why_and_keeps_what_was_seen() -> None:
    _, mine, status = of(SITUATIONS["awaiting_approval"])
    waiting = mine.model_copy(update={"status": status})
    blocked = blocked_status(waiting, Reason.REGISTRY_UNAVAILABLE, "S3 is away", NOON)
    check_status(KIND, waiting, blocked)
    assert said(blocked)["Ready"] == "False RegistryUnavailable"
    assert said(blocked)["VersionVerified"] == "True Verified"
    assert (blocked.digest, blocked.approvals) == (status.digest, status.approvals)


@pytest.mark.parametrize("reason", [Reason.REGISTRY_UNAVAILABLE, Reason.REGISTRY_REFUSED, Reason.LINEAGE_BROKEN])
def test_a_new_promotion_can_be_blocked_at_once(reason: Reason) -> None:
    mine = promotion("mine", "v9")
    check_status(KIND, mine, blocked_status(mine, reason, "why", NOON))


def test_an_end_is_said_again_of_a_new_generation() -> None:
    _, mine, status = of(NOTHING)
    newer = later(mine.model_copy(update={"status": status}), generation=9)
    assert is_finished(newer)
    renewed = renewed_status(newer, NOON + timedelta(days=1))
    check_status(KIND, newer, renewed)
    assert said(renewed) == said(status)


def of_the_future(world: World, **changed: Any) -> Decided[Any]:
    link = entry_of(world, 3)
    return Decided(Link(link.entry.model_copy(update=changed), link.raw), None)


@pytest.mark.parametrize(
    ("kind", "ready"),
    [("Promote", "True Promoted"), ("RollBack", "True RolledBack"), ("Refuse", "False Refused")],
)
def test_a_reason_of_a_newer_operator_is_told_by_what_the_entry_does(kind: str, ready: str) -> None:
    world = a_world()
    mine = world.promotions["p3"]
    status = decided_status(mine, of_the_future(world, kind=kind, reason="OfTheFuture", message="as said"), world.now)
    check_status(KIND, mine, status)
    assert said(status)["Ready"] == ready


def test_what_an_entry_cannot_prove_is_not_said_of_a_refusal_by_somebody_else() -> None:
    """The adopted refusal says why it was refused, and nothing of gates and approvals that nobody looked at here."""
    world, mine, _ = of(SITUATIONS["gates_failed"])
    again = later(mine, uid="uid-again").model_copy(update={"status": ModelPromotionStatus()})
    world.put(again)
    adopted = told(world, again)
    assert set(said(adopted)) == {"Ready", "Reconciling", "Stalled", "Finished", "Promoted"}
    assert [row.reason for row in adopted.gates] == ["BelowMinimum"]


def test_a_stage_that_changes_its_rules_changes_what_is_waited_for() -> None:
    world, mine, status = of(SITUATIONS["awaiting_approval"])
    world.stage = stage(requires={"stage": "staging"})
    waiting = mine.model_copy(update={"status": status})
    world.put(waiting)
    assert said(told(world, waiting))["Ready"] == "False NotSoaked"


def test_the_entry_records_on_what_it_was_decided() -> None:
    situation = replace(SITUATIONS["gates_failed"], stage={"gates": [{"metric": "roc_auc", "minimum": "0.5"}]})
    situation = replace(situation, spec={"justification": "CHG-1"})
    world, mine, _ = of(situation)
    entry = world.entries()[-1]
    assert (entry.requested_by, entry.justification, entry.policy_digest) == ("alice", "CHG-1", "sha256:" + "2" * 64)
    assert [(gate.metric, gate.measured, gate.result) for gate in entry.gates] == [("roc_auc", "0.80", "Pass")]
    assert [(approval.approver, approval.decision, approval.digest) for approval in entry.approvals] == [
        ("bob", "Approved", mine.spec.approvals[0].digest)
    ]
    assert (entry.resource.uid, entry.resource.creation_timestamp) == (
        mine.metadata.uid,
        mine.metadata.creation_timestamp,
    )


def test_an_entry_that_moves_the_stage_is_told_to_it_by_whoever_asked_for_the_move_alone() -> None:
    world = a_world()
    told = told_to_stage(asked(promotion("p3", "v3")), entry_of(world, 3).entry)
    assert told == (
        Reason.PROMOTED,
        "version v3 is current instead of v2 as entry 3, approved by bob; asked for by alice",
    )
    again = promotion("p3", "v3", uid="created-again")
    assert told_to_stage(asked(again), entry_of(world, 3).entry) is None


def test_a_roll_back_is_told_to_its_stage_and_a_refusal_is_not() -> None:
    world = a_world()
    back = promotion("back", "v1", action="RollBack", created=NOON + timedelta(minutes=1))
    end = world.decide(world.put(back))
    assert isinstance(end, Decided)
    assert told_to_stage(asked(back), end.link.entry) == (
        Reason.ROLLED_BACK,
        "version v1 is current instead of v3 as entry 4; asked for by alice",
    )
    late = promotion("late", "v2", created=NOON, approvals={})
    refused = world.decide(world.put(late))
    assert isinstance(refused, Decided)
    assert refused.link.entry.kind == "Refuse"
    assert told_to_stage(asked(late), refused.link.entry) is None
