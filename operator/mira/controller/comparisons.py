"""Having two versions compared for a promotion that waits for it: read, decide, make at most one Job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from mira.adapters.cluster import Cluster, NamespaceTerminating, Object, Refused
from mira.api.trainingrun import TrainingRun
from mira.controller.cache import Cache
from mira.controller.clock import Clock
from mira.controller.jobs import Jobs
from mira.controller.reading import Unreadable, read
from mira.decide.comparing import Pair, Plan, Seen, reconcile, refused
from mira.decide.job import Platform
from mira.decide.job_state import finished_at, is_slow
from mira.decide.promotion_rules import Ruling
from mira.registry.outcome import Outcome
from mira.registry.store import ObjectStore


@dataclass(frozen=True)
class Comparisons:
    """Looks after the Jobs that compare versions."""

    cluster: Cluster
    store: ObjectStore
    jobs: Jobs
    cache: Cache
    platform: Platform
    clock: Clock

    def look(self, pair: Pair) -> Ruling | None:
        """What the promotion waits for; None if the comparison is there by now, or if nobody waits for it any more.

        Raises NamespaceTerminating, and what the store and the API server raise.
        """
        seen = self._observe(pair)
        plan = reconcile(seen, self.platform)
        if plan.effect is None:
            return plan.ruling
        if not self._is_still_asked(pair):
            return None
        try:
            return self._made(seen, plan.effect.body).ruling
        except NamespaceTerminating:
            raise
        except Refused as error:
            return refused(pair, error.message, for_good=error.status != HTTPStatus.FORBIDDEN)

    def _observe(self, pair: Pair) -> Seen:
        """Everything that is read before anything is decided."""
        job = self.jobs.find(pair.candidate.namespace, pair.job)
        return self._with_job(Seen(pair, run=self._run(pair)), job)

    def _with_job(self, seen: Seen, job: Object | None) -> Seen:
        """With the Job and what it has come to. The answer is looked for after the Job's end: it was written before."""
        seen, pair = replace(seen, job=job), seen.pair
        if job is None:
            return seen
        namespace = pair.candidate.namespace
        if finished_at(job) is None:
            slow = is_slow(job, self.clock.now())
            return replace(seen, pods=self.jobs.pods(namespace, pair.job) if slow else ())
        if self.store.head(pair.answer) is not None:
            return replace(seen, answered=True)
        outcomes = self.jobs.outcomes(pair.attempts, pair.promotion.metadata.uid)
        return replace(seen, pods=self.jobs.pods(namespace, pair.job), outcomes=_since(job, outcomes))

    def _made(self, seen: Seen, body: Object) -> Plan:
        return reconcile(self._with_job(seen, self.jobs.make(body)), self.platform)

    def _run(self, pair: Pair) -> TrainingRun | None:
        """The run that made the candidate, None if it is gone: its Job says how much a comparison may need."""
        told = pair.candidate.run
        raw = self.cache.get("TrainingRun", pair.candidate.namespace, told.name)
        if raw is None or raw["metadata"]["uid"] != told.uid:
            return None
        try:
            return read(TrainingRun, raw)
        except Unreadable:
            return None

    def _is_still_asked(self, pair: Pair) -> bool:
        """Whether the promotion is still there: files were hashed since it was read, or S3 was away for hours."""
        metadata = pair.promotion.metadata
        live = self.cluster.get("ModelPromotion", metadata.namespace, metadata.name)
        gone = live is None or live["metadata"].get("deletionTimestamp") is not None
        return not gone and live is not None and live["metadata"]["uid"] == metadata.uid


def _since(job: Object, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Those of this Job's attempts: one that was deleted to be made again has left its own."""
    made = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    return tuple(outcome for outcome in outcomes if outcome.finished_at >= made)
