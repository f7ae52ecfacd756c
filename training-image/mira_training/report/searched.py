"""What the model card tells of a search: the best trials, the first one among them, and why it ended."""

import json
from dataclasses import dataclass

from mira.registry.manifest import Direction
from mira.registry.search import SearchReport, SearchTrial
from mira_training.report.svg import measure

MOST_TRIALS, MOST_PARAMETERS = 12, 6


@dataclass(frozen=True)
class TrialRow:
    """One trial: its values, in the order of the table's parameters, its score, the folds' range, its rows."""

    number: int
    values: tuple[str, ...]
    score: str
    between: str
    bar: float | None
    share: float
    chosen: bool
    failed: str


@dataclass(frozen=True)
class Searched:
    """The table of trials. `parameters` are its columns; `more` trials are in the report alone."""

    metric: str
    arrow: str
    trials: int
    scored: int
    rows: tuple[TrialRow, ...]
    parameters: tuple[str, ...]
    more: int
    stopped: str


def searched(report: SearchReport | None) -> Searched | None:
    """The trials that came furthest, the best of them first; None if nothing was searched."""
    if report is None:
        return None
    sign = 1 if report.direction is Direction.HIGHER else -1
    ranked = sorted(
        report.trials,
        key=lambda one: (
            one.number != report.chosen,
            one.score is None,
            -float(one.share),
            -sign * float(one.score or 0),
        ),
    )
    shown = ranked[:MOST_TRIALS]
    names = tuple(dict.fromkeys(name for trial in shown for name in trial.parameters))[:MOST_PARAMETERS]
    scores = [sign * float(one.score) for one in shown if one.score is not None]
    worst, best = (min(scores), max(scores)) if scores else (0.0, 0.0)
    return Searched(
        metric=report.metric,
        arrow="↑" if report.direction is Direction.HIGHER else "↓",
        trials=len(report.trials),
        scored=sum(one.score is not None for one in report.trials),
        rows=tuple(_row(one, names, (sign, worst, best - worst), chosen=one.number == report.chosen) for one in shown),
        parameters=names,
        more=len(ranked) - len(shown),
        stopped=report.stopped,
    )


def _row(trial: SearchTrial, names: tuple[str, ...], scale: tuple[int, float, float], *, chosen: bool) -> TrialRow:
    sign, worst, width = scale
    folds = [float(each) for each in trial.folds]
    score = None if trial.score is None else float(trial.score)
    return TrialRow(
        number=trial.number,
        values=tuple(_text(trial.parameters.get(name)) if name in trial.parameters else "" for name in names),
        score="" if score is None else measure(score),
        between=f"{measure(min(folds))} to {measure(max(folds))}" if folds else "",
        bar=None if score is None else (sign * score - worst) / width if width else 1.0,
        share=float(trial.share),
        chosen=chosen,
        failed=trial.failed,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
