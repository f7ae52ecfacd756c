"""How far a training says to be: read cheaply, of the right attempt, and never believed beyond a name and a number."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mira.controller.run_progress import LATEST, SOONEST, look_again_in, progress_of
from mira.registry.keys import VersionKey
from mira.registry.memory import MemoryStore
from mira.registry.progress import Progress, Step
from mira.registry.store import Stored, StoreUnavailable
from tests.decide.runs import NOW, POD_UID, SECOND_POD_UID, UID, a_pod, a_run

VERSION = VersionKey("team-a", "churn", "v1")
FIRST, SECOND = f"{UID[:8]}-{POD_UID[:8]}", f"{UID[:8]}-{SECOND_POD_UID[:8]}"
RUNS: dict[str, Any] = {"status": {"ready": 1}}
FAILED_ONCE: dict[str, Any] = {"status": {"ready": 1, "failed": 1}}
PODS = (a_pod(minute=1), a_pod(SECOND_POD_UID, minute=2))


class CountingStore(MemoryStore):
    """Counts what it is asked."""

    def __init__(self, *told: tuple[str, int, str]) -> None:
        super().__init__()
        self.asked: list[str] = []
        for attempt, number, step in told:
            progress = Progress(attempt=attempt, number=number, step=Step(step), begun_at=NOW)
            self.objects[VERSION.progress(attempt, number)] = progress.render()

    def get(self, key: str, *, limit: int) -> Stored | None:
        self.asked.append(key)
        return super().get(key, limit=limit)


def step_of(store: MemoryStore, job: dict[str, Any] = RUNS, **step: Any) -> str:
    """The step that is read; `step` is what the status tells already."""
    told = {"step": {"name": "x", "number": 1, "begunAt": "2026-11-25T12:00:00Z", **step}} if step else {}
    found = progress_of(store, VERSION, a_run(status=told), job, lambda: PODS)
    return f"{found.attempt} {found.step}" if found else ""


def test_the_last_step_of_the_only_attempt_is_read() -> None:
    store = CountingStore((FIRST, 1, "ingest"), (FIRST, 2, "validate"))
    assert step_of(store) == f"{FIRST} validate"
    assert len(store.asked) == 3


def test_what_the_status_tells_already_is_not_read_again() -> None:
    store = CountingStore((FIRST, 1, "ingest"), (FIRST, 2, "validate"))
    assert step_of(store, attempt=FIRST, number=2) == ""
    assert store.asked == [VERSION.progress(FIRST, 3)]


def test_of_several_attempts_the_newest_pods_counts_although_it_has_said_less() -> None:
    told = ((FIRST, 1, "ingest"), (FIRST, 2, "validate"), (SECOND, 1, "ingest"))
    assert step_of(CountingStore(*told), FAILED_ONCE) == f"{SECOND} ingest"
    assert step_of(CountingStore(*told[:2]), FAILED_ONCE, attempt=FIRST, number=2) == ""


def test_other_runs_attempts_at_the_same_version_are_not_this_runs() -> None:
    assert step_of(CountingStore(("ffffffff-00000000", 1, "ingest"))) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{" * 3000,
        b'{"schema":"mira.progress/v1"}',
        Progress(attempt=SECOND, number=1, step=Step.TRAIN, begun_at=NOW).render(),
        Progress(attempt=FIRST, number=2, step=Step.TRAIN, begun_at=NOW).render(),
    ],
    ids=["nothing", "nested", "unfinished", "another attempt's", "another number"],
)
def test_a_forged_document_is_no_progress(body: bytes) -> None:
    store = CountingStore((FIRST, 1, "ingest"))
    store.objects[VERSION.progress(FIRST, 1)] = body
    assert step_of(store) == ""


def test_a_registry_that_is_away_is_no_news_of_the_run() -> None:
    class Away(MemoryStore):
        def folders(self, prefix: str) -> Any:
            raise StoreUnavailable(prefix)

    assert step_of(Away()) == ""


@pytest.mark.parametrize(
    ("status", "seconds"),
    [
        ({}, float("inf")),
        ({"active": 1}, float("inf")),
        ({"ready": 1}, SOONEST),
        ({"ready": 1, "startTime": "2026-11-25T11:59:00Z"}, SOONEST),
        ({"ready": 1, "startTime": "2026-11-25T11:50:00Z"}, 30.0),
        ({"ready": 1, "startTime": "2026-11-25T01:00:00Z"}, LATEST),
    ],
)
def test_it_is_looked_for_oftener_at_the_beginning(status: dict[str, Any], seconds: float) -> None:
    assert look_again_in({"status": status}, datetime(2026, 11, 25, 12, tzinfo=UTC)) == seconds
