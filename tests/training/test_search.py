"""A search for better parameters: on which rows, what is found, what it costs when trials fail or time is over."""

import math

import numpy as np
import pandas as pd
import pytest

from mira.api.data import Data
from mira.api.reasons import Reason
from mira.registry.progress import Progress
from mira.registry.search import SearchReport
from mira_training.data.examples import Examples
from mira_training.refusal import Refused
from mira_training.scoring.metrics import METRICS, Kind
from mira_training.search import halving
from mira_training.search.folds import folds, part_of
from mira_training.search.space import Trial
from tests.training.workbench import csv, customers

LEFT_OUT = ["customer", "since", "loss", "band"]


# On which rows


def examples(frame, target="churned", inputs=("age", "spend", "plan")):
    shown = frame[list(inputs)].copy()
    shown["plan"] = shown["plan"].fillna("")
    return Examples(frame, shown, frame[target].to_numpy(), None)


def data(**split):
    return Data.model_validate({"training": {"uri": "s3://data/rows.csv"}} | ({"split": split} if split else {}))


def test_every_row_is_scored_once_and_equal_rows_are_on_one_side():
    frame = pd.concat([customers(300)] * 3, ignore_index=True)
    made = folds(examples(frame), data(), stratified=False)
    assert sorted(np.concatenate([scored for _, scored in made])) == list(range(900))
    for learned, scored in made:
        assert not {*learned % 300} & {*scored % 300}
        assert 250 < len(scored) < 350


def test_a_rare_class_is_dealt_out_to_every_fold():
    frame = customers(300)
    frame["churned"] = [row in (3, 50, 220) for row in range(300)]
    made = folds(examples(frame), data(), stratified=True)
    assert [int(frame["churned"].to_numpy()[scored].sum()) for _, scored in made] == [1, 1, 1]


def test_the_rows_of_a_group_are_on_one_side():
    frame = customers(300)
    frame["customer"] = np.arange(300) // 5
    for learned, scored in folds(examples(frame), data(method="Group", column="customer"), stratified=True):
        assert not {*frame["customer"][learned]} & {*frame["customer"][scored]}


def test_later_rows_are_scored_by_what_came_before():
    frame = customers(400).sample(frac=1, random_state=1, ignore_index=True)
    split = {"method": "Time", "column": "since", "evaluationFrom": "2030-01-01"}
    made = folds(examples(frame), data(**split), stratified=True)
    for learned, scored in made:
        assert frame["since"][learned].max() < frame["since"][scored].min()
    assert [len(learned) for learned, _ in made] == [100, 200, 300]


def test_a_split_by_a_column_that_features_dropped_is_refused():
    frame = customers(300).drop(columns="customer")
    with pytest.raises(Refused, match=r"column 'customer' of data\.split is not among what features returns"):
        folds(examples(frame), data(method="Group", column="customer"), stratified=False)


def test_rows_that_are_all_alike_cannot_be_divided():
    frame = customers(30)
    frame["customer"] = 7
    with pytest.raises(Refused, match="the 30 rows for training cannot be divided in 3"):
        folds(examples(frame), data(method="Group", column="customer"), stratified=False)


def test_a_larger_part_of_the_rows_holds_the_smaller_one_and_some_of_each_class():
    target = np.array([0] * 95 + [1] * 5)
    rows = np.arange(100)
    third, ninth = (set(part_of(rows, target, 1 / of, seed=3)) for of in (3, 9))
    assert ninth < third < set(part_of(rows, target, 1, seed=3)) == set(rows)
    assert [sum(target[row] for row in part) for part in (third, ninth)] == [2, 1]
    assert 30 < len(third) < 36


# What halving makes of it


def a_search(rows=9000, trials=9, **changed):
    """Trials of which each scores its own number as a share, on a metric of which more is better."""
    (auc,) = (metric for metric in METRICS[Kind.BINARY] if metric.name == "roc_auc")
    at = np.arange(rows)
    made = [(at[at % 3 != fold], at[at % 3 == fold]) for fold in range(3)]
    given = {
        "trials": tuple(Trial(number, {"a": number}, {"a": number}) for number in range(1, trials + 1)),
        "metric": auc,
        "made": made,
        "target": None,
        "train": lambda trial, learned: (trial.number, len(learned)),
        "score": lambda model, scored: model[0] / 100,
        "seed": 0,
    }
    return halving.Search(**(given | changed))


