"""Versions with files, published into any store as a training does, for those who read them."""

from datetime import timedelta
from typing import Any

from mira.registry.document import digest, sha256
from mira.registry.entry import Pointer, Version
from mira.registry.keys import StageKey, VersionKey
from mira.registry.manifest import File, Manifest
from mira.registry.store import ObjectStore, Put
from tests.registry.examples import ATTEMPT, NOW, a_manifest

MODEL_FOLDER = f"attempts/{ATTEMPT}/model/"


def publish(store: ObjectStore, version: str, files: dict[str, bytes], **fields: Any) -> Manifest:
    """The manifest of the version, whose files lie under `model/`, with a report beside them."""
    contents = {f"{MODEL_FOLDER}{name}": body for name, body in files.items()}
    contents[f"attempts/{ATTEMPT}/report/metrics.json"] = b"{}"
    listed = [File(path=path, size=len(body), sha256=sha256(body)) for path, body in contents.items()]
    manifest = a_manifest(version=version, files=listed, **fields)
    for path, body in contents.items():
        assert store.create(manifest.key.file(path), body) is Put.WRITTEN
    assert store.create(manifest.key.manifest, manifest.render()) is Put.WRITTEN
    return manifest


def point(store: ObjectStore, manifest: Manifest, number: int, **fields: Any) -> None:
    """Makes the version current in its model's `production`, as the operator's stage key does."""
    key = StageKey(manifest.namespace, manifest.model, "production")
    given: dict[str, Any] = {
        "namespace": key.namespace,
        "model": key.model,
        "stage": key.stage,
        "current": Version(version=manifest.version, digest=digest(manifest.render())),
    }
    pointer = Pointer(
        number=number, entry_sha256="0" * 64, decided_at=NOW + timedelta(minutes=number), **given | fields
    )
    overwrite(store, key.pointer, pointer.render())


def overwrite(store: ObjectStore, key: str, body: bytes) -> None:
    """Puts other bytes under the key, whatever lies there."""
    found = store.get(key, limit=1)
    written = store.create(key, body) if found is None else store.replace(key, body, found.etag)
    assert written is Put.WRITTEN


def file_key(version: VersionKey, name: str) -> str:
    """The key of a file under `model/`."""
    return version.file(f"{MODEL_FOLDER}{name}")
