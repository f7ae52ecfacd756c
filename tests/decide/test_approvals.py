"""What an approval is worth, from the first time it is seen to its end, and whether they are enough."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.api.modelpromotion import ModelPromotion, ModelPromotionStatus
from mira.decide.approvals import Proof, Weighed, describe, renewal, renewals, weigh
from tests.support.world import NOON, POLICIES_SINCE, promotion, stage

GOOD, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
PROVEN, MISSING = Proof(since=POLICIES_SINCE), Proof(problem="a binding is missing")


def entry(approver: str = "bob", digest: str = GOOD, decision: str = "Approved", **more: str) -> dict[str, str]:
    return {"approver": approver, "decision": decision, "digest": digest} | more


@dataclass
class Looks:
    """One promotion over time: each look records in the status what was seen, as the operator does."""

    spec: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    now: datetime = NOON
    status: ModelPromotionStatus = field(default_factory=ModelPromotionStatus)

    def resource(self, entries: Sequence[dict[str, str]]) -> ModelPromotion:
        bare = promotion("p", "v1", **self.spec)
        made = bare.model_dump(by_alias=True, mode="json")
        made["spec"]["approvals"] = list(entries)
        return ModelPromotion.model_validate(made).model_copy(update={"status": self.status})

    def look(self, *entries: dict[str, str], proof: Proof = PROVEN, later: float = 1) -> Weighed:
        self.now += timedelta(seconds=later)
        weighed = weigh(
            self.resource(entries), stage(**self.policy), digest=GOOD, label=self.label, proof=proof, now=self.now
        )
        # As it comes back from the API server.
        written = self.status.model_copy(update={"approvals": weighed.records}).wire()
        self.status = ModelPromotionStatus.model_validate(written)
        return weighed

    def settled(self, *entries: dict[str, str], proof: Proof = PROVEN) -> Weighed:
        """The second look, when what was seen at the first one counts."""
        self.look(*entries, proof=proof)
        return self.look(*entries, proof=proof)


def said(weighed: Weighed) -> list[str]:
    return [f"{record.approver}: {record.reason}" for record in weighed.records]


def test_what_is_seen_first_is_recorded_and_counts_from_the_next_look_on() -> None:
    looks = Looks()
    first = looks.look(entry())
    assert (first.fresh, first.enough, first.counted) == (True, False, ())
    assert first.records[0].seen_at == looks.now
    second = looks.look(entry())
    assert (second.fresh, second.enough) == (False, True)
    assert second.counted == first.records


def test_a_record_stays_as_it_is_however_often_it_is_looked_at() -> None:
    looks = Looks()
    first = looks.look(entry())
    for _ in range(5):
        assert looks.look(entry(), later=3600).records == first.records


def test_without_policies_nothing_is_recorded_as_seen() -> None:
    weighed = Looks().settled(entry(), proof=MISSING)
    assert (weighed.enough, weighed.records[0].seen_at, said(weighed)) == (False, None, ["bob: AdmissionPolicyMissing"])


def test_an_entry_seen_while_the_policies_were_away_is_unproven_until_it_is_replaced() -> None:
    looks = Looks()
    looks.look(entry(), proof=MISSING)
    for proof in (PROVEN, PROVEN, MISSING, PROVEN):
        weighed = looks.look(entry(), proof=proof)
        assert (weighed.enough, said(weighed)) == (False, ["bob: ApprovalUnproven"])
    assert looks.settled(entry(comment="renewed")).enough


def test_an_entry_seen_before_the_policies_went_away_counts_when_they_are_back() -> None:
    looks = Looks()
    seen = looks.settled(entry()).records
    looks.look(entry(), proof=MISSING)
    weighed = looks.look(entry())
    assert weighed.enough
    assert weighed.records == seen


def test_an_entry_that_appears_while_the_policies_are_away_does_not_spoil_the_others() -> None:
    looks = Looks()
    looks.settled(entry("bob"))
    looks.look(entry("bob"), entry("carol"), proof=MISSING)
    weighed = looks.settled(entry("bob"), entry("carol"))
    assert said(weighed) == ["bob: Counted", "carol: ApprovalUnproven"]


REPLACED = {
    "another comment": entry(comment="again"),
    "another digest": entry(digest=OTHER),
    "another decision": entry(decision="Rejected"),
}


@pytest.mark.parametrize("other", REPLACED.values(), ids=REPLACED.keys())
def test_an_entry_counts_anew_with(other: dict[str, str]) -> None:
    looks = Looks()
    looks.settled(entry())
    weighed = looks.look(other, later=100)
    assert weighed.records[0].seen_at == looks.now
    assert weighed.counted == ()
    assert weighed.rejection is None


def test_an_entry_that_was_withdrawn_and_given_again_counts_anew() -> None:
    looks = Looks()
    looks.settled(entry())
    assert looks.look().records == ()
    weighed = looks.look(entry(), later=100)
    assert (weighed.records[0].seen_at, weighed.enough) == (looks.now, False)


def test_nobody_can_be_made_to_have_approved_by_a_status_alone() -> None:
    """A record in the status for which there is no entry in the spec counts for nothing."""
    looks = Looks()
    looks.settled(entry())
    weighed = looks.look(entry("carol"))
    assert (weighed.counted, said(weighed)) == ((), ["carol: Counted"])


WORTH = {
    "somebody": (entry("bob"), "Counted"),
    "the requester": (entry("alice"), "ApprovedByRequester"),
    "somebody whose name begins like the requester's": (entry("alice2"), "Counted"),
    "the requester in capitals": (entry("Alice"), "Counted"),
    "a service account": (entry("system:serviceaccount:argocd:argocd-application-controller"), "ApprovedByComponent"),
    "a node": (entry("system:node:n1"), "ApprovedByComponent"),
    "the controller manager": (entry("system:kube-controller-manager"), "ApprovedByComponent"),
    "nobody": (entry("system:anonymous"), "ApprovedByComponent"),
    "an administrator by certificate": (entry("system:admin"), "Counted"),
    "somebody who looked at another manifest": (entry(digest=OTHER), "DigestMismatch"),
}


@pytest.mark.parametrize(("given_entry", "reason"), WORTH.values(), ids=WORTH.keys())
@pytest.mark.parametrize("decision", ["Approved", "Rejected"])
def test_worth_of_a_decision_by(given_entry: dict[str, str], reason: str, decision: str) -> None:
    weighed = Looks().settled(given_entry | {"decision": decision})
    counts = reason == "Counted"
    assert said(weighed) == [f"{given_entry['approver']}: {reason}"]
    assert weighed.records[0].counts is counts
    assert (len(weighed.counted) == 1) is (counts and decision == "Approved")
    assert (weighed.rejection is not None) is (counts and decision == "Rejected")


@pytest.mark.parametrize(("after", "reason"), [(59, "Counted"), (60, "ApprovalExpired"), (61, "ApprovalExpired")])
def test_an_approval_counts_for_valid_seconds_from_when_it_was_seen(after: float, reason: str) -> None:
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    looks.look(entry())
    assert said(looks.look(entry(), later=after)) == [f"bob: {reason}"]


def test_an_expired_approval_is_recorded_as_such_and_cured_by_the_approvers_new_entry() -> None:
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    looks.settled(entry())
    expired = looks.look(entry(), later=60)
    assert (expired.fresh, expired.enough) == (True, False)
    again = looks.look(entry(), later=60)
    assert (again.fresh, again.enough, said(again)) == (False, False, ["bob: ApprovalExpired"])
    assert looks.settled(entry(comment="still")).enough


def patched(entries: Sequence[dict[str, str]], patch: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The entries after the JSON patch of a renewal, as the API server applies it: a failing test applies nothing."""
    changed = [dict(one) for one in entries]
    for operation in patch:
        index, name = operation["path"].removeprefix("/spec/approvals/").split("/")
        if operation["op"] == "test":
            assert changed[int(index)][name] == operation["value"]
        else:
            changed[int(index)][name] = operation["value"]
    return changed


