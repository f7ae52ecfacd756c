"""A comparison as an order of its own: two published versions on the candidate's evaluation rows, made again."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from mira.registry.comparison import Comparison, Verdict
from mira.registry.document import digest
from mira.registry.order import Order, OrderedVersion, OrderKind
from mira.registry.outcome import Outcome
from mira.registry.store import StoreUnavailable
from tests.training.workbench import STAGE, Workbench, csv, customers, parquet

ROWS, PLANS, LATER = "s3://data/rows.csv", "s3://data/plans.parquet", "s3://data/later.csv"
DROP = ["customer", "since", "loss", "band"]
DATA = {"drop": DROP}
FEW = {"max_iter": 2}


def comparing(bench, candidate="v2", current="v1") -> Order:
    """The operator's order for the pair."""
    made = bench.order(candidate).model_dump(mode="json", by_alias=True, exclude_none=True)
    fields = {
        "schema": Order.SCHEMA,
        "kind": OrderKind.COMPARE,
        "digest": digest(bench.body(candidate)),
        "current": {"version": current, "digest": digest(bench.body(current))},
        "spec": {},
    }
    return Order.parse(json.dumps(made | fields).encode())


def compare(bench, order=None):
    """The exit code, the outcome in S3 and the comparison."""
    order = order or comparing(bench)
    end = bench.run(order)
    key = bench.key(order.version).comparing_outcome(order.digest, order.current.digest, end.attempt)
    outcome = Outcome.parse(bench.store.objects[key])
    assert (outcome.reason, outcome.message) == (end.termination.reason, end.termination.message)
    return end.code, outcome, answer(bench, order)


def answer(bench, order) -> Comparison | None:
    body = bench.store.objects.get(bench.key(order.version).comparison(order.digest, order.current.digest))
    return body and Comparison.parse(body)


def forget(bench) -> Comparison:
    """Takes the comparison that the training of v2 has made away, as if nothing had compared the two."""
    key = bench.key("v2").comparison(digest(bench.body("v2")), digest(bench.body("v1")))
    return Comparison.parse(bench.store.objects.pop(key))


