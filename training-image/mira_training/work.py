"""What an attempt carries out, whichever kind of order it is."""

from collections.abc import Sequence
from typing import Protocol

from mira.registry.order import Order, OrderKind
from mira_training.assignment import assign
from mira_training.comparing import Comparing
from mira_training.driftcheck import DriftCheck
from mira_training.ending import Ending
from mira_training.ports import Ports
from mira_training.training import Training


class Work(Protocol):
    """Steps in their order. `step` is the one that runs or ran last, so that a failure can name it."""

    @property
    def steps(self) -> Sequence[str]:
        """The steps by name."""
        ...

    @property
    def step(self) -> str:
        """The step that runs or ran last."""
        ...

    @property
    def name(self) -> str:
        """By what a tracking server shows it."""
        ...

    def prepare(self) -> Ending | None:
        """What can be found wrong before data is read; the end, if an earlier attempt has done the work already."""
        ...

    def perform(self, step: str) -> None:
        """One of the steps; they must be performed in their order."""
        ...

    def ending(self) -> Ending:
        """The good end, once all steps are performed."""
        ...

    def result(self) -> str:
        """What the work gave, in Markdown, for a tracking server."""
        ...


def work_of(order: Order, attempt: str, ports: Ports, *, on_laptop: bool = False, against: str | None = None) -> Work:
    """What the order asks for; `against` is a version that somebody on a laptop compares with.

    Raises Refused for a field that is wrong, unknown, or not supported yet.
    """
    if order.kind is OrderKind.COMPARE:
        return Comparing(order, ports, on_laptop=on_laptop)
    assignment = assign(order, attempt, on_laptop=on_laptop)
    if order.kind is OrderKind.DRIFT_CHECK:
        return DriftCheck(assignment, ports)
    return Training(assignment, ports, against)
