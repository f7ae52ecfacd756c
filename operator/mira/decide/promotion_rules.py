"""The rules by which a promotion is decided on a head, in their order; the first that speaks decides.

What can be refused is refused before a person is asked to approve it; what waits for people comes last
(docs/design/0001-refuse-before-asking.md).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeAlias

from mira.api.reasons import Reason
from mira.decide import approvals, gates
from mira.decide.freeze_windows import frozen_until, unreadable
from mira.decide.promotion_case import Case
from mira.registry.document import format_time


class Ruling(NamedTuple):
    """What a rule says: a final refusal, or that the promotion waits; `stalled` if it waits for somebody to act."""

    final: bool
    reason: Reason
    message: str
    stalled: bool = False


Rule: TypeAlias = Callable[[Case], Ruling | None]


def refuse(reason: Reason, message: str) -> Ruling:
    """A final ruling: the promotion ends, and the stage stays as it is."""
    return Ruling(final=True, reason=reason, message=message)


def wait(reason: Reason, message: str) -> Ruling:
    """A ruling for now: the promotion stays open and is judged again."""
    return Ruling(final=False, reason=reason, message=message)


def superseded(case: Case) -> Ruling | None:
    """A promotion that was created later has moved the stage: this one is history. Of one second, see `_answers`."""
    mover = case.head.link.entry.moved_by if case.head.link else None
    created = case.promotion.metadata.creation_timestamp
    if mover is None or created is None or mover.creation_timestamp < created:
        return None
    if mover.creation_timestamp == created and (mover.name <= case.asked.name or _answers(case)):
        return None
    current = case.current.version if case.current else "none"
    return refuse(
        Reason.SUPERSEDED,
        f"ModelPromotion {mover.name}, created later ({format_time(mover.creation_timestamp)}), "
        f"moved the stage as entry {mover.number}; version {current} is current",
    )


def _answers(case: Case) -> bool:
    """Whether the promotion itself tells that it was asked for after the stage had moved, where seconds cannot.

    It expects what is current now, or rolls back, which always answers a move. The rest goes by name, so that files
    which are applied all at once end the same wherever they are applied.
    """
    spec = case.promotion.spec
    current = case.current.version if case.current else None
    return case.rolls_back or (current is not None and spec.expected_current == current)


def already_current(case: Case) -> Ruling | None:
    """A version that the stage serves already is not promoted again, nor is another digest under its name."""
    current, candidate = case.current, case.asked.version.version
    if current is None or current.version != candidate:
        return None
    pinned = case.promotion.spec.digest
    if pinned is not None and pinned != current.digest:
        return refuse(
            Reason.DIGEST_MISMATCH,
            f"version {candidate} is current with digest {current.digest}, spec.digest is {pinned}",
        )
    return refuse(Reason.ALREADY_CURRENT, f"the stage already serves version {candidate}")


def version_not_found(case: Case) -> Ruling | None:
    """A version without a manifest is waited for: its TrainingRun may still publish it. A roll back waits for none."""
    if case.evidence.digest is not None:
        return None
    if case.rolls_back and case.evidence.made_current_before is None:
        return refuse(
            Reason.NOT_A_ROLLBACK,
            f"version {case.asked.version.version} was never current here; roll back to one that was, or use action "
            "Promote",
        )
    return wait(
        Reason.VERSION_NOT_FOUND,
        f"version {case.asked.version.version} of model {case.asked.stage.model} has no manifest yet; waiting for "
        f"its TrainingRun (kubectl get mrun --namespace {case.asked.namespace}): if that has failed, or a name is "
        "mistyped, delete this promotion and ask for a version that is published",
    )


def manifest_invalid(case: Case) -> Ruling | None:
    """A version whose manifest cannot be read, or is another version's, is refused."""
    problem = case.evidence.manifest_problem
    return refuse(Reason.MANIFEST_INVALID, f"{case.asked.version.manifest}: {problem}") if problem else None


