"""The model card: one HTML file with nothing to fetch, for somebody who has to decide whether to trust a version."""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2

from mira.registry.comparison import Difference
from mira_training.model.artifacts import libraries
from mira_training.report.charts import charts
from mira_training.report.facts import (
    balance,
    bytes_text,
    column_rows,
    confusion,
    metric_rows,
    slice_rows,
    verdict_of,
)
from mira_training.report.moved import moved
from mira_training.report.svg import measure, number

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.steps.evaluate import Compared, Evaluated
    from mira_training.steps.publish import Results

TEMPLATE, STYLE = "model-card.html.j2", "model-card.css"
A_TENTH = 0.1


def model_card(assignment: "Assignment", results: "Results", plan: "Plan", now: datetime) -> str:
    """The page, UTF-8. It shows names, shares and measurements; of the cells, only the values of slices and classes."""
    folder = files("mira_training.report")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": number, "bytes": bytes_text, "percent": _percent}
    template = environment.from_string((folder / TEMPLATE).read_text(encoding="utf-8"))
    style = (folder / STYLE).read_text(encoding="utf-8")
    return template.render(style=style, made_at=now, **_told(assignment, results, plan))


def _told(assignment: "Assignment", results: "Results", plan: "Plan") -> Mapping[str, Any]:
    order, spec, evaluated, validated = assignment.order, assignment.spec, results.evaluated, results.validated
    kind, compared = evaluated.judged.truth.kind, evaluated.compared
    beside = compared.differences if compared else ()
    classes = results.fitted.classes
    growths = {one.column: one.growth for one in evaluated.reliances}
    current = compared.current if compared else None
    return {
        "order": order,
        "spec": spec,
        "attempt": assignment.attempt,
        "kind": kind,
        "rows": (len(validated.prepared.training.target), len(validated.prepared.evaluation.target)),
        "verdict": verdict(evaluated, order.against),
        "current": current,
        "metrics": metric_rows(evaluated.metrics, beside, kind),
        "slices": slice_rows(evaluated.metrics, beside, kind, evaluated.slices),
        "charts": charts(evaluated.judged, current.scores if current else None),
        "balance": balance(evaluated.judged, classes) if classes else [],
        "confusion": confusion(evaluated.judged, classes),
        "columns": column_rows(validated.prepared.columns, validated.prepared.training.inputs, growths),
        "moved": moved(results.drifted.drift),
        "left_out": validated.prepared.left_out,
        "sources": results.ingested.sources,
        "split": results.ingested.division.said,
        "warnings": validated.warnings,
        "checked": validated.checked,
        "estimator": plan.estimator_name,
        "parameters": plan.parameters.model_dump(mode="json", exclude_unset=False),
        "libraries": libraries(),
        "order_json": json.dumps(json.loads(order.render()), indent=2, ensure_ascii=False),
    }


def verdict(evaluated: "Evaluated", stage: str | None) -> tuple[str, str]:
    """Better, worse, even or alone; and the sentence that a reader takes away."""
    main = evaluated.metrics[0]
    said = f"{main.name} {measure(float(main.value))}"
    compared = evaluated.compared
    if compared is None:
        none = f"The stage {stage} serves nothing yet" if stage else "No stage was named to compare with"
        return "alone", f"{said} on rows it has not seen. {none}, so there is nothing to compare it with."
    if compared.current.scores is None:
        return "alone", f"{said} on rows it has not seen. Not comparable: {compared.current.reason}."
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
