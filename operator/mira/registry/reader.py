"""Reading which version is current, without Kubernetes: two GETs, each checked against what the one before promised."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from mira.registry.document import REGISTRY_LIMIT, Document, digest, sha256
from mira.registry.entry import Pointer
from mira.registry.keys import StageKey, VersionKey, digest_of
from mira.registry.manifest import MANIFEST_LIMIT, File, Manifest
from mira.registry.store import FileStore, ObjectStore

Report = TypeVar("Report", bound=Document)


class Tampered(Exception):
    """Bytes that are not those whose digest was promised."""


class ReadableStore(ObjectStore, FileStore, Protocol):
    """What a reader needs: objects and files."""


@dataclass(frozen=True)
class Current:
    """The version that a stage serves now, its manifest verified against the digest in the pointer."""

    number: int
    version: str
    digest: str
    manifest: Manifest

    @property
    def key(self) -> VersionKey:
        """The version's place in the registry, as `Registry.download` asks for it."""
        return self.manifest.key

    def file(self, name: str) -> File | None:
        """The file of this name under the version's `model/` folder, such as `model.onnx`."""
        path = f"attempts/{self.manifest.attempt}/model/{name}"
        return next((file for file in self.manifest.files if file.path == path), None)


class Registry:
    """A reader of one registry. Errors: StoreUnavailable, StoreRefused, DocumentInvalid, Tampered."""

    def __init__(self, store: ReadableStore) -> None:
        self.store = store

    def current(self, *, namespace: str, model: str, stage: str) -> Current | None:
        """The version that is current now, None if none ever was."""
        stored = self.store.get(StageKey(namespace, model, stage).pointer, limit=REGISTRY_LIMIT)
        if stored is None:
            return None
        pointer = Pointer.parse(stored.body)
        if pointer.current is None:
            return None
        manifest = self.manifest(VersionKey(namespace, model, pointer.current.version), pointer.current.digest)
        return Current(pointer.number, pointer.current.version, pointer.current.digest, manifest)

    def manifest(self, version: VersionKey, expected_digest: str) -> Manifest:
        """The manifest with exactly this digest. Raises Tampered if other bytes, or none, lie under its key."""
        stored = self.store.get(version.manifest, limit=MANIFEST_LIMIT)
        if stored is None or digest(stored.body) != expected_digest:
            raise Tampered(f"{version.manifest} does not have the digest {expected_digest}")
        return Manifest.parse(stored.body)

    def report(self, manifest: Manifest, name: str, kind: type[Report]) -> Report | None:
        """The version's document `report/<name>`, None if it was published without one. Raises Tampered."""
        path = f"attempts/{manifest.attempt}/report/{name}"
        file = next((file for file in manifest.files if file.path == path), None)
        if file is None:
            return None
        stored = self.store.get(manifest.key.file(path), limit=kind.LIMIT)
        if stored is None or sha256(stored.body) != file.sha256:
            raise Tampered(f"{path} does not have the sha256 {file.sha256}")
        return kind.parse(stored.body)

    def download(self, version: VersionKey, file: File, path: Path) -> Path:
        """The path, holding the file's bytes, hashed while nothing else has seen them. Raises Tampered."""
        self.store.download(version.file(file.path), path)
        if digest(path.read_bytes()) != digest_of(file.sha256):
            path.unlink()
            raise Tampered(f"{file.path} does not have the sha256 {file.sha256}")
        return path
