"""What a prefix held when the first attempt listed it: later attempts read exactly that."""

from typing import ClassVar

from pydantic import Field

from mira.registry.document import Document, Part, Sha256
from mira.registry.manifest import MANIFEST_LIMIT, MOST_FILES, Name, Text


class Listed(Part):
    """One object under the prefix; a snapshot that Mira made itself has a sha256."""

    uri: Text
    size: int = Field(ge=0)
    etag: Text
    version_id: Text | None = None
    sha256: Sha256 | None = None


class Listing(Part):
    """One named source and its objects in the order in which they are read."""

    name: Name
    objects: list[Listed] = Field(max_length=MOST_FILES)


class Inputs(Document):
    """The create-only listing of every prefix of an order."""

    SCHEMA: ClassVar[str] = "mira.inputs/v1"
    LIMIT: ClassVar[int] = MANIFEST_LIMIT * 4

    listings: list[Listing] = Field(max_length=64)
