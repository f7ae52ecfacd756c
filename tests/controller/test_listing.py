"""Which keys have to look again because an object changed; what is said of lists that fail, hang, or find news."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dev.waiting import wait_until
from mira.adapters.cluster import ClusterUnavailable, Object
from mira.adapters.metrics import Metrics
from mira.controller.cache import Cache
from mira.controller.clock import Clock
from mira.controller.listing import LISTED, Listing, keys_of
from mira.controller.operator import Operator, Outside
from mira.controller.queue import Key
from mira.controller.settings import Settings
from mira.controller.threads import RealThreads
from mira.registry.memory import MemoryStore
from tests.controller.in_memory import InMemory
from tests.controller.leading_operator import SETTINGS, NoWatch

NAMES = st.text("abc-0", min_size=1, max_size=5)


def body(name: str = "a", namespace: str = "ns", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def a_job(name: str, owners: list[tuple[str, str]] | None) -> dict[str, Any]:
    references = None if owners is None else [{"kind": kind, "name": owner} for kind, owner in owners]
    return {"metadata": {"name": name, "namespace": "ns", "ownerReferences": references}}


CASES: list[tuple[str, dict[str, Any], list[Key]]] = [
    ("TrainingRun", body(), [Key("TrainingRun", "ns", "a")]),
    ("ModelStage", body("churn.production"), [Key("ModelStage", "ns", "churn.production")]),
    (
        "ModelPromotion",
        body("p", model="churn", stage="production"),
        [Key("ModelPromotion", "ns", "p"), Key("ModelStage", "ns", "churn.production")],
    ),
    ("Job", a_job("run-a-1", [("TrainingRun", "run-a")]), [Key("TrainingRun", "ns", "run-a")]),
    ("Job", a_job("p-1-cmp", [("ModelPromotion", "p")]), [Key("ModelPromotion", "ns", "p")]),
    ("Job", a_job("another team's", [("CronJob", "run-a")]), []),
    ("Job", a_job("no owner", []), []),
    ("Job", a_job("owners that are null", None), []),
    ("Job", {"metadata": {"name": "owners left out", "namespace": "ns"}}, []),
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
    changed = body(name, namespace, model=model, stage=stage)
    changed["metadata"]["ownerReferences"] = [{"kind": "TrainingRun", "name": run}]
    keys = keys_of(kind, changed)
    assert keys
    assert {key.namespace for key in keys} == {namespace}
    assert {key.kind for key in keys} <= {"TrainingRun", "ModelPromotion", "ModelStage"}
    assert len(set(keys)) == len(keys)


class Lists(InMemory):
    """Answers lists as it is told to."""

    def __init__(self) -> None:
        super().__init__({})
        self.away, self.asked = False, 0
        self.answers = threading.Event()
        self.answers.set()

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        self.asked += 1
        self.answers.wait()
        if self.away:
            raise ClusterUnavailable("connection refused")
        return super().list(kind, namespace=namespace, labels=labels)


@contextmanager
def listing(cluster: Lists, missed: Counter[str], now: list[float]) -> Iterator[Listing]:
    """Lists a hundred times a second, on a clock that stands still."""
    made = Listing(
        cluster,
        Cache(),
        lambda *_: None,
        lambda kind, changed: missed.update({kind: changed}),
        0.01,
        RealThreads(),
        lambda: now[0],
    )
    assert made.until_listed()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        cluster.answers.set()


def test_lists_that_fail_go_on_and_one_that_never_ends_grows_old() -> None:
    cluster, now = Lists(), [100.0]
    with listing(cluster, Counter(), now) as lists:
        cluster.away, now[0] = True, 200.0
        wait_until(lambda: lists.age() == 0, timeout=10, what="a list to fail")
        cluster.answers.clear()
        before = cluster.asked
        wait_until(lambda: cluster.asked > before, timeout=10, what="a list to hang")
        now[0] = 500.0
        assert lists.age() == 300


def test_what_a_later_list_finds_first_was_missed_by_the_watch() -> None:
    cluster, missed = Lists(), Counter[str]()
    cluster.objects["TrainingRun", "first"] = body("first") | {"kind": "TrainingRun"}
    with listing(cluster, missed, [0.0]):
        cluster.objects["TrainingRun", "later"] = body("later") | {"kind": "TrainingRun"}
        wait_until(lambda: missed["TrainingRun"], timeout=10, what="the later one to be found")
    assert missed["TrainingRun"] == 1


def test_an_operator_whose_lists_hang_is_not_healthy() -> None:
    cluster, now = Lists(), [0.0]
    made = Operator(
        Settings(**SETTINGS),
        Outside(cluster, MemoryStore(), lambda *_: NoWatch(), leases=cluster, clock=Clock(monotonic=lambda: now[0])),
        Metrics(),
    )
    made.start()
    try:
        assert made.healthy() == ""
        now[0] = 1000.0
        assert made.healthy() == "no list has come to an end for 1000 s"
    finally:
        made.stop()
