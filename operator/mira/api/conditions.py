"""Conditions as `kubectl wait`, kstatus and Argo CD read them, and the one way to change them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field

from mira.api.meta import Model
from mira.api.scalars import Count, Message, Time
from mira.api.schema import list_map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mira.api.reasons import Reason

MAX_MESSAGE = 2048
"""Longer messages are cut: a status has to fit into etcd and onto a screen."""


class ConditionType(StrEnum):
    """Every condition type of every kind, with what True means."""

    means: str

    def __new__(cls, value: str, means: str) -> Self:
        """The member, which is its value and knows what True means."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.means = means
        return member

    READY = (
        "Ready",
        "what was asked for is so, or, for a promotion with reason Superseded, nothing is left to do for it",
    )
    RECONCILING = "Reconciling", "the operator is at work or waits for something that will come"
    STALLED = "Stalled", "nothing will happen until somebody changes something"
    FINISHED = "Finished", "it has ended, well or badly, and will not change again"
    DATA_VALIDATED = "DataValidated", "the data passed its checks"
    TRAINED = "Trained", "the model is fitted and evaluated"
    PUBLISHED = "Published", "the version's manifest is in the registry"
    SUCCEEDED = "Succeeded", "the run has its version"
    VERSION_VERIFIED = "VersionVerified", "manifest and files are there and have the digests they should"
    GATES_PASSED = "GatesPassed", "every gate of the stage passed"
    APPROVED = "Approved", "as many people approved as the stage asks for"
    PROMOTED = "Promoted", "this promotion made its version current"
    POINTER_SYNCED = "PointerSynced", "current.json shows the newest lineage entry"
    REFRESHED = "Refreshed", "everything that serves the stage serves its current version"


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One condition, with the fields of metav1.Condition."""

    type: Annotated[str, Field(min_length=1, max_length=316)] = Field(
        description="What the condition is about, e.g. Ready."
    )
    status: ConditionStatus = Field(description="Whether it holds: True, False or Unknown.")
    observed_generation: Count = Field(description="The metadata.generation that this was said about.")
    last_transition_time: Time = Field(description="When status last changed; reason and message may be newer.")
    # Text and not Reason: an older operator must be able to read what a newer one said.
    reason: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")] = (
        Field(description="Why, in one word of the list in docs/reference/reasons.md.")
    )
    message: Message = Field(description="Why, in a sentence for people; its words may change.")


Conditions = Annotated[tuple[Condition, ...], Field(max_length=32), list_map("type")]


@dataclass(frozen=True, slots=True)
class State:
    """What a condition should say, without the bookkeeping."""

    status: ConditionStatus
    reason: Reason
    message: str = ""


def true(reason: Reason, message: str = "") -> State:
    """The state of a condition that holds."""
    return State(ConditionStatus.TRUE, reason, message)


def false(reason: Reason, message: str = "") -> State:
    """The state of a condition that does not hold."""
    return State(ConditionStatus.FALSE, reason, message)


def unknown(reason: Reason, message: str = "") -> State:
    """The state of a condition of which nothing can be said yet."""
    return State(ConditionStatus.UNKNOWN, reason, message)


def set_conditions(
    old: Sequence[Condition], new: Mapping[ConditionType, State], *, generation: int, now: datetime
) -> list[Condition]:
    """The conditions after `new`: old ones first and in their order, each of this generation.

    A condition that is new or whose status changes gets `now`; one whose status stays keeps its time. A condition
    that `new` does not name keeps its words, but says them of `generation`: `kubectl wait` overlooks older ones.
    """
    states: dict[str, State] = {str(name): state for name, state in new.items()}
    kept = [_next(condition, states.pop(condition.type, None), generation, now) for condition in old]
    return kept + [_first(name, state, generation, now) for name, state in states.items()]


def condition(conditions: Sequence[Condition], wanted: ConditionType) -> Condition | None:
    """The condition of that type, or None if nobody has said anything yet."""
    return next((each for each in conditions if each.type == wanted), None)


def is_true(conditions: Sequence[Condition], wanted: ConditionType) -> bool:
    """Whether the condition is there and holds."""
    found = condition(conditions, wanted)
    return found is not None and found.status is ConditionStatus.TRUE


def _next(old: Condition, state: State | None, generation: int, now: datetime) -> Condition:
    if state is None:
        return old.model_copy(update={"observed_generation": generation})
    if state.status is not old.status:
        return _first(old.type, state, generation, now)
    return old.model_copy(
        update={"observed_generation": generation, "reason": str(state.reason), "message": shortened(state.message)}
    )


def _first(name: str, state: State, generation: int, now: datetime) -> Condition:
    return Condition(
        type=name,
        status=state.status,
        observed_generation=generation,
        last_transition_time=now.astimezone(UTC),
        reason=str(state.reason),
        message=shortened(state.message),
    )


def shortened(message: str) -> str:
    """The message, cut to what a condition may say."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 3] + "..."
