# ruff: noqa: PLC0415 - imports stand inside the steps: what an order does not come to, it does not wait for
"""A comparison: two published versions on the candidate's evaluation rows, made again, as an order of its own."""

import logging
import time
from typing import TYPE_CHECKING

from mira.api.reasons import Reason
from mira.registry.comparison import Comparison, Verdict
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey
from mira.registry.manifest import Manifest
from mira.registry.order import ORDER_FILE, Order, OrderKind
from mira.registry.reader import Registry, Tampered, VerifiedVersion
from mira_training.assignment import Assignment, assign, pair_of
from mira_training.ending import Ending, compared
from mira_training.logs import BEFORE_ANY_STEP, in_step
from mira_training.publication import create_only
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mira.registry.comparison import Difference
    from mira_training.ports import Ports
    from mira_training.steps.compare import Again

LONGEST_REASON = 4096
log = logging.getLogger(__name__)


class Comparing:
    """The state between the steps: both versions, the candidate's own order, its rows, the answer.

    What can never be compared is an answer too: NotComparable, with the reason. What may be put right - code that the
    image lacks, data that this account may not read - is refused, and nothing is written.
    """

    steps = ("ingest", "compare")
    candidate: VerifiedVersion
    current: VerifiedVersion
    assignment: Assignment
    again: "Again"
    document: Comparison | None = None

    def __init__(self, order: Order, ports: "Ports", *, on_laptop: bool = False) -> None:
        self.order = order
        self.ports = ports
        self.on_laptop = on_laptop
        self.step = BEFORE_ANY_STEP

    @property
    def name(self) -> str:
        """For whom it is: the version has a training of its own name already."""
        return self.order.run.name

    @property
    def key(self) -> str:
        """Where the answer lies. Both digests are there: `attempt_of` refuses an order without them."""
        return VersionKey(self.order.namespace, self.order.model, self.order.version).comparison(*pair_of(self.order))

    def prepare(self) -> Ending | None:
        """The end, if the pair is compared already; else both versions and the candidate's own order are read.

        Raises Refused (`ComparisonFailed`) if one of them is not what the order names; StoreUnavailable.
        """
        stored = self.ports.registry.get(self.key, limit=Comparison.LIMIT)
        if stored is not None:
            return self._ending(stored.body)
        order, (candidate, current) = self.order, pair_of(self.order)
        self.candidate = self._version(order.version, candidate)
        self.current = self._version(order.current.version if order.current else "", current)
        own = self._own_order(self.candidate.manifest)
        if own is None:
            self._not_comparable(
                f"version {order.version} was published without its {ORDER_FILE}, by which its evaluation rows could "
                "be made again; train it again with evaluation.against, or with this version of Mira"
            )
            return self.ending()
        self.assignment = assign(own, self.candidate.manifest.attempt, on_laptop=True)
        return None

    def perform(self, step: str) -> None:
        """One of the two steps. Raises what the step raises."""
        self.step = step
        began = time.monotonic()
        with in_step(step):
            if self.document is None:
                self._ingest() if step == "ingest" else self._compare()
            log.info("%s took %.1f s", step, time.monotonic() - began)

    def ending(self) -> Ending:
        """The answer, written once; that versions are not comparable is an answer, too."""
        if self.document is None:
            raise AssertionError("a comparison has no answer although its steps are done")
        return self._ending(create_only(self.ports.registry, self.key, self.document.render(), limit=Comparison.LIMIT))

    def result(self) -> str:
        """What was found, in Markdown, and where it lies."""
        order, found = self.order, self.document
        title = f"# {order.model} {order.version} against {order.current.version if order.current else ''}"
        return f"{title}\n\n{found and said(order, found)}\n\nAll metrics: `{order.registry}/{self.key}`."

    def _version(self, version: str, expected_digest: str) -> VerifiedVersion:
        key = VersionKey(self.order.namespace, self.order.model, version)
        try:
            manifest = Registry(self.ports.registry).manifest(key, expected_digest)
        except (DocumentInvalid, Tampered) as error:
            raise Refused(Reason.COMPARISON_FAILED, f"version {version} is not used: {error}") from error
        return VerifiedVersion(version=version, digest=expected_digest, manifest=manifest)

    def _own_order(self, manifest: Manifest) -> Order | None:
        """The order by which the candidate was made, None if it was published without one."""
        path = f"attempts/{manifest.attempt}/{ORDER_FILE}"
        try:
            order = Registry(self.ports.registry).document(manifest, ORDER_FILE, Order)
        except Tampered as error:
            raise Refused(Reason.COMPARISON_FAILED, str(error)) from error
        except DocumentInvalid as error:
            raise Refused(Reason.COMPARISON_FAILED, f"{path} cannot be read: {error}") from error
        if order is not None and (order.kind is not OrderKind.TRAIN or order.run.uid != manifest.run.uid):
            raise Refused(Reason.COMPARISON_FAILED, f"{path} is not the order of run {manifest.run.name}")
        return order

    def _ingest(self) -> None:
        from mira_training.data.again import NotTheSame
        from mira_training.model.onnx_scorer import Unscorable
        from mira_training.steps.compare import evaluated_again

        version = f"version {self.order.version}"
        try:
            self.again = evaluated_again(self.assignment, self.candidate, self.ports, on_laptop=self.on_laptop)
        except NotTheSame as error:
            self._not_comparable(f"the evaluation rows of {version} cannot be made again: {error}")
        except Unscorable as error:
            self._not_comparable(f"{version} cannot be scored again: {error}")

    def _compare(self) -> None:
        from mira_training.steps.compare import compared_again

        found = compared_again(self.again, self.current, self.assignment, self.ports)
        self.document = self._document(found.verdict, found.current.reason, found.differences)

    def _not_comparable(self, reason: str) -> None:
        log.warning("%s", reason)
        self.document = self._document(Verdict.NOT_COMPARABLE, reason)

    def _document(self, verdict: Verdict, reason: str, differences: "Sequence[Difference]" = ()) -> Comparison:
        return Comparison(
            candidate=self.candidate.digest,
            current=self.current.digest,
            current_version=self.current.version,
            verdict=verdict,
            reason=reason[:LONGEST_REASON],
            rows=self.candidate.manifest.rows.evaluation,
            differences=list(differences),
            created_at=self.ports.now(),
        )

    def _ending(self, body: bytes) -> Ending:
        """What lies under the answer's key, ours or whoever compared the pair before."""
        try:
            return compared(said(self.order, Comparison.parse(body)), digest(body))
        except DocumentInvalid as error:
            # Create-only: the operator takes it for NotComparable, and nothing that we could do changes that.
            return compared(f"{self.key} exists and cannot be read: {error}", digest(body))


def said(order: Order, found: Comparison) -> str:
    """The answer in a sentence."""
    pair = f"version {order.version} and the current version {found.current_version}"
    if found.verdict is Verdict.NOT_COMPARABLE:
        return f"{pair} are not comparable: {found.reason}"
    return f"{pair} are compared on the same {found.rows} rows"
