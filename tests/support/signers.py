"""Keys that sign versions in tests, made anew for each test process, and the public halves by which they are known."""

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_p256
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mira.registry.signing import PublicKeys, SigningKey

Private = Ed25519PrivateKey | EllipticCurvePrivateKey
_MADE: dict[str, Private] = {}


def a_signer(private: Private) -> SigningKey:
    """The key as a training pod has it."""
    made = SigningKey.of(private_pem(private), "a test's key")
    _MADE[made.key_id] = private
    return made


def private_pem(private: Private) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(signer: SigningKey) -> bytes:
    """What the operator and readers are given of the key."""
    return _MADE[signer.key_id].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def keys(*signers: SigningKey) -> PublicKeys:
    """The keys of which one must have signed."""
    return PublicKeys.of((signer.key_id, public_pem(signer)) for signer in signers)


ED25519, P256 = a_signer(Ed25519PrivateKey.generate()), a_signer(new_p256(SECP256R1()))
