# ruff: noqa: PLC0415 - imports stand inside the steps: what a run does not come to, it does not wait for
"""A training: five steps on one order, each given what the ones before have made."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mira.registry.document import DocumentInvalid
from mira.registry.progress import Step
from mira.registry.reader import Current, Registry, Tampered
from mira_training.drift.asked import must_be_able_to_report
from mira_training.ending import Ending, succeeded
from mira_training.logs import BEFORE_ANY_STEP, in_step
from mira_training.model.plan import Plan, plan
from mira_training.progress import tell_progress
from mira_training.publication import Published, already_published
from mira_training.scoring.named import named
from mira_training.scoring.wanted import must_know_what_to_search_by, wanted_metrics

if TYPE_CHECKING:
    from mira_training.assignment import Assignment
    from mira_training.expectations.judging import Judge
    from mira_training.model.trained import Trained
    from mira_training.ports import Ports
    from mira_training.steps.drift import Compared
    from mira_training.steps.evaluate import Evaluated
    from mira_training.steps.ingest import Ingested
    from mira_training.steps.search import Searched
    from mira_training.steps.validate import Validated

LONGEST_NEWS, TENTHS = 256, 10
log = logging.getLogger(__name__)


class Training:
    """The state between the steps. `step` is the one that runs or ran last, so that a failure can name it.

    `against` is a version to compare with instead of what the order's stage serves.
    """

    steps = tuple(step.value for step in Step)
    plan: Plan
    judge: "Judge | None"
    current: Current | None
    ingested: "Ingested"
    validated: "Validated"
    drifted: "Compared"
    searched: "Searched | None" = None
    trained: "Trained"
    evaluated: "Evaluated"
    published: Published

    def __init__(self, assignment: "Assignment", ports: "Ports", against: str | None = None) -> None:
        self.assignment = assignment
        self.ports = ports
        self.against = against
        self.step = BEFORE_ANY_STEP
        self.started_at, self.began = ports.now(), time.monotonic()
        self._told = 0

    @property
    def name(self) -> str:
        """The version's, by which a tracking server shows the run."""
        return self.assignment.order.version

    def prepare(self) -> Ending | None:
        """Everything that can be found wrong before data is read; the end, if an earlier attempt has published.

        Raises Refused (code, parameters, suite, `VersionExists`), StoreUnavailable, StoreRefused.
        """
        published = already_published(self.ports.registry, _Wanted(self.assignment))
        if published is not None:
            return succeeded(published, self.assignment.attempt)
        must_be_able_to_report(self.assignment.spec)
        wanted_metrics(self.assignment.spec)
        must_know_what_to_search_by(self.assignment.spec)
        self.plan = plan(self.assignment.spec)
        self.judge = _judge(self.assignment, self.ports)
        self.current = self._current()
        return None

    def perform(self, step: str) -> None:
        """One of the five steps; they must be performed in their order. Raises what the step raises."""
        self.step = step
        began = time.monotonic()
        with in_step(step):
            self._tell(Step(step), self._news())
            _PERFORM[step](self)
            took = time.monotonic() - began
            log.info("%s took %.1f s", step, took, extra={"took": took})

    def tell_trial(self, said: str, done: int, of: int) -> None:
        """Tells how far the search is, a tenth of it at a time."""
        if done * TENTHS // of > (done - 1) * TENTHS // of:
            self._tell(Step.TRAIN, said[:LONGEST_NEWS])

    def _tell(self, step: Step, news: str) -> None:
        self._told += 1
        tell_progress(self.ports.registry, self.assignment, self._told, step, news, now=self.ports.now())

    def ending(self) -> Ending:
        """The version is published, by this attempt or by another."""
        return succeeded(self.published, self.assignment.attempt)

    def result(self) -> str:
        """What the training gave, in Markdown: the version, where it and its model card lie, its metrics."""
        order, key = self.assignment.order, self.assignment.key
        place = f"{order.registry}/{key.attempt(self.assignment.attempt)}"
        lines = [
            f"# {order.model} {order.version}",
            f"Digest `{self.published.digest}`. Model: `{place}model/`. Model card: `{place}report/model-card.html`.",
            "| metric | value |",
            "|---|---|",
            *(f"| {one.name} | {one.value} |" for one in self.evaluated.metrics if not one.slice),
        ]
        return "\n".join([lines[0], "", lines[1], "", *lines[2:]])

    def _news(self) -> str:
        """What the steps before have found, in a few words."""
        if hasattr(self, "trained"):
            return f"{self.plan.estimator_name} is trained"[:LONGEST_NEWS]
        if hasattr(self, "validated"):
            prepared = self.validated.prepared
            return f"{len(prepared.training.table):,} rows of {len(prepared.columns)} columns to learn from"
        if hasattr(self, "ingested"):
            division = self.ingested.division
            return f"{len(division.training) + len(division.evaluation):,} rows were read"
        return ""

    def _current(self) -> Current | None:
        """The version to compare with. A registry whose pointer cannot be trusted costs the comparison, not the run."""
        order = self.assignment.order
        if self.against is not None:
            return named(self.ports.registry, replace(self.assignment.key, version=self.against))
        if order.against is None:
            return None
        try:
            found = Registry(self.ports.registry).current(
                namespace=order.namespace, model=order.model, stage=order.against
            )
        except (DocumentInvalid, Tampered) as error:
            log.warning("no comparison: stage %s of %s cannot be read: %s", order.against, order.model, error)
            return None
        log.info("stage %s serves %s", order.against, found.version if found else "nothing yet")
        return found


