"""What a version's commit needs: files, comparison, signature, the manifest last; and what an unclear answer means."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mira.api.reasons import Reason
from mira.registry.comparison import Comparison
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey
from mira.registry.manifest import MANIFEST_LIMIT, File, Manifest
from mira.registry.reader import ReadableStore
from mira.registry.store import ObjectStore, Put, StoreUnavailable
from mira.registry.verified import sha256_of
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira.registry.signing import SigningKey

TRIES = 5
log = logging.getLogger(__name__)


class SignatureTaken(Exception):
    """Somebody has put something where only this attempt's signature may lie."""


class AnyRun(Protocol):
    """The run's identity."""

    @property
    def uid(self) -> str:
        """Of the resource: another one of the same name has another."""
        ...

    @property
    def spec_hash(self) -> str:
        """Of what determines the result."""
        ...


class Wanted(Protocol):
    """Something made for a version by a run: a manifest, or an order that asks for one."""

    @property
    def key(self) -> VersionKey:
        """The version."""
        ...

    @property
    def run(self) -> AnyRun:
        """For whom."""
        ...


@dataclass(frozen=True)
class Published:
    """The version under its key, by its manifest's digest; `attempt` is the one that made it, which may not be ours."""

    digest: str
    attempt: str
    uri: str


def upload(store: ReadableStore, manifest_prefix: str, attempt: str, folder: Path) -> list[File]:
    """Every file below the folder in the registry, under this attempt's own prefix, where nobody else writes."""
    paths = sorted(each for each in folder.rglob("*") if each.is_file())
    return [upload_one(store, manifest_prefix, attempt, path, folder) for path in paths]


def upload_one(store: ReadableStore, manifest_prefix: str, attempt: str, path: Path, folder: Path) -> File:
    """This file in the registry, named by its place below the folder."""
    name = f"attempts/{attempt}/{path.relative_to(folder).as_posix()}"
    store.upload(f"{manifest_prefix}{name}", path)
    file = File(path=name, size=path.stat().st_size, sha256=sha256_of(path))
    log.info("uploaded %s, %d bytes", name, file.size)
    return file


def commit(
    store: ObjectStore,
    manifest: Manifest,
    comparison: Comparison | None,
    key: "SigningKey | None" = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """The version, published by this attempt or found published by another attempt of the same run.

    Raises Refused (`VersionExists`) if another run took the name, StoreUnavailable if the store does not answer.
    """
    body = manifest.render()
    if len(body) > MANIFEST_LIMIT:
        raise Refused(
            Reason.DATA_INVALID,
            f"the manifest has {len(body)} bytes, at most {MANIFEST_LIMIT} are allowed; read fewer objects",
        )
    if comparison is not None:
        # Its key holds the digest that the manifest will have: whoever sees the manifest finds the comparison.
        place = manifest.key.comparison(comparison.candidate, comparison.current)
        create_only(store, place, comparison.render(), sleep=sleep)
    if key is not None:
        sign(store, manifest.key, digest(body), key, sleep=sleep)
    found = create_only(store, manifest.key.manifest, body, sleep=sleep)
    if found == body:
        return Published(digest(body), manifest.attempt, manifest.key.prefix)
    return adopted(found, manifest)


def sign(
    store: ObjectStore, version: VersionKey, digest: str, key: "SigningKey", sleep: Callable[[float], None] = time.sleep
) -> None:
    """Writes the key's signature over the manifest that will have this digest; alone it publishes nothing.

    Raises SignatureTaken if something else lies in its place, for good; another attempt has another digest and place.
    """
    place, envelope = version.signature(digest, key.key_id), key.signed(version, digest)
    if create_only(store, place, envelope, sleep=sleep) != envelope:
        raise SignatureTaken(f"{place} holds something else than this attempt's signature")
    log.info("signed %s with key %s", digest, key.key_id)


def already_published(store: ObjectStore, wanted: Wanted) -> Published | None:
    """The version if an earlier attempt has published it. Raises Refused (`VersionExists`) if another run has."""
    stored = store.get(wanted.key.manifest, limit=MANIFEST_LIMIT)
    return None if stored is None else adopted(stored.body, wanted)


def adopted(found: bytes, wanted: Wanted) -> Published:
    """What lies under the manifest's key, if it answers the same wish. Raises Refused (`VersionExists`)."""
    where = f"version {wanted.key.version} of model {wanted.key.model}"
    try:
        other = Manifest.parse(found)
    except DocumentInvalid as error:
        raise Refused(
            Reason.VERSION_EXISTS, f"{where} exists and cannot be read ({error}); use another name"
        ) from error
    if other.run.uid != wanted.run.uid and other.run.spec_hash != wanted.run.spec_hash:
        raise Refused(
            Reason.VERSION_EXISTS,
            f"{where} exists, made by run {other.run.name} from another spec; use another name, or set spec.version",
        )
    return Published(digest(found), other.attempt, wanted.key.prefix)


def create_only(
    store: ObjectStore,
    key: str,
    body: bytes,
    *,
    limit: int = MANIFEST_LIMIT,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """The bytes that lie under the key after the attempt to create it. Raises StoreUnavailable when nobody can say."""
    for again in range(TRIES):
        if store.create(key, body) is Put.WRITTEN:
            return body
        # Unclear: ours may have arrived all the same, or somebody else's was there before. What lies there decides.
        try:
            stored = store.get(key, limit=limit)
        except StoreUnavailable:
            stored = None
        if stored is not None:
            return stored.body
        sleep(0.5 * 2**again)
    raise StoreUnavailable(f"{key}: could not be written, nor read back")
