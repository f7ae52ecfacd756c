"""The flights example can be followed by hand: its data is what its manifests read, its commands name what exists."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from dev.processes import CHECKOUT
from dev.s3.roles import DATA_BUCKET
from examples.flights import data

FOLDER = CHECKOUT / "examples" / "flights"
FENCES = re.findall(r"^```(\w*)\n(.*?)^```", (FOLDER / "README.md").read_text(), re.DOTALL | re.MULTILINE)
COMMANDS = "\n".join(content for language, content in FENCES if not language)


@pytest.fixture(scope="module")
def uploaded():
    """What the upload puts where, as uris with the bytes."""
    found = {}

    class Bucket:
        def upload_file(self, path, bucket, key):
            found[f"s3://{bucket}/{key}"] = Path(path).read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data.boto3, "client", lambda _: Bucket())
        data.main([f"s3://{DATA_BUCKET}"])
    return found


def test_the_upload_is_what_the_manifests_read(uploaded):
    runs = [yaml.safe_load(path.read_text())["spec"]["data"] for path in sorted(FOLDER.glob("manifests/run-*.yaml"))]
    read = {source["uri"] for spec in runs for source in [spec["training"], *spec["inputs"]]}
    assert len(read) == 4
    assert read <= set(uploaded)


def test_the_broken_file_lacks_the_column_that_its_run_requires(bench, uploaded, monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = yaml.safe_load((FOLDER / "manifests" / "run-2013-03-broken.yaml").read_text())["spec"]
    bench.data.objects |= uploaded
    end = bench.run(bench.order(**spec))
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "ColumnsMissing", "validate")
    assert "'arr_delay' is missing" in end.outcome.message


def test_the_readmes_commands_are_shell_and_use_every_manifest():
    checked = subprocess.run(["bash", "-n"], input=COMMANDS, capture_output=True, text=True, timeout=30, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    named = set(re.findall(r"examples/\S+", COMMANDS))
    assert {str(path.relative_to(CHECKOUT)) for path in FOLDER.glob("manifests/*.yaml")} < named
    assert [name for name in named if not (CHECKOUT / name).is_file()] == []
    assert f"data.py s3://{DATA_BUCKET}" in COMMANDS
