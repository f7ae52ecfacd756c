"""A store is tried before it is trusted, and a root belongs to one cluster."""

from collections.abc import Callable

import pytest

from mira.registry.memory import MemoryStore, Request
from mira.registry.probe import CONDITIONS, NO_ETAG, RegistryInfo, open_registry
from mira.registry.s3 import S3Store
from mira.registry.store import Put, StoreRefused, StoreUnavailable

INFO = "registry.json"


def opened(store: MemoryStore, owner: str = "here", new_id: str = "id-1") -> RegistryInfo | str:
    return open_registry(store, owner=owner, new_id=new_id)


class IgnoresIfNoneMatch(MemoryStore):
    def create(self, key: str, body: bytes) -> Put:
        self.objects[key] = body
        return Put.WRITTEN


class IgnoresIfMatch(MemoryStore):
    def replace(self, key: str, body: bytes, etag: str) -> Put:
        self.objects[key] = body
        return Put.WRITTEN


class IgnoresIfMatchAndLies(MemoryStore):
    """Writes, and says that it did not."""

    def replace(self, key: str, body: bytes, etag: str) -> Put:
        self.objects[key] = body
        return Put.UNCLEAR


class ForgetsWrites(MemoryStore):
    def create(self, key: str, body: bytes) -> Put:
        return Put.WRITTEN


UNUSABLE: dict[str, tuple[type[MemoryStore], str]] = {
    "ignores If-None-Match": (IgnoresIfNoneMatch, "ignores If-None-Match"),
    "ignores If-Match": (IgnoresIfMatch, "ignores If-Match"),
    "ignores If-Match and denies it": (IgnoresIfMatchAndLies, "ignores If-Match"),
    "forgets what was written": (ForgetsWrites, "does not read what was written"),
}


@pytest.mark.parametrize(("kind", "why"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_store_is_refused_that(kind: type[MemoryStore], why: str) -> None:
    for _ in range(2):  # also when it was tried before
        problem = opened(kind())
        assert isinstance(problem, str)
        assert why in problem


def test_a_new_registry_is_made_and_found_again_by_its_owner() -> None:
    store = MemoryStore()
    made = opened(store)
    assert made == RegistryInfo(layout_version=1, registry_id="id-1", owner="here")
    assert opened(store, new_id="id-2") == made
    assert opened(store, new_id="id-3") == made


FOUND: dict[str, tuple[bytes, str]] = {
    "another cluster's": (
        RegistryInfo(layout_version=1, registry_id="i", owner="there").render(),
        "belongs to 'there'",
    ),
    "of a newer layout": (RegistryInfo(layout_version=2, registry_id="i", owner="here").render(), "layout version 2"),
    "of an impossible layout": (
        RegistryInfo(layout_version=0, registry_id="i", owner="here").render(),
        "layout version 0",
    ),
    "garbage": (b"\xff", "cannot be read"),
    "empty": (b"", "cannot be read"),
    "somebody else's JSON": (b'{"name": "terraform"}', "not the root of a registry"),
    "too large": (b" " * 100_000, "cannot be read"),
}


@pytest.mark.parametrize(("body", "why"), FOUND.values(), ids=FOUND.keys())
def test_a_root_is_refused_and_left_alone_whose_registry_json_is(body: bytes, why: str) -> None:
    store = MemoryStore({INFO: body})
    problem = opened(store)
    assert isinstance(problem, str)
    assert why in problem
    assert store.objects[INFO] == body


def test_two_operators_open_one_registry_at_once() -> None:
    store = MemoryStore()
    second: list[RegistryInfo | str] = []

    def before(request: Request) -> None:
        if request.verb == "create" and request.key == INFO and not second:
            store.before = lambda _: None
            second.append(opened(store, new_id="second"))

    store.before = before
    first = opened(store, new_id="first")
    assert [first] == second
    assert isinstance(first, RegistryInfo)
    assert first.registry_id == "second"


def test_two_clusters_that_race_for_a_root_do_not_both_get_it() -> None:
    store = MemoryStore()
    assert isinstance(opened(store, owner="one"), RegistryInfo)
    assert isinstance(opened(store, owner="two"), str)


LOST: dict[str, Callable[[MemoryStore], object]] = {
    "before it arrives": lambda store: store.objects.clear(),
    "after it arrived": lambda _: None,
}


@pytest.mark.parametrize("happens", LOST.values(), ids=LOST.keys())
def test_a_write_whose_answer_is_lost_is_no_problem_if_it_arrived(happens: Callable[[MemoryStore], object]) -> None:
    class Lossy(MemoryStore):
        def create(self, key: str, body: bytes) -> Put:
            super().create(key, body)
            happens(self)
            return Put.UNCLEAR

    if happens is LOST["before it arrives"]:
        # It may arrive the next time: no verdict for which the operator would end.
        with pytest.raises(StoreUnavailable):
            opened(Lossy())
    else:
        assert isinstance(opened(Lossy()), RegistryInfo)


@pytest.mark.parametrize("error", [StoreUnavailable, StoreRefused])
def test_a_store_that_is_away_is_no_verdict(error: type[Exception]) -> None:
    calls = 0
    while True:
        store = MemoryStore()
        left = calls

        def before(_: Request) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise error("not now")

        store.before = before
        try:
            found = opened(store)
        except error:
            store.before = lambda _: None
            assert isinstance(opened(store), RegistryInfo), f"after call {calls}"
            calls += 1
        else:
            assert isinstance(found, RegistryInfo)
            assert calls >= 5
            return


def test_real_servers_can_hold_a_registry(on_moto: S3Store, on_seaweedfs: S3Store) -> None:
    for store in (on_moto, on_seaweedfs):
        for _ in range(2):
            assert isinstance(open_registry(store, owner="here", new_id="id"), RegistryInfo)
        assert store.replace(CONDITIONS, b"{}", NO_ETAG) is Put.UNCLEAR
