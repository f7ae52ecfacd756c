"""Passes whose read fails, whose cache is behind, whose write was not answered: nothing is forgotten or done twice."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from mira.adapters.cluster import Object, Refused
from mira.api.modelpromotion import ModelPromotion
from mira.controller.queue import Key
from mira.registry.entry import Entry
from mira.registry.memory import MemoryStore
from mira.registry.store import Put, Stored, StoreUnavailable
from tests.controller.in_memory import InMemory
from tests.controller.leading_operator import operator, policies
from tests.controller.test_own_writes import RUN
from tests.support.world import KEY, NAMESPACE, promotion, publish, stage

RUN_KEY = Key("TrainingRun", NAMESPACE, "v1")
PROMOTION_KEY = Key("ModelPromotion", NAMESPACE, "p")
JOB = ("Job", "v1-11111111")


class Cluster(InMemory):
    """With the admission policies in force."""

    def __init__(self, **objects: Object) -> None:
        super().__init__(policies())
        for body in objects.values():
            self.objects[body["kind"], body["metadata"]["name"]] = body

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        if dry_run:
            words = "spec.requestedBy is an operator of Mira, which never asks for a promotion itself"
            raise Refused(403, "Forbidden", f"mira-promotions: {words}")
        return super().create(kind, namespace, body)


def changed(body: Object, version: str, **status: Any) -> Object:
    """The object as somebody wrote it later."""
    later = copy.deepcopy(body)
    later["metadata"]["resourceVersion"] = version
    later["status"] = status
    return later


def test_a_job_that_another_operator_made_and_that_was_deleted_is_not_made_again_from_a_cache_that_is_behind() -> None:
    live = changed(RUN, "11", job={"name": JOB[1], "uid": "the-job"})
    cluster = Cluster(run=live)
    mira = operator(cluster, MemoryStore())
    mira.cache.put("TrainingRun", RUN)
    again = mira._pass(RUN_KEY)
    assert JOB not in cluster.objects
    assert again.seconds == 0.2


def test_after_a_conflict_the_cache_is_what_is_live_although_no_event_came() -> None:
    live = changed(RUN, "11")
    mira = operator(Cluster(run=live), MemoryStore())
    mira.cache.put("TrainingRun", RUN)
    mira._pass(RUN_KEY)
    assert mira.cache.get(*RUN_KEY) == live


def test_a_run_that_is_gone_gets_no_job_from_a_cache_that_is_behind() -> None:
    cluster = Cluster()
    mira = operator(cluster, MemoryStore())
    mira.cache.put("TrainingRun", RUN)
    mira._pass(RUN_KEY)
    assert JOB not in cluster.objects


class Shaky(MemoryStore):
    """Its first write to the lineage is not answered, and then it is away for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.late: tuple[str, bytes] | None = None

    def create(self, key: str, body: bytes) -> Put:
        if key.startswith(KEY.lineage) and self.late is None:
            self.late, self.away = (key, body), True
            return Put.UNCLEAR
        return super().create(key, body)

    def get(self, key: str, *, limit: int) -> Stored | None:
        if self.away:
            raise StoreUnavailable(key)
        return super().get(key, limit=limit)

    def back(self, *, lands: bool) -> None:
        """It answers again, the first write carried out late or never."""
        self.away = False
        if lands and self.late:
            self.objects[self.late[0]] = self.late[1]


@pytest.mark.parametrize(
    ("lands", "kind"),
    [(False, "Void"), (True, "Promote")],
    ids=["never came to S3, is closed", "came to S3 late, counts"],
)
def test_a_write_without_an_answer_is_settled_although_reads_failed_and_the_promotion_is_gone_meanwhile(
    lands: bool, kind: str
) -> None:
    store = Shaky()
    digest = publish(store, "v1")
    wanted = promotion("p", "v1", approvals={"bob": digest}).model_dump(by_alias=True, mode="json")
    cluster = Cluster(promotion=wanted, stage=stage().model_dump(by_alias=True, mode="json"))
    mira = operator(cluster, store)
    mira.cache.put("ModelPromotion", wanted)
    with pytest.raises(StoreUnavailable):
        mira._pass(PROMOTION_KEY)
    assert store.late is not None
    store.back(lands=lands)
    gone = cluster.objects.pop(("ModelPromotion", "p"))
    mira.cache.remove("ModelPromotion", gone)
    mira._pass(PROMOTION_KEY)
    assert Entry.parse(store.objects[KEY.entry(1)]).kind == kind


def test_a_document_of_ours_that_cannot_be_made_is_no_fault_of_the_object_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        return ModelPromotion.model_validate({})

    monkeypatch.setattr("mira.controller.runs.run_status", broken)
    mira = operator(Cluster(run=RUN), MemoryStore())
    mira.cache.put("TrainingRun", RUN)
    with pytest.raises(ValidationError):
        mira._pass(RUN_KEY)
