"""The protocol, broken in one place each: what the exploration must find."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from mira.decide.promotion_case import Asked
from mira.registry import deciding, pointing
from mira.registry.entry import render_pointer
from mira.registry.keys import StageKey
from mira.registry.lineage import Head, ensure_decision, find_head
from mira.registry.steps import Steps, create, get
from mira.registry.steps import replace as replace_object
from tests.model.bounds import PRODUCTION, Bounds, Driver
from tests.model.exploration import Found, explored
from tests.registry.variants import VARIANTS
from tests.support import world

Code = Callable[[], AbstractContextManager[Callable[[Any], Asked]]]

DECIDING = Bounds(names=("one", "two"), crashes=1, unclear=1, late=1, acts=1, hands=1)
QUIET = Bounds(names=("one", "two"), crashes=0, unclear=0, late=0, acts=0, hands=0)
POINTING = Bounds(names=(), growth=2, crashes=1, unclear=1, late=1, acts=0, hands=1)


@dataclass(frozen=True)
class Variant:
    """One way to be wrong, and the bounds within which it is found."""

    code: Code
    bounds: Bounds = DECIDING
    driver: Driver = PRODUCTION

    def explored(self, *, seconds: float) -> Found:
        """What the exploration of the broken protocol finds, by the shortest history."""
        with self.code() as ask:
            found, _ = explored(self.bounds, driver=self.driver, ask=ask, seconds=seconds, covering=False)
            return found


@contextmanager
def as_it_is() -> Iterator[Callable[[Any], Asked]]:
    """The production code; what is wrong is how it is driven."""
    yield world.asked


@contextmanager
def head_searched_once() -> Iterator[Callable[[Any], Asked]]:
    """The pointer is written until it shows the head that was found at first, even if it shows a later one by now."""

    def broken(stage: StageKey) -> Steps[Any]:
        head = yield from find_head(stage)
        yield from ensure_decision(stage, head.link)
        if head.link is None:
            return pointing.Pointed(head)
        wanted, found = render_pointer(head.link.raw), head.pointer
        while found is None or found.body != wanted:
            yield from (
                create(stage.pointer, wanted) if found is None else replace_object(stage.pointer, wanted, found.etag)
            )
            found = yield from get(stage.pointer)
        return pointing.Pointed(Head(head.link, found))

    with patch.object(pointing, "pointing", broken):
        yield world.asked


@contextmanager
def fresh_etag() -> Iterator[Callable[[Any], Asked]]:
    """The pointer is written over whatever it is by now, not over what was read when the search began."""

    def broken(stage: StageKey) -> Steps[Any]:
        head = yield from find_head(stage)
        yield from ensure_decision(stage, head.link)
        if head.link is None or (head.pointer and head.pointer.body == render_pointer(head.link.raw)):
            return pointing.Pointed(head)
        now = yield from get(stage.pointer)
        wanted = render_pointer(head.link.raw)
        yield from create(stage.pointer, wanted) if now is None else replace_object(stage.pointer, wanted, now.etag)
        return pointing.Pointed(head)

    with patch.object(pointing, "pointing", broken):
        yield world.asked


@contextmanager
def pointer_written_by_whoever_decides() -> Iterator[Callable[[Any], Asked]]:
    """A promotion shows its own end at once, without the stage key that all pointers are written through."""
    real = deciding.deciding

    def broken(stage: StageKey, op: str, judge: Any, void: Any) -> Steps[Any]:
        end = yield from real(stage, op, judge, void)
        if isinstance(end, deciding.Decided):
            now, wanted = (yield from get(stage.pointer)), render_pointer(end.link.raw)
            yield from create(stage.pointer, wanted) if now is None else replace_object(stage.pointer, wanted, now.etag)
        return end

    with patch.object(deciding, "deciding", broken):
        yield world.asked


WITHIN = {
    "the own decision is read before the head": QUIET,
    "the own decision is read only once": QUIET,
    "nobody helps": QUIET,
    "the pointer is moved whatever it is by now": POINTING,
}
MORE = {
    "what is live is read from a cache": Variant(as_it_is, driver=Driver(stale_reads=True)),
    "an unclear answer is answered by starting over": Variant(as_it_is, driver=Driver(starts_over=True)),
    "a failed read forgets the attempt": Variant(as_it_is, driver=Driver(forgets=True)),
    "the pointer is written with the ETag of a later read": Variant(fresh_etag, POINTING),
    "the pointer is written by whoever decides, outside the stage key": Variant(
        pointer_written_by_whoever_decides, QUIET
    ),
    "the head is searched once, a lower number allowed": Variant(head_searched_once, POINTING),
}
BROKEN: dict[str, Variant] = {name: Variant(code, WITHIN.get(name, DECIDING)) for name, code in VARIANTS.items()} | MORE
