"""An Event is recorded once, never stops a pass, and is not missed where its namespace ends."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mira.adapters.cluster import Absent, ClusterUnavailable, NamespaceTerminating, Object, Refused
from mira.adapters.events import Recorder
from tests.controller.in_memory import InMemory

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
RUN = {
    "apiVersion": "mira.constellation.dev/v1alpha1",
    "kind": "TrainingRun",
    "metadata": {"name": "v1", "namespace": "team-a", "uid": "0a1b2c3d-1", "generation": 1, "resourceVersion": "7"},
}


class Answering(InMemory):
    """A cluster that answers every create with this."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        raise self.error


def record(cluster: InMemory) -> None:
    Recorder(cluster, lambda: NOW).record(RUN, "Normal", "Succeeded", "version v1 is published")


def test_the_same_words_are_one_event() -> None:
    cluster = InMemory()
    record(cluster)
    record(cluster)
    (event,) = cluster.list("Event")
    assert event["involvedObject"]["uid"] == "0a1b2c3d-1" and event["message"] == "version v1 is published"


@pytest.mark.parametrize(
    "error",
    [
        NamespaceTerminating(403, "Forbidden", "unable to create new content in namespace team-a: it is terminating"),
        Absent(404, "NotFound", 'namespaces "team-a" not found'),
    ],
    ids=["ending", "gone"],
)
def test_nobody_is_warned_of_an_event_whose_namespace_ends(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        record(Answering(error))
    assert not caplog.records


@pytest.mark.parametrize(
    "error", [Refused(403, "Forbidden", "events is forbidden"), ClusterUnavailable("503")], ids=["refused", "away"]
)
def test_any_other_loss_of_an_event_is_a_warning_and_stops_nothing(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    record(Answering(error))
    (warning,) = caplog.records
    assert warning.levelname == "WARNING" and warning.__dict__["error"] == str(error)
