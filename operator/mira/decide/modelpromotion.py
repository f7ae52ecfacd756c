"""How a promotion is judged on a head, what its entry says, and what its status says of both."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mira.api.conditions import (
    Condition,
    ConditionType,
    State,
    false,
    is_true,
    set_conditions,
    shortened,
    true,
    unknown,
)
from mira.api.modelpromotion import Action, ApprovalStatus, GateResult, ModelPromotion, ModelPromotionStatus
from mira.api.modelstage import CurrentVersion
from mira.api.reasons import Reason
from mira.decide import gates
from mira.decide.approvals import approved_state
from mira.decide.promotion_case import Asked, Case, case_of, gather, read_live, same_facts, still_asked
from mira.decide.promotion_rules import Ruling, first_ruling
from mira.registry.deciding import Decided, Draft, Judge, Waiting
from mira.registry.document import format_time
from mira.registry.entry import Approval, Asker, Entry, EntryKind, Gate, MovedBy, Version
from mira.registry.lineage import Head
from mira.registry.signatures import Verifier
from mira.registry.steps import Steps

GOOD_ENDS = (Reason.PROMOTED, Reason.ROLLED_BACK, Reason.SUPERSEDED, Reason.ALREADY_CURRENT)


@dataclass(frozen=True)
class Seen:
    """What was seen when the promotion was last judged; None if it was gone by then."""

    case: Case | None
    ruling: Ruling | None = None


@dataclass(frozen=True)
class Judgement:
    """How promotions are judged by one operator; hand `judge` and `void` to `deciding`.

    With `keys`, a version that is promoted must be signed by one of them.
    """

    asked: Asked
    operator_version: str
    keys: Verifier | None = None

    def judge(self) -> Judge[Seen]:
        """A judge that reads live, then everything in S3, then live again: it decides on what is so at the end.

        Between the two, files were hashed, or S3 was away for hours: a promotion that was withdrawn meanwhile, or whose
        rules changed, is judged anew.
        """

        def judge(head: Head) -> Steps[Draft[Seen] | Waiting[Seen]]:
            live = yield from read_live(self.asked)
            while True:
                promotion = still_asked(self.asked, live)
                if promotion is None:
                    return Waiting(Seen(None), gone=True)
                evidence = yield from gather(self.asked, head, promotion, live, self.keys)
                judged = self._judged(case_of(self.asked, head, promotion, live, evidence))
                if isinstance(judged, Waiting):
                    return judged
                live, before = (yield from read_live(self.asked)), live
                if same_facts(before, live):
                    return self._judged(case_of(self.asked, head, promotion, live, evidence))

        return judge

    def _judged(self, case: Case) -> Draft[Seen] | Waiting[Seen]:
        ruling = first_ruling(case)
        seen = Seen(case, ruling)
        if ruling is not None and not ruling.final:
            return Waiting(seen)
        return Draft(self._entry(case, ruling), seen)

    def _entry(self, case: Case, refusal: Ruling | None) -> Entry:
        """Entry h+1: what it does to the stage, who asked for it and all that it was decided on."""
        head, spec, asked = case.head, case.promotion.spec, self.asked
        does = _moving(case, asked) if refusal is None else _refusing(case, refusal)
        return Entry(
            number=head.number + 1,
            prev_sha256=head.sha256,
            op=asked.op,
            kind=does.kind,
            reason=str(does.reason),
            message=does.message,
            namespace=asked.namespace,
            model=asked.stage.model,
            stage=asked.stage.stage,
            current=does.current,
            moved_by=does.moved_by,
            previous=does.previous,
            candidate=spec.version,
            resource=_asker(asked, case.promotion),
            requested_by=spec.requested_by,
            approvals=_approvals(case),
            gates=list(case.gates),
            policy_digest=case.policy_digest,
            signed_by=case.evidence.signature.key_id if case.evidence.signature else None,
            justification=spec.justification,
            decided_at=case.now,
            operator_version=self.operator_version,
        )


class _Effect(NamedTuple):
    """What an entry does to its stage: what the stage serves afterwards, by whose move, and instead of what."""

    kind: EntryKind
    reason: Reason
    message: str
    current: Version | None
    moved_by: MovedBy | None
    previous: Version | None


def _moving(case: Case, asked: Asked) -> _Effect:
    """The stage serves the candidate; the entry names itself as the last move."""
    kind, reason = (
        (EntryKind.ROLL_BACK, Reason.ROLLED_BACK) if case.rolls_back else (EntryKind.PROMOTE, Reason.PROMOTED)
    )
    candidate = Version(version=case.promotion.spec.version, digest=case.evidence.digest or "")
    mover = MovedBy(number=case.head.number + 1, name=asked.name, creation_timestamp=_created(case.promotion))
    return _Effect(kind, reason, "", candidate, mover, case.current)


def _refusing(case: Case, refusal: Ruling) -> _Effect:
    """The stage serves what it served, by the move that brought it there."""
    mover = case.head.link.entry.moved_by if case.head.link else None
    return _Effect(EntryKind.REFUSE, refusal.reason, shortened(refusal.message), case.current, mover, None)


def void(asked: Asked, promotion: ModelPromotion, operator_version: str, now: datetime, head: Head) -> Entry:
    """The entry that closes h+1 when an attempt on it was made and there is nothing left to decide."""
    before = head.link.entry if head.link else None
    return Entry(
        number=head.number + 1,
        prev_sha256=head.sha256,
        op=asked.op,
        kind=EntryKind.VOID,
        reason="Void",
        message="an attempt was made on this number and withdrawn; its op is not decided by this entry",
        namespace=asked.namespace,
        model=asked.stage.model,
        stage=asked.stage.stage,
        current=before.current if before else None,
        moved_by=before.moved_by if before else None,
        candidate=asked.version.version,
        resource=_asker(asked, promotion),
        requested_by=promotion.spec.requested_by,
        decided_at=now,
        operator_version=operator_version,
    )


def waiting_status(promotion: ModelPromotion, seen: Seen, now: datetime) -> ModelPromotionStatus:
    """The status of a promotion that is not decided: what it waits for."""
    case, ruling = seen.case, seen.ruling
    if case is None or ruling is None:
        return promotion.status
    states = {
        ConditionType.READY: false(ruling.reason, ruling.message),
        ConditionType.RECONCILING: false(ruling.reason) if ruling.stalled else true(ruling.reason, ruling.message),
        ConditionType.STALLED: true(ruling.reason, ruling.message) if ruling.stalled else false(ruling.reason),
        ConditionType.FINISHED: false(ruling.reason),
        ConditionType.PROMOTED: false(ruling.reason),
        **_evidence_states(case),
    }
    return promotion.status.model_copy(
        update={
            **_conditions(promotion, states, now),
            "digest": case.evidence.digest,
            "gates": _gate_rows(case.gates),
            "approvals": case.weighed.records if case.weighed else promotion.status.approvals,
        }
    )


def decided_status(promotion: ModelPromotion, decided: Decided[Seen], now: datetime) -> ModelPromotionStatus:
    """The status of a promotion that is decided: what its entry says, whoever wrote it."""
    entry = decided.link.entry
    reason = _end_reason(entry)
    good = reason in GOOD_ENDS
    message = _end_message(promotion, entry)
    moved = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
    states = {
        ConditionType.READY: true(reason, message) if good else false(reason, message),
        ConditionType.RECONCILING: false(reason),
        ConditionType.STALLED: false(reason) if good else true(reason, message),
        ConditionType.FINISHED: true(reason, message),
        ConditionType.PROMOTED: true(reason, message) if moved else false(reason, message),
    }
    case = decided.seen.case if decided.seen else None
    if case is not None:
        states |= _evidence_states(case)
    elif moved:
        states |= _entry_states(promotion, entry)
    records = case.weighed.records if case is not None and case.weighed else promotion.status.approvals
    return promotion.status.model_copy(
        update={
            **_conditions(promotion, states, now),
            "digest": _candidate_digest(entry, case, promotion),
            "gates": _gate_rows(tuple(entry.gates)),
            "approvals": records,
            "number": entry.number,
            "previous": _version(entry.previous),
            "decided_at": entry.decided_at,
        }
    )


def blocked_status(promotion: ModelPromotion, reason: Reason, message: str, now: datetime) -> ModelPromotionStatus:
    """The status of a promotion that cannot be decided now for want of the registry; what was seen before stays."""
    states = {
        ConditionType.READY: false(reason, message),
        ConditionType.RECONCILING: true(reason, message),
        ConditionType.STALLED: false(reason),
        ConditionType.FINISHED: false(reason),
    }
    return promotion.status.model_copy(update=_conditions(promotion, states, now))


def is_finished(promotion: ModelPromotion) -> bool:
    """Whether the promotion has its one end: it is never decided again, whatever changes."""
    return is_true(promotion.status.conditions, ConditionType.FINISHED)


def renewed_status(promotion: ModelPromotion, now: datetime) -> ModelPromotionStatus:
    """The final status, said of the current generation: `kubectl wait` overlooks conditions of an older one."""
    return promotion.status.model_copy(update=_conditions(promotion, {}, now))


def _end_reason(entry: Entry) -> Reason:
    """The entry's reason; one that a newer operator wrote and this one does not know is told by what the entry does."""
    moved = {EntryKind.PROMOTE: Reason.PROMOTED, EntryKind.ROLL_BACK: Reason.ROLLED_BACK}
    return Reason.known(entry.reason) or moved.get(entry.kind, Reason.REFUSED)