def shares(search):
    return {trial.number: round(search.last(trial).share, 3) for trial in search.trials}


def test_few_rows_are_for_all_trials_and_all_rows_for_the_best():
    search = a_search().run()
    assert search.parts == 3
    assert shares(search) == dict.fromkeys(range(1, 7), 0.333) | dict.fromkeys((7, 8, 9), 1.0)
    assert search.best().trial.number == 9


def test_of_a_metric_of_which_less_is_better_the_lowest_wins():
    (loss,) = (metric for metric in METRICS[Kind.BINARY] if metric.name == "log_loss")
    search = a_search(metric=loss).run()
    assert search.best().trial.number == 1
    assert {number for number, share in shares(search).items() if share == 1} == {1, 2, 3}


def test_of_equals_the_first_is_taken():
    assert a_search(score=lambda *_: 0.5).run().best().trial.number == 1


def test_where_there_are_few_rows_every_trial_gets_all_of_them():
    search = a_search(rows=600).run()
    assert set(shares(search).values()) == {1.0}


def test_every_fold_learns_from_its_own_rows_alone():
    learned = {}

    def train(trial, rows):
        learned.setdefault(len(rows), []).append(set(rows))
        return trial.number, len(rows)

    search = a_search(train=train).run()
    for rows in learned.values():
        assert all(any(part <= set(side) for side, _ in search.made) for part in rows)


def fails_for(*numbers):
    def train(trial, learned):
        if trial.number in numbers:
            raise Refused(Reason.CODE_FAILED, f"trial {trial.number} raises ValueError")
        return trial.number, len(learned)

    return train


def test_a_trial_that_fails_is_told_and_costs_no_other_one():
    search = a_search(train=fails_for(9, 3)).run()
    assert search.best().trial.number == 8
    assert [search.last(trial).failed for trial in search.trials if trial.number in (3, 9)] == [
        "trial 3 raises ValueError",
        "trial 9 raises ValueError",
    ]


def test_memory_that_is_used_up_is_no_failed_trial():
    def train(trial, learned):
        raise MemoryError

    with pytest.raises(MemoryError):
        a_search(train=train).run()


def test_a_fold_on_which_the_metric_is_not_defined_is_left_out_of_the_mean():
    search = a_search(score=lambda model, scored: math.nan if scored[0] == 0 else model[0] / 100).run()
    assert search.best().trial.number == 9
    assert search.best().mean == pytest.approx(0.09)


def test_when_the_time_is_over_no_trial_begins_and_the_best_so_far_is_taken():
    moments = iter(range(10_000))
    search = a_search(clock=lambda: next(moments), ends_at=60).run()
    assert search.stopped.startswith("the search ended after ")
    assert "the rest of job.activeDeadlineSeconds is for training the best of them" in search.stopped
    begun = [trial.number for trial in search.trials if search.last(trial).share > 0]
    assert 0 < len(begun) < 9
    assert search.best().trial.number == begun[-1 if len(search.last(search.trials[begun[-1] - 1]).scores) == 3 else -2]


def test_each_trial_is_told_with_how_many_are_done():
    told = []
    a_search(told=lambda done, of, one, best: told.append((done, of, best.trial.number))).run()
    assert [done for done, _, _ in told[:9]] == list(range(1, 10))
    assert told[8] == (9, 9, 9)


# Whole trainings


def ordered(bench, trials=6, metric="roc_auc", space=None, version="v1", **spec):
    search = {"trials": trials, "metric": metric, "space": space or {"max_iter": [1, 5, 40], "max_depth": [1, 3]}}
    spec["data"] = {"drop": LEFT_OUT} | spec.get("data", {})
    return bench.order(version, search=search, **spec)


@pytest.fixture
def shop(bench):
    bench.data.objects["s3://data/rows.csv"] = csv(customers(900))
    return bench


def report(bench, version="v1"):
    return SearchReport.parse(bench.file(version, "report/search.json"))


