"""What each approval of a promotion is worth, and whether they are enough."""

import json
import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mira.api.conditions import State, false, true, unknown
from mira.api.modelpromotion import Action, Approval, ApprovalStatus, Decision, ModelPromotion
from mira.api.modelstage import ApprovalMode, AutomaticFor, ModelStage
from mira.api.reasons import Reason

SERVICE_ACCOUNT = "system:serviceaccount:"
COMPONENTS = (SERVICE_ACCOUNT, "system:node:", "system:kube-", "system:anonymous")


@dataclass(frozen=True)
class Proof:
    """Whether Mira's admission policies are in force in a namespace right now, shown and not assumed.

    `problem` says why they are not (empty: they are); `since` is when the youngest policy or binding was created.
    """

    problem: str = ""
    since: datetime | None = None


# Times have whole seconds, and a new policy was measured to take effect within one.
POLICY_TAKES_EFFECT = timedelta(seconds=2)


def asked_under_policies(created: datetime | None, proof: Proof) -> bool:
    """Whether the policies were in force before this object was created: only then is it known who asked for it."""
    return created is not None and proof.since is not None and proof.since + POLICY_TAKES_EFFECT <= created


@dataclass(frozen=True)
class Weighed:
    """The approvals of one promotion, weighed.

    `records` is what status.approvals must say; it is `fresh` if the status does not say so yet, and then it has to be
    written before any of it counts.
    """

    records: tuple[ApprovalStatus, ...]
    fresh: bool
    counted: tuple[ApprovalStatus, ...]
    rejection: ApprovalStatus | None
    required: int
    reason: Reason

    @property
    def enough(self) -> bool:
        """Whether the approvals that count suffice; where none is required they always do."""
        return len({record.approver for record in self.counted}) >= self.required


def weigh(
    promotion: ModelPromotion, stage: ModelStage, *, digest: str, label: str, proof: Proof, now: datetime
) -> Weighed:
    """Each approval's worth for the manifest with this digest; `label` is the namespace's automatic-promotion label."""
    known = {record.approver: record for record in promotion.status.approvals}
    records = tuple(
        _record(approval, known.get(approval.approver), proof, now) for approval in promotion.spec.approvals
    )
    valid = stage.spec.approval_policy.valid_seconds
    judged = tuple(_judge(record, promotion.spec.requested_by, digest, valid, now) for record in records)
    # What counts is what the status says already: a record that is new has to be written first.
    settled = [record for record in judged if _same(record, known.get(record.approver))]
    required, reason = _required(promotion, stage, label)
    return Weighed(
        records=judged,
        fresh=judged != promotion.status.approvals,
        counted=tuple(r for r in settled if r.counts and r.decision is Decision.APPROVED),
        rejection=next((r for r in settled if r.counts and r.decision is Decision.REJECTED), None),
        required=required,
        reason=reason,
    )


def describe(weighed: Weighed) -> str:
    """How many approvals count, how many are needed, and why each other one does not."""
    said = f"{len(weighed.counted)} of {weighed.required} approvals"
    refused = [f"{r.approver}'s does not count ({r.reason})" for r in weighed.records if not r.counts]
    return "; ".join([said, *refused])


def approved_state(weighed: Weighed | None, proof: Proof) -> State:
    """The condition Approved: a rejection that counts outweighs every approval."""
    if weighed is None:
        return unknown(Reason.PENDING)
    if proof.problem:
        return false(Reason.ADMISSION_POLICY_MISSING, proof.problem)
    if weighed.rejection:
        return false(Reason.REJECTED, describe_rejection(weighed.rejection))
    if weighed.enough:
        return true(weighed.reason, ", ".join(record.approver for record in weighed.counted))
    return false(Reason.AWAITING_APPROVAL, f"{len(weighed.counted)} of {weighed.required} approvals")


def describe_rejection(rejection: ApprovalStatus) -> str:
    """Who said no, and why."""
    return f"rejected by {rejection.approver}: {rejection.comment or 'no comment'}"


def how_to_approve(promotion: ModelPromotion, digest: str | None) -> str:
    """The command by which somebody approves this manifest."""
    entry = {"decision": Decision.APPROVED.value, "digest": digest}
    return f"approve by: {_command(promotion, [{'op': 'add', 'path': '/spec/approvals/-', 'value': entry}])}"


def renewals(promotion: ModelPromotion, weighed: Weighed) -> list[str]:
    """For each approval that counts again once it is renewed, the command by which its approver does it."""
    return [
        f"{record.approver} renews the own entry by: {_command(promotion, renewal(promotion, record.approver))}"
        for record in weighed.records
        if record.reason in (Reason.APPROVAL_EXPIRED, Reason.APPROVAL_UNPROVEN)
    ]


