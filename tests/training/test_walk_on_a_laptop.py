"""docs/training/on-a-laptop.md can be followed: its commands exist, and what it shows is what they print."""

import re
import shlex
import shutil

import pytest
import yaml

from dev.processes import CHECKOUT
from examples.flights import data
from mira_training.arguments import parser
from tests.training.laptop import Laptop

DOCUMENT = (CHECKOUT / "docs" / "training" / "on-a-laptop.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
COMMANDS = [line.removeprefix("$ ") for block in BLOCKS for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """The folder of the walk, after its first command."""
    folder = tmp_path_factory.mktemp("walk") / "flights"
    shutil.copytree(CHECKOUT / "examples" / "flights", folder, ignore=shutil.ignore_patterns("data", "mira-registry"))
    data.main([str(folder / "data"), "--months", "1"])
    return Laptop(folder)


def shown_by(start):
    """What the document shows under the command that begins so, line by line."""
    block = next(block for block in BLOCKS if f"$ {start}" in block)
    return [line for line in block.partition(f"$ {start}")[2].splitlines()[1:] if line != "..."]


def test_every_command_is_one():
    ours = [shlex.split(command)[1:] for command in COMMANDS if command.startswith("mira-training")]
    assert len(ours) == 5
    for arguments in ours:
        parser().parse_args(arguments)
    others = {command.split()[0] for command in COMMANDS if not command.startswith("mira-training")}
    assert others == {"python", "sed"}


def test_describe_and_infer_print_what_is_shown(flights):
    for start in ("mira-training describe", "mira-training infer"):
        command = next(command for command in COMMANDS if command.startswith(start))
        printed = flights.types(*shlex.split(command)[1:])
        assert (printed.code, printed.err) == (0, "")
        assert set(shown_by(start)) <= set(printed.out.splitlines())


def test_the_mistake_costs_what_is_shown(flights):
    path = flights.folder / "on-a-laptop.yaml"
    manifest = path.read_text()
    changed = manifest.replace("max_iter: 100", "learning_rate: 0.05, max_iter: -300")
    assert changed != manifest
    path.write_text(changed)
    said = flights.types("run", "on-a-laptop.yaml", "--version", "flights-2")
    assert said.code == 64
    (shown,) = [line for line in DOCUMENT.splitlines() if line.startswith("failed before any step")]
    assert said.err == f"{shown}\n"


def test_the_manifest_trains_what_the_cluster_trains():
    on_files, on_s3 = (
        yaml.safe_load((CHECKOUT / "examples" / "flights" / name).read_text())["spec"]
        for name in ("on-a-laptop.yaml", "manifests/run-2013-01.yaml")
    )
    for field in ("model", "task", "features"):
        assert on_files[field] == on_s3[field]
    assert on_files["data"]["training"]["uri"].endswith("flights/2013-01.parquet")
