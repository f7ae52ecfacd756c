"""A version is signed in its pod, with the key of a Secret, and an operator that knows keys promotes nothing else."""

from pathlib import Path

import pytest

from dev.local import Local
from tests.support.signers import ED25519, P256, private_pem, public_pem
from tests.support.team import Team


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the operator's ConfigMap is mounted, and the private keys beside it."""
    known = tmp_path / "known"
    known.mkdir()
    (known / "ed25519.pem").write_bytes(public_pem(ED25519))
    for name, signer in (("known.key", ED25519), ("stranger.key", P256)):
        (tmp_path / name).write_bytes(private_pem(signer._key))
    return tmp_path


def test_what_a_known_key_has_signed_is_promoted_and_nothing_else(mira: Local, team: Team, folder: Path) -> None:
    def secret(key: str) -> None:
        team.kubectl("admin", "delete", "secret", "mira-signing", "--ignore-not-found")
        team.kubectl("admin", "create", "secret", "generic", "mira-signing", f"--from-file=key.pem={folder / key}")

    operator = mira.start_operator(
        "signing", MIRA_SIGNING_SECRET="mira-signing", MIRA_VERIFY_KEYS=str(folder / "known")
    )
    team.stage()
    for version, key in (("v1", "stranger.key"), ("v2", "known.key")):
        secret(key)
        team.run(version)
        team.finished("mrun", version, "Succeeded")
    team.promote("first", "v1")
    team.finished("mpromo", "first", "NotSigned")
    assert team.condition("mpromo", "first", "VersionVerified")["reason"] == "NotSigned"
    team.promote("second", "v2")
    team.approve("second")
    team.finished("mpromo", "second", "Promoted")
    refused, promoted = team.lineage()
    assert (refused.kind, refused.reason, refused.signed_by) == ("Refuse", "NotSigned", None)
    assert (promoted.kind, promoted.signed_by) == ("Promote", ED25519.key_id)
    operator.process.terminate()
    operator.process.wait(30)
    assert "PRIVATE" not in operator.process.log.read_text()
