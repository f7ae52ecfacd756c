"""Versions that real trainings published, and servers of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.processes import Supervisor
from mira.registry.folder import FolderStore
from mira.registry.manifest import Manifest
from tests.registry.readable import point
from tests.serving.processes import Served, running
from tests.training.workbench import Workbench, csv, customers

DROP = {"drop": ["customer", "since", "loss", "band"]}
REGRESSION = {"task": "Regression", "data": {"target": "loss", "drop": ["customer", "since", "churned", "band"]}}
SPECS = {
    "v1": {"data": DROP, "parameters": {"max_iter": 5}},
    "v2": {"data": DROP, "parameters": {"max_iter": 15}},
    "without-onnx": {"data": DROP, "artifacts": ["Skops"], "parameters": {"max_iter": 2}},
    "numbers": REGRESSION | {"parameters": {"max_iter": 2}},
}


class Published:
    """A registry in a folder, with the versions in it; none is current yet."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder.as_uri())
        self.bench = Workbench(folder, store=self.store)
        self.number = 0

    def manifest(self, version: str) -> Manifest:
        return self.bench.manifest(version)

    def promote(self, version: str) -> None:
        self.number += 1
        point(self.store, self.manifest(version), self.number)

    def key(self, version: str, name: str = "model.onnx") -> str:
        """The key of the version's model file."""
        manifest = self.manifest(version)
        return next(manifest.key.file(file.path) for file in manifest.files if file.path.endswith(name))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry in which every version of SPECS is published."""
    folder = tmp_path_factory.mktemp("trained")
    bench = Workbench(tmp_path_factory.mktemp("bench"), store=FolderStore(folder.as_uri()))
    bench.data.objects["s3://data/rows.csv"] = csv(customers())
    for version, spec in SPECS.items():
        end = bench.run(bench.order(version, **spec))
        assert end.code == 0, end.termination.message
    return folder


@pytest.fixture
def published(trained: Path, tmp_path: Path) -> Published:
    """A copy of the trained versions that a test may promote and spoil."""
    return Published(Path(shutil.copytree(trained, tmp_path / "registry")))


@pytest.fixture(scope="session")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as made:
        yield made


@pytest.fixture(scope="session")
def serving(trained: Path, supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of v1 that nobody disturbs."""
    folder = tmp_path_factory.mktemp("serving")
    own = Published(Path(shutil.copytree(trained, folder / "registry")))
    own.promote("v1")
    with running(supervisor, folder, own.store.root, largest_body=20_000) as served:
        served.wait_until_ready()
        yield served
