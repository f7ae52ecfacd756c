"""A Job that gets no pod is told apart from one whose pod is about to come, by time alone."""

from datetime import UTC, datetime, timedelta

import pytest

from mira.adapters.events import Recorder
from mira.api.conditions import ConditionType, condition
from mira.api.trainingrun import TrainingRun
from mira.controller.cache import Cache
from mira.controller.clock import Clock
from mira.controller.jobs import Jobs
from mira.controller.queue import Key
from mira.controller.runs import RunPass
from mira.controller.status import StatusWriter
from mira.decide.approvals import Proof
from mira.decide.job import Platform
from mira.decide.job_state import NOT_READY_AFTER
from mira.registry.memory import MemoryStore
from tests.controller.in_memory import InMemory

STARTED = datetime(2026, 11, 25, 12, tzinfo=UTC)
SPEC = {
    "model": "churn",
    "task": "Classification",
    "data": {"training": {"uri": "s3://team-a-data/churn.csv"}, "target": "churned"},
}
RUN = {
    "apiVersion": "mira.constellation.dev/v1alpha1",
    "kind": "TrainingRun",
    "metadata": {"name": "v1", "namespace": "team-a", "uid": "0a1b2c3d-1", "generation": 1, "resourceVersion": "7"},
    "spec": SPEC,
}


def said(seconds: float, **job_status: int) -> str:
    """What the run says so long after its Job was started by the cluster, which made no pod that can be listed."""
    cluster, cache, store = InMemory(), Cache(), MemoryStore()
    clock = Clock(now=lambda: STARTED + timedelta(seconds=seconds))
    writer = StatusWriter(cluster, cache, Recorder(cluster, clock.now), lambda *_: None)
    platform = Platform("s3://mira/registry", default_image="registry.example.com/training@sha256:" + "a" * 64)
    run_pass = RunPass(
        cluster,
        store,
        Jobs(cluster, store, cache),
        cache,
        writer,
        platform,
        clock,
        30,
        lambda *_: None,
        lambda _, *, anew: Proof("not asked"),
    )
    cluster.objects["TrainingRun", "v1"] = RUN
    cache.put("TrainingRun", RUN)
    run_pass(Key("TrainingRun", "team-a", "v1"))
    job = next(iter(cluster.list("Job")))
    job["status"] = {"startTime": "2026-11-25T12:00:00Z", **job_status}
    job["metadata"] |= {"resourceVersion": "1000"}
    cache.put("Job", job)
    run_pass(Key("TrainingRun", "team-a", "v1"))
    status = TrainingRun.model_validate(cluster.objects["TrainingRun", "v1"]).status
    ready = condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == "Starting"
    return ready.message


@pytest.mark.parametrize("seconds", [0, NOT_READY_AFTER])
def test_a_job_without_a_pod_is_waited_for_at_first(seconds: float) -> None:
    assert said(seconds) == "Job v1-0a1b2c3d was created; waiting for its pod"


def test_a_job_without_a_pod_for_longer_says_where_the_cause_is_told() -> None:
    message = said(NOT_READY_AFTER + 1)
    assert "service account mira-trainer in namespace team-a" in message
    assert message.endswith("kubectl describe job v1-0a1b2c3d --namespace team-a")


def test_a_job_that_counts_a_pod_is_believed() -> None:
    assert said(NOT_READY_AFTER + 1, active=1) == "Job v1-0a1b2c3d was created; waiting for its pod"
