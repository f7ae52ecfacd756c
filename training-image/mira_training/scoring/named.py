"""The version to compare with where a person names one, instead of a stage that serves one."""

from mira.api.reasons import Reason
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey
from mira.registry.manifest import MANIFEST_LIMIT, Manifest
from mira.registry.reader import Current
from mira.registry.store import ObjectStore
from mira_training.refusal import Refused, listed


def named(store: ObjectStore, key: VersionKey) -> Current:
    """The version under the key, as if a stage served it. Raises Refused if there is none, StoreUnavailable."""
    stored = store.get(key.manifest, limit=MANIFEST_LIMIT)
    if stored is None:
        there = listed(_versions(store, key)) or "none"
        raise Refused(
            Reason.VERSION_NOT_FOUND,
            f"against: model {key.model} has no version {key.version!r} in this registry (it has: {there})",
        )
    try:
        manifest = Manifest.parse(stored.body)
    except DocumentInvalid as error:
        raise Refused(
            Reason.VERSION_NOT_FOUND, f"against: version {key.version} cannot be read ({error}); name another one"
        ) from error
    return Current(number=0, version=key.version, digest=digest(stored.body), manifest=manifest)


def _versions(store: ObjectStore, key: VersionKey) -> list[str]:
    """The published ones: a folder without a manifest is a try that failed."""
    parent = key.prefix.removesuffix(f"{key.version}/")
    names = [folder.removeprefix(parent).rstrip("/") for folder in store.folders(parent)]
    return [name for name in names if store.head(f"{parent}{name}/manifest.json") is not None]
