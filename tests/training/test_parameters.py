"""Parameters are held against scikit-learn's own constraints before data is read: it says yes where fit says yes."""

import json
import sys
import warnings

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sklearn.utils import all_estimators
from sklearn.utils._param_validation import InvalidParameterError, validate_parameter_constraints

from mira_training.laptop.yaml_text import documents
from mira_training.model.code import load
from mira_training.model.constraints import constrained
from mira_training.model.describing import as_yaml, described
from mira_training.model.gradient_boosting import gradient_boosting
from mira_training.model.parameters import Share, declared, filled, must_fit
from mira_training.refusal import Refused
from tests.training import own_code

FOREST = load("sklearn.ensemble:RandomForestClassifier", "estimator")
BOOSTING = load("sklearn.ensemble:HistGradientBoostingClassifier", "estimator")


def estimators():
    with warnings.catch_warnings(action="ignore"):
        return [
            kind
            for _, kind in all_estimators(type_filter=["classifier", "regressor"])
            if isinstance(getattr(kind, "_parameter_constraints", None), dict)
        ]


KINDS = estimators()
TWO_MEANINGS = [TypeAdapter(constrained(FOREST)[name]) for name in ("max_samples", "min_samples_split")]
VALUES = (None, True, -1, 0, 1, 2, 7, 0.0, 0.5, 1.0, 1.5, -0.5, 3.0, 1e9, "", "auto", "gini", "wrong", [], [1, 2], {})


def taken(kind, **parameters):
    return filled(declared(kind), parameters).model_dump(exclude_unset=True)


def judged(check, value):
    """What the value becomes, and why it is refused, empty if it is not."""
    try:
        return check.validate_python(value), ""
    except ValidationError as error:
        return None, error.errors()[0]["msg"]


def refusal(kind, **parameters):
    with pytest.raises(Refused) as refused:
        must_fit([Share(declared(kind), parameters, "it")])
    return refused.value.message


def scikit_learn_takes(kind, name, value):
    constraints = {name: kind._parameter_constraints[name]}
    try:
        validate_parameter_constraints(constraints, {name: value}, caller_name="it")
    except InvalidParameterError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_taken_is_what_fit_would_take(kind):
    found = constrained(kind)
    assert found
    for name, annotation in found.items():
        check = TypeAdapter(annotation)
        # A truth is no number here, and is to scikit-learn: stricter on purpose.
        for value in (value for value in VALUES if not isinstance(value, bool)):
            given, said = judged(check, value)
            takes = scikit_learn_takes(kind, name, value if said else given)
            assert takes != bool(said) or "two ways" in said, (name, value, given, said)
            assert said or given == value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_the_printed_schema_takes_is_taken(kind):
    for name, annotation in constrained(kind).items():
        check = TypeAdapter(annotation)
        schema = check.json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        by_schema = jsonschema.Draft202012Validator(schema)
        for value in VALUES:
            if by_schema.is_valid(value):
                assert judged(check, value)[1] == "", (name, value)


@pytest.mark.parametrize("kind", [*KINDS, gradient_boosting, own_code.trees], ids=lambda kind: kind.__name__)
def test_the_example_block_is_taken_as_it_is(kind):
    schema = described(kind, "it")
    if any(schema["properties"][name].get("not") == {} for name in schema.get("required", [])):
        said = " ".join(as_yaml(schema).replace("#", " ").split())
        assert "set it in a function of your own" in said, "an estimator of estimators"
        return
    (block,) = documents(as_yaml(schema), "it")
    must_fit([Share(declared(kind), block["parameters"], "it")])


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1", 1), ("1.0", 1.0), (0.5, 0.5), ("0.5", 0.5), (3, 3), (3.0, 3), ("sqrt", "sqrt"), (None, None)],
)
def test_a_number_of_two_meanings_is_written_in_quotes(written, meant):
    found = taken(FOREST, max_features=written)["max_features"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("written", [1, 1.0])
def test_everywhere_else_1_and_1_point_0_are_the_same(written):
    assert type(taken(FOREST, n_estimators=written)["n_estimators"]) is int
    assert taken(BOOSTING, learning_rate=written) == {"learning_rate": 1}
    assert taken(FOREST, min_samples_leaf=written) == {"min_samples_leaf": 1}, "1.0 is no share there"


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
@settings(max_examples=300, deadline=None)
def test_no_number_is_ever_given_another_meaning(number):
    for check in TWO_MEANINGS:
        given, said = judged(check, number)
        assert said or given == number
        assert said or isinstance(given, int) == float(number).is_integer()


def test_a_deprecated_option_is_not_proposed_and_a_default_that_json_has_not_is_left_out():
    schema = described(load("sklearn.linear_model:LogisticRegression", "estimator"), "it")
    assert "properties" in schema
    assert "deprecated" not in schema["properties"]["penalty"].get("enum", [])


def test_describe_prints_the_pydantic_model_of_own_code(laptop):
    said = laptop.types("describe", "tests.training.own_code:trees")
    assert said.code == 0
    schema = json.loads(said.out)
    assert schema["properties"] == {"depth": {"default": 3, "maximum": 12, "minimum": 1, "type": "integer"}}
    assert schema["additionalProperties"] is False
    said = laptop.types("describe", "--features", "tests.training.own_code:with_price")
    assert list(json.loads(said.out)["properties"]) == ["factor"]
    said = laptop.types("describe", "--features", "tests.training.own_code:lists")
    assert "declares no parameters" in json.loads(said.out)["description"]


def test_describe_finds_a_module_in_the_folder_where_it_is_typed(laptop, monkeypatch):
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    laptop.write("mine_alone.py", "def build(depth: int, share: float = 0.5):\n    return None\n")
    said = laptop.types("describe", "mine_alone:build", "--yaml")
    assert said.out == (
        "# The parameters of mine_alone:build; what is left out has its default.\n"
        "parameters:\n"
        "  # A whole number. Required.\n"
        "  depth: 1\n"
        "  # A number.\n"
        "  share: 0.5\n"
    )


def test_a_wrong_value_is_refused_with_what_is_allowed():
    assert refusal(FOREST, criterion="entropie") == (
        'parameters.criterion: "entropie" is not allowed; allowed: "entropy", "gini", "log_loss" (declared by it)'
    )
