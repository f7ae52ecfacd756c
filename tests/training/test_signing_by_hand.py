"""The commands of docs/training/publishing.md, run as they stand there, with openssl alone."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dev.processes import CHECKOUT
from mira.registry.document import digest
from mira.registry.keys import VersionKey
from mira.registry.signing import PublicKeys, SigningKey
from tests.registry.examples import a_manifest
from tests.support.signers import ED25519, P256, a_signer, public_pem

MAKE, VERIFY, SIGN = re.findall(r"```sh\n(.*?)```", (CHECKOUT / "docs/training/publishing.md").read_text(), re.DOTALL)
V1 = VersionKey("team-a", "churn", "v1")
MANIFEST = a_manifest().render()

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine")


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )


def for_p256(script: str) -> str:
    """The script with the one line that the text gives for P-256."""
    (line,) = (line for line in script.splitlines() if "-verify" in line)
    return script.replace(line, "openssl dgst -sha256 -verify key.pub.pem -signature sig pae")


@pytest.fixture(params=["Ed25519", "P-256"])
def signed(request, tmp_path):
    """A folder with a manifest, a training's signature over it and the public key; and the commands that verify it."""
    signer = {"Ed25519": ED25519, "P-256": P256}[request.param]
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    (tmp_path / "signature.dsse.json").write_bytes(signer.signed(V1, digest(MANIFEST)))
    (tmp_path / "key.pub.pem").write_bytes(public_pem(signer))
    return tmp_path, VERIFY if signer is ED25519 else for_p256(VERIFY)


def test_a_trainings_signature_is_verified_by_openssl(signed):
    folder, commands = signed
    done = run(commands, folder)
    assert done.returncode == 0, done.stderr
    payload = json.loads(done.stdout.splitlines()[-1])
    assert [each["name"] for each in payload["subject"]] == [V1.manifest]


def test_another_manifest_is_not(signed):
    folder, commands = signed
    (folder / "manifest.json").write_bytes(MANIFEST + b" ")
    assert run(commands, folder).returncode != 0


def test_another_key_is_not(signed):
    folder, commands = signed
    another = Ed25519PrivateKey.generate() if "pkeyutl" in commands else generate_private_key(SECP256R1())
    (folder / "key.pub.pem").write_bytes(public_pem(a_signer(another)))
    assert run(commands, folder).returncode != 0


def test_a_payload_that_was_changed_is_not(signed):
    folder, commands = signed
    envelope = json.loads((folder / "signature.dsse.json").read_bytes())
    envelope["payload"] = "e30" + envelope["payload"][3:]
    (folder / "signature.dsse.json").write_text(json.dumps(envelope, separators=(",", ":")))
    assert run(commands, folder).returncode != 0


def test_what_is_signed_by_hand_is_taken_and_lies_where_it_is_looked_for(tmp_path):
    (tmp_path / "manifest.json").write_bytes(MANIFEST)
    done = run(MAKE + SIGN, tmp_path)
    assert done.returncode == 0, done.stderr
    keys = PublicKeys.of([("key.pub.pem", (tmp_path / "key.pub.pem").read_bytes())])
    (key_id,) = keys.ids
    assert SigningKey.in_file(tmp_path / "key.pem").key_id == key_id
    assert done.stdout.strip() == V1.signature(digest(MANIFEST), key_id)
    envelope = (tmp_path / "signature.dsse.json").read_bytes()
    assert keys.problem(key_id, envelope, V1, digest(MANIFEST)) == ""
    assert envelope == SigningKey.in_file(tmp_path / "key.pem").signed(V1, digest(MANIFEST))
