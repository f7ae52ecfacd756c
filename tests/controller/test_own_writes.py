"""What the operator writes itself wakes whoever else it concerns, also when the answer to the write was lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mira.adapters.cluster import ClusterUnavailable, Object, Refused
from mira.api.identity import spec_hash
from mira.controller.queue import Key
from mira.registry.keys import VersionKey
from mira.registry.manifest import Manifest
from mira.registry.memory import MemoryStore
from tests.controller.leading_operator import operator, policies, woken
from tests.support.world import MODEL, NAMESPACE, STAGE, promotion, publish

RUN: Object = {
    "apiVersion": "mira.constellation.dev/v1alpha1",
    "kind": "TrainingRun",
    "metadata": {
        "name": "v1",
        "namespace": NAMESPACE,
        "uid": "11111111-2222",
        "generation": 1,
        "resourceVersion": "10",
        "creationTimestamp": "2026-11-25T12:00:00Z",
    },
    "spec": {
        "model": MODEL,
        "task": "Classification",
        "requestedBy": "alice",
        "data": {"training": {"uri": "s3://data/a.csv"}, "target": "late"},
        "promotion": {"stage": STAGE},
    },
}


@dataclass
class AnswersAreLost:
    """An API server that does what it is asked; the answers to patches never arrive."""

    objects: dict[tuple[str, str], Object] = field(default_factory=dict)

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        return self.objects.get((kind, name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        return [body for (of, _), body in self.objects.items() if of == kind]

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        if dry_run:
            words = "spec.requestedBy is an operator of Mira, which never asks for a promotion itself"
            raise Refused(403, "Forbidden", f"mira-promotions: {words}")
        made = dict(body)
        made["metadata"] = {**body["metadata"], "uid": "33333333", "resourceVersion": "20", "generation": 1}
        self.objects[kind, made["metadata"]["name"]] = made
        return made

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        raise ClusterUnavailable(f"patch {kind}: the answer was lost")

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        return self.patch(kind, namespace, name, body)


@pytest.fixture
def cluster() -> AnswersAreLost:
    return AnswersAreLost(policies())


def test_a_promotion_is_woken_though_the_last_write_of_the_run_that_asked_for_it_was_lost(
    cluster: AnswersAreLost,
) -> None:
    store = MemoryStore()
    publish_for_the_run(store)
    mira = operator(cluster, store)
    cluster.objects["TrainingRun", "v1"] = RUN
    mira.cache.put("TrainingRun", RUN)
    with pytest.raises(ClusterUnavailable):
        mira._pass(Key("TrainingRun", NAMESPACE, "v1"))
    asked = cluster.objects["ModelPromotion", f"v1.{STAGE}"]
    mira._event("ModelPromotion", "ADDED", asked)
    assert Key("ModelPromotion", NAMESPACE, f"v1.{STAGE}") in woken(mira)


def test_a_stage_is_woken_when_a_promotion_of_it_has_just_been_written_by_the_operator_itself(
    cluster: AnswersAreLost,
) -> None:
    mira = operator(cluster, MemoryStore())
    written = promotion("p", "v1").model_dump(by_alias=True, mode="json")
    mira.cache.put("ModelPromotion", written)
    mira._event("ModelPromotion", "MODIFIED", written)
    assert woken(mira) == {Key("ModelStage", NAMESPACE, f"{MODEL}.{STAGE}")}


def publish_for_the_run(store: MemoryStore) -> None:
    """The version v1, as this run would have published it."""
    publish(store, "v1")
    key = VersionKey(NAMESPACE, MODEL, "v1").manifest
    manifest = Manifest.parse(store.objects[key])
    run = manifest.run.model_copy(update={"uid": RUN["metadata"]["uid"], "spec_hash": spec_hash(RUN["spec"])})
    store.objects[key] = manifest.model_copy(update={"run": run}).render()
