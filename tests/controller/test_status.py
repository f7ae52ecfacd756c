"""Statuses are written once, only where they changed, and as the smallest patch that makes the difference."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.controller.status import merge_patch

LEAVES = st.integers(-3, 3) | st.text("ab", max_size=2)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=3)


def applied(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2, as it stands there."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = applied(target.get(name), value)
    return target


EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({}, {}, {}),
    ({"a": 1}, {"a": 1}, {}),
    ({"a": 1}, {"a": 2}, {"a": 2}),
    ({"a": 1}, {}, {"a": None}),
    ({}, {"a": 1}, {"a": 1}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
    ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
    ({"a": [1, 2]}, {"a": [1, 2, 3]}, {"a": [1, 2, 3]}),
    ({"a": [1]}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
    ({"a": "x"}, {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
    ({"a": 0}, {"a": ""}, {"a": ""}),
]


@pytest.mark.parametrize(("old", "new", "patch"), EXAMPLES)
def test_a_patch_says_what_differs(old: Any, new: Any, patch: Any) -> None:
    assert merge_patch(old, new) == patch


@given(OBJECTS, OBJECTS)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_the_patch_turns_old_into_new(old: Any, new: Any) -> None:
    assert applied(old, merge_patch(old, new)) == new


@given(OBJECTS)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert merge_patch(value, value) == {}


@given(OBJECTS, OBJECTS)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_a_patch_touches_no_key_that_stays_as_it_is(old: Any, new: Any) -> None:
    patch = merge_patch(old, new)
    assert all(old.get(key) != new.get(key) for key in patch)


@given(OBJECTS, OBJECTS)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_making_a_patch_changes_neither_side(old: Any, new: Any) -> None:
    before = repr((old, new))
    merge_patch(old, new)
    assert repr((old, new)) == before


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, False), (True, 1)])
def test_a_number_and_a_truth_are_not_the_same(old: Any, new: Any) -> None:
    """Python takes them for equal; JSON, and whoever reads the status, does not."""
    patched = applied({"a": old}, merge_patch({"a": old}, {"a": new}))
    assert patched["a"] is new
