"""Driving procedures call by call, so that somebody else can act between two calls."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from mira.registry.steps import Call, Procedure
from tests.support.world import World


class _NotNow(Exception):
    """The call is not made."""


class Stepped:
    """A procedure that is carried out one call at a time; `calls` are those that were made."""

    def __init__(self, world: World, procedure: Procedure[Any]) -> None:
        self.world, self.procedure = world, procedure
        self.calls: list[Call] = []
        self.ended = False
        self.end: Any = None

    def step(self, answer: Callable[[Call], Any] | None = None) -> Call:
        """Makes the next call, answered by the world unless told otherwise; the call."""
        made: list[Call] = []

        def once(call: Call) -> Any:
            if made:
                raise _NotNow("somebody else's turn")
            made.append(call)
            return (answer or self.world.answer)(call)

        try:
            self.end = self.procedure.advance(once)
            self.ended = True
        except _NotNow:
            pass
        self.calls += made
        return made[0]

    def until(self, wanted: Callable[[Call], bool]) -> Call:
        """Goes on until the next call is a wanted one, which is not made yet; the call."""
        while not self.ended:
            following: list[Call] = []

            def look(call: Call, following: list[Call] = following) -> Any:
                following.append(call)
                raise _NotNow("only looking")

            with suppress(_NotNow):
                self.procedure.advance(look)
            if wanted(following[0]):
                return following[0]
            self.step()
        raise AssertionError("it ended before")

    def finish(self) -> Any:
        while not self.ended:
            self.step()
        return self.end
