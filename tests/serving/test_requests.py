"""Requests to a real server, as the v2 protocol has them: good ones, and bad ones with what is said to them."""

import json

import numpy as np
import pytest

from mira.registry.folder import FolderStore
from mira_training.model.onnx_file import OnnxFile
from mira_training.model.onnx_scorer import OnnxScorer
from mira_training.serve import tensors
from tests.serving.processes import a_row
from tests.training.workbench import MODEL, Workbench, customers


@pytest.fixture
def bench(trained, tmp_path):
    return Workbench(tmp_path, store=FolderStore(trained.as_uri()))


def test_the_answers_are_those_by_which_the_version_was_judged(serving, bench):
    rows = customers(200, seed=7)
    manifest = bench.manifest("v1")
    expected = OnnxScorer(bench.file("v1", "model.onnx"), manifest.model_schema.columns, 2).scores(rows)

    def tensor(name, datatype, values):
        return {"name": name, "shape": [len(rows)], "datatype": datatype, "data": values}

    spend = [None if np.isnan(value) else value for value in rows["spend"].tolist()]
    plan = [value if isinstance(value, str) else None for value in rows["plan"]]
    answer = serving.infer(
        {
            "inputs": [
                tensor("plan", "BYTES", plan),
                tensor("active", "BOOL", rows["active"].tolist()),
                tensor("age", "INT64", rows["age"].tolist()),
                tensor("spend", "FP64", spend),
            ]
        }
    ).json()
    label, probabilities = answer["outputs"]
    found = np.array(probabilities["data"]).reshape(probabilities["shape"])
    # The order in which threads add 32-bit numbers moves the last bit.
    assert np.abs(found - expected).max() < 1e-6
    assert label["data"] == [manifest.model_schema.classes[index] for index in expected.argmax(axis=1)]
    assert len(set(label["data"])) == 2


def test_the_metadata_names_tensors_labels_and_what_is_served(serving, bench):
    answer = serving.client.get(f"/v2/models/{MODEL}")
    content, state = answer.json(), serving.state()
    assert [(each["name"], each["datatype"]) for each in content["inputs"]] == [
        ("age", "FP32"),
        ("spend", "FP32"),
        ("plan", "BYTES"),
        ("active", "FP32"),
    ]
    assert [(each["name"], each["shape"], each["parameters"]["classes"]) for each in content["outputs"]] == [
        ("label", [-1], ["0", "1"]),
        ("probabilities", [-1, 2], ["0", "1"]),
    ]
    assert (content["name"], content["versions"], content["parameters"]["number"]) == (MODEL, ["v1"], 1)
    assert (answer.headers["mira-version"], answer.headers["mira-digest"]) == ("v1", state["digest"])
    assert (state["ready"], state["version"], "problem" in state) == (True, "v1", False)
    assert serving.client.get("/v2").json()["name"] == "mira"


GOOD = {
    "as columns are typed": a_row(),
    "numbers as FP32": a_row(age={"datatype": "FP32", "data": [40.0]}, spend={"datatype": "FP32"}),
    "a boolean as a number": a_row(active={"datatype": "INT64", "data": [1]}),
    "rows x 1": {"inputs": [each | {"shape": [1, 1]} for each in a_row()["inputs"]]},
    "rows x 1, nested": {"inputs": [each | {"shape": [1, 1], "data": [each["data"]]} for each in a_row()["inputs"]]},
    "one output and an id": a_row() | {"outputs": [{"name": "label"}], "id": "42", "parameters": {"x": 1}},
}


@pytest.mark.parametrize("name", GOOD)
def test_every_way_to_send_a_row_gives_the_same_answer(serving, name):
    usual, answer = serving.infer(a_row()), serving.infer(GOOD[name])
    assert answer.status_code == 200, answer.text
    wanted = [each["name"] for each in GOOD[name].get("outputs", [])] or ["label", "probabilities"]
    assert answer.json()["outputs"] == [each for each in usual.json()["outputs"] if each["name"] in wanted]
    assert (answer.json()["model_name"], answer.json()["model_version"]) == (MODEL, "v1")
    assert answer.json().get("id") == GOOD[name].get("id")
    assert answer.headers["mira-version"] == "v1"


