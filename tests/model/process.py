"""One procedure under way, what it can see, and what may happen to it."""

from typing import NamedTuple

from tests.model.automaton import Site

FREE, CRASH, LOST, LATE = range(4)
IDLE = -1
ENDLESS = 500


class Process(NamedTuple):
    """One procedure of one operator.

    `local` is its local state, IDLE if none is under way, or below: the resource's end is reported. `read` is the
    version that was really live at its last live read; `flights` are writes that it sent and that have not arrived.
    """

    slot: int
    local: int
    read: int
    flights: tuple[int, ...]


class View(NamedTuple):
    """What a process can see of users: its resource, whether they may still change it, and edit the pointer."""

    version: int
    changing: bool
    hands: bool


class Move(NamedTuple):
    """One thing that may happen to a process."""

    label: tuple[int, int, str]
    cost: int
    store: int
    process: int


class TooEarly(Exception):
    """A read that must wait for its turn was made early: the exploration begins again and knows it."""

    def __init__(self, site: Site) -> None:
        super().__init__(str(site))
        self.site = site