def digest_mismatch(case: Case) -> Ruling | None:
    """A promotion that pins a digest moves the stage to exactly that manifest, or is refused."""
    pinned = case.promotion.spec.digest
    if pinned is None or pinned == case.evidence.digest:
        return None
    return refuse(Reason.DIGEST_MISMATCH, f"the manifest has digest {case.evidence.digest}, spec.digest is {pinned}")


def artifact_corrupt(case: Case) -> Ruling | None:
    """A version is refused if a file of it is missing or has other bytes than its manifest says."""
    return refuse(Reason.ARTIFACT_CORRUPT, case.evidence.files_problem) if case.evidence.files_problem else None


def not_signed(case: Case) -> Ruling | None:
    """Where keys are configured, a version that none of them has signed is refused: no signature comes by waiting."""
    signature = case.evidence.signature
    if signature is None or signature.key_id is not None or signature.problem:
        return None
    return refuse(
        Reason.NOT_SIGNED,
        f"version {case.asked.version.version} is not signed by any key that this operator knows; train it again where "
        "signing is set up, or sign it, and promote it under another name (docs/training/publishing.md)",
    )


def signature_invalid(case: Case) -> Ruling | None:
    """A signature that does not verify is refused, whatever else is right: it lies where nothing is ever replaced."""
    signature = case.evidence.signature
    if signature is None or signature.key_id is not None or not signature.problem:
        return None
    return refuse(Reason.SIGNATURE_INVALID, signature.problem)


def conflict(case: Case) -> Ruling | None:
    """A promotion that names the version it wants to replace is refused if the stage serves another."""
    expected = case.promotion.spec.expected_current
    current = case.current.version if case.current else None
    if expected is None or expected == current:
        return None
    return refuse(Reason.CONFLICT, f"spec.expectedCurrent is {expected}, the stage serves {current or 'nothing yet'}")


def not_a_rollback(case: Case) -> Ruling | None:
    """A roll back goes to a version that this stage served before, with the very digest that it had then."""
    if not case.rolls_back:
        return None
    before = case.evidence.made_current_before
    if before is not None and before.entry.current is not None and before.entry.current.digest == case.evidence.digest:
        return None
    return refuse(
        Reason.NOT_A_ROLLBACK,
        f"version {case.asked.version.version} with digest {case.evidence.digest} was never current here; "
        "use action Promote",
    )


def stage_not_found(case: Case) -> Ruling | None:
    """A promotion to a stage that does not exist waits until the platform team has written it."""
    if case.stage is not None:
        return None
    name = f"{case.asked.stage.model}.{case.asked.stage.stage}"
    return wait(
        Reason.STAGE_NOT_FOUND,
        f"there is no ModelStage {name} in namespace {case.asked.namespace}; the platform team writes it",
    )


def rejected(case: Case) -> Ruling | None:
    """One rejection that counts refuses the promotion, however many approvals it has."""
    rejection = case.weighed.rejection if case.weighed else None
    if rejection is None:
        return None
    return refuse(Reason.REJECTED, approvals.describe_rejection(rejection))


def gates_failed(case: Case) -> Ruling | None:
    """A version that fails any gate is refused, before anybody is asked to approve it."""
    failed = gates.failed(case.gates)
    if not failed:
        return None
    not_comparable = all(row.reason == Reason.NOT_COMPARABLE for row in failed)
    why = f": {case.evidence.comparison.reason}" if not_comparable and case.evidence.comparison else ""
    if case.evidence.manifest and any(row.measured is None for row in failed):
        why += f"; the version reports {gates.reported(case.evidence.manifest)}"
    return refuse(Reason.NOT_COMPARABLE if not_comparable else Reason.GATES_FAILED, gates.describe(failed) + why)


