"""Who signed a version: keys, what they sign, what does not verify, and readers that ask for it."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.registry import NotSigned, Registry
from mira.registry.deciding import Decided
from mira.registry.document import digest
from mira.registry.dsse import Envelope, encoded
from mira.registry.folder import FolderStore
from mira.registry.keys import VersionKey
from mira.registry.signatures import Sought, find_signature
from mira.registry.signing import SIGNED_VERSION, KeyInvalid, PublicKeys, SigningKey
from mira.registry.steps import Create, Get, Procedure, answer_from
from mira.registry.store import StoreUnavailable
from tests.registry.readable import overwrite, point
from tests.registry.readable import publish as publish_readable
from tests.support.signers import ED25519, P256, a_signer, keys, private_pem, public_pem
from tests.support.world import KEY, MODEL, NAMESPACE, NOON, World, promotion, publish, stage

V1 = VersionKey("team-a", "churn", "v1")
DIGEST = "sha256:" + "1" * 64
BOTH = [ED25519, P256]
KIND = ["Ed25519", "P-256"]
# Once: a P-256 signature is another one each time.
SIGNED = {signer.key_id: signer.signed(V1, DIGEST) for signer in BOTH}
A_STRANGER = a_signer(new_curve(P256._key.curve))  # type: ignore[union-attr]


def changed(envelope: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    content = json.loads(envelope)
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize("signer", BOTH, ids=KIND)
def test_a_signature_is_by_this_key_over_this_manifest_of_this_version(signer: SigningKey) -> None:
    envelope = signer.signed(V1, DIGEST)
    known = keys(ED25519, P256)
    assert known.problem(signer.key_id, envelope, V1, DIGEST) == ""
    other = ED25519 if signer is P256 else P256
    assert "no signature in it" in known.problem(other.key_id, envelope, V1, DIGEST)
    assert "it is about" in known.problem(signer.key_id, envelope, V1, "sha256:" + "2" * 64)
    assert "it is about" in known.problem(signer.key_id, envelope, VersionKey("team-b", "churn", "v1"), DIGEST)


@pytest.mark.parametrize("signer", BOTH, ids=KIND)
@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.data())
def test_no_changed_byte_of_what_is_signed_is_overlooked(signer: SigningKey, data: st.DataObject) -> None:
    def spoil(content: dict[str, Any]) -> None:
        field = data.draw(st.sampled_from(["payload", "sig"]))
        holder = content if field == "payload" else content["signatures"][0]
        body = bytearray(base64.b64decode(holder[field]))
        body[data.draw(st.integers(0, 1000)) % len(body)] ^= data.draw(st.integers(1, 255))
        holder[field] = encoded(bytes(body))

    envelope = changed(SIGNED[signer.key_id], spoil)
    assert keys(signer).problem(signer.key_id, envelope, V1, DIGEST)


HOSTILE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another type of payload": lambda it: it.update(payloadType="application/json"),
    "a strange key under our id": lambda it: it.update(
        signatures=[{"keyid": ED25519.key_id, "sig": it["signatures"][0]["sig"][:-8] + "AAAAAAA="}]
    ),
    "our signature under another id": lambda it: it["signatures"][0].update(keyid="x"),
    "an empty signature": lambda it: it["signatures"][0].update(sig=""),
    "a signature of another length": lambda it: it["signatures"][0].update(sig=encoded(b"x" * 1000)),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("signer", BOTH, ids=KIND)
def test_is_not_taken(signer: SigningKey, change: Callable[[dict[str, Any]], Any]) -> None:
    assert keys(signer).problem(signer.key_id, changed(signer.signed(V1, DIGEST), change), V1, DIGEST)


def test_the_key_id_in_an_envelope_is_only_a_hint() -> None:
    def without(content: dict[str, Any]) -> None:
        del content["signatures"][0]["keyid"]
        content["signatures"].insert(0, {"keyid": ED25519.key_id, "sig": encoded(b"junk")})

    envelope = changed(ED25519.signed(V1, DIGEST), without)
    assert keys(ED25519).problem(ED25519.key_id, envelope, V1, DIGEST) == ""


def test_another_statement_that_the_key_has_signed_is_no_signature_of_a_version() -> None:
    """E.g. a provenance that the same key signed elsewhere: what is said must be what is asked."""
    signed = Envelope.parse(ED25519.signed(V1, DIGEST))
    other = signed.body.replace(SIGNED_VERSION.encode(), b"https://slsa.dev/provenance/v1")
    from mira.registry.dsse import PAYLOAD_TYPE, pae

    sig = ED25519._key.sign(pae(PAYLOAD_TYPE, other))  # type: ignore[call-arg]
    envelope = json.dumps(
        {"payload": encoded(other), "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": encoded(sig)}]}
    ).encode()
    assert keys(ED25519).problem(ED25519.key_id, envelope, V1, DIGEST) == (
        f"it says https://slsa.dev/provenance/v1, must be {SIGNED_VERSION}"
    )


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_bytes_lie_there_they_are_no_signature(junk: bytes) -> None:
    assert keys(ED25519).problem(ED25519.key_id, junk, V1, DIGEST)


# Keys


def test_a_key_is_not_shown() -> None:
    secret = private_pem(ED25519._key).decode().splitlines()[1]
    assert secret not in repr(ED25519)
    assert secret not in str(vars(ED25519))


def pem_of(private: Any, encryption: Any = None) -> bytes:
    if encryption is None:
        return private_pem(private)
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


NOT_PRIVATE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is no private key in PEM without a passphrase"),
    "a public key": (public_pem(ED25519), "is no private key in PEM"),
    "a key with a passphrase": (pem_of(ED25519._key, BestAvailableEncryption(b"x")), "without a passphrase"),
    "RSA": (pem_of(new_rsa(65537, 2048)), "is a key of another kind; use Ed25519 or ECDSA on P-256"),
    "P-384": (pem_of(new_curve(SECP384R1())), "is a key of another kind"),
}


@pytest.mark.parametrize(("pem", "said"), NOT_PRIVATE.values(), ids=NOT_PRIVATE.keys())
def test_no_key_to_sign_with_is(pem: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(KeyInvalid, match=said) as refusal:
        SigningKey.in_file(tmp_path / "key.pem")
    shown = str(refusal.value)
    assert shown.startswith(str(tmp_path / "key.pem"))
    assert not any(line in shown for line in pem.decode().splitlines() if line)
    assert refusal.value.__cause__ is None, "what the library says may hold a piece of the key"


def test_keys_are_read_from_a_folder_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    hidden = tmp_path / "..2026_11_26"
    hidden.mkdir()
    (tmp_path / "..data").symlink_to(hidden.name)
    for name, signer in (("old.pem", ED25519), ("new.pem", P256)):
        (hidden / name).write_bytes(public_pem(signer))
        (tmp_path / name).symlink_to(f"..data/{name}")
    (tmp_path / "README").write_text("not a key")
    assert PublicKeys.in_folder(tmp_path).ids == tuple(sorted((ED25519.key_id, P256.key_id)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "holds no *.pem file; put the public keys there"),
        ({"a.pem": b"junk"}, "a.pem: is no public key in PEM; write it with: openssl pkey"),
        ({"a.pem": private_pem(ED25519._key)}, "a.pem: is no public key in PEM"),
        ({"a.pem": b"x" * 20_000}, "has more than 16384 bytes"),
        (
            {"a.pem": new_rsa(65537, 2048).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)},
            "is a key of another kind; use Ed25519 or ECDSA on P-256",
        ),
    ],
)
def test_a_folder_without_usable_keys_is_refused(content: dict[str, bytes], said: str, tmp_path: Path) -> None:
    """Never taken for "no signature is asked for"."""
    for name, body in content.items():
        (tmp_path / name).write_bytes(body)
    with pytest.raises(KeyInvalid) as refusal:
        PublicKeys.in_folder(tmp_path)
    assert said in str(refusal.value)


# Looking for one


def sought(world: World, *signers: SigningKey) -> Sought:
    version = VersionKey(NAMESPACE, MODEL, "v9")
    manifest = digest(world.store.objects[version.manifest])
    return Procedure(find_signature(version, manifest, keys(*signers))).advance(
        lambda call: answer_from(world.store, call)
    )


def signed(world: World, signer: SigningKey, version: str = "v9") -> str:
    """The digest of the version, published and signed."""
    key = VersionKey(NAMESPACE, MODEL, version)
    manifest = publish(world.store, version)
    world.store.objects[key.signature(manifest, signer.key_id)] = signer.signed(key, manifest)
    return manifest


def test_junk_under_one_key_hides_no_signature_by_another() -> None:
    first, second = sorted(BOTH, key=lambda signer: signer.key_id)
    world = World()
    manifest = signed(world, second)
    world.store.objects[VersionKey(NAMESPACE, MODEL, "v9").signature(manifest, first.key_id)] = b"junk"
    assert sought(world, first, second) == Sought(second.key_id)
    assert "not JSON" in sought(world, first).problem


def test_a_signature_by_a_key_that_is_not_known_is_none() -> None:
    world = World()
    signed(world, A_STRANGER)
    assert sought(world, *BOTH) == Sought(None, "")


def test_a_signature_copied_under_another_keys_id_is_invalid() -> None:
    world = World()
    manifest = signed(world, A_STRANGER)
    key = VersionKey(NAMESPACE, MODEL, "v9")
    world.store.objects[key.signature(manifest, ED25519.key_id)] = A_STRANGER.signed(key, manifest)
    assert "no signature in it is this key's" in sought(world, *BOTH).problem


# Promotions


def decided(world: World, version: str, manifest: str, **spec: Any) -> Any:
    created = NOON + timedelta(minutes=1)
    mine = world.put(promotion(f"to-{version}", version, created=created, approvals={"bob": manifest}, **spec))
    return world.decide(mine)


@pytest.mark.parametrize("signer", BOTH, ids=KIND)
def test_a_signed_version_is_promoted_and_its_entry_says_by_whom_it_is_signed(signer: SigningKey) -> None:
    world = World(keys=keys(*BOTH), stage=stage())
    end = decided(world, "v9", signed(world, signer))
    assert isinstance(end, Decided)
    assert (end.link.entry.reason, end.link.entry.signed_by) == ("Promoted", signer.key_id)


def test_without_keys_no_signature_is_read_and_no_entry_names_one() -> None:
    world = World()
    end = decided(world, "v9", signed(world, ED25519))
    assert (end.link.entry.reason, end.link.entry.signed_by) == ("Promoted", None)
    assert not [request.key for request in world.store.requests if "/signatures/" in request.key]


def test_a_version_is_signed_later_by_another_key_and_promoted_under_another_name() -> None:
    """Rotation: the old key is gone, what it signed is countersigned by the new one."""
    world = World(keys=keys(P256))
    manifest = signed(world, ED25519)
    first = decided(world, "v9", manifest)
    assert (first.link.entry.kind, first.link.entry.reason) == ("Refuse", "NotSigned")
    key = VersionKey(NAMESPACE, MODEL, "v9")
    world.store.objects[key.signature(manifest, P256.key_id)] = P256.signed(key, manifest)
    again = world.put(promotion("again", "v9", created=NOON + timedelta(minutes=2), approvals={"bob": manifest}))
    end = world.decide(again)
    assert isinstance(end, Decided)
    assert (end.link.entry.reason, end.link.entry.signed_by) == ("Promoted", P256.key_id)


def test_no_entry_is_written_before_the_signature_is_read() -> None:
    world = World(keys=keys(ED25519))
    mine = world.put(promotion("mine", "v9", approvals={"bob": signed(world, ED25519)}))
    calls: list[Any] = []

    def noted(call: Any) -> Any:
        calls.append(call)
        return world.answer(call)

    world.procedure(mine).advance(noted)
    read = [at for at, call in enumerate(calls) if isinstance(call, Get) and "/signatures/" in call.key]
    wrote = [at for at, call in enumerate(calls) if isinstance(call, Create) and call.key.startswith(KEY.lineage)]
    assert read
    assert max(read) < min(wrote)


def test_while_s3_is_away_nothing_is_concluded_of_a_signature() -> None:
    world = World(keys=keys(ED25519))
    mine = world.put(promotion("mine", "v9", approvals={"bob": signed(world, ED25519)}))

    def away(call: Any) -> Any:
        if isinstance(call, Get) and "/signatures/" in call.key:
            raise StoreUnavailable("away")
        return world.answer(call)

    procedure = world.procedure(mine)
    with pytest.raises(StoreUnavailable):
        procedure.advance(away)
    assert world.entries() == []
    end = procedure.advance(world.answer)
    assert isinstance(end, Decided)
    assert end.link.entry.reason == "Promoted"


# Readers


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """A registry in which v1 is current, signed by the Ed25519 key."""
    store = FolderStore((tmp_path / "registry").as_uri())
    made = publish_readable(store, "v1", {"model.onnx": b"model"})
    manifest = digest(made.render())
    store.create(made.key.signature(manifest, ED25519.key_id), ED25519.signed(made.key, manifest))
    point(store, made, 1)
    return store


def current(registry: Registry) -> str:
    found = registry.current(namespace="team-a", model="churn", stage="production")
    assert found is not None
    return found.version


def test_a_reader_is_given_what_its_keys_have_signed(folder: FolderStore) -> None:
    assert current(Registry(folder, verify_keys=keys(*BOTH))) == "v1"


def test_a_reader_is_not_given_what_they_have_not(folder: FolderStore) -> None:
    with pytest.raises(NotSigned, match="is signed by none of"):
        current(Registry(folder, verify_keys=keys(P256)))
    with pytest.raises(NotSigned):
        Registry(folder, verify_keys=keys(P256)).version(namespace="team-a", model="churn", version="v1")
    assert current(Registry(folder)) == "v1"


def test_a_reader_says_what_is_wrong_with_a_signature(folder: FolderStore) -> None:
    (key,) = folder.list("models/team-a/churn/versions/v1/signatures/")
    overwrite(folder, key, A_STRANGER.signed(V1, DIGEST))
    with pytest.raises(NotSigned, match="no signature in it is this key's"):
        current(Registry(folder, verify_keys=keys(ED25519)))


def test_a_reader_whose_store_is_away_verifies_what_it_remembers(folder: FolderStore, tmp_path: Path) -> None:
    registry = Registry(folder, cache=tmp_path / "cache", verify_keys=keys(*BOTH))
    assert current(registry) == "v1"

    class Away:
        def __getattr__(self, name: str) -> Any:
            def away(*_: Any, **__: Any) -> Any:
                raise StoreUnavailable("away")

            return away

    registry.store = Away()
    assert current(registry) == "v1"
    # Nothing is known of a key that was not asked for before: nobody can say now.
    with pytest.raises(StoreUnavailable):
        current(Registry(Away(), cache=tmp_path / "cache", verify_keys=keys(P256)))
    (remembered,) = (tmp_path / "cache" / "answers").rglob("*.dsse.json")
    remembered.write_bytes(b"junk")
    with pytest.raises(StoreUnavailable):
        current(registry)
