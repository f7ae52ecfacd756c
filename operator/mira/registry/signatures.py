"""Looking for a signature over a version's manifest by one of the keys that count."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mira.registry.cache import Cache
from mira.registry.dsse import ENVELOPE_LIMIT
from mira.registry.keys import VersionKey
from mira.registry.steps import Call, Get, Procedure, Steps, get
from mira.registry.store import ObjectStore, Stored, StoreUnavailable
from mira.registry.verified import Tampered


class Verifier(Protocol):
    """Public keys: `mira.registry.signing.PublicKeys`."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The keys' ids, in order."""
        ...

    def problem(self, key_id: str, envelope: bytes, version: VersionKey, digest: str) -> str:
        """Empty if the envelope holds this key's signature over exactly this manifest, else what is wrong with it."""
        ...


@dataclass(frozen=True)
class Sought:
    """What was found: `key_id` is the key that signed; without one, `problem` says why, if anything lay there."""

    key_id: str | None = None
    problem: str = ""


class NotSigned(Tampered):
    """A version that none of the keys that count has signed."""


def keys_in(folder: Path | None) -> Verifier | None:
    """The public keys of `$MIRA_VERIFY_KEYS`, of which one must sign; None if no folder is named. Raises ValueError."""
    if folder is None:
        return None
    from mira.registry.signing import KeyInvalid, PublicKeys  # noqa: PLC0415 - only who verifies waits for cryptography

    try:
        return PublicKeys.in_folder(folder)
    except KeyInvalid as error:
        raise ValueError(f"MIRA_VERIFY_KEYS: {error}") from error


def must_be_signed(version: VersionKey, digest: str, keys: Verifier, store: ObjectStore, cache: Cache | None) -> None:
    """Raises NotSigned unless one of the keys has signed this manifest; StoreUnavailable if nobody can say.

    What lay there when the store last answered is as good as what lies there now: it is verified all the same.
    """
    away: list[StoreUnavailable] = []

    def answer(call: Call) -> Stored | None:
        if not isinstance(call, Get):
            raise TypeError(f"{type(call).__name__} is no part of looking for a signature")
        try:
            stored = store.get(call.key, limit=call.limit)
        except StoreUnavailable as error:
            remembered = cache and cache.remembered(call.key)
            if not remembered:
                away.append(error)
            return Stored(remembered.body, "") if remembered else None
        if stored is not None and cache is not None:
            # A cache that cannot be written costs only the memory of it.
            with suppress(OSError):
                cache.remember(call.key, stored.body)
        return stored

    sought = Procedure(find_signature(version, digest, keys)).advance(answer)
    if sought.key_id is not None:
        return
    if away:
        raise away[0]
    known = ", ".join(key_id[:12] for key_id in keys.ids)
    raise NotSigned(sought.problem or f"{version.manifest} with digest {digest} is signed by none of {known}")


def find_signature(version: VersionKey, digest: str, keys: Verifier) -> Steps[Sought]:
    """The first valid signature by one of the keys. Where each would lie is known: nobody's junk hides another's."""
    problem = ""
    for key_id in keys.ids:
        key = version.signature(digest, key_id)
        stored = yield from get(key, limit=ENVELOPE_LIMIT)
        if stored is None:
            continue
        wrong = keys.problem(key_id, stored.body, version, digest)
        if not wrong:
            return Sought(key_id)
        problem = problem or f"{key}: {wrong}"
    return Sought(None, problem)
