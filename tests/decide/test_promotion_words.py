"""What a promotion that waits or is refused tells people to do next."""

from dataclasses import replace
from datetime import timedelta

from tests.decide.test_promotion_rules import SITUATIONS, Situation, soaking, verdict
from tests.support.world import NOON, World, promotion, publish, stage


def test_a_version_that_was_replaced_in_the_other_stage_has_not_soaked() -> None:
    def change(world: World) -> None:
        soaking(1000)(world)
        staging = World(store=world.store, stage=stage(stage="staging"))
        digest = publish(world.store, "v10")
        created = NOON + timedelta(seconds=9)
        staging.decide(staging.put(promotion("t", "v10", stage="staging", created=created, approvals={"bob": digest})))

    _, reason, message, _ = verdict(replace(SITUATIONS["not_soaked"], change=change))
    assert (reason, message.partition("; ")[2]) == ("NotSoaked", "it is not current there now")


def test_a_version_that_has_not_soaked_for_long_enough_is_told_since_when_it_is_current() -> None:
    _, _, message, _ = verdict(replace(SITUATIONS["not_soaked"], change=soaking(59)))
    assert message.endswith("in stage staging for 60 s; it is current there since 2026-11-25T12:04:01Z")


def test_a_gate_that_this_version_does_not_understand_is_not_told_to_want_a_comparison() -> None:
    _, reason, message, _ = verdict(Situation("", "", stage={"gates": [{"metric": "roc_auc"}]}))
    assert (reason, message) == (
        "Inconclusive",
        "this version of Mira cannot judge a gate: roc_auc is 0.80, needs  (NotSupported)",
    )


def test_a_gate_on_a_mistyped_metric_names_the_metrics_that_there_are() -> None:
    _, reason, message, _ = verdict(Situation("", "", stage={"gates": [{"metric": "roc_acu", "minimum": "0.5"}]}))
    assert (reason, message) == (
        "GatesFailed",
        "roc_acu is not reported, needs minimum 0.5 (MetricNotFound); the version reports roc_auc, roc_auc[a=b]",
    )


def test_an_expired_approval_is_told_the_command_that_renews_it() -> None:
    expired = SITUATIONS["awaiting_approval"] & Situation(
        "", "", {"approved": True}, {"approvalPolicy": {"validSeconds": 60}}
    )
    _, reason, message, _ = verdict(expired)
    assert reason == "AwaitingApproval"
    assert message.startswith(
        "0 of 1 approvals; bob's does not count (ApprovalExpired); bob renews the own entry by: "
        "kubectl patch mpromo mine --namespace team-a --type=json -p "
        """'[{"op":"test","path":"/spec/approvals/0/approver","value":"bob"},"""
        """{"op":"add","path":"/spec/approvals/0/comment","value":"renewed"}]'; approve by: """
    )


def test_a_superseded_promotion_says_which_version_is_current() -> None:
    _, reason, message, _ = verdict(SITUATIONS["superseded"])
    assert (reason, message.partition("; ")[2]) == ("Superseded", "version v3 is current")