BAD = [
    ("no JSON", b"{", "the body is not JSON: Expecting property name"),
    ("not UTF-8", b'{"inputs":"\xff"}', "the body is not JSON: 'utf-8' codec can't decode"),
    ("too deep", b"[" * 9000, "the body is not JSON: "),
    (
        "NaN",
        json.dumps(a_row()).replace("12.5", "NaN").encode(),
        "NaN is no JSON number; send null for a missing value",
    ),
    ("a list", [], "the body must be a JSON object with a list of tensors under 'inputs'"),
    ("inputs that are no list", {"inputs": {}}, "with a list of tensors under 'inputs'"),
    ("no tensors", {"inputs": []}, "inputs: column 'active' is missing; this model takes age, spend, plan, active"),
    ("a tensor that is a number", {"inputs": [1]}, "inputs[0]: a tensor must be an object with name, datatype, shape"),
    (
        "a column missing",
        a_row(plan=None),
        "inputs: column 'plan' is missing; this model takes age, spend, plan, active",
    ),
    (
        "a column unknown",
        a_row(pet={"datatype": "BYTES", "data": ["cat"]}),
        "inputs: 'pet' is no column of this model; it takes age, spend, plan, active",
    ),
    (
        "a column twice",
        {"inputs": a_row()["inputs"] * 2},
        "inputs: 'age' is sent twice; send one tensor for each column",
    ),
    (
        "text for numbers",
        a_row(age={"datatype": "BYTES", "data": ["40"]}),
        "inputs: 'age' has the datatype 'BYTES'; a column of type Integer takes FP32, FP64, INT64, BOOL",
    ),
    (
        "numbers for text",
        a_row(plan={"datatype": "INT64", "data": [1]}),
        "inputs: 'plan' has the datatype 'INT64'; a column of type String takes BYTES",
    ),
    ("a datatype unknown", a_row(age={"datatype": "FP16"}), "'age' has the datatype 'FP16'; a column of type Integer"),
    ("no datatype", a_row(age={"datatype": None}), "inputs: 'age' has the datatype 'None'; a column of type Integer"),
    ("a datatype that is a list", a_row(age={"datatype": ["FP32"]}), "inputs: 'age' has the datatype"),
    (
        "a string among numbers",
        a_row(spend={"data": ["12.5"]}),
        "inputs: 'spend' data[0] is \"12.5\"; allowed in FP64 are numbers and null",
    ),
    (
        "a boolean among numbers",
        a_row(age={"data": [True]}),
        "inputs: 'age' data[0] is true; allowed in INT64 are whole numbers and null",
    ),
    (
        "a float among INT64",
        a_row(age={"data": [1.5]}),
        "'age' data[0] is 1.5; allowed in INT64 are whole numbers and null",
    ),
    (
        "a number as BOOL",
        a_row(active={"data": [1]}),
        "'active' data[0] is 1; allowed in BOOL are true, false and null",
    ),
    ("a number as BYTES", a_row(plan={"data": [1]}), "'plan' data[0] is 1; allowed in BYTES are strings and null"),
    ("a list as a value", a_row(plan={"data": [["pro"]]}), "'plan' data[0] is [\"pro\"]; allowed in BYTES are strings"),
    (
        "beyond 32 bits",
        a_row(spend={"data": [1e300]}),
        "'spend' holds a number beyond 3.4e+38; the model computes with 32",
    ),
    ("beyond 64 bits", a_row(age={"data": [10**400]}), "'age' holds a number beyond 3.4e+38"),
    ("no shape", a_row(age={"shape": None}), "inputs: 'age' has the shape null; allowed are [rows] and [rows, 1]"),
    ("two wide", a_row(age={"shape": [1, 2]}), "inputs: 'age' has the shape [1, 2]; allowed are [rows] and [rows, 1]"),
    ("no rows", a_row(age={"shape": [0], "data": []}), "inputs: 'age' has the shape [0]; allowed are [rows]"),
    ("a shape of truth", a_row(age={"shape": [True]}), "inputs: 'age' has the shape [true]; allowed are [rows]"),
    ("more values than rows", a_row(age={"data": [1, 2]}), "inputs: 'age' has 2 values; its shape says 1"),
    ("data that is no list", a_row(age={"data": 40}), "inputs: 'age' has the data 40; it must be a list"),
    (
        "rows that do not agree",
        a_row(plan={"shape": [2], "data": ["pro", "free"]}),
        "inputs: 'plan' has 2 rows and 'age' has 1; all tensors must have the same number",
    ),
    (
        "an output unknown",
        a_row() | {"outputs": [{"name": "score"}]},
        'outputs: [{"name": "score"}] is not what this model gives; allowed are label, probabilities',
    ),
    ("outputs that are no list", a_row() | {"outputs": 1}, "outputs: 1 is not what this model gives"),
]


