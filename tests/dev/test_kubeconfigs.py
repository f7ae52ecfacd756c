"""The kubeconfigs that people are given: which namespace a command means that names none."""

import subprocess
from pathlib import Path

import yaml

from dev import cluster
from dev.controlplane.binaries import kubectl_path
from dev.controlplane.users import in_namespace, write_kubeconfig
from dev.local import NAMESPACE, ROLES
from dev.s3.roles import Role


def written(folder: Path, user: str) -> Path:
    authority = folder / "ca.crt"
    authority.write_text("a certificate")
    return write_kubeconfig(
        folder / user, server="https://127.0.0.1:6443", authority=authority, user=user, token=f"of {user}"
    )


def means(kubeconfig: Path) -> str:
    """The namespace that kubectl itself takes from the file."""
    command = [str(kubectl_path()), f"--kubeconfig={kubeconfig}", "config", "view", "--minify", "-o"]
    done = subprocess.run([*command, "jsonpath={..namespace}"], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def test_a_kubeconfig_means_the_namespace_that_it_is_told_and_is_else_the_same(tmp_path: Path) -> None:
    kubeconfig = written(tmp_path, "alice")
    assert means(kubeconfig) == "default"
    before = yaml.safe_load(kubeconfig.read_text())
    assert in_namespace(kubeconfig, "team-a") == kubeconfig
    assert means(kubeconfig) == "team-a"
    after = yaml.safe_load(kubeconfig.read_text())
    assert [after.pop("contexts")[0]["context"].pop("user"), before.pop("contexts")[0]["name"]] == ["alice", "mira-dev"]
    assert after == before
    assert kubeconfig.stat().st_mode & 0o077 == 0


class Written:
    """As much of a local cluster as `make cluster` tells of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.s3 = self

    def kubeconfig(self, user: str) -> Path:
        return written(self.folder, user)

    def kubectl_path(self) -> Path:
        return kubectl_path()

    def credentials(self, role: Role) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": role}


def test_every_kubeconfig_that_make_cluster_tells_of_means_the_namespace_that_is_yours(tmp_path: Path) -> None:
    told = cluster._told(Written(tmp_path))  # type: ignore[arg-type]
    assert f"namespace {NAMESPACE} is yours" in told
    assert f"export KUBECONFIG={tmp_path / 'admin'}" in told
    assert {user: means(tmp_path / user) for user in (*ROLES, "admin")} == dict.fromkeys((*ROLES, "admin"), NAMESPACE)
