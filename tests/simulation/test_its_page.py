"""The page of docs/reliability that a campaign writes."""

from pathlib import Path

import pytest

from tests.simulation.__main__ import keep, report
from tests.simulation.campaign import Tally


def test_is_written_when_every_promise_was_kept(tmp_path: Path) -> None:
    keep("all is well", tmp_path / "new" / "page.md", Tally(histories=3))
    assert (tmp_path / "new" / "page.md").read_text() == "all is well"


def test_is_left_as_it_was_when_one_was_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("before")
    keep("one is broken", page, Tally(histories=3, failures=["seed 7"]))
    assert page.read_text() == "before"
    assert "left as it was: 1 histories broke a promise" in capsys.readouterr().err


def test_the_page_names_the_slowest_histories_so_that_somebody_can_look_at_them() -> None:
    tally = Tally(histories=4, settled=[(1.0, 5), (26.0, 6), (0.5, 7)], by_hand=(30.0, 8))
    page = report(range(5, 9), tally, 1)
    assert "by 1 process." in page
    assert "99% within 26.0, all within 26.0" in page
    assert "seeds 7 (0.5 s), 5 (1.0 s), 6 (26.0 s),\nand 8 of those by hand" in page
