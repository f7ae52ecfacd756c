"""Reading which version is current, without Kubernetes: two GETs, each checked against what the one before promised."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from mira.registry.cache import Cache, default_folder
from mira.registry.document import REGISTRY_LIMIT, Document, DocumentInvalid, digest, format_time, sha256
from mira.registry.entry import Pointer
from mira.registry.keys import InvalidKey, StageKey, VersionKey, hex_of
from mira.registry.location import store_at
from mira.registry.manifest import MANIFEST_LIMIT, File, Manifest
from mira.registry.signatures import NotSigned, Verifier, must_be_signed
from mira.registry.store import FileStore, ObjectStore, StoreUnavailable
from mira.registry.verified import Tampered, fetched

__all__ = ["Current", "NotSigned", "ReadableStore", "Registry", "Tampered", "VerifiedVersion"]
log = logging.getLogger(__name__)
Report = TypeVar("Report", bound=Document)


class ReadableStore(ObjectStore, FileStore, Protocol):
    """What a reader needs: objects and files."""


@dataclass(frozen=True, kw_only=True)
class VerifiedVersion:
    """A version whose manifest has the digest that was promised."""

    version: str
    digest: str
    manifest: Manifest

    @property
    def key(self) -> VersionKey:
        """The version's place in the registry, as `Registry.download` asks for it."""
        return self.manifest.key

    @property
    def model_files(self) -> dict[str, File]:
        """The files under the version's `model/` folder, by their path in it."""
        folder = f"attempts/{self.manifest.attempt}/model/"
        files = (file for file in self.manifest.files if file.path.startswith(folder))
        return {file.path.removeprefix(folder): file for file in files}

    def file(self, name: str) -> File | None:
        """The file of this name under the version's `model/` folder, such as `model.onnx`."""
        return self.model_files.get(name)


@dataclass(frozen=True, kw_only=True)
class Current(VerifiedVersion):
    """The version that a stage serves now, by the lineage entry of this number.

    `stale_since` says when the store last told so, if it does not answer now; None if it does.
    """

    number: int
    stale_since: datetime | None = None

    @property
    def stale(self) -> bool:
        """Whether this is the last known answer because the store does not give one now."""
        return self.stale_since is not None


