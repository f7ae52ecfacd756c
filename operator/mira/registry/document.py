"""How documents are read and written: hostile bytes in, canonical bytes out."""

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError

from mira.api.canonical import NotCanonicalError, canonical_bytes
from mira.registry.keys import digest_of

DEEPEST = 20
REGISTRY_LIMIT = 64 * 1024
LONGEST_REFUSAL = 300
LARGEST_DECIMAL = 1e20
STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
BRACKET = re.compile(rb"[\[\]{}]")


class DocumentInvalid(ValueError):
    """Bytes that are not the document that they should be; says which rule they break."""


class Part(BaseModel):
    """A piece of a document. Unknown fields are left out, so that an older reader survives a newer writer."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        strict=False,
        # Kept as they are, NaN and infinities are refused where they are written; by default they turn into null.
        ser_json_inf_nan="constants",
    )


P = TypeVar("P", bound=Part)


class Document(Part):
    """One JSON document in S3, with its schema's name and version inside."""

    SCHEMA: ClassVar[str]
    LIMIT: ClassVar[int] = REGISTRY_LIMIT

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The document in these bytes. Raises DocumentInvalid: too large, not JSON, too deep, wrong schema or field."""
        content = parse_json(raw, limit=cls.LIMIT)
        if not isinstance(content, dict) or content.get("schema") != cls.SCHEMA:
            found = content.get("schema") if isinstance(content, dict) else type(content).__name__
            raise DocumentInvalid(f"schema is {str(found)[:80]!r}, must be {cls.SCHEMA!r}")
        return validated(cls, content)

    def render(self) -> bytes:
        """The canonical bytes (RFC 8785): equal documents are equal bytes, whoever writes them.

        Fields without a value are left out. Raises DocumentInvalid for a free-form value that JSON does not hold.
        """
        try:
            content = {"schema": self.SCHEMA} | self.model_dump(mode="json", by_alias=True, exclude_none=True)
            return canonical_bytes(content)
        except (NotCanonicalError, PydanticSerializationError) as error:
            raise DocumentInvalid(f"{self.SCHEMA} cannot be written: {error}"[:LONGEST_REFUSAL]) from error


def validated(kind: type[P], content: dict[str, Any]) -> P:
    """The content as this kind of document. Raises DocumentInvalid naming the first field that is wrong."""
    try:
        # By alias alone: with two spellings of one field, two readers could see two values in the same bytes.
        return kind.model_validate(content, by_alias=True, by_name=False)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or str(getattr(kind, "SCHEMA", kind.__name__))
        raise DocumentInvalid(f"{where}: {first['msg']}"[:LONGEST_REFUSAL]) from error


def parse_json(raw: bytes, *, limit: int, deepest: int = DEEPEST) -> Any:
    """The JSON value in these bytes. Raises DocumentInvalid: too large, not UTF-8, duplicate keys, NaN, too deep."""
    if len(raw) > limit:
        raise DocumentInvalid(f"{len(raw)} bytes are more than the {limit} allowed")
    if _depth(raw) > deepest:
        raise DocumentInvalid(f"nested deeper than {deepest} levels")
    try:
        return json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except DocumentInvalid:
        raise
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DocumentInvalid(f"not JSON: {error}"[:LONGEST_REFUSAL]) from error


def digest(raw: bytes) -> str:
    """The digest of these bytes as `sha256:<hex>`."""
    return digest_of(sha256(raw))


def sha256(raw: bytes) -> str:
    """The sha256 of these bytes as bare hex, as entries chain and as manifests name their files."""
    return hashlib.sha256(raw).hexdigest()


def decimal_text(value: float) -> str:
    """The value as a decimal string without exponent, rounded to 6 places: documents and gates hold no floats.

    Raises ValueError for what has none: NaN, an infinity, 1e20 and more.
    """
    if not abs(value) < LARGEST_DECIMAL:
        raise ValueError(f"{value} has no decimal text: it must be a finite number below {LARGEST_DECIMAL}")
    text = format(Decimal(repr(round(float(value), 6))), "f")
    return "0.0" if text == "-0.0" else text


def _depth(raw: bytes) -> int:
    """How deep brackets nest, strings left out; found before json.loads, whose own limit is the interpreter's stack."""
    depth = deepest = 0
    for bracket in BRACKET.findall(STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise DocumentInvalid("an object has the same key twice")
    return content


def _refuse_constant(name: str) -> Any:
    raise DocumentInvalid(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise DocumentInvalid(f"{text[:80]} is not a number that a double holds")
    return value


def _as_written(moment: datetime) -> datetime:
    """The moment as it is written, UTC and whole seconds, so that what is rendered reads back equal."""
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone")
    if not 1000 < moment.year < 9999:
        raise ValueError("a time must lie between the years 1001 and 9998")
    return moment.astimezone(UTC).replace(microsecond=0)


def format_time(moment: datetime) -> str:
    """The moment as Kubernetes and the registry write it: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# pydantic matches in Rust: its `$` is the end of the text only, unlike Python's.
Time = Annotated[datetime, AfterValidator(_as_written), PlainSerializer(format_time, when_used="json")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# 32 characters, as many as the statuses that show it may hold.
DecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$", max_length=32)]
