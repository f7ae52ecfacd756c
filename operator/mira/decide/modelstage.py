"""The status of a ModelStage, from its lineage's head and its pointer."""

from dataclasses import dataclass
from datetime import datetime

from mira.api.conditions import ConditionType, State, false, set_conditions, true
from mira.api.modelstage import ApprovalMode, CurrentVersion, ModelStage, ModelStageStatus
from mira.api.reasons import Reason
from mira.decide.approvals import automatic_allowed
from mira.decide.freeze_windows import unreadable
from mira.registry.lineage import Link

MOST_PENDING = 32


@dataclass(frozen=True)
class SeenStage:
    """What the stage key's pass saw: the head that the pointer renders, who made it current, or why it stopped."""

    stage: ModelStage
    head: Link | None
    moved: Link | None
    label: str
    pointer_uri: str
    pending: tuple[str, ...] = ()
    broken: str = ""


def stage_status(seen: SeenStage, now: datetime) -> ModelStageStatus:
    """What the stage's status must say."""
    entry = seen.head.entry if seen.head else None
    current = entry.current if entry else None
    generation = seen.stage.metadata.generation
    made = set_conditions(seen.stage.status.conditions, _states(seen, now), generation=generation, now=now)
    update = {
        "observed_generation": generation,
        "conditions": tuple(made),
        "pending_promotions": tuple(sorted(seen.pending)[:MOST_PENDING]),
    }
    if not seen.broken:
        update |= {
            "current": CurrentVersion(version=current.version, digest=current.digest) if current else None,
            "since": seen.moved.entry.decided_at if seen.moved else None,
            "number": entry.number if entry else 0,
            "pointer": seen.pointer_uri if entry else None,
        }
    return seen.stage.status.model_copy(update=update)


def trouble_status(stage: ModelStage, reason: Reason, message: str, now: datetime) -> ModelStageStatus:
    """The status of a stage whose registry cannot be reached; what it served when that was last seen stays."""
    states = {
        ConditionType.READY: false(reason, message),
        ConditionType.RECONCILING: true(reason, message),
        ConditionType.STALLED: false(reason),
    }
    generation = stage.metadata.generation
    made = set_conditions(stage.status.conditions, states, generation=generation, now=now)
    return stage.status.model_copy(update={"observed_generation": generation, "conditions": tuple(made)})


def _states(seen: SeenStage, now: datetime) -> dict[ConditionType, State]:
    if seen.broken:
        return {
            ConditionType.READY: false(Reason.LINEAGE_BROKEN, seen.broken),
            ConditionType.RECONCILING: false(Reason.LINEAGE_BROKEN),
            ConditionType.STALLED: true(Reason.LINEAGE_BROKEN, seen.broken),
            ConditionType.POINTER_SYNCED: false(Reason.LINEAGE_BROKEN, seen.broken),
        }
    entry = seen.head.entry if seen.head else None
    if entry is None or entry.current is None:
        reason, message = Reason.NOTHING_PROMOTED, "no version was promoted to this stage yet"
    else:
        reason, message = (
            Reason.POINTER_SYNCED,
            f"version {entry.current.version} is current as of entry {entry.number}",
        )
    stops = unreadable(seen.stage.spec.freeze_windows, now)
    stopped = false(Reason.FREEZE_WINDOW_INVALID, f"{stops}; {message}")
    return {
        ConditionType.READY: stopped if stops else _ready(seen, reason, message),
        ConditionType.RECONCILING: false(reason),
        ConditionType.STALLED: true(Reason.FREEZE_WINDOW_INVALID, stops) if stops else false(reason),
        ConditionType.POINTER_SYNCED: true(reason, message),
        ConditionType.REFRESHED: _refreshed(seen.stage),
    }


def _ready(seen: SeenStage, reason: Reason, message: str) -> State:
    """True with what the stage serves; a setting that has no effect is said there, where people look first."""
    spec, label = seen.stage.spec, seen.label
    if spec.approval_policy.mode is ApprovalMode.AUTOMATIC and not automatic_allowed(label):
        return true(
            Reason.AUTOMATIC_NOT_ALLOWED,
            f"{message}; approvalPolicy.mode is Automatic, but the namespace has no label "
            "mira.constellation.dev/automatic-promotion, so a person must approve",
        )
    if spec.version is not None:
        return true(Reason.NOT_SUPPORTED, f"{message}; spec.version has no effect in this version of Mira")
    return true(reason, message)


def _refreshed(stage: ModelStage) -> State:
    if not stage.spec.refresh:
        return true(Reason.NO_TARGETS)
    return false(
        Reason.NOT_SUPPORTED, "spec.refresh has no effect in this version of Mira: services must read the pointer"
    )
