"""The model card: one HTML file with nothing to fetch, for somebody who has to decide whether to trust a version."""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from mira.api.trainingrun import Task
from mira.registry.comparison import Difference
from mira_training.model.artifacts import libraries
from mira_training.report.charts import charts
from mira_training.report.facts import (
    balance,
    bytes_text,
    column_rows,
    confusion,
    metric_rows,
    output_rows,
    slice_rows,
    verdict_of,
)
from mira_training.report.moved import moved
from mira_training.report.searched import searched
from mira_training.report.svg import measure, number

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.steps.evaluate import Compared, Evaluated
    from mira_training.steps.publish import Results

TEMPLATE, STYLE = "model-card.html.j2", "model-card.css"
A_TENTH = 0.1
UNJUDGED = {Task.TRANSFORM: "a transformation", Task.CUSTOM: "the team's own training"}


def model_card(assignment: "Assignment", results: "Results", plan: "Plan", folder: Path, now: datetime) -> str:
    """The page, UTF-8. It shows names, shares and measurements; of the cells, only the values of slices and classes.

    `folder` holds the model's files.
    """
    ours = files("mira_training.report")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": number, "bytes": bytes_text, "percent": _percent}
    template = environment.from_string((ours / TEMPLATE).read_text(encoding="utf-8"))
    style = (ours / STYLE).read_text(encoding="utf-8")
    return template.render(style=style, made_at=now, written=_written(folder), **_told(assignment, results, plan))


def _told(assignment: "Assignment", results: "Results", plan: "Plan") -> Mapping[str, Any]:
    order, spec, evaluated, validated = assignment.order, assignment.spec, results.evaluated, results.validated
    judged, trained, compared = evaluated.judged, results.trained, evaluated.compared
    kind = judged.truth.kind if judged else None
    beside = compared.differences if compared else ()
    growths = {one.column: one.growth for one in evaluated.reliances}
    current = compared.current if compared else None
    return {
        "order": order,
        "spec": spec,
        "attempt": assignment.attempt,
        "kind": kind or UNJUDGED[spec.task],
        "rows": (len(validated.prepared.training.table), len(validated.prepared.evaluation.table)),
        "verdict": verdict(evaluated, order.against),
        "current": current,
        "metrics": metric_rows(evaluated.metrics, beside, kind),
        "slices": slice_rows(evaluated.metrics, beside, kind, evaluated.slices),
        **_pictures(results),
        "outputs": output_rows(trained.outputs, trained.output) if trained.outputs is not None else [],
        "output_count": len(trained.outputs or ()),
        "predicts": assignment.predicts,
        "columns": column_rows(validated.prepared.columns, validated.prepared.training.inputs, growths),
        "moved": moved(results.drifted.drift),
        "searched": searched(results.searched.report if results.searched else None),
        "reliances": evaluated.reliances,
        "left_out": validated.prepared.left_out,
        "sources": results.ingested.sources,
        "split": results.ingested.division.said,
        "warnings": validated.warnings,
        "checked": validated.checked,
        "suite": validated.suite,
        "estimator": plan.estimator_name,
        "parameters": plan.parameters.model_dump(mode="json", exclude_unset=False),
        "libraries": libraries(),
        "order_json": json.dumps(json.loads(order.render()), indent=2, ensure_ascii=False),
    }


def _pictures(results: "Results") -> dict[str, Any]:
    """Charts and tables of predictions; none for what predicts nothing."""
    judged, compared, scorer = results.evaluated.judged, results.evaluated.compared, results.trained.scorer
    if judged is None or scorer is None:
        return {"charts": [], "balance": [], "confusion": None}
    return {
        "charts": charts(judged, compared.current.scores if compared else None),
        "balance": balance(judged, scorer.classes) if scorer.classes else [],
        "confusion": confusion(judged, scorer.classes),
    }


def _written(folder: Path) -> list[tuple[str, int]]:
    """The files below the folder with their sizes."""
    found = sorted(each for each in folder.rglob("*") if each.is_file())
    return [(each.relative_to(folder).as_posix(), each.stat().st_size) for each in found]


def verdict(evaluated: "Evaluated", stage: str | None) -> tuple[str, str]:
    """Better, worse, even or alone; and the sentence that a reader takes away."""
    main = evaluated.metrics[0]
    said = f"{main.name} {measure(float(main.value))}"
    seen = " on rows it has not seen" if evaluated.judged else ""
    compared = evaluated.compared
    if compared is None:
        none = f"The stage {stage} serves nothing yet" if stage else "No stage was named to compare with"
        return "alone", f"{said}{seen}. {none}, so there is nothing to compare it with."
    if compared.current.scores is None:
        return "alone", f"{said}{seen}. Not comparable: {compared.current.reason}."
    beside = next((one for one in compared.differences if one.metric == main.name and not one.slice), None)
    return (
        _against(beside, compared, stage)
        if beside
        else ("alone", f"{said}; not compared with {compared.current.version}.")
    )


def _against(beside: Difference, compared: "Compared", stage: str | None) -> tuple[str, str]:
    ours, theirs = measure(float(beside.candidate)), measure(float(beside.current))
    lower, upper = measure(float(beside.lower)), measure(float(beside.upper))
    now = f"version {compared.current.version}" + (f", which {stage} serves now" if stage else "")
    gains = f"95% of the resampled gains lie between {lower} and {upper}"
    pair = f"{beside.metric} {ours} against {theirs} on the same rows; {gains}."
    match verdict_of(beside):
        case "better":
            return "better", f"Better than {now}: {pair}"
        case "worse":
            return "worse", f"Worse than {now}: {pair}"
        case _:
            return "even", f"No clear difference from {now}: {pair}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == 0 or share >= A_TENTH else f"{share:.1%}"
