# ruff: noqa: PLC0415 - imports stand inside the steps: what a check does not come to, it does not wait for
"""A drift check: new data against what a version was trained on, as an order of its own."""

import logging
import time
from typing import TYPE_CHECKING

from mira.api.reasons import Reason
from mira.registry.document import DocumentInvalid, digest
from mira.registry.drift import Drift
from mira.registry.manifest import MANIFEST_LIMIT, DriftVerdict, Manifest
from mira.registry.reader import Registry, Tampered
from mira_training.drift.asked import must_be_able_to_report
from mira_training.ending import Ending, drift_measured
from mira_training.logs import BEFORE_ANY_STEP, in_step
from mira_training.publication import create_only
from mira_training.refusal import Refused

if TYPE_CHECKING:
    import pandas as pd

    from mira_training.assignment import Assignment
    from mira_training.ports import Ports
    from mira_training.steps.ingest import Rows

log = logging.getLogger(__name__)


class DriftCheck:
    """The state between the steps: the version's manifest, the new rows, the answer."""

    steps = ("ingest", "drift")
    manifest: Manifest
    digest: str
    rows: "Rows"
    document: Drift

    def __init__(self, assignment: "Assignment", ports: "Ports") -> None:
        self.assignment = assignment
        self.ports = ports
        self.step = BEFORE_ANY_STEP

    @property
    def name(self) -> str:
        """The run's: the version has a training of its own name already."""
        return self.assignment.order.run.name

    def prepare(self) -> Ending | None:
        """The end, if an earlier attempt has written the answer; else the version is looked up.

        Raises Refused (`DriftNotMeasured`) if there is no such version, or another one; `ExtraNotInstalled`;
        StoreUnavailable.
        """
        must_be_able_to_report(self.assignment.spec)
        key = self.assignment.drift_key.document
        stored = self.ports.registry.get(key, limit=Drift.LIMIT)
        if stored is not None:
            return self._ending(stored.body)
        self.manifest, self.digest = self._manifest()
        return None

    def perform(self, step: str) -> None:
        """One of the two steps. Raises what the step raises."""
        self.step = step
        began = time.monotonic()
        with in_step(step):
            self._ingest() if step == "ingest" else self._drift()
            log.info("%s took %.1f s", step, time.monotonic() - began)

    def ending(self) -> Ending:
        """The answer, once all steps are done. Drift is an answer and no failure."""
        key = self.assignment.drift_key.document
        return self._ending(create_only(self.ports.registry, key, self.document.render(), limit=Drift.LIMIT))

    def result(self) -> str:
        """What the check found, in Markdown: the answer in a sentence, and where it lies."""
        from mira_training.steps.drift import said

        order, key = self.assignment.order, self.assignment.drift_key.document
        answer = f"{self.document.verdict}: {said(self.document)}"
        return f"# Drift of {order.model} from {order.version}\n\n{answer}\n\nAll columns: `{order.registry}/{key}`."

    def _manifest(self) -> tuple[Manifest, str]:
        """The version's manifest with its digest: the one that the order names, else the one that is found."""
        order, version = self.assignment.order, self.assignment.key
        try:
            if order.digest is not None:
                return Registry(self.ports.registry).manifest(version, order.digest), order.digest
            stored = self.ports.registry.get(version.manifest, limit=MANIFEST_LIMIT)
            if stored is not None:
                return Manifest.parse(stored.body), digest(stored.body)
        except (DocumentInvalid, Tampered) as error:
            raise Refused(Reason.DRIFT_NOT_MEASURED, f"order.version: {order.version} is not used: {error}") from error
        raise Refused(
            Reason.DRIFT_NOT_MEASURED,
            f"order.version: there is no version {order.version} of model {order.model}; name one that is published",
        )

    def _ingest(self) -> None:
        from mira_training.steps.ingest import read_training

        self.rows = read_training(self.assignment, self.ports)

    def _drift(self) -> None:
        from mira_training.steps.drift import Occasion, against, said
        from mira_training.steps.drift_report import Pair, upload_report, with_report

        spec, rows = self.assignment.spec, self._featured()
        limit = spec.drift.max_drifted_share if spec.drift else None
        measured = against(Registry(self.ports.registry), self.manifest, rows, spec.data, limit)
        if measured.verdict is DriftVerdict.NOT_MEASURED:
            raise Refused(Reason.DRIFT_NOT_MEASURED, f"the drift cannot be measured: {measured.reason}")
        occasion = Occasion(self.manifest, self.digest, self.rows.sources, self.ports.now())
        document = occasion.document(len(rows), measured, limit)
        self.document = with_report(document, Pair(self.manifest, rows), self.assignment, self.ports)
        # Before the answer: whoever reads that finds what it names.
        upload_report(self.document, self.assignment.drift_key.prefix, self.assignment.attempt, self.ports)
        log.info("%s", said(self.document))

    def _featured(self) -> "pd.DataFrame":
        """The rows as a model would see them. Raises Refused for what is wrong with the features hook."""
        spec = self.assignment.spec
        if not spec.features:
            return self.rows.table
        from mira_training.data.examples import featured
        from mira_training.model.plan import plan

        return featured(self.rows.table, self.rows.inputs, plan(spec), spec.features)

    def _ending(self, body: bytes) -> Ending:
        """What lies under the answer's key, ours or an earlier attempt's of the same order."""
        from mira_training.steps.drift import said

        try:
            document = Drift.parse(body)
        except DocumentInvalid as error:
            key = self.assignment.drift_key.document
            raise Refused(
                Reason.DRIFT_NOT_MEASURED, f"{key} exists and cannot be read ({error}); create the check anew"
            ) from error
        return drift_measured(document, f"{document.verdict}: {said(document)}", digest(body))
