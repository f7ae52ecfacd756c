"""Which objects a run reads: found out by its first attempt, written down once, read from there by every later one."""

from collections.abc import Mapping

from mira.api.data import Data, DataSource
from mira.api.reasons import Reason
from mira.registry.inputs import Inputs, Listed, Listing
from mira.registry.store import ObjectStore, Put, StoreUnavailable
from mira_training.data.objects import DataObjects
from mira_training.refusal import Refused

INPUTS = "inputs."
"""Before the name of one of `data.inputs`, among the names of sources."""


def sources_of(data: Data) -> dict[str, tuple[str, DataSource]]:
    """Every source of the spec by its name in manifest and listing, with the field that it stands in."""
    holdout = {"holdout": ("data.holdout", data.holdout)} if data.holdout else {}
    inputs = {f"{INPUTS}{one.name}": (f"data.inputs[{one.name}]", one) for one in data.inputs}
    return {"training": ("data.training", data.training), **holdout, **inputs}


def pinned(
    store: ObjectStore, key: str, sources: Mapping[str, tuple[str, DataSource]], objects: DataObjects
) -> dict[str, list[Listed]]:
    """The objects of every source, as this run's first attempt found them.

    Raises Refused (`DataNotFound`) naming the uri, StoreUnavailable.
    """
    known = known_inputs(store, key)
    if known is None:
        found = [Listing(name=name, objects=_find(*source, objects)) for name, source in sources.items()]
        known = agreed(store, key, Inputs(listings=found))
    return {listing.name: listing.objects for listing in known.listings}


def agreed(store: ObjectStore, key: str, mine: Inputs) -> Inputs:
    """What every attempt of the run reads: ours, or what another wrote first. Raises StoreUnavailable."""
    known = mine if store.create(key, mine.render()) is Put.WRITTEN else known_inputs(store, key)
    if known is None:
        raise StoreUnavailable(f"{key}: could not be written")
    return known


def known_inputs(store: ObjectStore, key: str) -> Inputs | None:
    """What an attempt of the run has written down, None if none has."""
    stored = store.get(key, limit=Inputs.LIMIT)
    return None if stored is None else Inputs.parse(stored.body)


def _find(field: str, source: DataSource, objects: DataObjects) -> list[Listed]:
    if source.uri.endswith("/"):
        found = objects.under(source.uri)
        if not found:
            raise Refused(
                Reason.DATA_NOT_FOUND, f"{field}.uri: {source.uri} holds no object with data; check the prefix"
            )
        return found
    one = objects.find(source.uri, source.version_id)
    if one is None:
        version = f" in version {source.version_id}" if source.version_id else ""
        raise Refused(
            Reason.DATA_NOT_FOUND,
            f"{field}.uri: {source.uri} does not exist{version}; write an object's uri, or a prefix that ends in /",
        )
    return [one]
