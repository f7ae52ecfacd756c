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
    logger = logging.Logger("run")
    logger.addHandler(StepLines(out, out))
    with in_step("train"):
        for number in (1, 2):
            trial = f"trial {number} of 2: roc_auc 0.7"
            logger.info("%s", trial, extra={"live": trial})
        logger.info("trial 2 is the best")
        logger.info("train took 1.0 s", extra={"took": 1.0})
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
