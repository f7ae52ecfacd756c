"""Signing a version's manifest, and verifying who signed it. Nobody imports this (or `cryptography`) without a key.

Ed25519 and ECDSA on P-256 with SHA-256. A key's id is the sha256 of its public half as DER (SubjectPublicKeyInfo):
`openssl pkey -pubin -in key.pub.pem -outform DER | sha256sum` tells it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as EcKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as EdKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mira.registry.document import DocumentInvalid, sha256
from mira.registry.dsse import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    Digests,
    Envelope,
    Signature,
    Statement,
    Subject,
    encoded,
    pae,
)
from mira.registry.keys import VersionKey, hex_of

SIGNED_VERSION = "https://mira.constellation.dev/attestation/version/v1"
MOST_KEYS = 16
LARGEST_KEY = 16 * 1024
PUBLIC_KEYS = "*.pem"
SUPPORTED = "Ed25519 or ECDSA on P-256"
PublicKey: TypeAlias = EdKey | EcKey


class KeyInvalid(ValueError):
    """A key that cannot be used; says which and why, and never what it holds."""


@dataclass(frozen=True)
class SigningKey:
    """A private key. Nothing of it is in its representation."""

    key_id: str
    _key: Ed25519PrivateKey | EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def of(cls, pem: bytes, name: str) -> "SigningKey":
        """The key in this PEM (PKCS #8 or SEC 1, without a passphrase). Raises KeyInvalid."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # What the library says could hold a piece of the file.
            raise KeyInvalid(
                f"{name}: is no private key in PEM without a passphrase; make one: openssl genpkey -algorithm ed25519"
            ) from None
        if isinstance(key, Ed25519PrivateKey):
            return cls(key_id(key.public_key()), key)
        if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
            return cls(key_id(key.public_key()), key)
        raise KeyInvalid(f"{name}: is a key of another kind; use {SUPPORTED}")

    @classmethod
    def in_file(cls, path: Path) -> "SigningKey":
        """The key in this file. Raises KeyInvalid."""
        return cls.of(_read(path), str(path))

    def signed(self, version: VersionKey, digest: str) -> bytes:
        """The envelope that says: this key has signed the manifest with this digest, as this version's."""
        body = statement(version, digest).render()
        message = pae(PAYLOAD_TYPE, body)
        if isinstance(self._key, Ed25519PrivateKey):
            raw = self._key.sign(message)
        else:
            raw = self._key.sign(message, ECDSA(SHA256()))
        signature = Signature(keyid=self.key_id, sig=encoded(raw))
        return Envelope(payload=encoded(body), payload_type=PAYLOAD_TYPE, signatures=[signature]).render()


@dataclass(frozen=True)
class PublicKeys:
    """The keys of which one must have signed, by id."""

    keys: Mapping[str, PublicKey]

    @classmethod
    def of(cls, pems: Iterable[tuple[str, bytes]]) -> "PublicKeys":
        """These keys, each PEM with a name by which to speak of it. Raises KeyInvalid, also if there is none."""
        keys: dict[str, PublicKey] = {}
        for name, pem in pems:
            key = _public(pem, name)
            keys[key_id(key)] = key
        if not 0 < len(keys) <= MOST_KEYS:
            raise KeyInvalid(f"{len(keys)} public keys were found, 1 to {MOST_KEYS} are needed")
        return cls(keys)

    @classmethod
    def in_folder(cls, folder: Path) -> "PublicKeys":
        """The keys in the folder's `*.pem` files, as a ConfigMap is mounted. Raises KeyInvalid: any, none, too many."""
        # Kubernetes mounts links to a hidden folder beside the names.
        files = sorted(path for path in folder.glob(PUBLIC_KEYS) if not path.name.startswith("."))
        if not files:
            raise KeyInvalid(f"{folder}: holds no {PUBLIC_KEYS} file; put the public keys there")
        return cls.of((str(path), _read(path)) for path in files)

    @property
    def ids(self) -> tuple[str, ...]:
        """The keys' ids, in order."""
        return tuple(sorted(self.keys))

    def problem(self, key_id: str, envelope: bytes, version: VersionKey, digest: str) -> str:
        """Empty if the envelope holds this key's signature over exactly this manifest, else what is wrong with it."""
        try:
            found = Envelope.parse(envelope)
            if found.payload_type != PAYLOAD_TYPE:
                return f"its payload is {found.payload_type[:80]!r}, must be {PAYLOAD_TYPE!r}"
            message = pae(found.payload_type, found.body)
            # The id in the envelope is not signed: it only chooses among signatures.
            own = [each for each in found.signatures if each.keyid in ("", key_id)]
            if not any(_verifies(self.keys[key_id], each.raw, message) for each in own):
                return "no signature in it is this key's over its payload"
            return _wrong_statement(Statement.parse(found.body), version, digest)
        except DocumentInvalid as error:
            return str(error)


def statement(version: VersionKey, digest: str) -> Statement:
    """What is signed: that these bytes are the manifest of this version."""
    subject = Subject(name=version.manifest, digest=Digests(sha256=hex_of(digest)))
    return Statement(type_=STATEMENT_TYPE, subject=[subject], predicate_type=SIGNED_VERSION)


def key_id(key: PublicKey) -> str:
    """The sha256 of the key as DER, bare hex."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _wrong_statement(found: Statement, version: VersionKey, digest: str) -> str:
    if found.predicate_type != SIGNED_VERSION:
        return f"it says {found.predicate_type[:80]}, must be {SIGNED_VERSION}"
    wanted = (version.manifest, hex_of(digest))
    if [(each.name, each.digest.sha256) for each in found.subject] != [wanted]:
        first = found.subject[0]
        return f"it is about {first.name[:200]} with sha256 {first.digest.sha256}"
    return ""


def _verifies(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, EdKey):
            key.verify(signature, message)
        else:
            key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _public(pem: bytes, name: str) -> PublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyInvalid(
            f"{name}: is no public key in PEM; write it with: openssl pkey -in key.pem -pubout -out key.pub.pem"
        ) from None
    if isinstance(key, EdKey) or (isinstance(key, EcKey) and isinstance(key.curve, SECP256R1)):
        return key
    raise KeyInvalid(f"{name}: is a key of another kind; use {SUPPORTED}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_KEY + 1)
    except OSError as error:
        raise KeyInvalid(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > LARGEST_KEY:
        raise KeyInvalid(f"{path}: has more than {LARGEST_KEY} bytes and is no key")
    return content