def _end_message(promotion: ModelPromotion, entry: Entry) -> str:
    if entry.resource.uid != promotion.metadata.uid:
        return (
            f"decided on {format_time(entry.decided_at)} as entry {entry.number}: {entry.reason}; "
            "for a new decision use another name"
        )
    if entry.kind is EntryKind.REFUSE:
        return entry.message
    return _move(entry)


def _move(entry: Entry) -> str:
    instead = f" instead of {entry.previous.version}" if entry.previous else ""
    by = ", ".join(approval.approver for approval in entry.approvals)
    return f"version {entry.candidate} is current{instead} as entry {entry.number}" + (
        f", approved by {by}" if by else ""
    )


def told_to_stage(asked: Asked, entry: Entry) -> tuple[Reason, str] | None:
    """What an Event on the ModelStage says of the entry, None unless this very promotion moved the stage by it."""
    moved = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
    if not moved or entry.resource.uid != asked.uid:
        return None
    return _end_reason(entry), f"{_move(entry)}; asked for by {entry.requested_by}"


def _conditions(
    promotion: ModelPromotion, states: dict[ConditionType, State], now: datetime
) -> dict[str, int | tuple[Condition, ...]]:
    generation = promotion.metadata.generation
    made = set_conditions(promotion.status.conditions, states, generation=generation, now=now)
    return {"observed_generation": generation, "conditions": tuple(made)}


