"""The reader for asyncio."""

import asyncio
from pathlib import Path

from mira.registry.reader import Current, ReadableStore, Registry, VerifiedVersion
from mira.registry.signatures import Verifier


class AsyncRegistry:
    """`Registry`'s answers and errors, each waited for in a thread: the event loop goes on."""

    def __init__(
        self, store: ReadableStore | str, *, cache: Path | None = None, verify_keys: Verifier | None = None
    ) -> None:
        self.registry = Registry(store, cache=cache, verify_keys=verify_keys)

    async def current(self, *, namespace: str, model: str, stage: str) -> Current | None:
        """See `Registry.current`."""
        return await asyncio.to_thread(self.registry.current, namespace=namespace, model=model, stage=stage)

    async def version(
        self, *, namespace: str, model: str, version: str, expected_digest: str | None = None
    ) -> VerifiedVersion | None:
        """See `Registry.version`."""
        return await asyncio.to_thread(
            self.registry.version, namespace=namespace, model=model, version=version, expected_digest=expected_digest
        )

    async def folder(self, version: VerifiedVersion) -> Path:
        """See `Registry.folder`."""
        return await asyncio.to_thread(self.registry.folder, version)