RENEWED = {
    "without a comment": {},
    "with a comment": {"comment": "it's fine"},
    "that was renewed before": {"comment": "renewed"},
    "that was renewed twice": {"comment": "renewed again"},
}


@pytest.mark.parametrize("words", RENEWED.values(), ids=RENEWED.keys())
def test_the_renewal_that_is_told_makes_an_expired_approval_count_anew(words: dict[str, str]) -> None:
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    entries = [entry("carol", decision="Rejected"), entry("bob", **words)]
    looks.settled(*entries)
    looks.look(*entries, later=60)
    entries = patched(entries, renewal(looks.resource(entries), "bob"))
    weighed = looks.settled(*entries)
    assert said(weighed) == ["carol: ApprovalExpired", "bob: Counted"]
    assert weighed.enough


def test_the_renewal_that_is_told_cures_an_unproven_approval() -> None:
    looks = Looks()
    looks.look(entry(), proof=MISSING)
    assert said(looks.look(entry())) == ["bob: ApprovalUnproven"]
    assert looks.settled(*patched([entry()], renewal(looks.resource([entry()]), "bob"))).enough


def test_a_renewal_is_told_to_those_alone_whose_approval_it_cures() -> None:
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    entries = [entry("alice"), entry("bob"), entry("carol", digest=OTHER)]
    looks.settled(*entries)
    weighed = looks.look(*entries, later=60)
    told = renewals(looks.resource(entries), weighed)
    assert [each.partition(" ")[0] for each in told] == ["bob"]


def test_a_name_with_quotes_stays_one_word_of_the_command() -> None:
    hostile = """bob'; rm -rf / #"""
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    looks.settled(entry(hostile))
    [told] = renewals(looks.resource([entry(hostile)]), looks.look(entry(hostile), later=60))
    command = shlex.split(told.partition(" by: ")[2])
    assert command[:7] == ["kubectl", "patch", "mpromo", "p", "--namespace", "team-a", "--type=json"]
    assert json.loads(command[8])[0]["value"] == hostile
    assert len(command) == 9


