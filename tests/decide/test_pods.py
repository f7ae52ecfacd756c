"""What a pod's status tells of a failure, from statuses as real clusters write them."""

from typing import Any

import pytest

from mira.decide.pods import diagnose
from tests.decide.runs import POD_UID, SECOND_POD_UID, a_pod, running, terminated, unschedulable, waiting

SCHEDULED = {"type": "PodScheduled", "status": "True"}
DISRUPTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
PREEMPTED = DISRUPTED | {
    "reason": "PreemptionByScheduler",
    "message": "default-scheduler: preempting to accommodate a higher priority pod",
}
LOST_NODE = DISRUPTED | {
    "reason": "DeletionByTaintManager",
    "message": "Taint manager: deleting due to NoExecute taint",
}
TOLD: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "one that runs": (running(), None, ""),
    "one that was just made": ({"phase": "Pending"}, None, ""),
    "one that is scheduled and pulls its image": (
        waiting("ContainerCreating") | {"conditions": [SCHEDULED]},
        None,
        "",
    ),
    "one without any status": ({}, None, ""),
    "one that ended well": (terminated(0, "Completed"), None, ""),
    "one that ended with a code": (terminated(1), "Failed", "the container ended with exit code 1; see its logs"),
    "one that was killed": (terminated(137), "Failed", "exit code 137"),
    "one that was killed for its memory": (
        terminated(137, "OOMKilled"),
        "OutOfMemory",
        "the pod used more memory than its limit; raise job.resources.limits.memory",
    ),
    "one that was evicted for the node's memory": (
        {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."},
        "Evicted",
        "the node evicted the pod: The node was low on resource: memory.",
    ),
    "one that was evicted and killed": (
        terminated(137) | {"reason": "Evicted", "message": "low on ephemeral-storage"},
        "Evicted",
        "ephemeral-storage",
    ),
    "one that was evicted by a drain": (
        terminated(143) | {"conditions": [DISRUPTED]},
        "Evicted",
        "Eviction API: evicting",
    ),
    "one that was preempted": ({"phase": "Failed", "conditions": [PREEMPTED]}, "Evicted", "higher priority pod"),
    "one whose node was lost": ({"phase": "Failed", "conditions": [LOST_NODE]}, "Evicted", "NoExecute taint"),
    "one that a drain did not reach": ({"phase": "Running", "conditions": [DISRUPTED | {"status": "False"}]}, None, ""),
    "one that no node can take": (unschedulable(), "NeverStarted", "Unschedulable: 0/3 nodes are available"),
    "one that waits for a scheduling gate": (
        {
            "phase": "Pending",
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked",
                }
            ],
        },
        "NeverStarted",
        "SchedulingGated: Scheduling is blocked",
    ),
    "one whose image is not found": (
        waiting("ImagePullBackOff", 'Back-off pulling image "x"'),
        "NeverStarted",
        'ImagePullBackOff: Back-off pulling image "x"',
    ),
    "one whose image cannot be pulled": (waiting("ErrImagePull", "401"), "NeverStarted", "ErrImagePull: 401"),
    "one whose image has no name": (waiting("InvalidImageName"), "NeverStarted", "InvalidImageName: no message"),
    "one whose secret is missing": (
        waiting("CreateContainerConfigError", 'secret "hf" not found'),
        "NeverStarted",
        'secret "hf" not found',
    ),
    "one whose user is root": (
        waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
        "NeverStarted",
        "runAsNonRoot",
    ),
    "one whose program is not there": (waiting("RunContainerError", "no such file"), "NeverStarted", "no such file"),
    "one with a message without end": (waiting("ErrImagePull", "x" * 5000), "NeverStarted", "ErrImagePull: xxx"),
    "one with a sidecar that ended": (
        {
            "phase": "Running",
            "containerStatuses": [
                {"name": "proxy", "state": {"terminated": {"exitCode": 0}}},
                {"name": "train", "state": {"running": {}}},
            ],
        },
        None,
        "",
    ),
    "one with nulls": ({"conditions": None, "containerStatuses": None}, None, ""),
    "one with a container without a state": ({"containerStatuses": [{"name": "train"}]}, None, ""),
    "one with null states": (
        {"containerStatuses": [{"name": "train", "state": {"waiting": None, "terminated": None}}]},
        None,
        "",
    ),
}


@pytest.mark.parametrize(("status", "reason", "message"), TOLD.values(), ids=TOLD.keys())
def test_what_is_told_by(status: dict[str, Any], reason: str | None, message: str) -> None:
    told = diagnose([a_pod(**status)])
    assert (told.reason if told else None) == reason
    if told:
        assert message in told.message
        assert len(told.message) <= 1000


def test_nothing_is_told_by_no_pods() -> None:
    assert diagnose([]) is None


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_the_newest_pod_that_says_anything_speaks(order: int) -> None:
    old, new, newest = (
        a_pod(POD_UID, minute=1, **terminated(137, "OOMKilled")),
        a_pod(SECOND_POD_UID, minute=2, **terminated(3)),
        a_pod("60718293-x", minute=3, **running()),
    )
    told = diagnose([old, new, newest][::order])
    assert told is not None
    assert "exit code 3" in told.message
