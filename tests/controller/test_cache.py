"""The cache: what is older never replaces what is newer, and a list drops only what nothing touched meanwhile."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.controller.cache import Cache

KIND = "TrainingRun"


def body(version: int, name: str = "a", namespace: str = "ns") -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(version)}}


def version_of(cache: Cache, name: str = "a") -> int | None:
    found = cache.get(KIND, "ns", name)
    return int(found["metadata"]["resourceVersion"]) if found else None


def test_the_newest_body_is_kept_and_only_that_is_news() -> None:
    cache = Cache()
    assert [cache.put(KIND, body(version)) for version in (5, 5, 4, 6, 5)] == [True, False, False, True, False]
    assert version_of(cache) == 6


def test_versions_are_numbers_and_not_text() -> None:
    cache = Cache()
    cache.put(KIND, body(9))
    assert cache.put(KIND, body(10))
    assert not cache.put(KIND, body(9))


def test_kinds_namespaces_and_names_are_kept_apart() -> None:
    cache = Cache()
    for kind, namespace, name in (("A", "x", "1"), ("A", "x", "2"), ("A", "y", "1"), ("B", "x", "1")):
        cache.put(kind, body(1, name, namespace))
    assert len(list(cache.all("A"))) == 3
    assert cache.get("B", "y", "1") is None
    assert list(cache.all("C")) == []


def test_what_is_deleted_is_gone() -> None:
    cache = Cache()
    cache.put(KIND, body(5))
    assert cache.remove(KIND, body(6))
    assert version_of(cache) is None
    assert not cache.remove(KIND, body(6))


def test_a_late_deletion_does_not_remove_what_was_created_since() -> None:
    cache = Cache()
    cache.put(KIND, body(9))
    assert not cache.remove(KIND, body(6))
    assert version_of(cache) == 9


LATE = {
    "a late event": lambda cache: cache.put(KIND, body(5)),
    "the answer to the operator's own write": lambda cache: cache.put(KIND, body(6)),
    "a list that began before": None,
}


@pytest.mark.parametrize("arrives", LATE.values(), ids=LATE.keys())
def test_what_was_deleted_is_not_brought_back_by(arrives: Any) -> None:
    cache = Cache()
    cache.put(KIND, body(5))
    mark = cache.begin_list()
    cache.remove(KIND, body(7))
    if arrives is None:
        assert cache.finish_list(KIND, mark, [body(5)]) == set()
    else:
        assert arrives(cache) is False
    assert version_of(cache) is None


def test_what_was_deleted_unknown_is_not_brought_in_by_a_list_that_began_before() -> None:
    cache = Cache()
    mark = cache.begin_list()
    cache.remove(KIND, body(7))
    cache.finish_list(KIND, mark, [body(5)])
    assert version_of(cache) is None


def test_what_was_created_again_under_the_name_is_taken_in() -> None:
    cache = Cache()
    cache.put(KIND, body(5))
    cache.remove(KIND, body(7))
    assert cache.put(KIND, body(8))
    assert version_of(cache) == 8
    mark = cache.begin_list()
    cache.remove(KIND, body(9))
    assert cache.finish_list(KIND, mark, [body(10)]) == {("ns", "a")}
    assert version_of(cache) == 10


def test_deletions_are_forgotten_in_time() -> None:
    """A list that began after a deletion knows of it: nothing needs to be remembered for ever."""
    cache = Cache()
    for number in range(1000):
        cache.put(KIND, body(number + 1, str(number)))
        cache.remove(KIND, body(number + 2, str(number)))
    cache.finish_list(KIND, cache.begin_list(), [])
    cache.finish_list(KIND, cache.begin_list(), [])
    remembered = [value for value in vars(cache).values() if isinstance(value, dict)]
    assert all(len(inner) == 0 for outer in remembered for inner in outer.values() if isinstance(inner, dict))


def test_a_list_drops_what_it_does_not_name() -> None:
    cache = Cache()
    cache.put(KIND, body(5, "a"))
    cache.put(KIND, body(6, "b"))
    assert cache.finish_list(KIND, cache.begin_list(), [body(6, "b")]) == {("ns", "a")}
    assert [version_of(cache, "a"), version_of(cache, "b")] == [None, 6]


def test_a_list_keeps_what_was_touched_since_it_began() -> None:
    cache = Cache()
    cache.put(KIND, body(5, "known before and seen again"))
    mark = cache.begin_list()
    cache.put(KIND, body(5, "known before and seen again"))
    cache.put(KIND, body(9, "created meanwhile"))
    assert cache.finish_list(KIND, mark, []) == set()
    assert len(list(cache.all(KIND))) == 2


def test_a_list_brings_what_is_new_and_newer_and_tells_only_that() -> None:
    cache = Cache()
    for name, version in (("same", 1), ("newer", 2), ("older", 9)):
        cache.put(KIND, body(version, name))
    listed = [body(1, "same"), body(3, "newer"), body(4, "older"), body(5, "new")]
    assert cache.finish_list(KIND, cache.begin_list(), listed) == {("ns", "newer"), ("ns", "new")}
    assert [version_of(cache, name) for name in ("same", "newer", "older", "new")] == [1, 3, 9, 5]


def test_a_list_of_one_kind_drops_nothing_of_another() -> None:
    cache = Cache()
    cache.put("Job", body(1))
    cache.finish_list(KIND, cache.begin_list(), [])
    assert cache.get("Job", "ns", "a") is not None


def test_all_is_a_snapshot() -> None:
    cache = Cache()
    cache.put(KIND, body(1, "a"))
    everything = cache.all(KIND)
    cache.put(KIND, body(2, "b"))
    cache.remove(KIND, body(3, "a"))
    assert [each["metadata"]["name"] for each in everything] == ["a"]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[int], int]:
    """What happens to one object on the server, how late each event comes, and when a list is taken."""
    kinds = draw(st.lists(st.sampled_from(["put", "delete"]), min_size=1, max_size=8))
    events = [(kind, 10 * (number + 1)) for number, kind in enumerate(kinds)]
    order = draw(st.permutations(range(len(events))))
    return events, order, draw(st.integers(0, len(events)))


@given(histories(), st.integers(0, 8), st.integers(0, 8))
@settings(max_examples=500, derandomize=True, deadline=None)
def test_however_late_events_and_a_list_come_the_newest_state_wins(history: Any, begins: int, ends: int) -> None:
    """Events in any order and a list anywhere between them: in the end the cache says what the server says."""
    events, order, listed_at = history
    cache, mark = Cache(), 0
    begins, ends = min(begins, len(order)), min(max(begins, ends), len(order))
    # The list shows the server as it was after so many events.
    state = events[:listed_at][-1:] or [("delete", 0)]
    listing = [body(state[0][1])] if state[0][0] == "put" else []
    known = max(order[:begins], default=-1)
    if known >= listed_at or any(number < known for number in order[ends:]):
        # A list is not older than what was known when it began, and no event is late by more than one list.
        return
    for place, number in enumerate([*order, None]):
        if place == begins:
            mark = cache.begin_list()
        if place == ends:
            cache.finish_list(KIND, mark, listing)
        if number is None:
            break
        kind, version = events[number]
        if kind == "put":
            cache.put(KIND, body(version))
        else:
            cache.remove(KIND, body(version))
    last_kind, last_version = events[-1]
    assert version_of(cache) == (last_version if last_kind == "put" else None)