def test_a_rejection_outweighs_any_number_of_approvals() -> None:
    weighed = Looks().settled(entry("bob"), entry("carol"), entry("dave", decision="Rejected", comment="no"))
    assert weighed.enough
    assert weighed.rejection is not None
    assert (weighed.rejection.approver, weighed.rejection.comment) == ("dave", "no")


QUORUM = [
    ([entry("bob")], 1, False),
    ([entry("bob"), entry("carol")], 2, True),
    ([entry("bob"), entry("alice")], 1, False),
    ([entry("bob"), entry("system:serviceaccount:a:b")], 1, False),
    ([entry("bob"), entry("carol", digest=OTHER)], 1, False),
    ([entry("bob"), entry("carol"), entry("dave")], 3, True),
    ([], 0, False),
]


@pytest.mark.parametrize(("entries", "counted", "enough"), QUORUM)
def test_a_quorum_of_two_needs_two_that_count(entries: list[dict[str, str]], counted: int, enough: bool) -> None:
    weighed = Looks(policy={"approvalPolicy": {"requiredApprovals": 2}}).settled(*entries)
    assert (len(weighed.counted), weighed.enough) == (counted, enough)


def test_one_person_is_no_quorum_however_often_listed() -> None:
    """The API server keeps approvers apart; a second look costs nothing."""
    weighed = Looks(policy={"approvalPolicy": {"requiredApprovals": 2}}).settled(entry("bob"), entry("bob"))
    assert not weighed.enough


SA = "system:serviceaccount:argocd:controller"
LABELS = ["", "ServiceAccounts", "All", "all", "true", "serviceaccounts", "All "]
AUTOMATIC = {
    ("ServiceAccounts", SA): ("ServiceAccounts", "All"),
    ("All", SA): ("ServiceAccounts", "All"),
    ("All", "alice"): ("All",),
}


@pytest.mark.parametrize(
    ("mode", "automatic_for", "requester", "label"),
    [*product(["Manual", "Automatic"], ["ServiceAccounts", "All"], [SA, "alice"], LABELS)],
)
def test_no_approval_is_needed_only_if_both_the_stage_and_the_namespace_say_so(
    mode: str, automatic_for: str, requester: str, label: str
) -> None:
    policy = {"approvalPolicy": {"mode": mode, "automaticFor": automatic_for, "requiredApprovals": 2}}
    weighed = Looks(spec={"requestedBy": requester}, policy=policy, label=label).look()
    automatic = mode == "Automatic" and label in AUTOMATIC.get((automatic_for, requester), ())
    assert (weighed.required, weighed.enough, weighed.reason) == (
        (0, True, "Automatic") if automatic else (2, False, "Approved")
    )


@pytest.mark.parametrize(
    ("policy", "required", "reason"),
    [({}, 0, "NoApprovalNeeded"), ({"rollbackPolicy": {"requiredApprovals": 2}}, 2, "Approved")],
)
def test_a_rollback_has_a_policy_of_its_own(policy: dict[str, Any], required: int, reason: str) -> None:
    policy |= {"approvalPolicy": {"requiredApprovals": 3, "mode": "Automatic", "automaticFor": "All"}}
    weighed = Looks(spec={"action": "RollBack"}, policy=policy, label="All").look()
    assert (weighed.required, weighed.reason) == (required, reason)


def test_it_is_told_how_many_count_and_why_each_other_does_not() -> None:
    looks = Looks(policy={"approvalPolicy": {"requiredApprovals": 2}})
    weighed = looks.settled(entry("bob"), entry("alice"), entry("carol", digest=OTHER))
    assert describe(weighed) == (
        "1 of 2 approvals; alice's does not count (ApprovedByRequester); carol's does not count (DigestMismatch)"
    )


ENTRIES = st.lists(
    st.builds(entry, st.sampled_from(["bob", "carol", "alice", SA]), st.sampled_from([GOOD, OTHER]),
              st.sampled_from(["Approved", "Rejected"])),
    max_size=4, unique_by=lambda one: one["approver"],
)  # fmt: skip
HISTORIES = st.lists(st.tuples(ENTRIES, st.booleans(), st.integers(0, 90)), min_size=1, max_size=6)


@given(HISTORIES)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_whatever_happened_a_look_at_the_same_things_records_nothing_new(history: list[Any]) -> None:
    looks = Looks(policy={"approvalPolicy": {"validSeconds": 60}})
    for entries, proven, later in history:
        proof = PROVEN if proven else MISSING
        looks.look(*entries, proof=proof, later=later)
        again = looks.look(*entries, proof=proof, later=0)
        # Unproven is said at the second look: the first one said that the policies were missing.
        if any(record.reason == "ApprovalUnproven" for record in again.records):
            again = looks.look(*entries, proof=proof, later=0)
        assert not again.fresh
        seen = {record.approver for record in again.records if record.seen_at is not None}
        assert {record.approver for record in again.counted} <= seen - {"alice", SA}
        assert all(record.digest == GOOD for record in again.counted)