@pytest.mark.parametrize(("request_", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_request_is_told_what_is_wrong_and_what_is_allowed(serving, request_, words):
    answer = serving.infer(request_)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("asked", "headers", "code", "words"),
    [
        ("POST /v2/models/other/infer", {}, 404, "model 'other' is not served here; this server serves churn"),
        ("GET /v2/models/other/ready", {}, 404, "model 'other' is not served here"),
        ("GET /v2/models/churn/infer", {}, 405, "Method Not Allowed"),
        ("GET /v1/models/churn:predict", {}, 404, "Not Found"),
        (
            "POST /v2/models/churn/infer",
            {"inference-header-content-length": "10"},
            400,
            "inference-header-content-length: binary tensors are not taken; send them as JSON",
        ),
    ],
)
def test_what_is_not_there_says_so(serving, asked, headers, code, words):
    answer = serving.client.request(*asked.split(), headers=headers)
    assert (answer.status_code, words in answer.json()["error"]) == (code, True), answer.text


@pytest.mark.parametrize("told", [True, False], ids=["its length told", "in pieces"])
def test_a_body_that_is_too_large_is_not_read(serving, told):
    body = b" " * 20_001
    content = body if told else iter([body[:10_000], body[10_000:]])
    answer = serving.client.post(f"/v2/models/{MODEL}/infer", content=content)
    assert answer.status_code == 413
    assert answer.json()["error"] == "the body has more than 20000 bytes; send fewer rows at once"


def test_what_was_served_is_counted(serving):
    for request in (a_row(), {}):
        serving.infer(request)
    lines = serving.client.get("/metrics").text.splitlines()
    digest = serving.state()["digest"]
    assert f'mira_serving_version{{digest="{digest}",version="v1"}} 1.0' in lines
    counts = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if not line.startswith("#")}
    assert counts['mira_serving_requests_total{code="200"}'] >= 1
    assert counts['mira_serving_requests_total{code="400"}'] >= 1
    assert counts["mira_serving_rows_total"] >= 1
    assert counts["mira_serving_up_to_date"] == 1


def test_a_regression_gives_its_numbers(bench):
    manifest = bench.manifest("numbers")
    columns = manifest.model_schema.columns
    feed = tensors.feed_of(a_row()["inputs"], columns)
    scores = OnnxFile(bench.file("numbers", "model.onnx"), 0).scores(feed)
    (output,) = tensors.outputs_of(scores, [], None)
    assert output == {"name": "prediction", "datatype": "FP64", "shape": [1], "data": scores.tolist()}
    assert tensors.described(columns, [])["outputs"] == [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]


def test_an_answer_that_is_no_number_is_refused():
    with pytest.raises(tensors.BadRequest, match="row 1 has no finite answer; this model may not take missing values"):
        tensors.outputs_of(np.array([1.0, np.nan]), [], None)
