"""Operators that are broken in one place each: what the histories must find, if they are worth anything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from mira.controller import runs
from mira.controller.operator import Operator
from mira.controller.promotions import PromotionPass
from mira.controller.queue import WorkQueue
from mira.controller.stages import StagePass
from mira.controller.status import StatusWriter
from mira.decide import job
from mira.registry.keys import StageKey
from mira.registry.lineage import find_head
from mira.registry.pointing import Pointed
from mira.registry.steps import Procedure, answer_from
from tests.registry import variants

Broken = Callable[[], AbstractContextManager[Any]]


def promoted_is_said_before_the_pointer_shows_it() -> Any:
    return patch.object(PromotionPass, "_pointer_shows", lambda *_: True)


@contextmanager
def jobs_are_named_anew_each_time() -> Iterator[None]:
    numbers, real = count(), job.job_name
    with ExitStack() as stack:
        for module in (job, runs):
            stack.enter_context(patch.object(module, "job_name", lambda run: f"{real(run)}-{next(numbers)}"))
        yield


def own_writes_wake_nobody() -> Any:
    """What the campaign on real servers found: an own write was no news to anybody."""

    def event(self: Operator, kind: str, event: str, body: dict[str, Any]) -> None:
        news = self.cache.remove(kind, body) if event == "DELETED" else self.cache.put(kind, body)
        if news and kind != "ModelPromotion":
            real(self, kind, event, body | {"metadata": body["metadata"] | {"resourceVersion": "999999"}})

    real = Operator._event
    return patch.object(Operator, "_event", event)


def a_waiting_promotion_is_not_looked_at_again() -> Any:
    """Nor are stages: only events wake anybody."""
    return patch.object(WorkQueue, "add_later", lambda *_: None)


def statuses_are_written_over_whatever_is_there() -> Any:
    real = StatusWriter.write

    def write(self: StatusWriter, raw: Any, resource: Any, status: Any) -> bool:
        live = self.cluster.get(resource.kind, raw["metadata"]["namespace"], raw["metadata"]["name"])
        return real(self, raw if live is None else raw | {"metadata": live["metadata"]}, resource, status)

    return patch.object(StatusWriter, "write", write)


def stages_are_not_looked_at_after_a_decision() -> Any:
    def only_reads(self: StagePass, stage: StageKey) -> Pointed:
        return Pointed(Procedure(find_head(stage)).advance(lambda call: answer_from(self.store, call)))

    return patch.object(StagePass, "_point", only_reads)


BROKEN: dict[str, Broken] = {
    "Promoted is said before the pointer shows it": promoted_is_said_before_the_pointer_shows_it,
    "Jobs are named anew each time": jobs_are_named_anew_each_time,
    "a promotion's own writes wake nobody": own_writes_wake_nobody,
    "nothing is looked at again by itself": a_waiting_promotion_is_not_looked_at_again,
    "statuses are written over whatever is there": statuses_are_written_over_whatever_is_there,
    "unclear is taken as done": variants.unclear_taken_as_done,
    "nobody moves the pointer": stages_are_not_looked_at_after_a_decision,
}
