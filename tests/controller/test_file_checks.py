"""Files are hashed once, and again as soon as anything about them or the manifest differs."""

from mira.controller.answering import FileChecks
from mira.registry.keys import VersionKey
from mira.registry.manifest import Manifest
from mira.registry.memory import MemoryStore
from tests.support.world import MODEL, NAMESPACE, publish


def a_version() -> tuple[MemoryStore, Manifest]:
    store = MemoryStore()
    publish(store, "v1")
    return store, Manifest.parse(store.objects[VersionKey(NAMESPACE, MODEL, "v1").manifest])


def hashed(store: MemoryStore) -> int:
    return sum(request.verb == "sha256" for request in store.requests)


def test_a_file_that_stays_the_same_is_hashed_once() -> None:
    store, manifest = a_version()
    checks = FileChecks(store)
    assert [checks.problem(manifest) for _ in range(3)] == [None, None, None]
    assert hashed(store) == 1


def test_a_file_that_is_replaced_is_hashed_again() -> None:
    store, manifest = a_version()
    checks = FileChecks(store)
    checks.problem(manifest)
    store.objects[manifest.key.file(manifest.files[0].path)] = b"another model"
    assert "sha256" in (checks.problem(manifest) or "")


def test_another_manifest_under_the_same_key_is_another_promise() -> None:
    store, manifest = a_version()
    checks = FileChecks(store)
    checks.problem(manifest)
    file = manifest.files[0].model_copy(update={"sha256": "0" * 64})
    assert "sha256" in (checks.problem(manifest.model_copy(update={"files": [file]})) or "")
