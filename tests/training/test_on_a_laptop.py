"""A whole run on a laptop: the operator's own order, the pod's own flow, files pinned, everything told to a person."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mira.api.identity import spec_hash
from mira.api.trainingrun import TrainingRun
from mira.decide.job import Platform, build_order
from mira.registry.document import digest, sha256
from mira.registry.folder import FolderStore
from mira.registry.keys import VersionKey
from mira.registry.manifest import Manifest
from mira_training.data.files import Files
from mira_training.laptop.orders import order_in
from mira_training.refusal import Refused
from tests.training.laptop import MANIFEST
from tests.training.workbench import csv, customers

EXAMPLES = Path(__file__).parents[2] / "examples"


def manifest_of(laptop, version, registry="mira-registry"):
    store = FolderStore((laptop.folder / registry).resolve().as_uri())
    stored = store.get(VersionKey("default", "churn", version).manifest, limit=1_000_000)
    return Manifest.parse(stored.body), stored.body


def test_a_run_a_change_and_a_comparison(laptop):
    said = laptop.types("run", "run.yaml")
    assert (said.code, said.err) == (0, "")
    first, body = manifest_of(laptop, "churn-1")
    lines = said.out.splitlines()
    steps = r"(ingest|validate|train|evaluate|publish) +\d+\.\d s  \S.*"
    assert [re.fullmatch(steps, line)[1] for line in lines[:5]] == [
        "ingest",
        "validate",
        "train",
        "evaluate",
        "publish",
    ]
    assert f"churn churn-1 on {first.rows.evaluation} rows that it was not trained on:" in lines
    metric = first.metric("roc_auc")
    assert any(line.split() == ["roc_auc", metric.value, "higher", "is", "better"] for line in lines)
    (card,) = (line.removeprefix("model card  ") for line in lines if line.startswith("model card"))
    assert "<html" in Path(card).read_text()
    source = laptop.folder / "customers.csv"
    (read,) = first.sources
    assert (read.uri, read.sha256) == (source.resolve().as_uri(), sha256(source.read_bytes()))
    assert read.etag == f"sha256:{read.sha256} changed:{source.stat().st_mtime_ns}"

    laptop.manifest(parameters={"max_iter": 30})
    said = laptop.types("run", "run.yaml", "--version", "churn-2", "--against", "churn-1")
    assert (said.code, said.err) == (0, "")
    second, _ = manifest_of(laptop, "churn-2")
    assert (second.compared_with.version, second.compared_with.digest) == ("churn-1", digest(body))
    assert second.compared_with.stage is None
    assert "against churn-1 on the same rows (95% interval of the gain; above 0 is better):" in said.out
    (card,) = re.findall("^model card  (.*)$", said.out, re.MULTILINE)
    assert "version churn-1:" in Path(card).read_text()

    said = laptop.types("run", "run.yaml", "--version", "churn-2")
    assert said.code == 0
    assert said.out.startswith("nothing is trained: attempt ")
    said = laptop.types("run", "run.yaml")
    assert (said.code, said.err[:36]) == (64, "failed before any step: VersionExist")


def test_every_failed_check_is_told(laptop):
    columns = [{"name": "age", "type": "Integer", "maximum": "30"}, {"name": "plan", "maxNullShare": "0"}]
    laptop.manifest(data={"checks": {"columns": columns}})
    said = laptop.types("run", "run.yaml")
    assert said.code == 64
    first, *rest = said.err.splitlines()
    assert first.startswith("failed in validate: ChecksFailed: data.training: column 'age': ")
    assert [line.split(":")[0].strip() for line in rest] == ["maximum", "maxNullShare"]


def test_what_own_code_raises_is_shown_with_its_place(laptop):
    laptop.manifest(estimator="tests.training.own_code:fails", parameters={})
    said = laptop.types("run", "run.yaml")
    assert said.code == 64
    assert said.err.startswith("failed in train: CodeFailed: estimator tests.training.own_code:fails raises Runtime")
    assert "own_code.py" in said.err.splitlines()[2]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("**/*run*.yaml")), ids=lambda path: path.stem)
def test_the_order_of_a_manifest_is_the_operators(path, tmp_path):
    raw = yaml.safe_load(path.read_text())
    ours = order_in(path, registry="s3://bucket/root")
    metadata = {"namespace": "default", "uid": ours.run.uid} | raw["metadata"]
    run = TrainingRun.model_validate(raw | {"metadata": metadata})
    theirs = build_order(run, spec_hash(raw["spec"]), Platform("s3://bucket/root"))
    assert ours == theirs.model_copy(update={"image": None}), "an image says what trained: on a laptop none did"


def test_an_order_of_the_operator_runs_as_it_is(laptop):
    order = order_in(laptop.folder / "run.yaml")
    content = json.loads(order.render())
    content["spec"]["data"]["training"]["uri"] = "customers.csv"
    laptop.write("order.json", json.dumps(content))
    said = laptop.types("run", "order.json", "--registry", "elsewhere")
    assert (said.code, said.err) == (0, "")
    assert manifest_of(laptop, "churn-1", "elsewhere")[0].run.uid == order.run.uid


def test_yaml_is_read_as_kubectl_reads_it(laptop):
    text = yaml.safe_dump(MANIFEST) + "---\n"
    text = text.replace(
        "max_iter: 2", "{a: 1e-3, b: 2026-10-01, c: 1:30, d: 0.5, e: 010, f: true, g: ~, h: 0x10, i: 1_000}"
    )
    order = order_in(laptop.write("kubectl.yaml", text.replace("parameters:\n    ", "parameters: ")))
    assert order.spec["parameters"] == {
        "a": 0.001, "b": "2026-10-01", "c": "1:30", "d": 0.5, "e": 8, "f": True, "g": None, "h": 16, "i": 1000,
    }  # fmt: skip


def test_files_are_pinned_by_content_and_time(tmp_path):
    path = tmp_path / "größe 1%.csv"
    path.write_bytes(b"a\n1\n")
    files, copy = Files(), tmp_path / "copy"
    listed = files.find(path.as_uri())
    read = files.read(listed, copy)
    assert (read.size, read.sha256, copy.read_bytes()) == (4, sha256(b"a\n1\n"), b"a\n1\n")
    before = path.stat().st_mtime_ns
    path.write_bytes(b"a\n2\n")
    os.utime(path, ns=(before, before))
    with pytest.raises(Refused, match="has changed while this run read it; run again"):
        files.read(listed, copy)
    path.write_bytes(b"a\n1\n")
    os.utime(path, ns=(before + 1, before + 1))
    with pytest.raises(Refused, match="has changed"):
        files.read(listed, copy)
    path.unlink()
    assert files.read(listed, copy) is None
    assert files.find(path.as_uri()) is None


def test_a_folder_holds_what_is_neither_hidden_nor_empty(tmp_path):
    for name in ("b.csv", "below/a.csv", "_SUCCESS", ".tmp/c.csv", "_old/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"a\n")
    (tmp_path / "empty.csv").touch()
    found = Files().under(tmp_path.as_uri() + "/")
    assert [listed.uri for listed in found] == [(tmp_path / name).as_uri() for name in ("b.csv", "below/a.csv")]


def test_a_run_reads_a_folder_of_files(laptop):
    for part in (1, 2):
        laptop.write(f"parts/{part}.csv", csv(customers(400, seed=part)))
    laptop.manifest(data={"training": {"uri": "parts/", "format": "CSV"}})
    said = laptop.types("run", "run.yaml")
    assert (said.code, said.err) == (0, "")
    assert [source.rows for source in manifest_of(laptop, "churn-1")[0].sources] == [400, 400]


@pytest.mark.parametrize("part", ["training", "holdout", "inputs"])
def test_an_order_in_a_pod_may_not_name_files(bench, part):
    source = {"uri": "file:///etc/passwd", "format": "CSV"}
    fields = {"inputs": [{"name": "users", **source}]} if part == "inputs" else {part: source}
    end = bench.run(bench.order(data=fields, features="tests.training.own_code:lists"))
    place = "inputs.0" if part == "inputs" else part
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "OrderInvalid", "start")
    assert end.outcome.message == (
        f"spec.data.{place}.uri: file:///etc/passwd is not allowed: files are for `mira-training run` on a laptop; "
        "write s3://bucket/key"
    )


@pytest.mark.parametrize("arguments", [["run"], [], ["run", "input/order.json"]], ids=str)
def test_in_a_pod_no_registry_is_a_folder_and_the_log_is_json(laptop, arguments):
    order = order_in(laptop.folder / "run.yaml")
    laptop.write("input/order.json", order.render())
    done = typed_in_a_pod(laptop, *arguments)
    assert done.returncode == 64
    (line,) = map(json.loads, done.stdout.splitlines())
    assert (line["level"], line["step"]) == ("error", "start")
    assert (
        line["message"]
        == f"OrderInvalid: order.registry: {order.registry} is not allowed in a pod; set s3://bucket/root"
    )
    assert json.loads((laptop.folder / "message").read_text())["reason"] == "OrderInvalid"


def typed_in_a_pod(laptop, *arguments):
    pod = {
        "MIRA_POD_UID": "00000000-0000-0000-0000-000000000000",
        "MIRA_INPUT_DIR": str(laptop.folder / "input"),
        "MIRA_TERMINATION_LOG": str(laptop.folder / "message"),
    }
    return started(laptop.folder, *arguments, **pod)


def started(folder, *arguments, **environment):
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "mira_training", *arguments],
        cwd=folder, env=paths | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


HEAVY = {"pandas", "numpy", "sklearn", "scipy", "prefect", "pyarrow", "boto3", "botocore", "onnxruntime", "skops"}


@pytest.mark.parametrize(
    ("arguments", "most"),
    [(["--help"], 150), (["describe", "--help"], 150), (["run", "--help"], 150), (["describe"], 400)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_and_describe_wait_for_no_library_that_they_do_not_use(arguments, most):
    script = (
        "import json, sys\nfrom mira_training.__main__ import main\n"
        f"try: main({arguments})\nexcept SystemExit as ended: assert ended.code == 0\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    modules = json.loads(done.stderr)
    assert HEAVY & {name.partition(".")[0] for name in modules} == set()
    assert len([name for name in modules if not name.startswith(("mira", "_"))]) < most


def test_without_arguments_and_without_a_pods_order_there_is_help(laptop):
    done = started(laptop.folder, MIRA_INPUT_DIR=str(laptop.folder / "none"))
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("usage: mira-training")
