"""The lineage entry: one decision on a stage (or a Void), numbered and chained; and the pointer, which renders one."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from mira.api.scalars import MetricName, ModelName, Slice, StageName, VersionId
from mira.registry.document import DecimalText, Digest, Document, Part, Sha256, Time, sha256
from mira.registry.keys import LARGEST_NUMBER, StageKey, VersionKey
from mira.registry.manifest import Name, Text

Number = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
GENESIS = "0" * 64
ENTRY_LIMIT = 512 * 1024


class EntryKind(StrEnum):
    """What an entry does. A Void closes its number and decides nothing."""

    PROMOTE = "Promote"
    ROLL_BACK = "RollBack"
    REFUSE = "Refuse"
    VOID = "Void"


class GateResult(StrEnum):
    """What a gate said."""

    PASS = "Pass"  # noqa: S105 - a gate's verdict
    FAIL = "Fail"
    INCONCLUSIVE = "Inconclusive"


class Decision(StrEnum):
    """What an approver said."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class Version(Part):
    """A version pinned by its manifest's digest."""

    version: VersionId
    digest: Digest


class MovedBy(Part):
    """The last entry that moved the stage, and the resource that asked for it."""

    number: Number
    name: Name
    creation_timestamp: Time


class Asker(Part):
    """The ModelPromotion that was decided, as it was at its last live read."""

    namespace: Name
    name: Name
    uid: Name
    creation_timestamp: Time


class Approval(Part):
    """One approval that counted, or the rejection that decided."""

    approver: Text
    decision: Decision
    digest: Digest | None = None
    comment: Text | None = None
    seen_at: Time


class Gate(Part):
    """One gate as it was measured when the decision was made."""

    metric: MetricName
    slice: Slice = ""
    measured: DecimalText | None = None
    current: DecimalText | None = None
    lower: DecimalText | None = None
    threshold: Text
    result: GateResult
    reason: Name


class Entry(Document):
    """One number of a stage's lineage. `current` is the version that the stage serves after this entry.

    `signed_by` is the id of the key whose signature over the candidate was verified, where keys are configured.
    """

    SCHEMA: ClassVar[str] = "mira.entry/v1"
    # 32 approvals and 32 gates with the longest words that the API takes; what does not fit would stop the stage.
    LIMIT: ClassVar[int] = ENTRY_LIMIT

    number: Number
    prev_sha256: Sha256
    op: Sha256
    kind: EntryKind
    reason: Name
    message: Text = ""
    namespace: ModelName
    model: ModelName
    stage: StageName
    current: Version | None = None
    moved_by: MovedBy | None = None
    previous: Version | None = Field(default=None, alias="from")
    candidate: VersionId
    resource: Asker
    requested_by: Text
    approvals: list[Approval] = Field(default_factory=list, max_length=64)
    gates: list[Gate] = Field(default_factory=list, max_length=64)
    policy_digest: Digest | None = None
    signed_by: Sha256 | None = None
    justification: Text | None = None
    decided_at: Time
    operator_version: Name

    @model_validator(mode="after")
    def moves_say_who_moved(self) -> Self:
        """Refuses a move that does not name its current version and itself as the last move, and a later last move."""
        moves = self.kind in (EntryKind.PROMOTE, EntryKind.ROLL_BACK)
        if moves and (self.current is None or self.moved_by is None or self.moved_by.number != self.number):
            raise ValueError("an entry that moves the stage names its current version and itself as movedBy")
        if self.moved_by is not None and self.moved_by.number > self.number:
            raise ValueError("movedBy is a later entry")
        return self

    @property
    def stage_key(self) -> StageKey:
        """The stage whose lineage this is."""
        return StageKey(self.namespace, self.model, self.stage)


class Pointer(Document):
    """`current.json`: the newest lineage entry, rendered for readers. A pure function of that entry's bytes."""

    SCHEMA: ClassVar[str] = "mira.pointer/v1"

    number: Number
    entry_sha256: Sha256
    namespace: ModelName
    model: ModelName
    stage: StageName
    current: Version | None = None
    manifest: Text | None = None
    moved_by: MovedBy | None = None
    decided_at: Time


def render_pointer(raw: bytes) -> bytes:
    """The pointer's bytes for an entry's bytes: equal entries give equal pointers, different entries different ones."""
    entry = Entry.parse(raw)
    manifest = None
    if entry.current is not None:
        manifest = VersionKey(entry.namespace, entry.model, entry.current.version).manifest
    return Pointer(
        number=entry.number,
        entry_sha256=sha256(raw),
        namespace=entry.namespace,
        model=entry.model,
        stage=entry.stage,
        current=entry.current,
        manifest=manifest,
        moved_by=entry.moved_by,
        decided_at=entry.decided_at,
    ).render()
