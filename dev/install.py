"""Mira installed in a cluster by the real Helm, and seen to work: every kind is served and every policy refuses."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dev.controlplane.binaries import kubectl_path
from dev.foreground import CommandError
from dev.processes import run_once
from dev.waiting import wait_until

CHART = Path(__file__).parents[1] / "charts/mira"
RELEASE, NAMESPACE = "mira", "mira-system"
# A new kind that a MutatingAdmissionPolicy matches is answered with 503 for up to 5 s, a policy takes 1 s.
SERVED_WITHIN = 30.0
API_VERSION = "mira.constellation.dev/v1alpha1"
NAME = "mira-installed"
NOBODY = "mira:nobody"
Command = Sequence[str | Path]

_RUN = {
    "model": NAME,
    "task": "Classification",
    "data": {"training": {"uri": f"s3://{NAME}/data.csv"}, "target": "target"},
}
_STAGE = {"model": NAME, "stage": "stage"}
_PROMOTION = {"model": NAME, "stage": "stage", "version": "version"}


class InstallError(CommandError):
    """Helm ended badly; the message has what it said."""


def install(helm: Path, kubeconfig: Path, *, values: Mapping[str, Any]) -> None:
    """Returns when an object of each kind could be created and a forbidden one would be refused; nothing is left of it.

    Installs or upgrades the release `mira` in the namespace `mira-system`. An InstallError if Helm refuses, a
    TimeoutError with the last answer if the API server does not come to serve.
    """
    # Forced, because Helm applies on the server: what somebody changed by hand would make it refuse.
    how = ["--install", "--create-namespace", "--force-conflicts"]
    argv: Command = [helm, "upgrade", RELEASE, CHART, "--namespace", NAMESPACE, *how]
    done = _run([*argv, "--values", "-", "--kubeconfig", kubeconfig], json.dumps(values))
    if done.returncode:
        raise InstallError(f"helm could not install {CHART}: {done.stderr.strip()}")
    call: Command = [kubectl_path(), "--kubeconfig", kubeconfig]
    caller = json.loads(_run([*call, "auth", "whoami", "--output", "json"]).stdout)["status"]["userInfo"]["username"]
    create: Command = [*call, "create", "--dry-run=server", "--namespace", NAMESPACE, "--filename", "-"]
    problem = ""

    def serves() -> bool:
        nonlocal problem
        problem = _unserved(create, caller) or _unguarded(create, caller)
        return not problem

    try:
        wait_until(serves, timeout=SERVED_WITHIN, every=0.3, what="Mira's kinds and policies")
    except TimeoutError as error:
        raise TimeoutError(f"{error}; last: {problem}") from None


def allowed(caller: str) -> list[dict[str, Any]]:
    """An object of each kind that the caller may create."""
    return [
        _object("TrainingRun", NAME, _RUN),
        _object("ModelStage", f"{NAME}.stage", _STAGE),
        _object("ModelPromotion", NAME, _PROMOTION | {"requestedBy": caller}),
    ]


def forbidden(caller: str) -> dict[str, dict[str, Any]]:
    """By policy an object that it refuses to everybody but Mira."""
    annotated = _object("ModelPromotion", NAME, _PROMOTION | {"requestedBy": caller})
    annotated["metadata"]["annotations"] = {"mira.constellation.dev/any": ""}
    return {
        "mira-runs": _object("TrainingRun", NAME, _RUN | {"requestedBy": NOBODY}),
        "mira-stages": _object("ModelStage", f"{NAME}.stage", _STAGE | {"requestedBy": NOBODY}),
        "mira-promotions": _object("ModelPromotion", NAME, _PROMOTION | {"requestedBy": NOBODY}),
        "mira-operator-only": annotated,
    }


def _unserved(create: Command, caller: str) -> str:
    """What the API server said against an object that is allowed; empty if it took all of them."""
    done = _run(create, _documents(allowed(caller)))
    return done.stderr.strip() if done.returncode else ""


def _unguarded(create: Command, caller: str) -> str:
    """Which policies let a forbidden object pass; empty if all of them refuse."""
    wanted = forbidden(caller)
    said = _run(create, _documents(list(wanted.values()))).stderr
    silent = [policy for policy in wanted if f"ValidatingAdmissionPolicy '{policy}'" not in said]
    return f"not in force yet: {', '.join(silent)}" if silent else ""


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _documents(objects: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def _run(argv: Command, given: str = "") -> subprocess.CompletedProcess[str]:
    return run_once(argv, stdin=given)
