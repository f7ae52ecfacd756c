"""A manifest, written by whoever may write a namespace's models, is read as hostile."""

import json
from typing import Any

import pytest

from mira.api.modelpromotion import GateResult
from mira.api.trainingrun_status import Metric
from mira.registry.comparison import Comparison
from mira.registry.document import DocumentInvalid
from mira.registry.manifest import MANIFEST_LIMIT, MOST_FILES, Manifest
from mira.registry.order import Order
from tests.registry.examples import DIGEST, OWN, a_comparison, a_manifest, an_order

A_FILE = {"path": f"{OWN}model.onnx", "size": 5, "sha256": "0" * 64}


def read(**fields: Any) -> Manifest:
    return Manifest.parse(json.dumps(json.loads(a_manifest().render()) | fields).encode())


PATHS = {
    "out of the version": "../x",
    "out of the attempt": f"{OWN}../../x",
    "out and back": f"{OWN}../model/x",
    "absolute": "/etc/passwd",
    "absolute and own": f"/{OWN}x",
    "a dot": f"{OWN}./x",
    "an empty part": f"{OWN}/x",
    "a folder": OWN,
    "empty": "",
    "a backslash": f"{OWN}..\\x",
    "a newline": f"{OWN}x\n",
    "NUL": f"{OWN}x\0",
    "another attempt": "attempts/01234567-00000000/model/x",
    "an attempt whose name begins the same": "attempts/01234567-89abcdef0/model/x",
    "the manifest itself": "manifest.json",
    "a URI": "s3://other/key",
    "too long": OWN + "x" * 500,
    "an unprintable character": f"{OWN}x\u202e",
    "a lone surrogate": f"{OWN}\ud800",
    "a number": 5,
    "null": None,
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_a_file_is_refused_whose_path_is(path: Any) -> None:
    with pytest.raises(DocumentInvalid, match="file"):
        read(files=[A_FILE | {"path": path}])


@pytest.mark.parametrize("path", [f"{OWN}a b", f"{OWN}ä/ö.bin", f"{OWN}..x", "attempts/01234567-89abcdef/x"])
def test_a_file_is_taken_whose_path_is(path: str) -> None:
    assert read(files=[A_FILE | {"path": path}]).files[0].path == path


WRONG = {
    "no files": {"files": []},
    "the same path twice": {"files": [A_FILE, A_FILE]},
    "a negative size": {"files": [A_FILE | {"size": -1}]},
    "a sha256 in capitals": {"files": [A_FILE | {"sha256": "A" * 64}]},
    "a short sha256": {"files": [A_FILE | {"sha256": "0" * 63}]},
    "an attempt that is none": {"attempt": "../../../x"},
    "an attempt with a newline": {"attempt": "01234567-89abcdef\n"},
    "a namespace that is none": {"namespace": ".."},
    "a model that is none": {"model": "a/b"},
    "a version that is none": {"version": "../v1"},
    "a version that ends in a dot": {"version": "v1."},
    "an empty version": {"version": ""},
    "more than 10,000 files": {"files": [A_FILE | {"path": f"{OWN}{n}"} for n in range(MOST_FILES + 1)]},
    "the same metric twice": {"metrics": [{"name": "f1", "value": "1"}, {"name": "f1", "value": "2"}]},
    "the same metric of a slice twice": {"metrics": [{"name": "f1", "value": "1", "slice": "a=b"}] * 2},
    "a metric that no gate can name": {"metrics": [{"name": "f1 score", "value": "1"}]},
    "a metric with a name of 65 characters": {"metrics": [{"name": "f" * 65, "value": "1"}]},
    "a metric without a name": {"metrics": [{"name": "", "value": "1"}]},
    "a metric with a float": {"metrics": [{"name": "f1", "value": 0.5}]},
    "a metric with an exponent": {"metrics": [{"name": "f1", "value": "1e5"}]},
    "a metric with more digits than a status holds": {"metrics": [{"name": "f1", "value": "1" * 20 + "." + "1" * 20}]},
    "a metric with an unknown direction": {"metrics": [{"name": "f1", "value": "1", "direction": "Up"}]},
    "a comparison with a stage that is none": {"comparedWith": {"stage": "..", "version": "v", "digest": DIGEST}},
    "a comparison with a digest that is none": {"comparedWith": {"stage": "s", "version": "v", "digest": "x"}},
    "a library name of a megabyte": {"code": {"estimator": "e", "libraries": {"x" * 500_000: 1}}},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG.keys())
def test_a_manifest_is_refused_with(fields: dict[str, Any]) -> None:
    # Larger than its limit or not, the reason is found and told in few words.
    with pytest.raises(DocumentInvalid) as refusal:
        read(**fields)
    assert len(str(refusal.value)) <= 300


def test_a_manifest_over_one_mebibyte_is_refused_before_it_is_read() -> None:
    with pytest.raises(DocumentInvalid, match="bytes are more than the 1048576 allowed"):
        read(parameters={"a": "x" * MANIFEST_LIMIT})


def test_a_thousand_differences_fit_into_a_comparison() -> None:
    [one] = a_comparison().differences
    many = [one.model_copy(update={"slice": f"customer_segment=a segment with a long name {n}"}) for n in range(1000)]
    comparison = a_comparison(differences=many)
    assert Comparison.parse(comparison.render()) == comparison


def test_a_metric_is_found_by_name_and_slice() -> None:
    metrics = [{"name": "f1", "value": "1"}, {"name": "f1", "value": "2", "slice": "a=b"}]
    manifest = read(metrics=metrics)
    assert [manifest.metric("f1"), manifest.metric("f1", "a=b")] == manifest.metrics
    assert manifest.metric("f1", "a=c") is None


def test_whatever_metric_a_manifest_may_hold_a_status_can_show() -> None:
    longest = {"name": "f" * 64, "value": "-" + "1" * 20 + "." + "1" * 10}
    [metric] = read(metrics=[longest]).metrics
    Metric(name=metric.name, value=metric.value)
    GateResult(metric=metric.name, slice="", measured=metric.value, threshold="", result="Pass", reason="Passed")


ORDERS: dict[str, dict[str, Any]] = {
    "a version that is none": {"version": "a/b"},
    "a namespace that is none": {"namespace": ".."},
    "a stage to compare with that is none": {"against": "../x"},
}


@pytest.mark.parametrize("fields", ORDERS.values(), ids=ORDERS.keys())
def test_an_order_is_refused_with(fields: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid):
        Order.parse(json.dumps(json.loads(an_order().render()) | fields).encode())


DIFFERENCE = json.loads(a_comparison().render())["differences"][0]
COMPARISONS: dict[str, dict[str, Any]] = {
    "a current version that is none": {"currentVersion": "v 1"},
    "the same metric twice": {"differences": [DIFFERENCE, DIFFERENCE]},
    "a metric that no gate can name": {"differences": [DIFFERENCE | {"metric": "f1 score"}]},
    "no interval": {"differences": [{k: v for k, v in DIFFERENCE.items() if k != "lower"}]},
    "an interval that is not a number": {"differences": [DIFFERENCE | {"lower": "NaN"}]},
}


@pytest.mark.parametrize("fields", COMPARISONS.values(), ids=COMPARISONS.keys())
def test_a_comparison_is_refused_with(fields: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid):
        Comparison.parse(json.dumps(json.loads(a_comparison().render()) | fields).encode())