def renewal(promotion: ModelPromotion, approver: str) -> list[dict[str, Any]]:
    """The JSON patch by which an approver renews the own entry: with another comment, so that it is another entry.

    The API server takes an equal entry for no change and a second one for a duplicate. When it is renewed is for the
    operator to say; the comment is only what makes it differ. The test fails if the entry has moved in the list.
    """
    index, entry = next((i, a) for i, a in enumerate(promotion.spec.approvals) if a.approver == approver)
    path, comment = f"/spec/approvals/{index}", "renewed" if entry.comment != "renewed" else "renewed again"
    return [
        {"op": "test", "path": f"{path}/approver", "value": approver},
        {"op": "add", "path": f"{path}/comment", "value": comment},
    ]


def _command(promotion: ModelPromotion, patch: list[dict[str, Any]]) -> str:
    """The patch as a command for a shell, whatever is in its values."""
    metadata = promotion.metadata
    return (
        f"kubectl patch mpromo {metadata.name} --namespace {metadata.namespace} --type=json "
        f"-p {shlex.quote(json.dumps(patch, separators=(',', ':')))}"
    )


def _required(promotion: ModelPromotion, stage: ModelStage, label: str) -> tuple[int, Reason]:
    """How many approvals are needed, and the reason with which the condition Approved then says True."""
    if promotion.spec.action is Action.ROLL_BACK:
        required = stage.spec.rollback_policy.required_approvals
        return required, Reason.APPROVED if required else Reason.NO_APPROVAL_NEEDED
    policy = stage.spec.approval_policy
    if policy.mode is ApprovalMode.AUTOMATIC and _automatic(promotion.spec.requested_by, policy.automatic_for, label):
        return 0, Reason.AUTOMATIC
    return policy.required_approvals, Reason.APPROVED


def automatic_allowed(label: str) -> bool:
    """Whether the namespace's label lets anybody promote without a person."""
    return label in (AutomaticFor.ALL, AutomaticFor.SERVICE_ACCOUNTS)


def _automatic(requester: str, automatic_for: AutomaticFor, label: str) -> bool:
    """Whether both the stage and the namespace's label (an administrator's word) let this requester promote alone."""
    if not automatic_allowed(label):
        return False
    everyone = label == AutomaticFor.ALL and automatic_for is AutomaticFor.ALL
    return everyone or requester.startswith(SERVICE_ACCOUNT)


def _record(approval: Approval, known: ApprovalStatus | None, proof: Proof, now: datetime) -> ApprovalStatus:
    """When this very entry was first seen with the policies proven; it counts from then, or not at all."""
    same = known is not None and _is_about(known, approval)
    if same and known is not None and (known.seen_at is not None or known.reason == Reason.APPROVAL_UNPROVEN):
        return known
    reason, seen_at = Reason.COUNTED, None
    if proof.problem:
        reason = Reason.ADMISSION_POLICY_MISSING
    elif same:
        # Seen before while the policies were away: nobody can say who wrote it.
        reason = Reason.APPROVAL_UNPROVEN
    else:
        seen_at = now
    return ApprovalStatus(
        approver=approval.approver,
        decision=approval.decision,
        digest=approval.digest,
        comment=approval.comment,
        seen_at=seen_at,
        counts=False,
        reason=reason,
    )


def _judge(
    record: ApprovalStatus, requester: str, digest: str, valid_seconds: int | None, now: datetime
) -> ApprovalStatus:
    if record.seen_at is None:
        return record
    reason = Reason.COUNTED
    if record.approver == requester:
        reason = Reason.APPROVED_BY_REQUESTER
    elif record.approver.startswith(COMPONENTS):
        reason = Reason.APPROVED_BY_COMPONENT
    elif record.digest != digest:
        reason = Reason.DIGEST_MISMATCH
    elif valid_seconds is not None and now >= record.seen_at + timedelta(seconds=valid_seconds):
        reason = Reason.APPROVAL_EXPIRED
    return record.model_copy(update={"counts": reason is Reason.COUNTED, "reason": str(reason)})


def _same(record: ApprovalStatus, known: ApprovalStatus | None) -> bool:
    return known is not None and (known.seen_at, known.decision, known.digest, known.comment) == (
        record.seen_at,
        record.decision,
        record.digest,
        record.comment,
    )


def _is_about(record: ApprovalStatus, approval: Approval) -> bool:
    return (record.decision, record.digest, record.comment) == (approval.decision, approval.digest, approval.comment)