class _Wanted:
    """The order, as what a manifest under its key is held against."""

    def __init__(self, assignment: "Assignment") -> None:
        self.key = assignment.key
        self.run = assignment.order.run


def _judge(assignment: "Assignment", ports: "Ports") -> "Judge | None":
    """The suite of Great Expectations that the run names, ready; after the user's code, which may bring its own."""
    checks = assignment.spec.data.checks
    if checks is None or checks.expectations is None:
        return None
    from mira_training.expectations.judging import Judge
    from mira_training.expectations.suite import read_suite

    return Judge(read_suite(checks.expectations, ports))


def _ingest(training: Training) -> None:
    from mira_training.steps.ingest import ingest

    training.ingested = ingest(training.assignment, training.plan, training.ports)


def _validate(training: Training) -> None:
    from mira_training.steps.drift import drift
    from mira_training.steps.validate import validate

    training.validated = validate(
        training.assignment, training.ingested, training.plan, training.current, training.judge
    )
    training.drifted = drift(
        training.assignment, training.ingested, training.validated, current=training.current, ports=training.ports
    )


def _train(training: Training) -> None:
    from mira_training.steps.train import train

    if training.plan.trials:
        from mira_training.steps.search import search

        prepared = training.validated.prepared
        searched = search(training.assignment, prepared, training.plan, training.began, training.tell_trial)
        training.searched, training.plan = searched, searched.plan
    training.trained = train(training.assignment, training.validated, training.plan, training.ports)


def _evaluate(training: Training) -> None:
    from mira_training.steps.evaluate import evaluate

    training.evaluated = evaluate(
        training.assignment,
        training.validated,
        training.trained,
        training.plan,
        current=training.current,
        ports=training.ports,
    )


def _publish(training: Training) -> None:
    from mira_training.steps.publish import Results, publish

    results = Results(
        training.ingested,
        training.validated,
        training.drifted,
        training.trained,
        training.evaluated,
        training.started_at,
        training.searched,
    )
    training.published = publish(training.assignment, results, training.plan, training.ports)


_PERFORM: dict[str, Callable[[Training], None]] = {
    "ingest": _ingest,
    "validate": _validate,
    "train": _train,
    "evaluate": _evaluate,
    "publish": _publish,
}
