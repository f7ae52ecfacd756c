"""Whether a store can hold a registry: it must obey conditions on writes, and it must be this operator's registry."""

from typing import ClassVar

from mira.registry.document import REGISTRY_LIMIT, Document, DocumentInvalid
from mira.registry.keys import PROBES, REGISTRY
from mira.registry.manifest import Name
from mira.registry.store import ObjectStore, Put, StoreUnavailable

CONDITIONS = f"{PROBES}conditions.json"
NO_ETAG = '"00000000000000000000000000000000"'


class RegistryInfo(Document):
    """`registry.json`: which layout this is and whose; create-only."""

    SCHEMA: ClassVar[str] = "mira.registry/v1"

    layout_version: int
    registry_id: Name
    owner: Name


def open_registry(store: ObjectStore, *, owner: str, new_id: str) -> RegistryInfo | str:
    """The registry, made if there is none; a sentence if this store or this registry can never be used.

    A store that is away raises StoreUnavailable, as everywhere.
    """
    problem = _ignores_conditions(store, new_id)
    if problem:
        return problem
    written = store.create(REGISTRY, RegistryInfo(layout_version=1, registry_id=new_id, owner=owner).render())
    stored = store.get(REGISTRY, limit=REGISTRY_LIMIT)
    if stored is None:
        return _not_there(REGISTRY, written)
    try:
        info = RegistryInfo.parse(stored.body)
    except DocumentInvalid as error:
        return f"{REGISTRY} cannot be read ({error}): this is not the root of a registry of Mira"
    if info.layout_version != 1:
        return f"{REGISTRY} has layout version {info.layout_version}, this version of Mira knows 1: use a newer Mira"
    if info.owner != owner:
        return f"{REGISTRY} belongs to {info.owner!r}, this operator is {owner!r}: give each cluster its own root"
    return info


def _not_there(key: str, written: Put) -> str:
    """The sentence for a write that the store confirmed and does not show; an unclear one was just not written yet."""
    if written is Put.UNCLEAR:
        raise StoreUnavailable(f"{key} could not be written")
    return f"{key} was written and is not there: the store does not read what was written"


def _ignores_conditions(store: ObjectStore, token: str) -> str | None:
    """A sentence if the store overwrites what a condition protects; found by trying it on a key of its own."""
    written = store.create(CONDITIONS, b"{}")
    before = store.get(CONDITIONS, limit=REGISTRY_LIMIT)
    if before is None:
        return _not_there(CONDITIONS, written)
    other = f'{{"token":"{token}"}}'.encode()
    store.create(CONDITIONS, other)
    if store.get(CONDITIONS, limit=REGISTRY_LIMIT) != before:
        return "the store ignores If-None-Match: a version or a decision could be overwritten; use another store"
    store.replace(CONDITIONS, other, NO_ETAG)
    if store.get(CONDITIONS, limit=REGISTRY_LIMIT) != before:
        return "the store ignores If-Match: two operators could overwrite each other's pointer; use another store"
    return None