def test_the_best_parameters_are_trained_published_and_told(shop):
    order = ordered(shop)
    end = shop.run(order)
    assert end.code == 0, end.termination.message
    manifest, found = shop.manifest("v1"), report(shop)
    assert len(found.trials) == 6
    scores = {trial.number: float(trial.score) for trial in found.trials}
    assert found.chosen == max(scores, key=lambda number: (scores[number], -number))
    assert manifest.search is not None
    assert (manifest.search.metric, manifest.search.trials, manifest.search.chosen) == ("roc_auc", 6, found.chosen)
    assert manifest.search.score == found.best.score
    assert found.best.parameters.items() <= manifest.parameters.items()
    assert all(len(trial.folds) == 3 for trial in found.trials)
    card = shop.file("v1", "model-card.html").decode()
    assert "How its parameters were found" in card
    told = [
        Progress.parse(shop.store.objects[key])
        for key in sorted(shop.store.objects)
        if key.startswith(shop.key("v1").progress(end.attempt, 1).rpartition("/")[0])
    ]
    assert [one.number for one in told] == list(range(1, len(told) + 1))
    assert [one.step for one in told][:3] == ["ingest", "validate", "train"]
    assert [one.step for one in told][-2:] == ["evaluate", "publish"]
    assert "trial 6 of 6: roc_auc" in told[-3].message


def test_it_is_no_worse_than_what_would_be_trained_without_it(shop):
    shop.run(ordered(shop, metric="log_loss", space={"max_iter": [1, 2]}, parameters={"max_iter": 40}))
    found = report(shop)
    assert found.chosen == 1
    assert found.trials[0].parameters == {"max_iter": 40}


def test_a_second_attempt_finds_the_same(shop):
    for version in ("v1", "v2"):
        shop.run(ordered(shop, version=version, space={"max_iter": {"low": 1, "high": 60}}))
    one, other = ([(t.parameters, t.score) for t in report(shop, version).trials] for version in ("v1", "v2"))
    assert one == other


def test_a_regression_and_several_classes_are_searched_as_well(shop):
    regression = ordered(
        shop,
        metric="rmse",
        task="Regression",
        data={"target": "loss", "drop": ["customer", "since", "churned", "band"]},
    )
    assert shop.run(regression).code == 0
    found = report(shop)
    assert found.direction == "Lower"
    assert float(found.best.score) == min(float(trial.score) for trial in found.trials)
    several = ordered(
        shop,
        metric="roc_auc_ovr",
        version="v2",
        data={"target": "band", "drop": ["customer", "since", "churned", "loss"]},
    )
    assert shop.run(several).code == 0


def test_a_metric_of_another_kind_of_task_is_refused_and_says_which_there_are(shop):
    end = shop.run(ordered(shop, metric="f1_macro"))
    assert (end.code, end.termination.reason) == (64, "InvalidParameters")
    assert end.termination.message == (
        "search.metric: f1_macro is not known for a classification with two classes; allowed: roc_auc, "
        "average_precision, log_loss, brier, accuracy, f1"
    )


def test_a_metric_that_no_kind_of_the_task_has_is_refused_before_any_data_is_read(shop):
    shop.data.objects.clear()
    end = shop.run(ordered(shop, metric="rmse"))
    assert (end.code, end.termination.reason, end.termination.step) == (64, "InvalidParameters", "start")


def test_a_wrong_space_is_refused_before_any_data_is_read(shop):
    shop.data.objects.clear()
    end = shop.run(ordered(shop, space={"max_itr": [1]}))
    assert (end.code, end.termination.reason) == (64, "InvalidParameters")
    assert end.termination.message.startswith("search.space.max_itr: is unknown to gradient_boosting; allowed: ")


def test_an_estimator_that_fails_with_every_set_fails_the_run_with_its_words(shop):
    end = shop.run(ordered(shop, space={"size": [1, 2]}, estimator="tests.training.own_search:never_fits"))
    assert (end.code, end.termination.reason) == (64, "CodeFailed")
    assert end.termination.message.startswith(
        "search: every trial fails; the first: fitting tests.training.own_search:never_fits raises ValueError: these "
        "two do not go together"
    )


def test_the_deadline_ends_the_search_and_not_the_training(shop):
    order = ordered(shop).model_copy(update={"deadline_seconds": 1})
    end = shop.run(order)
    assert end.code == 0
    found = report(shop)
    assert "the rest of job.activeDeadlineSeconds" in found.stopped or len(found.trials) == 6
