"""The real Helm, and the chart rendered by it."""

import functools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.controlplane.binaries import ensure_binaries
from dev.local import CACHE

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/mira"
Objects = tuple[dict[str, Any], ...]
Render = Callable[..., Objects]
FILLING_API = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"


@pytest.fixture(scope="session")
def helm() -> Path:
    """Helm, built from source if it is not there."""
    return ensure_binaries(CACHE, print).helm


@pytest.fixture(scope="session")
def run_helm(helm: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Helm's answer to a command; a refusal is an answer too."""

    def run(*arguments: str | Path, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        argv = [helm, *arguments, *(["--values", "-"] if values is not None else [])]
        return subprocess.run(argv, input=json.dumps(values or {}), capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def render(run_helm: Callable[..., subprocess.CompletedProcess[str]]) -> Render:
    """The chart's objects for these values."""

    @functools.cache
    def objects(namespace: str, fills: bool, values: str) -> Objects:
        api = ["--api-versions", FILLING_API] if fills else []
        done = run_helm("template", "mira", CHART, "--namespace", namespace, *api, values=json.loads(values))
        assert done.returncode == 0, done.stderr
        return tuple(each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each)

    def rendered(*, namespace: str = "mira-system", fills: bool = True, **values: Any) -> Objects:
        return objects(namespace, fills, json.dumps({"replicas": 0, **values}))

    return rendered


def of_kind(objects: Objects, kind: str) -> list[dict[str, Any]]:
    """Those of this kind."""
    return [each for each in objects if each["kind"] == kind]


def named(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    """The one of this kind and name."""
    (found,) = [each for each in of_kind(objects, kind) if each["metadata"]["name"] == name]
    return found
