"""Conditions change only when they must, and always say of which generation they speak."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mira.api.conditions import (
    MAX_MESSAGE,
    Condition,
    ConditionStatus,
    ConditionType,
    State,
    condition,
    false,
    is_true,
    set_conditions,
    true,
    unknown,
)
from mira.api.reasons import Reason

EARLIER = datetime(2026, 11, 1, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC)
READY, FINISHED = ConditionType.READY, ConditionType.FINISHED


def ready(status: str, reason: str = "Running", generation: int = 1) -> Condition:
    return Condition.model_validate(
        {
            "type": "Ready",
            "status": status,
            "reason": reason,
            "message": "before",
            "observedGeneration": generation,
            "lastTransitionTime": EARLIER,
        }
    )


TABLE = {
    "a condition nobody set before gets the time of now": ([], true(Reason.SUCCEEDED), NOW),
    "a status that changes gets the time of now": ([ready("False")], true(Reason.SUCCEEDED), NOW),
    "a status that becomes unknown gets the time of now": ([ready("True")], unknown(Reason.PENDING), NOW),
    "a status that stays keeps its time": ([ready("True")], true(Reason.RUNNING, "before"), EARLIER),
    "a reason that changes keeps the time": ([ready("True")], true(Reason.ADOPTED, "before"), EARLIER),
    "a message that changes keeps the time": ([ready("True")], true(Reason.RUNNING, "after"), EARLIER),
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_last_transition_time(case: tuple[list[Condition], State, datetime]) -> None:
    old, state, expected = case
    (result,) = set_conditions(old, {READY: state}, generation=2, now=NOW)
    assert result.last_transition_time == expected
    assert (result.status, result.reason, result.message) == (state.status, state.reason, state.message)


def test_a_new_generation_is_said_of_conditions_that_nobody_touches() -> None:
    result = set_conditions([ready("True")], {FINISHED: false(Reason.RUNNING)}, generation=7, now=NOW)
    assert [(each.type, each.observed_generation) for each in result] == [("Ready", 7), ("Finished", 7)]
    assert result[0].last_transition_time == EARLIER
    assert result[0].message == "before"


def test_the_same_states_again_change_nothing() -> None:
    states = {READY: false(Reason.RUNNING, "2 of 3"), FINISHED: false(Reason.RUNNING)}
    first = set_conditions([], states, generation=3, now=EARLIER)
    assert set_conditions(first, states, generation=3, now=NOW) == first


def test_old_conditions_keep_their_order_and_types_that_this_version_does_not_know_stay() -> None:
    newer = ready("True").model_copy(update={"type": "FromTheFuture"})
    result = set_conditions([newer, ready("False")], {READY: true(Reason.SUCCEEDED)}, generation=2, now=NOW)
    assert [each.type for each in result] == ["FromTheFuture", "Ready"]


def test_a_long_message_is_cut() -> None:
    (result,) = set_conditions([], {READY: false(Reason.FAILED, "x" * 10_000)}, generation=1, now=NOW)
    assert len(result.message) == MAX_MESSAGE
    assert result.message.endswith("...")


def test_time_is_written_as_kubernetes_writes_it() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=3))) + timedelta(milliseconds=250)
    (result,) = set_conditions([], {READY: true(Reason.SUCCEEDED)}, generation=1, now=east)
    assert result.wire()["lastTransitionTime"] == "2026-11-02T09:30:15Z"
    assert Condition.model_validate(result.wire()) == result


def test_looking_one_up() -> None:
    assert is_true([ready("True")], READY)
    assert not is_true([ready("Unknown")], READY)
    assert not is_true([ready("True")], FINISHED)
    found = condition([ready("False")], READY)
    assert found is not None
    assert found.status is ConditionStatus.FALSE


def test_reasons_are_words_that_metav1_takes_and_say_when() -> None:
    for reason in Reason:
        set_conditions([], {READY: true(reason)}, generation=1, now=NOW)
        assert reason.when.endswith("."), reason
        assert reason.value[0].isupper(), reason
        assert reason.kinds, reason
        assert reason.name == "".join(f"_{char}" if char.isupper() else char.upper() for char in reason.value)[1:], (
            reason
        )
