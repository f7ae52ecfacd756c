"""Objects that a newer version of Mira wrote and this one cannot read: their status says so, all else goes on."""

import copy
from typing import Any

import pytest

from mira.adapters.cluster import Object
from mira.api.reasons import Reason
from mira.controller.operator import Operator
from mira.controller.queue import Key
from mira.registry.entry import Pointer
from mira.registry.memory import MemoryStore
from mira.registry.store import Stored, StoreUnavailable
from tests.controller.leading_operator import operator
from tests.controller.test_own_writes import RUN
from tests.controller.test_passes_under_trouble import Cluster
from tests.support.world import KEY, NAMESPACE, promotion, publish, stage

RUN_KEY = Key("TrainingRun", NAMESPACE, "v1")
PROMOTION_KEY = Key("ModelPromotion", NAMESPACE, "p")
STAGE_KEY = Key("ModelStage", NAMESPACE, stage().metadata.name)
FINISHED = {
    "type": "Finished",
    "status": "True",
    "observedGeneration": 1,
    "reason": "Succeeded",
    "message": "",
    "lastTransitionTime": "2026-11-25T12:00:00Z",
}


class NotThere(MemoryStore):
    """It answers nothing."""

    def get(self, key: str, *, limit: int) -> Stored | None:
        raise StoreUnavailable(key)


def run_of_tomorrow(**status: Any) -> Object:
    run = copy.deepcopy(RUN)
    run["spec"]["data"]["training"]["format"] = "Orc"
    return run | {"status": status}


def stage_of_tomorrow() -> Object:
    made = stage().model_dump(by_alias=True, mode="json")
    made["spec"]["approvalPolicy"]["mode"] = "ByVote"
    return made


def known(store: MemoryStore, *objects: Object) -> tuple[Operator, Cluster]:
    """An operator that knows these objects, and the cluster that has them."""
    cluster = Cluster()
    mira = operator(cluster, store)
    for body in objects:
        cluster.objects[body["kind"], body["metadata"]["name"]] = body
        mira.cache.put(body["kind"], body)
    return mira, cluster


def said(cluster: Cluster, key: Key) -> dict[str, tuple[str, str, str]]:
    conditions = cluster.objects[key.kind, key.name]["status"]["conditions"]
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in conditions}


def test_the_status_names_the_field_the_value_and_the_cure_and_nothing_is_started() -> None:
    mira, cluster = known(MemoryStore(), run_of_tomorrow(progress={"stage": "train"}))
    again = mira._pass(RUN_KEY)
    ready, stalled = said(cluster, RUN_KEY)["Ready"], said(cluster, RUN_KEY)["Stalled"]
    assert ready[:2] == ("False", Reason.SPEC_UNREADABLE)
    assert stalled == ("True", Reason.SPEC_UNREADABLE, ready[2])
    assert ready[2].startswith("TrainingRun v1: spec.data.training.format: ")
    assert "not 'Orc'; this version of Mira cannot read it" in ready[2]
    assert again.seconds is None
    assert not [name for kind, name in cluster.objects if kind == "Job"]
    assert cluster.objects["TrainingRun", "v1"]["status"]["progress"] == {"stage": "train"}
    (event,) = cluster.list("Event")
    assert (event["type"], event["reason"]) == ("Warning", Reason.SPEC_UNREADABLE)


def test_it_is_said_once() -> None:
    mira, cluster = known(MemoryStore(), run_of_tomorrow())
    mira._pass(RUN_KEY)
    before = copy.deepcopy(cluster.objects)
    mira._pass(RUN_KEY)
    assert cluster.objects == before


@pytest.mark.parametrize("conditions", [[{"type": "Ready", "status": "Perhaps"}], [], None], ids=str)
def test_it_is_said_whatever_the_status_is(conditions: Any) -> None:
    mira, cluster = known(MemoryStore(), run_of_tomorrow(conditions=conditions))
    mira._pass(RUN_KEY)
    assert said(cluster, RUN_KEY)["Stalled"][:2] == ("True", Reason.SPEC_UNREADABLE)


def test_what_has_ended_stays_as_it_ended() -> None:
    mira, cluster = known(MemoryStore(), run_of_tomorrow(conditions=[FINISHED]))
    before = copy.deepcopy(cluster.objects)
    mira._pass(RUN_KEY)
    assert cluster.objects == before


def test_a_promotion_waits_for_a_stage_that_cannot_be_read_and_goes_on_when_it_can() -> None:
    store = MemoryStore()
    wanted = promotion("p", "v1", approvals={"bob": publish(store, "v1")}).model_dump(by_alias=True, mode="json")
    mira, cluster = known(store, wanted, stage_of_tomorrow())
    mira._pass(PROMOTION_KEY)
    stalled = said(cluster, PROMOTION_KEY)["Stalled"]
    assert stalled[:2] == ("True", Reason.SPEC_UNREADABLE)
    assert stalled[2].startswith(f"ModelStage {STAGE_KEY.name}: spec.approvalPolicy.mode: ")
    assert not [key for key in store.objects if key.startswith(KEY.lineage)]
    cluster.objects["ModelStage", STAGE_KEY.name] = stage().model_dump(by_alias=True, mode="json")
    mira._pass(PROMOTION_KEY)
    mira._pass(STAGE_KEY)
    mira._pass(PROMOTION_KEY)
    assert said(cluster, PROMOTION_KEY)["Promoted"][0] == "True"
    assert said(cluster, PROMOTION_KEY)["Stalled"][0] == "False"


def test_the_pointer_of_a_stage_that_cannot_be_read_follows_its_lineage() -> None:
    store = MemoryStore()
    wanted = promotion("p", "v1", approvals={"bob": publish(store, "v1")}).model_dump(by_alias=True, mode="json")
    mira, cluster = known(store, wanted, stage().model_dump(by_alias=True, mode="json"))
    mira._pass(PROMOTION_KEY)
    later = stage_of_tomorrow()
    later["metadata"]["resourceVersion"] = "11"
    cluster.objects["ModelStage", STAGE_KEY.name] = later
    mira.cache.put("ModelStage", later)
    again = mira._pass(STAGE_KEY)
    assert Pointer.parse(store.objects[KEY.pointer]).number == 1
    assert said(cluster, STAGE_KEY)["Stalled"][:2] == ("True", Reason.SPEC_UNREADABLE)
    assert again.seconds == mira.settings.resync_seconds


def test_while_s3_is_away_such_a_stage_is_looked_at_again_soon() -> None:
    mira, _ = known(NotThere(), stage_of_tomorrow())
    with pytest.raises(StoreUnavailable):
        mira._pass(STAGE_KEY)
