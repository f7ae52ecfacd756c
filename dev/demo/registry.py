"""What the demo shows of the registry: read as any reader would, with a reader's credentials."""

from collections.abc import Iterable
from pathlib import Path

import boto3

from dev.s3.roles import REGION, REGISTRY_URI, Role
from dev.s3.server import SeaweedFS
from mira.registry import reader
from mira.registry.document import REGISTRY_LIMIT, format_time
from mira.registry.entry import Entry
from mira.registry.keys import StageKey, VersionKey
from mira.registry.lineage import verify_chain
from mira.registry.manifest import MANIFEST_LIMIT, Manifest
from mira.registry.s3 import S3Store
from mira.registry.steps import Procedure, answer_from


class Registry:
    """One stage of one model, as its readers see it."""

    def __init__(self, s3: SeaweedFS, stage: StageKey) -> None:
        keys = s3.credentials(Role.READER)
        session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        self._store = S3Store(REGISTRY_URI, session=session, endpoint=s3.endpoint)
        self._stage = stage

    def current(self) -> str | None:
        """The id of the version that is current."""
        stage = self._stage
        found = reader.Registry(self._store).current(namespace=stage.namespace, model=stage.model, stage=stage.stage)
        return found.version if found else None

    def has_version(self, version: str) -> bool:
        """Whether the version exists, which is to say: its manifest."""
        return self._store.head(self._key(version).manifest) is not None

    def lineage_table(self) -> str:
        """The verified chain, an entry a line."""
        Procedure(verify_chain(self._stage)).advance(lambda call: answer_from(self._store, call))
        rows: list[tuple[str, ...]] = [
            ("NO", "WHEN", "WHAT", "VERSION", "ASKED BY", "APPROVED BY", "WHY", "CHAINED TO")
        ]
        for key in self._store.list(self._stage.lineage):
            stored = self._store.get(key, limit=REGISTRY_LIMIT)
            if stored is not None:
                rows.append(_row(Entry.parse(stored.body)))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def pointer_text(self) -> str:
        """The pointer's bytes."""
        stored = self._store.get(self._stage.pointer, limit=REGISTRY_LIMIT)
        return f"{self._store.uri(self._stage.pointer)}\n{stored.body.decode() if stored else 'absent'}"

    def download_cards(self, folder: Path, versions: Iterable[str]) -> list[Path]:
        """Where the model card of each version now lies."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for version in versions:
            stored = self._store.get(self._key(version).manifest, limit=MANIFEST_LIMIT)
            if stored is None:
                continue
            files = Manifest.parse(stored.body).files
            card = next((file for file in files if file.path.endswith("/report/model-card.html")), None)
            if card is not None:
                path = folder / f"{version}.html"
                self._store.download(self._key(version).file(card.path), path)
                written.append(path)
        return written

    def _key(self, version: str) -> VersionKey:
        return VersionKey(self._stage.namespace, self._stage.model, version)


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.number),
        format_time(entry.decided_at),
        entry.reason,
        entry.current.version if entry.current else "-",
        entry.requested_by,
        ", ".join(approval.approver for approval in entry.approvals) or "-",
        entry.justification or "-",
        entry.prev_sha256[:12],
    )
