"""Signed statements: in-toto's Statement v1 in a DSSE envelope, as other tools write and read them.

Here are the formats alone. Keys and the arithmetic of signatures are in `signing.py`.
"""

import base64
import binascii
import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mira.api.canonical import canonical_bytes
from mira.registry.document import DocumentInvalid, Part, Sha256, parse_json, validated
from mira.registry.manifest import MOST_FILES

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
ENVELOPE_LIMIT = 64 * 1024
MOST_SIGNATURES = 16
DEEPEST = 30
"""A statement says of an order's parameters, which may be as deep as a document, a few levels further down."""
URL_SAFE = re.compile(r"[-_]")
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/_-]*={0,2}$", max_length=ENVELOPE_LIMIT)]
Url = Annotated[str, StringConstraints(pattern=r"^https://[!-~]+$", max_length=512)]


class Foreign(Part):
    """A document whose form others have set: it says what it is in their way and not by Mira's `schema`."""

    LIMIT: ClassVar[int]

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The document in these bytes. Raises DocumentInvalid: too large, not JSON, too deep, wrong field."""
        content = parse_json(raw, limit=cls.LIMIT, deepest=DEEPEST)
        if not isinstance(content, dict):
            raise DocumentInvalid(f"a {type(content).__name__} is no {cls.__name__}")
        return validated(cls, content)

    def render(self) -> bytes:
        """The canonical bytes (RFC 8785)."""
        return canonical_bytes(self.model_dump(mode="json", by_alias=True, exclude_none=True))


class Digests(Part):
    """The digests of a subject; others may be given beside the sha256."""

    sha256: Sha256


class Subject(Part):
    """What a statement is about: a name, and the digest that alone says which bytes."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    digest: Digests


class Statement(Foreign):
    """in-toto's Statement v1: something (the predicate, of a type) is said of bytes (the subject)."""

    LIMIT: ClassVar[int] = 16 * 1024 * 1024

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[Subject] = Field(min_length=1, max_length=MOST_FILES)
    predicate_type: Url
    predicate: dict[str, Any] = Field(default_factory=dict)


class Signature(Part):
    """One signature over the envelope's payload and its type. `keyid` is a hint by which to choose a key, no proof."""

    keyid: Annotated[str, StringConstraints(max_length=256)] = ""
    sig: Base64

    @property
    def raw(self) -> bytes:
        """The signature's bytes. Raises DocumentInvalid."""
        return decoded(self.sig, "signatures.sig")


class Envelope(Foreign):
    """A DSSE envelope: a payload, what kind of payload it is, and signatures over both."""

    LIMIT: ClassVar[int] = ENVELOPE_LIMIT

    payload: Base64
    payload_type: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    signatures: list[Signature] = Field(min_length=1, max_length=MOST_SIGNATURES)

    @model_validator(mode="after")
    def is_base64(self) -> Self:
        """Refuses what cannot be decoded, so that whoever has an envelope can use all of it."""
        try:
            decoded(self.payload, "payload")
            for each in self.signatures:
                decoded(each.sig, "sig")
        except DocumentInvalid as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def body(self) -> bytes:
        """The payload's bytes."""
        return decoded(self.payload, "payload")


def pae(payload_type: str, body: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding, in which lengths leave nothing to interpret."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def encoded(raw: bytes) -> str:
    """The bytes as standard base64."""
    return base64.b64encode(raw).decode()


def decoded(text: str, what: str) -> bytes:
    """The bytes in standard or URL-safe base64, both of which DSSE allows. Raises DocumentInvalid."""
    alphabet = b"-_" if URL_SAFE.search(text) else b"+/"
    if alphabet == b"-_" and ("+" in text or "/" in text):
        raise DocumentInvalid(f"{what}: mixes two alphabets of base64")
    if len(text) % 4:
        raise DocumentInvalid(f"{what}: not base64: its length is no multiple of 4")
    try:
        return base64.b64decode(text, altchars=alphabet, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DocumentInvalid(f"{what}: not base64: {error}") from error
