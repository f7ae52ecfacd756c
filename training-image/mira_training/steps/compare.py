"""Compare: the candidate's evaluation rows made again, and both versions asked for their scores of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mira.api.trainingrun import Task
from mira.registry.manifest import Manifest
from mira.registry.reader import Registry
from mira_training.data.again import NotTheSame, read_again
from mira_training.data.examples import answers_of, featured, weights_of
from mira_training.model.onnx_scorer import Unscorable
from mira_training.model.plan import plan
from mira_training.model.trained import Scorer
from mira_training.scoring.current import current_scores
from mira_training.scoring.measuring import Judged
from mira_training.scoring.metrics import Metric, value
from mira_training.scoring.slices import slices
from mira_training.scoring.stored import AS_TRAINED, stored_scorer
from mira_training.steps.evaluate import Compared, chosen_metrics, compared, truth_of
from mira_training.steps.ingest import both_sides, extra_inputs

if TYPE_CHECKING:
    from mira.registry.reader import VerifiedVersion
    from mira_training.assignment import Assignment
    from mira_training.ports import Ports

TOLERANCE = 1e-3
"""How far a metric that is measured again may be from the manifest's: as far as an ONNX file may be from the model."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Again:
    """The candidate as a scorer, and the rows on which it was evaluated, as its features hook left them."""

    scorer: Scorer
    table: pd.DataFrame
    judged: Judged


def evaluated_again(
    assignment: "Assignment", candidate: "VerifiedVersion", ports: "Ports", *, on_laptop: bool
) -> Again:
    """The candidate on its evaluation rows, made again; the features hook sees this side alone, as in the training.

    Raises Unscorable, NotTheSame if the rows are others, Refused for the user's code and for data that may not be read,
    StoreUnavailable.
    """
    spec, manifest = assignment.spec, candidate.manifest
    target = spec.data.target
    if target is None or spec.task is Task.TRANSFORM:
        raise Unscorable(f"it was trained with task {spec.task} and target {target}, so it predicts nothing")
    code, scorer = plan(spec), stored_scorer(candidate, Registry(ports.registry), ports.folder, AS_TRAINED)
    tables = read_again(assignment, manifest, ports, on_laptop=on_laptop)
    side = both_sides(tables, spec.data, spec.seed).evaluation
    table = featured(side, extra_inputs(tables), code, spec.features)
    if len(table) != manifest.rows.evaluation:
        raise NotTheSame(f"they are {len(table)} rows now, and were {manifest.rows.evaluation}")
    if missing := [name for name in (target, spec.data.weight, *_slices(assignment)) if name and name not in table]:
        raise NotTheSame(f"they have no column {missing[0]!r} any more")
    answers = answers_of(table[target], target, Task.CLASSIFICATION if scorer.classes else Task.REGRESSION)
    judged = Judged(truth_of(scorer, answers), scorer.scores(table), weights_of(table, spec.data.weight))
    _must_measure_the_same(chosen_metrics(judged, _wanted(assignment)), judged, manifest)
    log.info("the %d rows on which the version was evaluated are there again", len(table))
    return Again(scorer, table, judged)


def compared_again(again: Again, current: "VerifiedVersion", assignment: "Assignment", ports: "Ports") -> Compared:
    """Both versions on these rows, by the code of a training's evaluation. Raises StoreUnavailable."""
    spec, registry = assignment.spec, Registry(ports.registry)
    said = current_scores(
        current, registry, again.table, again.scorer, target=str(spec.data.target), folder=ports.folder
    )
    parts = list(slices(again.table, _slices(assignment)))
    return compared(said, chosen_metrics(again.judged, _wanted(assignment)), again.judged, parts, spec.seed)


def _wanted(assignment: "Assignment") -> tuple[str, ...]:
    return assignment.spec.evaluation.metrics if assignment.spec.evaluation else ()


def _slices(assignment: "Assignment") -> tuple[str, ...]:
    return assignment.spec.evaluation.slices if assignment.spec.evaluation else ()


def _must_measure_the_same(chosen: Sequence[Metric], judged: Judged, manifest: Manifest) -> None:
    """Raises NotTheSame if the rows, or what the features hook makes of them, are not those of the evaluation."""
    recorded = [(metric, found) for metric in chosen if (found := manifest.metric(metric.name)) is not None]
    if chosen and not recorded:
        raise Unscorable("its manifest has no metric that Mira measures: it was trained without a scorer")
    for metric, found in recorded:
        before, now = float(found.value), value(metric, judged.truth, judged.scores, judged.weights)
        if not abs(now - before) <= TOLERANCE * max(1.0, abs(before)):
            raise NotTheSame(
                f"{metric.name} of the version is {now:.6g} on them, its manifest says {found.value}: features, or a "
                "library of the image, do something else now"
            )