class Registry:
    """A reader of one registry: a uri (`s3://bucket/root`, `file:///folder`) or a store. Safe to share between threads.

    What is opened by a uri remembers its last answers and its files in `cache` (default: `$MIRA_CACHE`, else the user's
    cache folder); a store does so only if a folder is named. With `verify_keys` (`signing.PublicKeys`) no version is
    given that none of them has signed. Errors: StoreUnavailable, StoreRefused, DocumentInvalid, Tampered and its
    NotSigned; ValueError for a uri, InvalidKey for a name, that is none.
    """

    def __init__(
        self, store: ReadableStore | str, *, cache: Path | None = None, verify_keys: Verifier | None = None
    ) -> None:
        if isinstance(store, str):
            base = cache or default_folder()
            # Two registries in one folder must not answer for each other.
            cache = None if base is None else base / sha256(store.rstrip("/").encode())[:16]
        self.store = store_at(store) if isinstance(store, str) else store
        self.cache = None if cache is None else Cache(cache)
        self.verify_keys = verify_keys

    def current(self, *, namespace: str, model: str, stage: str) -> Current | None:
        """The version that is current now, None if none ever was; the last known one if the store is away."""
        key = StageKey(namespace, model, stage)
        try:
            stored = self.store.get(key.pointer, limit=REGISTRY_LIMIT)
            found = None if stored is None else self._pointed_at(key, stored.body)
        except StoreUnavailable as error:
            return self._last_known(key, error)
        if stored is not None:
            self._remember(key, stored.body)
        return found

    def version(
        self, *, namespace: str, model: str, version: str, expected_digest: str | None = None
    ) -> VerifiedVersion | None:
        """This version, whichever is current; None if it is not published. Without a digest the store is trusted."""
        key = VersionKey(namespace, model, version)
        if expected_digest is None:
            stored = self.store.get(key.manifest, limit=MANIFEST_LIMIT)
            if stored is None:
                return None
            expected_digest = digest(stored.body)
        return VerifiedVersion(version=version, digest=expected_digest, manifest=self.manifest(key, expected_digest))

    def manifest(self, version: VersionKey, expected_digest: str) -> Manifest:
        """The manifest with exactly this digest. Raises Tampered for other bytes under its key, or none; NotSigned."""
        body = self._manifest_bytes(version, expected_digest)
        if body is None or digest(body) != expected_digest:
            raise Tampered(f"{version.manifest} does not have the digest {expected_digest}")
        manifest = Manifest.parse(body)
        if manifest.key != version:
            raise Tampered(f"{version.manifest} is the manifest of {manifest.key.prefix}")
        if self.verify_keys is not None:
            must_be_signed(version, expected_digest, self.verify_keys, self.store, self.cache)
        return manifest

    def folder(self, version: VerifiedVersion) -> Path:
        """A folder with the files of the version's `model/`, all verified now; none is ever downloaded twice.

        The files are shared and read-only: copy what is to be changed. Raises OSError if the cache cannot be written,
        ValueError if there is none.
        """
        if self.cache is None:
            raise ValueError("cache: name a folder for the files: Registry(store, cache=...)")
        manifest = self._manifest_file(self.cache, version.key, version.digest)
        self.cache.show(manifest, version.digest, "manifest.json")
        for name, file in version.model_files.items():
            key = version.key.file(file.path)
            path = self.cache.file(file.sha256, partial(self.store.download, key), what=key)
            self.cache.show(path, version.digest, f"model/{name}")
        return self.cache.version(version.digest) / "model"

    def report(self, manifest: Manifest, name: str, kind: type[Report]) -> Report | None:
        """The version's document `report/<name>`, None if it was published without one. Raises Tampered."""
        return self.document(manifest, f"report/{name}", kind)

    def document(self, manifest: Manifest, name: str, kind: type[Report]) -> Report | None:
        """The document of this name that the version's attempt published, None if there is none. Raises Tampered."""
        path = f"attempts/{manifest.attempt}/{name}"
        file = next((file for file in manifest.files if file.path == path), None)
        if file is None:
            return None
        stored = self.store.get(manifest.key.file(path), limit=kind.LIMIT)
        if stored is None or sha256(stored.body) != file.sha256:
            raise Tampered(f"{path} does not have the sha256 {file.sha256}")
        return kind.parse(stored.body)

    def download(self, version: VersionKey, file: File, path: Path) -> Path:
        """The path, holding the file's bytes, hashed while nothing else has seen them. Raises Tampered."""
        key = version.file(file.path)
        return fetched(path, file.sha256, partial(self.store.download, key), what=file.path)

    def _pointed_at(self, key: StageKey, body: bytes) -> Current | None:
        pointer = Pointer.parse(body)
        if (pointer.namespace, pointer.model, pointer.stage) != (key.namespace, key.model, key.stage):
            raise Tampered(f"{key.pointer} is the pointer of {pointer.namespace}/{pointer.model}/{pointer.stage}")
        if pointer.current is None:
            return None
        try:
            version = VersionKey(key.namespace, key.model, pointer.current.version)
        except InvalidKey as error:
            raise Tampered(f"{key.pointer}: {error}") from error
        manifest = self.manifest(version, pointer.current.digest)
        return Current(version=version.version, digest=pointer.current.digest, manifest=manifest, number=pointer.number)

    def _last_known(self, key: StageKey, away: StoreUnavailable) -> Current | None:
        remembered = self.cache and self.cache.remembered(key.pointer)
        if not remembered:
            raise away
        try:
            found = self._pointed_at(key, remembered.body)
        except (DocumentInvalid, Tampered, StoreUnavailable):
            raise away from None
        if found is None:
            raise away
        since = format_time(remembered.since)
        log.warning("%s: the store does not answer, using %s as it was at %s: %s", key.path, found.version, since, away)
        return Current(**vars(found) | {"stale_since": remembered.since})

    def _remember(self, key: StageKey, body: bytes) -> None:
        if self.cache is None:
            return
        try:
            self.cache.remember(key.pointer, body)
        except OSError as error:
            log.warning("%s: its answer cannot be kept for when the store is away: %s", key.path, error)

    def _manifest_bytes(self, version: VersionKey, expected_digest: str) -> bytes | None:
        if self.cache:
            try:
                return self._manifest_file(self.cache, version, expected_digest).read_bytes()
            except OSError as error:
                log.warning("%s: cannot be kept in the cache: %s", version.manifest, error)
        stored = self.store.get(version.manifest, limit=MANIFEST_LIMIT)
        return None if stored is None else stored.body

    def _manifest_file(self, cache: Cache, version: VersionKey, expected_digest: str) -> Path:
        def fetch(path: Path) -> None:
            stored = self.store.get(version.manifest, limit=MANIFEST_LIMIT)
            path.write_bytes(b"" if stored is None else stored.body)

        return cache.file(hex_of(expected_digest), fetch, what=version.manifest)
