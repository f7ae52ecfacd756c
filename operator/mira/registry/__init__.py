"""What lies in S3: the keys, the documents and the protocol that moves a stage, against an ObjectStore port.

For readers: `from mira.registry import Registry`, or AsyncRegistry. S3 is reached by `mira.registry.s3` alone; nothing
here imports it before a registry in S3 is opened.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mira.registry.asynchronous import AsyncRegistry as AsyncRegistry
    from mira.registry.reader import Current as Current
    from mira.registry.reader import NotSigned as NotSigned
    from mira.registry.reader import Registry as Registry
    from mira.registry.reader import Tampered as Tampered
    from mira.registry.reader import VerifiedVersion as VerifiedVersion
    from mira.registry.signing import PublicKeys as PublicKeys
    from mira.registry.store import StoreRefused as StoreRefused
    from mira.registry.store import StoreUnavailable as StoreUnavailable

_HOMES = {
    "AsyncRegistry": "asynchronous",
    "Current": "reader",
    "NotSigned": "reader",
    "PublicKeys": "signing",
    "Registry": "reader",
    "StoreRefused": "store",
    "StoreUnavailable": "store",
    "Tampered": "reader",
    "VerifiedVersion": "reader",
}


def __getattr__(name: str) -> Any:
    """The reader's names, imported when they are used: whoever wants the keys alone does not wait for the rest."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
