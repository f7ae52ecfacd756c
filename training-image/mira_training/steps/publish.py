"""Publish: the model's files, its card, its provenance, then comparison and signature, last of all the manifest."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mira.registry.comparison import Comparison
from mira.registry.document import digest
from mira.registry.drift import DRIFT_FILE
from mira.registry.manifest import Code, ComparedWith, File, Manifest, Rows, Run, Schema, SearchSummary, Validation
from mira.registry.order import ORDER_FILE
from mira.registry.profile import PROFILE_FILE
from mira.registry.search import SEARCH_FILE, SearchReport
from mira_training.data.sample import sample_of
from mira_training.model.artifacts import libraries
from mira_training.provenance import PROVENANCE_FILE, Made, provenance
from mira_training.publication import Published, commit, upload, upload_one
from mira_training.report.card import model_card

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.model.plan import Plan
    from mira_training.model.trained import Trained
    from mira_training.ports import Ports
    from mira_training.steps.drift import Compared
    from mira_training.steps.evaluate import Evaluated
    from mira_training.steps.ingest import Ingested
    from mira_training.steps.search import Searched
    from mira_training.steps.validate import Validated

MOST_WARNINGS = 100
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """What the steps before have made."""

    ingested: "Ingested"
    validated: "Validated"
    drifted: "Compared"
    trained: "Trained"
    evaluated: "Evaluated"
    started_at: datetime
    searched: "Searched | None" = None


def publish(assignment: "Assignment", results: Results, plan: "Plan", ports: "Ports") -> Published:
    """The version in the registry. Raises Refused (`CodeInvalid`, `VersionExists`), StoreUnavailable."""
    folder, now = ports.version_folder, ports.now()
    results.trained.write(ports.model_folder)
    report = folder / "report"
    report.mkdir(parents=True, exist_ok=True)
    (report / "metrics.json").write_text(json.dumps(_metrics(results.evaluated), indent=1))
    card = model_card(assignment, results, plan, ports.model_folder, now)
    (report / "model-card.html").write_text(card, encoding="utf-8")
    (report / PROFILE_FILE).write_bytes(results.drifted.profile.render())
    drift = results.drifted.drift
    if drift is not None:
        (report / DRIFT_FILE).write_bytes(drift.render())
    if results.searched is not None:
        (report / SEARCH_FILE).write_bytes(results.searched.report.render())
    (folder / ORDER_FILE).write_bytes(assignment.order.render())
    files = upload(ports.registry, assignment.key.prefix, assignment.attempt, folder)
    said = Made(
        assignment.order,
        assignment.attempt,
        results.ingested.sources,
        libraries(),
        ports.revision,
        started_at=results.started_at,
        finished_at=now,
    )
    origin = report / PROVENANCE_FILE
    origin.write_bytes(provenance(said, files).render())
    files.append(upload_one(ports.registry, assignment.key.prefix, assignment.attempt, origin, folder))
    made = manifest(assignment, results, plan, files, now, revision=ports.revision)
    published = commit(ports.registry, made, comparison(made, results.evaluated, now), ports.signing_key)
    log.info("version %s of %s is published as %s", made.version, made.model, published.digest)
    return published


def manifest(
    assignment: "Assignment",
    results: Results,
    plan: "Plan",
    files: list[File],
    now: datetime,
    *,
    revision: str | None = None,
) -> Manifest:
    """The commit point of the version."""
    order, spec, prepared = assignment.order, assignment.spec, results.validated.prepared
    return Manifest(
        namespace=order.namespace,
        model=order.model,
        version=order.version,
        description=order.description,
        task=spec.task,
        attempt=assignment.attempt,
        run=Run(
            name=order.run.name, uid=order.run.uid, spec_hash=order.run.spec_hash, requested_by=order.run.requested_by
        ),
        code=Code(
            image=order.image,
            revision=revision,
            estimator=plan.estimator_name,
            features=spec.features,
            hooks=spec.hooks.model_dump(exclude_none=True) or None if spec.hooks else None,
            libraries=libraries(),
        ),
        parameters=spec.parameters | (results.searched.values if results.searched else {}),
        seed=spec.seed,
        sources=list(results.ingested.sources),
        rows=Rows(training=len(prepared.training.table), evaluation=len(prepared.evaluation.table)),
        model_schema=Schema(
            columns=list(prepared.columns),
            target=spec.data.target,
            classes=[str(each) for each in results.trained.scorer.classes] if results.trained.scorer else [],
            outputs=list(results.trained.outputs) if results.trained.outputs else None,
            sample=sample_of(prepared, spec.data.checks, raw=spec.features is None),
        ),
        metrics=list(results.evaluated.metrics),
        compared_with=_compared_with(results.evaluated, order.against),
        validation=_validation(results.validated),
        drift=results.drifted.drift.summary if results.drifted.drift else None,
        search=_summary(results.searched.report) if results.searched else None,
        files=files,
        created_at=now,
    )


def _validation(validated: "Validated") -> Validation:
    warnings = list(validated.warnings[:MOST_WARNINGS])
    return Validation(passed=validated.checked, warnings=warnings, suite=validated.suite)


def _summary(report: SearchReport) -> SearchSummary:
    return SearchSummary(metric=report.metric, trials=len(report.trials), chosen=report.chosen, score=report.best.score)


def _compared_with(evaluated: "Evaluated", stage: str | None) -> ComparedWith | None:
    compared = evaluated.compared
    if compared is None:
        return None
    current = compared.current
    return ComparedWith(
        stage=stage, version=current.version, digest=current.digest, verdict=compared.verdict, reason=current.reason
    )


def comparison(made: Manifest, evaluated: "Evaluated", now: datetime) -> Comparison | None:
    """The comparison with the current version, under the digest that the manifest will have; None if there is none."""
    compared = evaluated.compared
    if compared is None:
        return None
    return Comparison(
        candidate=digest(made.render()),
        current=compared.current.digest,
        current_version=compared.current.version,
        verdict=compared.verdict,
        reason=compared.current.reason,
        rows=made.rows.evaluation,
        differences=list(compared.differences),
        created_at=now,
    )


def _metrics(evaluated: "Evaluated") -> dict[str, Any]:
    compared = evaluated.compared
    return {
        "metrics": [metric.model_dump(mode="json", by_alias=True, exclude_none=True) for metric in evaluated.metrics],
        "comparedWith": compared.current.version if compared else None,
        "notComparable": compared.current.reason if compared else "",
        "differences": [
            one.model_dump(mode="json", by_alias=True) for one in (compared.differences if compared else ())
        ],
        "reliance": [{"column": one.column, "growth": round(one.growth, 6)} for one in evaluated.reliances],
    }
