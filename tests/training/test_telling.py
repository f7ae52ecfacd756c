"""What a person sees of a run on a laptop, line by line."""

import io
import logging

from mira_training.laptop.telling import AWAY, StepLines
from mira_training.logs import in_step


class Terminal(io.StringIO):
    """Somebody looks on."""

    def isatty(self):
        return True


def said(out):
    """What is written to `out` while a search of two trials runs."""
    lines = StepLines(out, out)
    trials = [f"trial {number} of 2: roc_auc 0.7" for number in (1, 2)]
    with in_step("train"):
        for said_, more in (
            *((trial, {"live": trial}) for trial in trials),
            ("trial 2 is the best", {}),
            ("train took 1.0 s", {"took": 1.0}),
        ):
            lines.handle(logging.makeLogRecord({"levelno": logging.INFO, "msg": said_, **more}))
    return out.getvalue()


def test_on_a_terminal_each_trial_takes_the_place_of_the_one_before_and_the_step_that_of_all():
    shown = said(Terminal()).split(AWAY)
    assert shown == [
        "",
        "train     trial 1 of 2: roc_auc 0.7",
        "train     trial 2 of 2: roc_auc 0.7",
        "train        1.0 s  trial 2 is the best\n",
    ]


def test_a_trial_is_cut_where_the_line_ends(monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    assert max(len(line) for line in said(Terminal()).split(AWAY)[1:3]) == 19


def test_in_a_file_there_is_a_line_for_the_step_alone():
    assert said(io.StringIO()) == "train        1.0 s  trial 2 is the best\n"