def not_soaked(case: Case) -> Ruling | None:
    """A version waits until it was current in the required stage for the soak time, unbroken; a roll back does not."""
    required = case.stage.spec.requires if case.stage else None
    if required is None or case.rolls_back:
        return None
    since = case.evidence.soaked_since
    if since is not None and case.now >= since + timedelta(seconds=required.soak_seconds):
        return None
    if since is not None:
        known = f"it is current there since {format_time(since)}"
    elif case.evidence.required_stage_is_new:
        known = (
            "nothing was ever promoted there; if there is no such stage "
            f"(kubectl get mstage --namespace {case.asked.namespace}), the platform team corrects spec.requires"
        )
    else:
        known = "it is not current there now"
    return wait(
        Reason.NOT_SOAKED,
        f"the version must be current in stage {required.stage} for {required.soak_seconds} s; {known}",
    )


def gates_inconclusive(case: Case) -> Ruling | None:
    """A gate against the current version waits for a comparison on the same rows: a Job of the promotion makes it.

    Not if another gate cannot be judged at all: then no comparison helps.
    """
    open_gates = gates.inconclusive(case.gates)
    if not open_gates:
        return None
    words = gates.describe(open_gates)
    if case.current is None or any(row.reason != Reason.NOT_COMPARED for row in open_gates):
        return wait(Reason.INCONCLUSIVE, f"this version of Mira cannot judge a gate: {words}")
    return wait(
        Reason.COMPARING,
        f"version {case.asked.version.version} was never compared with the current version {case.current.version}; "
        f"{words}",
    )


def policies_missing(case: Case) -> Ruling | None:
    """Without the admission policies nobody knows who wrote the request or an approval: fail closed."""
    return wait(Reason.ADMISSION_POLICY_MISSING, case.proof.problem) if case.proof.problem else None


def requester_unproven(case: Case) -> Ruling | None:
    """Who asked is known only if the policies took effect before the promotion was created."""
    if approvals.asked_under_policies(case.promotion.metadata.creation_timestamp, case.proof):
        return None
    return wait(
        Reason.REQUESTER_UNPROVEN,
        "the promotion is older than the admission policies, so nobody knows who asked; "
        "create it again under another name",
    )


def awaiting_approval(case: Case) -> Ruling | None:
    """A promotion waits for as many approvals of its digest as the stage requires, all recorded in its status."""
    weighed = case.weighed
    if weighed is None or (weighed.enough and not weighed.fresh):
        return None
    if weighed.enough or not weighed.required:
        return wait(Reason.AWAITING_APPROVAL, "the approvals are being recorded")
    ways = [
        *approvals.renewals(case.promotion, weighed),
        approvals.how_to_approve(case.promotion, case.evidence.digest),
    ]
    return wait(Reason.AWAITING_APPROVAL, "; ".join([approvals.describe(weighed), *ways]))


def frozen(case: Case) -> Ruling | None:
    """Nothing is promoted while a freeze window of the stage is open; a roll back is never frozen."""
    if case.rolls_back or case.stage is None:
        return None
    windows = case.stage.spec.freeze_windows
    if problem := unreadable(windows, case.now):
        return wait(Reason.FREEZE_WINDOW_INVALID, problem)
    until = frozen_until(windows, case.now)
    return wait(Reason.FROZEN_UNTIL, f"a freeze window is open until {format_time(until)}") if until else None


RULES: tuple[Rule, ...] = (
    superseded,
    already_current,
    version_not_found,
    manifest_invalid,
    digest_mismatch,
    artifact_corrupt,
    not_signed,
    signature_invalid,
    conflict,
    not_a_rollback,
    stage_not_found,
    rejected,
    gates_failed,
    gates_inconclusive,
    not_soaked,
    policies_missing,
    requester_unproven,
    awaiting_approval,
    frozen,
)


def first_ruling(case: Case) -> Ruling | None:
    """What the first rule that speaks says, None if nothing stands in the promotion's way."""
    return next((ruling for rule in RULES if (ruling := rule(case)) is not None), None)
