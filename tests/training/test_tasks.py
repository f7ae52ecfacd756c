"""Whole trainings of the tasks that predict nothing by themselves, and of data from elsewhere: what is published."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import skops.io

from mira.registry.comparison import Verdict
from mira.registry.document import sha256
from mira.registry.inputs import Inputs
from mira_training.data.columns import model_input
from mira_training.model.custom import Progress
from mira_training.model.onnx_scorer import OnnxScorer
from tests.training import own_tasks
from tests.training.test_a_training import Page
from tests.training.workbench import STAGE, csv, customers

OWN = "tests.training.own_tasks"
NOT_FEATURES = ["since", "loss", "band"]
IDENTIFIED = ["customer", *NOT_FEATURES, "churned"]


def transform(estimator, **spec):
    given = {"task": "Transform", "estimator": f"{OWN}:{estimator}", "data": {"target": None, "drop": ["customer"]}}
    return given | spec


def custom(train, artifacts=("Directory",), data=None, **spec):
    given = {"task": "Custom", "hooks": {"train": f"{OWN}:{train}"}, "artifacts": list(artifacts)}
    return given | {"data": {"drop": ["customer", *NOT_FEATURES]} | (data or {})} | spec


def only_features(frame):
    return frame[["customer", "age", "spend", "plan", "active"]]


def output(bench, version, side):
    return pd.read_parquet(io.BytesIO(bench.file(version, f"model/output/{side}.parquet")))


def names(bench, version):
    return {file.path.split("/", 2)[2] for file in bench.manifest(version).files}


# Transform


@pytest.fixture
def shop(bench):
    bench.data.objects["s3://data/rows.csv"] = csv(only_features(customers()))
    return bench


def test_a_transformation_is_published_as_data_beside_its_identifiers_with_schema_and_quality(shop):
    end = shop.run(shop.order(**transform("components", parameters={"parts": 2})))
    assert end.code == 0, end.termination.message
    manifest = shop.manifest("v1")
    assert names(shop, "v1") == {
        "model/model.skops",
        "model/output/evaluation.parquet",
        "model/output/training.parquet",
        "report/metrics.json",
        "report/profile.json",
        "report/model-card.html",
        "order.json",
        "report/provenance.json",
    }
    assert [(each.name, each.type) for each in manifest.model_schema.outputs] == [
        ("pca0", "Number"),
        ("pca1", "Number"),
    ]
    assert (manifest.task, manifest.model_schema.target, manifest.model_schema.classes) == ("Transform", None, [])
    assert [(each.name, each.direction) for each in manifest.metrics] == [
        ("variance_kept", "Higher"),
        ("null_share", "Lower"),
        ("constant_columns", "Lower"),
        ("rows", "Higher"),
    ]
    assert (manifest.metric("rows").value, manifest.metric("null_share").value) == ("600.0", "0.0")
    assert 0.5 < float(manifest.metric("variance_kept").value) < 1
    sides = [output(shop, "v1", side) for side in ("training", "evaluation")]
    assert [list(side.columns) for side in sides] == [["customer", "pca0", "pca1"]] * 2
    assert [len(side) for side in sides] == [manifest.rows.training, manifest.rows.evaluation]
    assert sorted(pd.concat(sides)["customer"]) == list(range(600)), "each row once"


def test_the_published_estimator_transforms_new_rows_as_it_did_the_published_ones(shop):
    shop.run(shop.order(**transform("components")))
    body = shop.file("v1", "model.skops")
    estimator = skops.io.loads(body, trusted=skops.io.get_untrusted_types(data=body))
    found = output(shop, "v1", "evaluation").set_index("customer")
    rows = customers().set_index("customer", drop=False).loc[found.index]
    again = estimator.transform(model_input(rows, shop.manifest("v1").model_schema.columns))
    assert np.abs(again - found.to_numpy()).max() < 1e-5


def test_an_object_with_nothing_to_fit_gives_text_and_numbers_from_text(shop):
    end = shop.run(shop.order(**transform("Embedding")))
    assert end.code == 0, end.termination.message
    schema = shop.manifest("v1").model_schema
    assert [(each.name, each.type) for each in schema.outputs] == [("length", "Number"), ("first", "String")]
    assert set(output(shop, "v1", "training")["first"]) == {"", "f", "p", "t"}


def test_an_estimator_that_skops_cannot_write_is_left_out_and_its_output_published(shop):
    end = shop.run(shop.order(**transform("Unwritable")))
    assert end.code == 0, end.termination.message
    assert {name for name in names(shop, "v1") if name.startswith("model/")} == {
        "model/output/evaluation.parquet",
        "model/output/training.parquet",
    }


def test_own_metrics_are_measured_of_the_output(shop):
    hooks = {"metrics": f"{OWN}:output_metrics"}
    shop.run(shop.order(**transform("components", hooks=hooks, evaluation={"metrics": ["spread"]})))
    main = shop.manifest("v1").metrics[0]
    assert (main.name, main.direction) == ("spread", "Higher")
    assert float(main.value) > 0


def test_transformations_are_not_comparable_and_say_why(shop):
    shop.run(shop.order("v1", **transform("components")))
    shop.make_current("v1")
    shop.run(shop.order("v2", against=STAGE, **transform("components")))
    found = shop.comparison("v2", "v1")
    assert (found.verdict, found.differences) == (Verdict.NOT_COMPARABLE, [])
    assert found.reason == (
        "this version cannot be compared with the current version v1: task Transform predicts nothing that could be "
        "held against the answers"
    )


# Custom


def test_an_own_training_publishes_its_files_and_is_measured_by_its_scorer(bench):
    end = bench.run(bench.order(**custom("train", parameters={"rounds": 20}, evaluation={"slices": ["plan"]})))
    assert end.code == 0, end.termination.message
    manifest = bench.manifest("v1")
    assert "model/trees/rounds.txt" in names(bench, "v1")
    assert bench.file("v1", "trees/rounds.txt") == b"20"
    assert (manifest.code.estimator, manifest.code.hooks) == (f"{OWN}:train", {"train": f"{OWN}:train"})
    assert (manifest.parameters, manifest.model_schema.classes) == ({"rounds": 20}, ["0", "1"])
    assert [metric.name for metric in manifest.metrics if not metric.slice] == [
        "roc_auc", "average_precision", "log_loss", "brier", "accuracy", "f1", "hits",
    ]  # fmt: skip
    assert manifest.metric("hits").value == manifest.metric("accuracy").value
    assert manifest.metric("roc_auc", "plan=free") is not None


def test_a_scorer_of_numbers_is_a_regression(bench):
    bench.run(bench.order(**custom("train_numbers", data={"target": "loss", "drop": ["customer", "since", "band"]})))
    manifest = bench.manifest("v1")
    assert [metric.name for metric in manifest.metrics] == ["rmse", "mae", "r2"]
    assert abs(float(manifest.metric("r2").value)) < 0.1


def test_an_own_training_without_a_scorer_is_not_comparable_and_says_why(bench):
    spec = custom("train_alone", data={"target": None})
    bench.run(bench.order("v1", **spec))
    bench.make_current("v1")
    assert bench.run(bench.order("v2", against=STAGE, **spec)).code == 0
    found = bench.comparison("v2", "v1")
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.reason == (
        f"this version cannot be compared with the current version v1: hooks.train {OWN}:train_alone returns no "
        "scorer, so nothing can be asked about these rows"
    )
    assert [(each.name, each.direction) for each in bench.manifest("v2").metrics] == [
        ("coverage", "Higher"),
        ("size", "Lower"),
    ]


@pytest.mark.parametrize("tasks", [("Custom", "Custom"), ("Classification", "Custom"), ("Custom", "Classification")])
def test_own_trainings_and_mira_s_are_compared_by_their_onnx_files(bench, tasks):
    mira = {"data": {"drop": ["customer", *NOT_FEATURES]}, "parameters": {"max_iter": 3}}
    specs = {"Custom": custom("train_onnx", artifacts=["ONNX"]), "Classification": mira}
    bench.run(bench.order("v1", **specs[tasks[0]]))
    bench.make_current("v1")
    end = bench.run(bench.order("v2", against=STAGE, **specs[tasks[1]]))
    assert end.code == 0, end.termination.message
    found = bench.comparison("v2", "v1")
    assert found.verdict is Verdict.COMPARED, found.reason
    current = bench.manifest("v1").metric("roc_auc").value
    assert float(found.difference("roc_auc").current) == pytest.approx(float(current), abs=1e-4)


def test_the_onnx_file_of_an_own_training_takes_the_columns_by_name(bench):
    bench.run(bench.order(**custom("train_onnx", artifacts=["ONNX"])))
    onnx = OnnxScorer(bench.file("v1", "model.onnx"), bench.manifest("v1").model_schema.columns, 2)
    assert sorted(onnx.takes) == ["active", "age", "spend"]
    assert np.allclose(onnx.scores(customers(50, seed=3)).sum(axis=1), 1)


def test_progress_is_logged_at_the_beginning_then_at_most_every_five_seconds_and_at_the_end(caplog):
    now = iter([0.0, 1.0, 4.9, 5.0, 6.0, 7.0])
    progress = Progress(lambda: next(now))
    with caplog.at_level("INFO", logger="mira_training"):
        for share in (0.0, 0.1, 0.2, 0.5, 0.9, 1.0):
            progress(share, f"round {share:g}")
    assert [record.message for record in caplog.records] == [
        "0% trained: round 0",
        "50% trained: round 0.5",
        "100% trained: round 1",
    ]


# Data from elsewhere


@pytest.fixture
def warehouse(bench):
    own_tasks.CALLS.clear()
    bench.data.objects["s3://data/plans.csv"] = b"plan,price\nfree,0\npro,10\nteam,50\n"
    return bench


def ordered(bench, train="train", **spec):
    given = custom(train, parameters={"table": "sales"}) | {"evaluation": {"metrics": ["roc_auc"]}}
    given["hooks"] = {"train": f"{OWN}:{train}", "ingest": f"{OWN}:query"}
    given["data"] |= {
        "training": {"uri": "s3://warehouse/customers"},
        "inputs": [{"name": "plans", "uri": "s3://data/plans.csv"}],
    }
    return bench.order(**given | spec)


def test_what_an_own_ingest_returns_is_kept_and_recorded_as_a_source(warehouse):
    order = ordered(warehouse)
    end = warehouse.run(order)
    assert end.code == 0, end.termination.message
    assert own_tasks.CALLS == ["s3://warehouse/customers sales"]
    manifest = warehouse.manifest("v1")
    assert [source.name for source in manifest.sources] == ["training", "inputs.plans"]
    source, key = manifest.sources[0], manifest.key.snapshot(order.run.uid, manifest.sources[0].sha256)
    body = warehouse.store.objects[key]
    assert (source.uri, source.rows, source.size) == (f"{warehouse.registry}/{key}", 600, len(body))
    assert source.sha256 == sha256(body)
    assert "price" in pd.read_parquet(io.BytesIO(body)).columns


def test_two_attempts_train_on_the_same_rows_though_the_query_answers_differently(warehouse):
    broken = ordered(warehouse, "train_that_raises", parameters={})
    assert warehouse.run(broken).outcome.reason == "CodeFailed"
    assert warehouse.run(broken).outcome.reason == "CodeFailed"
    assert len(own_tasks.CALLS) == 1, "the second attempt reads what the first one kept"
    listed = Inputs.parse(warehouse.store.objects[warehouse.key("v1").snapshots_of(broken.run.uid)])
    assert [each.name for each in listed.listings] == ["training"]
    again = ordered(warehouse, "train_that_raises", parameters={})
    warehouse.run(again)
    assert len(own_tasks.CALLS) == 2, "another run asks anew"


def test_of_two_attempts_at_once_the_first_to_write_down_its_rows_is_right(warehouse):
    order = ordered(warehouse)
    key = warehouse.key("v1").snapshots_of(order.run.uid)
    theirs = []

    def before(request):
        if request.verb == "create" and request.key == key and not theirs:
            theirs.append(request)
            warehouse.run(order)

    warehouse.store.before = before
    ours = warehouse.run(order)
    assert (len(own_tasks.CALLS), ours.outcome.reason) == (2, "Adopted")
    listed = Inputs.parse(warehouse.store.objects[key])
    assert listed.listings[0].objects[0].sha256 == warehouse.manifest("v1").sources[0].sha256


def test_a_snapshot_that_was_changed_is_not_trained_on(warehouse):
    order = ordered(warehouse, "train_that_raises", parameters={})
    warehouse.run(order)
    key = next(key for key in warehouse.store.objects if key.endswith(".parquet"))
    warehouse.store.objects[key] += b" "
    end = warehouse.run(order)
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "DataInvalid", "ingest")
    assert end.outcome.message.startswith("hooks.ingest: the snapshot inputs/")


def test_an_own_ingest_brings_the_holdout_too(warehouse):
    order = ordered(warehouse)
    spec = json.loads(json.dumps(order.spec))
    spec["data"]["holdout"] = {"uri": "s3://warehouse/held-out"}
    warehouse.run(order.model_copy(update={"spec": spec}))
    assert own_tasks.CALLS == ["s3://warehouse/customers sales", "s3://warehouse/held-out sales"]
    manifest = warehouse.manifest("v1")
    assert [source.name for source in manifest.sources] == ["training", "holdout", "inputs.plans"]
    assert (manifest.rows.training, manifest.rows.evaluation) == (600, 600)


# The card


def text(bench, version="v1"):
    html = bench.file(version, "model-card.html").decode()
    page = Page()
    page.feed(html)
    assert (page.open, page.fetched) == ([], [])
    return html, " ".join(page.text.split())


def test_the_card_of_a_transformation_shows_what_comes_out_and_no_curve(shop):
    shop.run(shop.order(**transform("components")))
    html, said = text(shop)
    for wanted in (
        "a transformation",
        "What comes out",
        "pca1",
        "beside customer to find it by",
        "output/training.parquet",
    ):
        assert wanted in said
    for unwanted in ("Predicts", "Reliance", "relies on", "None"):
        assert unwanted not in said
    assert 'class="chart"' not in html


def test_the_card_of_an_own_training_has_curves_with_a_scorer_and_none_without(bench):
    bench.run(bench.order("v1", **custom("train")))
    bench.run(bench.order("v2", **custom("train_alone", data={"target": None})))
    html, said = text(bench, "v1")
    assert "ROC curve" in html
    assert f"{OWN}:train" in said
    html, said = text(bench, "v2")
    assert 'class="chart"' not in html
    for wanted in ("the team's own training", "As its own code states it", "columns.txt", "coverage"):
        assert wanted in said
    for unwanted in ("Predicts", "Reliance", "None", "the target is there"):
        assert unwanted not in said
