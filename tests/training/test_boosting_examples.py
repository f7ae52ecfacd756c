"""The examples that train with XGBoost and LightGBM, on real flights; both libraries are in the lock."""

import lightgbm
import onnxmltools
import pandas as pd
import pytest
import xgboost
import yaml

from dev.processes import CHECKOUT
from mira.registry.comparison import Verdict
from tests.training.workbench import STAGE, csv, parquet

EXAMPLES = CHECKOUT / "examples"


@pytest.fixture
def flights(bench, january, flights_folder, monkeypatch):
    """A bench with flights and weather, and the code of all three examples."""
    for example in ("flights", "xgboost", "lightgbm"):
        monkeypatch.syspath_prepend(str(EXAMPLES / example))
    weather = pd.read_csv(flights_folder / "weather.csv")
    bench.data.objects |= {
        "s3://flights/flights/2013-01.parquet": parquet(january),
        "s3://flights/weather.csv": csv(weather),
    }
    return bench


def ordered(flights, example, version, **changed):
    """The example's own manifest as an order."""
    spec = yaml.safe_load((EXAMPLES / example / "run.yaml").read_text())["spec"]
    wanted = {name: value for name, value in spec.items() if name not in ("image", "evaluation")}
    return flights.order(
        version, against=STAGE, evaluation={"metrics": ["roc_auc"], "slices": ["origin"]}, **wanted | changed
    )


@pytest.mark.parametrize(
    ("example", "library", "files"),
    [
        ("xgboost", xgboost, {"model/model.onnx"}),
        ("lightgbm", lightgbm, {"model/model.onnx", "model/model.txt"}),
    ],
)
def test_publishes_a_model_in_onnx_that_tells_late_flights(flights, example, library, files):
    end = flights.run(ordered(flights, example, "v1"))
    assert end.code == 0, end.termination.message
    manifest = flights.manifest("v1")
    assert {file.path.split("/", 2)[2] for file in manifest.files if "/model/" in file.path} == files
    assert manifest.metrics[0].name == "roc_auc"
    assert 0.65 < float(manifest.metrics[0].value) < 0.9
    assert manifest.metric("roc_auc", "origin=JFK") is not None
    assert 1 <= float(manifest.metric("trees").value) < 200, "it stops early"
    used = {name: manifest.code.libraries.get(name) for name in (example, "onnxmltools")}
    assert used == {example: library.__version__, "onnxmltools": onnxmltools.__version__}


def test_are_compared_with_each_other_on_the_same_rows(flights):
    assert flights.run(ordered(flights, "xgboost", "v1")).code == 0
    flights.make_current("v1")
    assert flights.run(ordered(flights, "lightgbm", "v2")).code == 0
    found = flights.comparison("v2", "v1")
    assert found.verdict is Verdict.COMPARED, found.reason
    current = float(flights.manifest("v1").metric("roc_auc").value)
    assert float(found.difference("roc_auc").current) == pytest.approx(current, abs=1e-4)


def test_a_wrong_parameter_is_refused_before_data_is_read(flights):
    flights.data.objects.clear()
    end = flights.run(ordered(flights, "xgboost", "v1", parameters={"rounds": 0}))
    assert (end.code, end.outcome.reason, end.outcome.step) == (64, "InvalidParameters", "start")
    assert end.outcome.message.startswith(
        "parameters.rounds: 0 is not allowed: Input should be greater than or equal to 1"
    )