def _evidence_states(case: Case) -> dict[ConditionType, State]:
    """VersionVerified, GatesPassed and Approved as they were seen."""
    return {
        ConditionType.VERSION_VERIFIED: _verified(case),
        ConditionType.GATES_PASSED: _gates(case),
        ConditionType.APPROVED: approved_state(case.weighed, case.proof),
    }


def _verified(case: Case) -> State:
    evidence = case.evidence
    if evidence.manifest_problem:
        return false(Reason.MANIFEST_INVALID, evidence.manifest_problem)
    if evidence.files_problem:
        return false(Reason.ARTIFACT_CORRUPT, evidence.files_problem)
    if evidence.manifest is None:
        return unknown(Reason.VERSION_NOT_FOUND)
    if evidence.signature is not None and evidence.signature.key_id is None:
        wrong = evidence.signature.problem
        return false(Reason.SIGNATURE_INVALID, wrong) if wrong else false(Reason.NOT_SIGNED, Reason.NOT_SIGNED.when)
    signed = f"; key {evidence.signature.key_id} has signed it" if evidence.signature else ""
    return true(Reason.VERIFIED, f"every file has the sha256 that the manifest says{signed}")


def _gates(case: Case) -> State:
    if case.rolls_back:
        return true(Reason.SKIPPED_FOR_ROLLBACK)
    if case.stage is None or case.evidence.manifest is None:
        return unknown(Reason.PENDING)
    words = gates.describe(case.gates)
    if not case.gates:
        return true(Reason.NO_GATES)
    if any(row.result == "Fail" for row in case.gates):
        return false(Reason.GATES_FAILED, words)
    return (
        unknown(Reason.INCONCLUSIVE, words)
        if any(row.result == "Inconclusive" for row in case.gates)
        else true(Reason.GATES_PASSED, words)
    )


def _entry_states(promotion: ModelPromotion, entry: Entry) -> dict[ConditionType, State]:
    """What an entry that moved the stage proves of the steps before, for a resource that did not see them."""
    said = f"as entry {entry.number} says"
    gates = Reason.SKIPPED_FOR_ROLLBACK if promotion.spec.action is Action.ROLL_BACK else Reason.GATES_PASSED
    return {
        ConditionType.VERSION_VERIFIED: true(Reason.VERIFIED, said),
        ConditionType.GATES_PASSED: true(gates, said),
        ConditionType.APPROVED: true(Reason.APPROVED if entry.approvals else Reason.NO_APPROVAL_NEEDED, said),
    }


def _gate_rows(gates: tuple[Gate, ...]) -> tuple[GateResult, ...]:
    return tuple(
        GateResult(
            metric=gate.metric,
            slice=gate.slice,
            measured=gate.measured,
            current=gate.current,
            threshold=gate.threshold,
            result=gate.result.value,
            reason=gate.reason,
        )
        for gate in gates
    )


def _approvals(case: Case) -> list[Approval]:
    """What the entry records: the approvals that counted, or the rejection that decided."""
    weighed = case.weighed
    if weighed is None:
        return []
    counted: list[ApprovalStatus] = [weighed.rejection] if weighed.rejection else list(weighed.counted)
    return [
        Approval(
            approver=record.approver,
            decision=record.decision.value,
            digest=record.digest,
            comment=record.comment,
            seen_at=record.seen_at,
        )
        for record in counted
        if record.seen_at is not None
    ]


def _candidate_digest(entry: Entry, case: Case | None, promotion: ModelPromotion) -> str | None:
    if case is not None and case.evidence.digest is not None:
        return case.evidence.digest
    moved = entry.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
    return entry.current.digest if moved and entry.current else promotion.status.digest


def _version(version: Version | None) -> CurrentVersion | None:
    return CurrentVersion(version=version.version, digest=version.digest) if version else None


def _asker(asked: Asked, promotion: ModelPromotion) -> Asker:
    return Asker(namespace=asked.namespace, name=asked.name, uid=asked.uid, creation_timestamp=_created(promotion))


def _created(promotion: ModelPromotion) -> datetime:
    created = promotion.metadata.creation_timestamp
    if created is None:
        raise ValueError(
            f"ModelPromotion {promotion.metadata.name} has no creationTimestamp; it was not read from the API server"
        )
    return created
