"""Progress: which step an attempt has begun, a small document for each, so that whoever waits can see where it is."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from mira.registry.document import Document, Time
from mira.registry.keys import LARGEST_STEP
from mira.registry.manifest import Name


class Step(StrEnum):
    """A step of a training, in the order in which they are done."""

    INGEST = "ingest"
    VALIDATE = "validate"
    TRAIN = "train"
    EVALUATE = "evaluate"
    PUBLISH = "publish"


class Progress(Document):
    """One step that an attempt has begun; create-only. User code can write it: it is news for people, never a proof."""

    SCHEMA: ClassVar[str] = "mira.progress/v1"
    LIMIT: ClassVar[int] = 2048

    attempt: Name
    number: int = Field(ge=1, le=LARGEST_STEP)
    step: Step
    message: Annotated[str, StringConstraints(max_length=256)] = ""
    begun_at: Time