WITH_PRICE = {
    "features": "tests.training.own_code:with_price",
    "data": DATA | {"inputs": [{"name": "plans", "uri": PLANS}]},
    "estimator": "tests.training.own_code:trees",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A bench with v1, v2 and, by a features hook, v3: never compared."""
    bench = Workbench(tmp_path_factory.mktemp("trained"))
    bench.data.objects[ROWS] = csv(customers())
    bench.data.objects[PLANS] = parquet(pd.DataFrame({"plan": ["free", "pro", "team"], "price": [0, 10, 50]}))
    specs = {
        "v1": {"data": DATA, "parameters": FEW},
        "v2": {"data": DATA, "parameters": {"max_iter": 4}},
        "v3": WITH_PRICE | {"parameters": {"depth": 3}},
    }
    for version, spec in specs.items():
        assert bench.run(bench.order(version, **spec)).code == 0
    return bench


@pytest.fixture
def pair(trained, bench):
    """The same, for one test alone."""
    bench.store.objects |= trained.store.objects
    bench.data.objects |= trained.data.objects
    return bench


TRAININGS = {
    "slices and chosen metrics": {
        "data": DATA,
        "evaluation": {"metrics": ["brier", "roc_auc"], "slices": ["plan", "active"]},
    },
    "weights and a random split": {
        "data": DATA | {"weight": "age", "split": {"method": "Random", "fraction": "0.4"}},
        "seed": 7,
    },
    "a holdout of its own": {"data": DATA | {"holdout": {"uri": LATER}}},
    "a split by time": {
        "data": DATA | {"split": {"method": "Time", "column": "since", "evaluationFrom": "2024-01-20"}},
    },
    "features and an own estimator": WITH_PRICE | {"parameters": {"depth": 2, "factor": 3}},
    "many classes": {"data": {"drop": ["customer", "since", "loss", "churned"], "target": "band"}},
    "a number to predict": {
        "task": "Regression",
        "data": {"drop": ["customer", "since", "churned", "band"], "target": "loss"},
    },
    "skops alone": {"data": DATA, "artifacts": ["Skops"]},
    "onnx alone": {"data": DATA, "artifacts": ["ONNX"]},
}


@pytest.mark.parametrize("spec", TRAININGS.values(), ids=TRAININGS.keys())
def test_the_numbers_are_those_of_a_training_that_compares(bench, spec):
    bench.data.objects |= {
        PLANS: parquet(pd.DataFrame({"plan": ["free", "pro", "team"], "price": [0, 10, 50]})),
        LATER: csv(customers(300, seed=5)),
    }
    for version in ("v1", "v2"):
        parameters = {"parameters": {"max_iter": 2 if version == "v1" else 5}} | spec
        against = STAGE if version == "v2" else None
        assert bench.run(bench.order(version, against=against, **parameters)).code == 0
        if version == "v1":
            bench.make_current("v1")
    trained = forget(bench)
    code, outcome, compared = compare(bench)
    assert (code, outcome.reason, outcome.digest) == (0, "Compared", digest(compared.render()))
    assert compared.verdict is Verdict.COMPARED
    if spec.get("artifacts") == ["ONNX"]:
        # With 32 bits, where the training had the estimator itself, with 64.
        assert [each.metric for each in compared.differences] == [each.metric for each in trained.differences]
        for ours, theirs in zip(compared.differences, trained.differences, strict=True):
            assert abs(float(ours.lower) - float(theirs.lower)) < 1e-4
    else:
        assert compared == trained


def test_what_a_hook_of_the_users_brought_is_read_from_where_it_was_kept(bench):
    for version in ("v1", "v2"):
        spec = {"hooks": {"ingest": "tests.training.own_tasks:query"}, "data": DATA}
        assert bench.run(bench.order(version, **spec, parameters=FEW)).code == 0
    code, _, compared = compare(bench)
    assert (code, compared.verdict) == (0, Verdict.COMPARED)


def test_a_pair_that_is_compared_already_is_left_as_it_is(pair):
    _, _, first = compare(pair)
    pair.data.objects.clear()
    code, outcome, again = compare(pair)
    assert (code, outcome.reason, again) == (0, "Compared", first)
    assert outcome.step != "ingest"


def test_rows_that_were_written_again_with_the_same_bytes_are_the_same(pair, monkeypatch):
    monkeypatch.setattr("tests.training.workbench._etag", lambda body: f'"{len(body)}-2"')
    code, _, compared = compare(pair)
    assert (code, compared.verdict) == (0, Verdict.COMPARED)


def other_rows(bench, monkeypatch):
    bench.data.objects[ROWS] = csv(customers(601))


def no_rows(bench, monkeypatch):
    del bench.data.objects[ROWS]


PRICED = "tests.training.own_code.with_price"


def other_features(bench, monkeypatch):
    monkeypatch.setattr(PRICED, lambda df, inputs, params: df.assign(price=1, spend=df["spend"].to_numpy()[::-1]))


def fewer_rows(bench, monkeypatch):
    monkeypatch.setattr(PRICED, lambda df, inputs, params: df.assign(price=1).head(50))


def no_column(bench, monkeypatch):
    monkeypatch.setattr(PRICED, lambda df, inputs, params: df.assign(price=1).drop(columns="churned"))


NEVER = {
    "other rows": ("v2", other_rows, "s3://data/rows.csv has other content than when the version"),
    "rows that are gone": ("v2", no_rows, "s3://data/rows.csv is gone"),
    "other features": ("v3", other_features, "features, or a library of the image, do something else now"),
    "features that leave rows out": ("v3", fewer_rows, "they are 50 rows now, and were "),
    "features without the target": ("v3", no_column, "they have no column 'churned' any more"),
}


@pytest.mark.parametrize(("version", "spoil", "reason"), NEVER.values(), ids=NEVER.keys())
def test_a_pair_whose_rows_are_not_the_same_any_more_is_not_comparable_for_ever(
    pair, monkeypatch, version, spoil, reason
):
    spoil(pair, monkeypatch)
    code, outcome, compared = compare(pair, comparing(pair, version))
    assert (code, outcome.reason, compared.verdict) == (0, "Compared", Verdict.NOT_COMPARABLE)
    assert f"the evaluation rows of version {version} cannot be made again: " in compared.reason
    assert reason in compared.reason


def test_a_version_without_its_order_is_not_comparable(pair):
    content = json.loads(pair.body("v2"))
    content["files"] = [file for file in content["files"] if not file["path"].endswith("order.json")]
    pair.store.objects[pair.key("v2").manifest] = json.dumps(content).encode()
    code, _, compared = compare(pair)
    assert (code, compared.verdict) == (0, Verdict.NOT_COMPARABLE)
    assert "version v2 was published without its order.json" in compared.reason


def test_a_current_version_of_another_kind_is_not_comparable(pair):
    pair.run(pair.order("v4", task="Regression", data={"drop": [*DROP[:2], "churned", "band"], "target": "loss"}))
    code, _, compared = compare(pair, comparing(pair, "v2", "v4"))
    assert (code, compared.verdict) == (0, Verdict.NOT_COMPARABLE)
    assert "the current version v4 cannot be scored on these rows: its task is Regression" in compared.reason


def test_a_current_version_whose_code_this_image_lacks_is_not_comparable(pair, monkeypatch):
    spec = {"estimator": "tests.training.own_code:Own", "data": DATA, "artifacts": ["Skops"]}
    monkeypatch.setattr("tests.training.own_code.Own", own := of_ones_own(), raising=False)
    assert pair.run(pair.order("v4", **spec)).code == 0
    monkeypatch.delattr("tests.training.own_code.Own")
    assert own
    code, _, compared = compare(pair, comparing(pair, "v2", "v4"))
    assert (code, compared.verdict) == (0, Verdict.NOT_COMPARABLE)
    assert "v4 cannot be scored on these rows: its model.skops" in compared.reason


def test_too_little_memory_to_load_a_version_is_no_judgement_on_the_pair(pair, monkeypatch):
    spec = {"estimator": "tests.training.own_code:Own", "data": DATA, "artifacts": ["Skops"]}
    monkeypatch.setattr("tests.training.own_code.Own", own := of_ones_own(), raising=False)
    assert pair.run(pair.order("v4", **spec)).code == 0
    monkeypatch.setattr(own, "__setstate__", lambda *_: np.empty(2**56))
    code, outcome, compared = compare(pair, comparing(pair, "v2", "v4"))
    assert (code, outcome.reason, compared) == (64, "OutOfMemory", None)


def of_ones_own() -> type:
    """An estimator that only the module tests.training.own_code has, while it has it."""
    name = {"__module__": "tests.training.own_code", "__qualname__": "Own"}
    return type("Own", (HistGradientBoostingClassifier,), name)


WRONG = {
    "a candidate of another digest": {"digest": "sha256:" + "0" * 64},
    "a current version of another digest": {"current": OrderedVersion(version="v1", digest="sha256:" + "0" * 64)},
    "a current version that is not there": {"current": OrderedVersion(version="v0", digest="sha256:" + "0" * 64)},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG.keys())
def test_a_version_that_is_not_the_one_of_the_order_is_refused_and_nothing_is_written(pair, changed):
    code, outcome, compared = compare(pair, comparing(pair).model_copy(update=changed))
    assert (code, outcome.reason, compared) == (64, "ComparisonFailed", None)
    assert "does not have the digest sha256:0000" in outcome.message


def test_a_forged_order_is_refused_and_nothing_is_written(pair):
    path = next(path for path in pair.store.objects if "/v2/" in path and path.endswith("/order.json"))
    pair.store.objects[path] = pair.store.objects[path].replace(b"s3://data/", b"s3://other/")
    code, outcome, compared = compare(pair)
    assert (code, outcome.reason, compared) == (64, "ComparisonFailed", None)
    assert "order.json does not have the sha256" in outcome.message


def test_code_that_the_image_lacks_is_no_answer(pair, monkeypatch):
    monkeypatch.delattr(PRICED)
    code, outcome, compared = compare(pair, comparing(pair, "v3"))
    assert (code, outcome.reason, compared) == (64, "CodeNotFound", None)


def test_data_that_does_not_answer_is_worth_another_try(pair):
    pair.data.denied[ROWS] = StoreUnavailable(f"{ROWS}: SlowDown")
    code, outcome, compared = compare(pair)
    assert (code, outcome.reason, outcome.retryable, compared) == (1, "RegistryUnavailable", True, None)


def test_an_order_without_a_digest_is_refused_before_anything_is_written(pair):
    before = dict(pair.store.objects)
    order = comparing(pair).model_copy(update={"digest": None})
    end = pair.run(order.render())
    assert (end.code, end.termination.reason) == (64, "OrderInvalid")
    assert "digest and current: are required for kind Compare" in end.termination.message
    assert pair.store.objects == before


def test_neither_version_is_written_to(pair):
    def of_versions() -> dict[str, bytes]:
        return {key: body for key, body in pair.store.objects.items() if "/versions/" in key}

    before = of_versions()
    compare(pair)
    assert of_versions() == before


def test_a_version_that_was_trained_on_a_laptops_files_is_not_comparable_in_a_pod(pair, tmp_path):
    manifest = pair.manifest("v2")
    source = manifest.sources[0].model_copy(update={"uri": f"file://{tmp_path}/rows.csv"})
    forged = manifest.model_copy(update={"sources": [source]})
    pair.store.objects[pair.key("v2").manifest] = forged.render()
    code, _, compared = compare(pair)
    assert (code, compared.verdict) == (0, Verdict.NOT_COMPARABLE)
    assert "lies on the machine of whoever trained it" in compared.reason
