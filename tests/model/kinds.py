"""The production code's procedures, as each slot begins them."""

from collections.abc import Callable
from typing import Any

from mira.decide.modelpromotion import Judgement, void
from mira.registry import deciding as protocol
from mira.registry import pointing as pointers
from mira.registry.entry import Entry
from mira.registry.lineage import Head
from mira.registry.steps import Steps
from tests.model.automaton import Automaton, Kind
from tests.model.bounds import NOW
from tests.model.ground import ABSENT, Promotion
from tests.support.world import KEY


def kinds(automaton: Automaton, known: tuple[Promotion, ...]) -> dict[tuple[int, int], Kind]:
    """How each slot begins: a promotion with its first resource (1) or its second (2), the pointer after them all."""
    constant = automaton.constant
    constant(KEY, "the stage")
    found = {(len(known), ABSENT): Kind("pointing", lambda: pointers.pointing(KEY), keeps_pointer=True)}
    for slot, each in enumerate(known):
        for version, resource in enumerate(each.versions):
            if resource is not None:
                constant(resource, f"{each.name} {version}")
                constant(each.asked[version], f"{each.name} asks {each.uid(version)}")
            constant(each.live[version], f"{each.name} live {version}")
        for version in (1, 2):
            name = f"deciding {each.name} of {each.uid(version)}"
            found[slot, version] = Kind(name, _deciding(each, version), keeps_pointer=False)
    return found


def _deciding(each: Promotion, version: int) -> Callable[[], Steps[Any]]:
    asked, resource = each.asked[version], each.versions[version]

    def begin() -> Steps[Any]:
        if asked is None or resource is None:
            raise AssertionError("nobody decides what is not there")

        def close(head: Head) -> Entry:
            return void(asked, resource, "test", NOW, head)

        return protocol.deciding(KEY, asked.op, Judgement(asked, "test").judge(), close)

    return begin
