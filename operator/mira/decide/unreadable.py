"""What an object says of itself that this version of Mira cannot read, or that needs one that it cannot read."""

from collections.abc import Sequence
from datetime import datetime

from mira.api.conditions import Condition, ConditionType, false, set_conditions, true
from mira.api.reasons import Reason


def unreadable_conditions(
    old: Sequence[Condition], message: str, *, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions after `old`: Stalled, for nothing happens until the field is changed or a newer Mira is there."""
    states = {
        ConditionType.READY: false(Reason.SPEC_UNREADABLE, message),
        ConditionType.RECONCILING: false(Reason.SPEC_UNREADABLE),
        ConditionType.STALLED: true(Reason.SPEC_UNREADABLE, message),
    }
    return tuple(set_conditions(old, states, generation=generation, now=now))
