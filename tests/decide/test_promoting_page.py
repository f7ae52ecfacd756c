"""docs/promoting.md names what promotions are refused for and wait for, in the order in which it is judged."""

import inspect
import re
from pathlib import Path

from mira.api.reasons import Reason
from mira.decide.promotion_rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "promoting.md"
# Reasons of a gate or of a rule that another rule only looks at.
NOT_RULINGS = {Reason.NOT_COMPARED}


def rulings() -> list[Reason]:
    named = (re.findall(r"Reason\.([A-Z_]+)", inspect.getsource(rule)) for rule in RULES)
    return [reason for names in named for reason in (Reason[name] for name in names) if reason not in NOT_RULINGS]


def rows_of_the_page() -> list[list[str]]:
    table = PAGE.read_text().partition("in this order")[2].partition("\n\n`Superseded`")[0]
    rows = [line.split("|")[2:4] for line in table.splitlines() if line.startswith("|")][2:]
    return [re.findall(r"`([A-Z]\w+)`", " ".join(row)) for row in rows]


def test_every_ruling_is_on_the_page_and_no_other() -> None:
    assert {reason for row in rows_of_the_page() for reason in row} == set(map(str, rulings()))


def test_the_page_has_them_in_the_order_in_which_they_are_judged() -> None:
    row_of = {reason: number for number, row in enumerate(rows_of_the_page()) for reason in row}
    # Some rulings are given early where they are sure already: what counts is the rule that is about them.
    last = {reason: number for number, reason in enumerate(rulings())}
    order = [row_of[str(reason)] for reason in sorted(last, key=last.__getitem__)]
    assert order == sorted(order)
