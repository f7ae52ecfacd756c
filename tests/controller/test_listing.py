"""Which keys have to look again because an object changed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.controller.listing import LISTED, keys_of
from mira.controller.queue import Key
from mira.decide.job import RUN_LABEL

NAMES = st.text("abc-0", min_size=1, max_size=5)


def body(name: str = "a", namespace: str = "ns", labels: Any = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels}, "spec": spec}


CASES: list[tuple[str, dict[str, Any], list[Key]]] = [
    ("TrainingRun", body(), [Key("TrainingRun", "ns", "a")]),
    ("ModelStage", body("churn.production"), [Key("ModelStage", "ns", "churn.production")]),
    (
        "ModelPromotion",
        body("p", model="churn", stage="production"),
        [Key("ModelPromotion", "ns", "p"), Key("ModelStage", "ns", "churn.production")],
    ),
    ("Job", body("run-a-1", labels={RUN_LABEL: "run-a"}), [Key("TrainingRun", "ns", "run-a")]),
    ("Job", body("another team's", labels={"app": "x"}), []),
    ("Job", body("no labels", labels={}), []),
    ("Job", body("labels that are null"), []),
    ("Job", body("an empty label", labels={RUN_LABEL: ""}), []),
    ("Job", {"metadata": {"name": "labels left out", "namespace": "ns"}}, []),
]


@pytest.mark.parametrize(("kind", "changed", "keys"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_change_wakes_whom_it_is_about(kind: str, changed: dict[str, Any], keys: list[Key]) -> None:
    assert keys_of(kind, changed) == keys


@given(st.sampled_from(sorted(LISTED)), NAMES, st.tuples(NAMES, NAMES, NAMES, NAMES))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_no_change_wakes_another_namespace_or_a_kind_without_a_pass(
    kind: str, namespace: str, names: tuple[str, str, str, str]
) -> None:
    name, run, model, stage = names
    keys = keys_of(kind, body(name, namespace, {RUN_LABEL: run}, model=model, stage=stage))
    assert keys
    assert {key.namespace for key in keys} == {namespace}
    assert {key.kind for key in keys} <= {"TrainingRun", "ModelPromotion", "ModelStage"}
    assert len(set(keys)) == len(keys)
