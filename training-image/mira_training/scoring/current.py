"""The version in place, asked for its predictions on this run's rows; or in words why it cannot be."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mira.api.trainingrun import Task
from mira.registry.reader import Registry, VerifiedVersion
from mira_training.model.onnx_scorer import Unscorable
from mira_training.model.trained import Scorer, Scores
from mira_training.scoring.stored import stored_scorer


@dataclass(frozen=True)
class CurrentScores:
    """What the current version says of the evaluation rows; None with the reason if it cannot be asked."""

    version: str
    digest: str
    scores: Scores | None
    reason: str = ""


def current_scores(
    current: VerifiedVersion, registry: Registry, table: pd.DataFrame, candidate: Scorer, *, target: str, folder: Path
) -> CurrentScores:
    """The current version's scores of the rows in `table`. Errors: StoreUnavailable, StoreRefused."""
    try:
        scores = _scores(current, registry, table, candidate, target=target, folder=folder)
    except Unscorable as error:
        reason = f"the current version {current.version} cannot be scored on these rows: {error}"
        return CurrentScores(current.version, current.digest, None, reason)
    return CurrentScores(current.version, current.digest, scores)


def _scores(
    current: VerifiedVersion, registry: Registry, table: pd.DataFrame, candidate: Scorer, *, target: str, folder: Path
) -> Scores:
    manifest, schema = current.manifest, current.manifest.model_schema
    classes = [str(each) for each in candidate.classes]
    # By the classes two tasks can be told to be one question, whoever trained it; numbers alone do not say what of.
    if manifest.task != candidate.task and not (Task.CUSTOM in (manifest.task, candidate.task) and classes):
        raise Unscorable(f"its task is {manifest.task}, not {candidate.task}")
    if schema.target != target:
        raise Unscorable(f"it predicts {schema.target!r}, not {target!r}")
    if schema.classes != classes:
        theirs = f"knows the classes {', '.join(schema.classes[:8])}" if schema.classes else "knows no classes"
        raise Unscorable(f"it {theirs}, not {', '.join(classes[:8]) or 'none'}")
    return stored_scorer(current, registry, folder).scores(table)
