"""Evidently's report beside the drift: of the rows of both sides, in the registry, never in the way of a verdict."""

import gzip
import json
from types import SimpleNamespace

import pytest

from mira.registry.drift import ColumnVerdict, Drift
from mira.registry.keys import DriftKey
from mira_training.drift import asked
from mira_training.drift import evidently as module
from mira_training.drift.comparing import measure
from mira_training.drift.profiling import profile
from mira_training.steps.drift import Occasion
from tests.training.test_drift_check import NEW, check
from tests.training.test_drift_of_a_run import DATA, QUICK, ROWS, older
from tests.training.workbench import MODEL, NAMESPACE, NOW, STAGE, csv, customers

EVIDENTLY = {"method": "Evidently"}


@pytest.fixture
def served(bench):
    """A bench on which v1 is current; its rows lie where they lay, the new ones, of older customers, elsewhere."""
    bench.run(bench.order("v1", data=DATA, parameters=QUICK))
    bench.make_current("v1")
    bench.data.objects[NEW] = csv(older(customers(seed=1)))
    return bench


def second(bench, drift=EVIDENTLY, **spec):
    data = DATA | {"training": {"uri": NEW}}
    return bench.run(bench.order("v2", against=STAGE, **({"data": data, "parameters": QUICK, "drift": drift} | spec)))


def page_of(bench, files, prefix):
    bodies = [bench.store.get(prefix + file.path, limit=100_000_000).body for file in files]
    return gzip.decompress(bodies[0]).decode(), json.loads(gzip.decompress(bodies[1]))


def told(data):
    """The measured value of each column, by Evidently's JSON."""
    kind = "evidently:metric_v2:ValueDrift"
    return {one["config"]["column"]: one for one in data["metrics"] if one["config"]["type"] == kind}


def test_a_run_publishes_page_and_json_and_the_verdict_is_the_same_as_without(served):
    assert second(served).code == 0
    drift = Drift.parse(served.file("v2", "report/drift.json"))
    page, data = page_of(served, drift.evidently.files, served.key("v2").prefix)
    listed = {file.path: file.sha256 for file in served.manifest("v2").files}
    assert all(listed[file.path] == file.sha256 for file in drift.evidently.files)
    assert page.lstrip().lower().startswith("<")
    compared = {one.name: one for one in drift.columns}
    columns = told(data)
    assert set(columns) == {"age", "spend", "plan", "active", "churned"}
    for name, one in columns.items():
        assert one["config"]["method"] == "psi"
        assert one["config"]["threshold"] == float(compared[name].threshold)
        above = one["value"] >= one["config"]["threshold"]
        assert above == (compared[name].verdict is ColumnVerdict.DRIFTED), name
    assert 'href="evidently.html.gz"' in served.file("v2", "model-card.html").decode()
    data_ = DATA | {"training": {"uri": NEW}}
    assert served.run(served.order("v3", against=STAGE, data=data_, parameters=QUICK)).code == 0
    alone = Drift.parse(served.file("v3", "report/drift.json"))
    assert (alone.columns, alone.verdict, alone.evidently) == (drift.columns, drift.verdict, None)


def test_a_run_that_drift_stops_leaves_the_report_too(served):
    end = second(served, EVIDENTLY | {"maxDriftedShare": "0.1"})
    assert end.outcome.reason == "DataDrift"
    attempt = f"{served.key('v2').prefix}attempts/{end.attempt}/"
    drift = Drift.parse(served.store.objects[f"{attempt}report/drift.json"])
    page, _ = page_of(served, drift.evidently.files, served.key("v2").prefix)
    assert "<html" in page.lower()


def test_a_drift_check_writes_it_beside_its_answer(served):
    order = check(served, drift=EVIDENTLY)
    assert served.run(order).code == 0
    key = DriftKey(NAMESPACE, MODEL, order.run.uid)
    drift = Drift.parse(served.store.objects[key.document])
    page, data = page_of(served, drift.evidently.files, key.prefix)
    assert "<html" in page.lower()
    assert {"age", "spend"} <= set(told(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda objects: objects.pop(ROWS), "s3://data/rows.csv is gone"),
        (lambda objects: objects.update({ROWS: csv(customers(300))}), "has other content than when"),
    ],
    ids=["gone", "changed"],
)
def test_without_the_old_rows_there_is_a_verdict_and_no_report(served, change, said):
    change(served.data.objects)
    assert second(served).code == 0
    drift = Drift.parse(served.file("v2", "report/drift.json"))
    assert drift.verdict == "Drifted"
    assert not drift.evidently.files
    assert said in drift.evidently.reason
    assert not [file for file in served.manifest("v2").files if "evidently" in file.path]
    assert said in served.file("v2", "model-card.html").decode()


def test_an_error_of_evidently_costs_the_report_alone_and_its_words_are_not_told(served, monkeypatch):
    def fails(*_):
        raise ValueError("a value of a cell")

    monkeypatch.setattr(module, "_snapshot", fails)
    assert second(served).code == 0
    drift = Drift.parse(served.file("v2", "report/drift.json"))
    assert drift.evidently.reason == "there is no report by Evidently: Evidently failed with ValueError"


def test_a_column_that_no_page_could_show_is_left_out_and_the_others_are_shown():
    strange = {"huge": [1e308, -1e308] * 300, "close": [2**60 + n for n in range(600)], "empty": [None] * 600}
    before, now = (customers(seed=seed)[["age", "plan"]].assign(**strange) for seed in (0, 1))
    measured = measure(now, profile(before), limit="0.3")
    manifest = SimpleNamespace(namespace=NAMESPACE, model=MODEL, version="v1", rows=SimpleNamespace(training=600))
    document = Occasion(manifest, "sha256:" + "0" * 64, [], NOW).document(600, measured, None)
    page = module.drawn(before, now, document)
    assert set(told(json.loads(gzip.decompress(page.data)))) == {"age", "plan"}


def test_keys_and_names_are_on_no_page(served):
    """A text that nearly every row has for itself is pooled, on both sides."""
    people = customers(seed=2).assign(plan=[f"person-{n}" for n in range(600)])
    served.data.objects[ROWS] = csv(people)
    served.run(served.order("v0", data=DATA, parameters=QUICK))
    served.store.objects.pop(f"models/{NAMESPACE}/{MODEL}/stages/{STAGE}/current.json", None)
    served.data.objects[NEW] = csv(older(people))
    order = check(served, version="v0", drift=EVIDENTLY)
    assert served.run(order).code == 0
    key = DriftKey(NAMESPACE, MODEL, order.run.uid)
    drift = Drift.parse(served.store.objects[key.document])
    page, data = page_of(served, drift.evidently.files, key.prefix)
    assert "(other)" in page
    assert "person-" not in page + json.dumps(data)


def test_the_slim_image_says_at_start_that_it_is_without(served, monkeypatch):
    monkeypatch.setattr(asked, "find_spec", lambda _: None)
    end = second(served)
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "ExtraNotInstalled", "start")
    end = served.run(check(served, drift=EVIDENTLY))
    assert (end.code, end.termination.reason) == (64, "ExtraNotInstalled")
