"""What somebody reads in the pod's log after a failure: one line that says it, and a traceback only of own code."""

import io
import json
import logging
import signal

import pytest

from mira.registry.store import StoreUnavailable
from mira_training.logs import JsonLines
from tests.training.workbench import csv, customers

OWN = "tests.training.own_code"


@pytest.fixture
def log():
    """Every line of the log so far, as `logs.configure` has it written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root, ours = logging.getLogger(), logging.getLogger("mira_training")
    level = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    ours.setLevel(level)
    root.removeHandler(handler)


def errors(lines):
    return [line for line in lines if line["level"] == "error"]


@pytest.mark.parametrize(
    ("spec", "step"),
    [
        ({"parameters": {"max_itre": 1}}, "start"),
        ({"data": {"training": {"uri": "s3://data/none.csv"}}}, "ingest"),
        ({"data": {"target": "churn"}}, "validate"),
        ({"estimator": f"{OWN}:no_estimator"}, "train"),
        ({"hooks": {"metrics": f"{OWN}:infinite_metrics"}, "parameters": {"max_iter": 2}}, "evaluate"),
    ],
    ids=["start", "ingest", "validate", "train", "evaluate"],
)
def test_a_refusal_is_one_line_with_its_step_and_no_traceback(bench, log, spec, step):
    end = bench.run(bench.order(**spec))
    (said,) = errors(log())
    assert (said["step"], said["message"]) == (step, f"{end.outcome.reason}: {end.outcome.message}")
    assert [line for line in log() if "error" in line or "Traceback" in line["message"]] == []


@pytest.mark.parametrize(
    ("spec", "first", "last"),
    [
        ({"estimator": f"{OWN}:fails"}, "in fails", "RuntimeError: out of luck"),
        ({"features": f"{OWN}:misspelt"}, "in misspelt", "KeyError: 'agee'"),
        ({"estimator": f"{OWN}_that_raises:build"}, "in <module>", "ZeroDivisionError: division by zero"),
    ],
    ids=["an estimator", "features", "a module"],
)
def test_a_crash_of_user_code_shows_its_own_traceback_once(bench, log, spec, first, last):
    end = bench.run(bench.order(**spec))
    (said,) = errors(log())
    assert (said["step"], said["message"]) == (end.outcome.step, f"{end.outcome.reason}: {end.outcome.message}")
    # Before it there may be another, which a library's `raise ... from` has put there.
    shown = said["error"].rpartition("Traceback (most recent call last):\n")[2].splitlines()
    assert "own_code" in shown[0]
    assert shown[0].endswith(first)
    assert shown[-1] == last
    assert said["error"].count(shown[0]) == 1
    assert "mira_training" not in said["error"]


def test_a_fit_that_raises_shows_where_in_the_library(bench, log):
    bench.data.objects["s3://data/rows.csv"] = csv(customers())
    # One direction for one column, where there are more.
    estimator = "sklearn.ensemble:HistGradientBoostingClassifier"
    bench.run(bench.order(estimator=estimator, parameters={"monotonic_cst": [1]}))
    (said,) = errors(log())
    assert said["step"] == "train"
    assert "sklearn" in said["error"].splitlines()[1]
    assert said["error"].count("Traceback (most recent call last)") == 1


def test_a_mistake_of_ours_shows_its_whole_traceback_once(bench, log, monkeypatch):
    def broken(*_):
        raise LookupError("nobody has thought of this")

    monkeypatch.setattr("mira_training.steps.ingest.pinned", broken)
    end = bench.run(bench.order())
    (said,) = errors(log())
    assert (end.code, end.outcome.reason, said["step"]) == (1, "Unexpected", "ingest")
    assert "in ingest" in said["error"]
    assert said["error"].endswith("LookupError: nobody has thought of this")
    assert said["error"].count("Traceback (most recent call last)") == 1


def test_s3_that_does_not_answer_is_one_line(bench, log):
    bench.data.denied["s3://data/rows.csv"] = StoreUnavailable("s3://data/rows.csv: SlowDown")
    bench.run(bench.order())
    (said,) = errors(log())
    assert (said["step"], "error" in said) == ("ingest", False)


@pytest.fixture
def own_signals():
    """The handlers of signals as they were, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
def test_a_pod_that_is_told_to_stop_says_why_that_may_be_and_what_to_do(bench, log):
    end = bench.run(bench.order(features=f"{OWN}:told_to_stop"))
    assert (end.code, end.outcome.result, end.outcome.retryable) == (1, "Interrupted", True)
    assert end.outcome.message == (
        "the pod was told to stop (SIGTERM), e.g. by a node drain, a preemption, a deadline or the deletion of its "
        "Job; unless another attempt follows by itself, create a run under another name"
    )
    (said,) = errors(log())
    assert (said["step"], "error" in said) == ("validate", False)
