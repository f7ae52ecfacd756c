"""Which sets of parameters a search tries, and which spaces are refused before any data is read."""

import json
import math
from random import Random

import numpy as np
import pytest

from mira.api.reasons import Reason
from mira.api.trainingrun import Search as Wanted
from mira_training.model.parameters import declared
from mira_training.refusal import Refused
from mira_training.search.space import Trial, trials_of

LEFT_OUT = ["customer", "since", "loss", "band"]


def takes_numbers(depth: int = 3, rate: float = 0.1, kind: str = "a", *, anything=None):
    return depth, rate, kind, anything


def tried(space, trials=20, own=None, function=takes_numbers, seed=0):
    wanted = Wanted(trials=trials, metric="roc_auc", space=space)
    found = trials_of(wanted, own or {}, declared(function), "the estimator", seed)
    assert [trial.number for trial in found] == list(range(1, len(found) + 1))
    return found


def test_the_first_trial_is_what_would_be_trained_without_a_search():
    first, *others = tried({"depth": {"low": 1, "high": 9}}, own={"depth": 5, "rate": 0.5})
    assert first == Trial(1, {"depth": 5}, {"depth": 5, "rate": 0.5})
    assert {trial.parameters["depth"] for trial in others} == set(range(1, 10)) - {5}
    assert all(trial.parameters["rate"] == 0.5 for trial in others)


def test_lists_with_fewer_combinations_than_trials_are_tried_whole():
    found = tried({"depth": [1, 2, 3], "kind": ["a", "b"]}, trials=7, own={"depth": 9})
    assert [dict(trial.values) for trial in found[1:]] == [
        {"depth": depth, "kind": kind} for depth in (1, 2, 3) for kind in ("a", "b")
    ]


def test_no_set_is_tried_twice_though_the_space_is_small():
    found = tried({"depth": {"low": 1, "high": 2}, "kind": ["a", "b"]}, trials=50)
    assert len({json.dumps(trial.parameters, sort_keys=True) for trial in found}) == len(found) == 5


def test_the_same_seed_tries_the_same_and_another_one_does_not():
    space = {"rate": {"low": 0.001, "high": 1, "log": True}, "depth": {"low": 1, "high": 100}}
    assert tried(space) == tried(space)
    assert tried(space) != tried(space, seed=1)


def values(space, name, trials=300, **how):
    return [trial.parameters[name] for trial in tried(space, trials, **how)[1:]]


def test_a_range_of_fractions_is_drawn_as_fractions_though_its_ends_were_stored_as_whole_numbers():
    found = values({"rate": {"low": 0, "high": 1}}, "rate")
    assert all(isinstance(value, float) and 0 <= value <= 1 for value in found)
    assert 0.4 < np.mean(found) < 0.6


def test_a_range_of_whole_numbers_holds_both_of_its_ends():
    found = values({"depth": {"low": 2, "high": 5}}, "depth")
    # 3 is what the first trial has, and that is not tried again.
    assert set(found) == {2, 4, 5}
    assert all(isinstance(value, int) for value in found)


def test_a_range_for_which_no_type_is_declared_is_what_its_ends_are():
    assert {type(value) for value in values({"anything": {"low": 0, "high": 9}}, "anything")} == {int}
    assert {type(value) for value in values({"anything": {"low": "0", "high": 9}}, "anything")} == {float}


def test_a_logarithmic_range_is_drawn_from_every_power_alike():
    found = np.log10(values({"rate": {"low": 0.0001, "high": 1, "log": True}}, "rate"))
    assert [len(found[(found >= low) & (found < low + 1)]) > 40 for low in (-4, -3, -2, -1)] == [True] * 4
    whole = values({"depth": {"low": 1, "high": 1000, "log": True}}, "depth", trials=30)
    assert all(isinstance(value, int) and 1 <= value <= 1000 for value in whole)
    assert np.mean(np.array(whole) < 32) > 0.3


def test_a_parameter_of_scikit_learn_is_drawn_as_its_own_constraints_say():
    from sklearn.ensemble import HistGradientBoostingClassifier as Boosting

    rates = values({"learning_rate": {"low": 1, "high": 2}}, "learning_rate", function=Boosting)
    assert {type(value) for value in rates} == {float}
    rounds = values({"max_iter": {"low": 10, "high": 20}}, "max_iter", function=Boosting)
    assert {type(value) for value in rounds} == {int}


WRONG = {
    "a parameter that there is not": (
        {"deepth": [1]},
        "search.space.deepth: is unknown to the estimator; allowed: anything, depth, kind, rate",
    ),
    "neither list nor range": (
        {"depth": 5},
        "search.space.depth: 5 is not allowed; write a list of values, or low and high, with log: true for a ",
    ),
    "an empty list": ({"depth": []}, "search.space.depth: [] is not allowed; write a list of values, or low and high"),
    "half a range": ({"depth": {"low": 1}}, 'search.space.depth: {"low": 1} is not allowed; write a list'),
    "a word too many": (
        {"depth": {"low": 1, "high": 2, "step": 1}},
        'search.space.depth: {"low": 1, "high": 2, "step"',
    ),
    "ends in the wrong order": ({"depth": {"low": 3, "high": 1}}, "search.space.depth: low 3 is not below high 1"),
    "an end that is no number": (
        {"depth": {"low": "few", "high": 3}},
        'search.space.depth.low: "few" is not allowed; it must be a number',
    ),
    "a logarithm of nothing": (
        {"rate": {"low": 0, "high": 1, "log": True}},
        "search.space.rate.low: 0 is not allowed with log: true; it must be above 0",
    ),
    "a log that is no yes or no": (
        {"rate": {"low": 1, "high": 2, "log": "yes"}},
        'search.space.rate.log: "yes" is not allowed; write true or false',
    ),
    "a value of another type": ({"depth": [1, "deep"]}, 'search.space.depth: "deep" is not allowed: '),
    "a fraction where whole numbers are wanted": ({"depth": {"low": 0.5, "high": 2}}, "search.space.depth: 0.5 is not"),
}


@pytest.mark.parametrize(("space", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_space_is_refused_for(space, said):
    with pytest.raises(Refused) as refused:
        tried(space)
    assert refused.value.reason is Reason.INVALID_PARAMETERS
    assert refused.value.message.startswith(said)


def test_draws_are_those_of_the_seed_for_ever():
    """Golden: a new Python or a refactoring must not make other trials of the same run."""
    found = tried({"depth": {"low": 1, "high": 50}, "rate": {"low": 0.001, "high": 1, "log": True}}, trials=4, seed=7)
    random = Random(7)  # noqa: S311
    drawn = [random.random() for _ in range(6)]
    assert [trial.parameters for trial in found[1:]] == [
        {"depth": 1 + int(drawn[at] * 50), "rate": float(f"{0.001 * math.exp(drawn[at + 1] * math.log(1000)):.6g}")}
        for at in (0, 2, 4)
    ]
