"""One pass for a TrainingRun: read, decide, do at most one thing, report."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from mira.adapters.cluster import Cluster, Conflict, NamespaceTerminating, Object, Refused, create_or_get
from mira.api.canonical import NotCanonicalError
from mira.api.identity import spec_hash
from mira.api.reasons import Reason
from mira.api.trainingrun import TrainingRun
from mira.controller.answering import Prove
from mira.controller.cache import Cache
from mira.controller.clock import Clock
from mira.controller.jobs import Jobs
from mira.controller.queue import Key
from mira.controller.reading import read
from mira.controller.run_progress import look_again_in, progress_of
from mira.controller.status import StatusWriter
from mira.controller.workers import Again
from mira.decide.job import Platform, job_name, owned_by
from mira.decide.job_state import finished_at, is_slow
from mira.decide.run_plan import (
    CreateJob,
    CreatePromotion,
    Effect,
    Failed,
    Plan,
    Published,
    Running,
    Seen,
    Succeeded,
    SuspendJob,
)
from mira.decide.run_promotion import promotion_name
from mira.decide.run_status import is_finished, renewed_status, run_status
from mira.decide.trainingrun import reconcile
from mira.registry.comparison import Comparison
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey
from mira.registry.manifest import MANIFEST_LIMIT, Manifest
from mira.registry.ordering import version_key
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable


@dataclass(frozen=True)
class RunPass:
    """Passes for TrainingRuns."""

    cluster: Cluster
    store: ObjectStore
    jobs: Jobs
    cache: Cache
    writer: StatusWriter
    platform: Platform
    clock: Clock
    resync: float
    published: Callable[[str, str, str], None]
    prove: Prove

    def __call__(self, key: Key) -> Again:
        """When to look again. Raises StoreUnavailable and StoreRefused, after the status says so."""
        raw = self.cache.get("TrainingRun", key.namespace, key.name)
        if raw is None:
            return Again(None)
        run = read(TrainingRun, raw)
        if run.metadata.deletion_timestamp is not None:
            return Again(None)
        if is_finished(run):
            if run.status.observed_generation < run.metadata.generation:
                self.writer.write(raw, run, renewed_status(run, self.clock.now()))
            return Again(None)
        return self._go_on(raw, run)

    def _go_on(self, raw: Object, run: TrainingRun) -> Again:
        try:
            seen = self._observe(raw, run)
            plan = reconcile(seen, self.platform)
            if plan.effect is not None:
                if not self._is_as_seen(run):
                    return Again(None)
                seen, plan = self._enacted(seen, plan, plan.effect)
        except NamespaceTerminating:
            return Again(None)
        except (StoreUnavailable, StoreRefused) as error:
            self._say_store_trouble(raw, run, error)
            raise
        self._report(raw, seen, plan)
        if isinstance(plan.state, Running):
            return Again(min(self.resync, look_again_in(seen.job, self.clock.now())))
        if isinstance(plan.state, Succeeded):
            version = version_key(run)
            self.published(version.namespace, version.model, version.version)
        return Again(None)

    def _report(self, raw: Object, seen: Seen, plan: Plan) -> None:
        status = run_status(seen, plan, root=self.platform.registry, now=self.clock.now())
        self.writer.write(raw, seen.run, status)

    def _observe(self, raw: Object, run: TrainingRun) -> Seen:
        """Everything that is read before anything is decided."""
        hashed, problem = _hash(raw["spec"])
        job = self.jobs.find(run.metadata.namespace, job_name(run))
        # A Job that is gone may have left a pod that still publishes: looked for before what it left in S3.
        pods = self._pods(run) if job is None and run.status.job is not None else ()
        seen = Seen(run=run, spec_hash=hashed, spec_problem=problem, job=job, pods=pods)
        if job is not None and finished_at(job) is None:
            return self._under_way(seen, job)
        version = version_key(run)
        published = self._published(version)
        if published is not None:
            seen = replace(seen, published=published, comparison=self._comparison(published))
            return self._with_promotion(seen)
        return replace(
            seen,
            outcomes=self.jobs.outcomes(version.attempts, run.metadata.uid),
            pods=self._pods(run) if job is not None else pods,
        )

    def _under_way(self, seen: Seen, job: Object) -> Seen:
        """What there is to know while the Job runs: how far its pod says to be, or the pods if none is ready."""
        run = seen.run
        if not (job.get("status") or {}).get("ready") or not owned_by(job, run):
            slow = is_slow(job, self.clock.now())
            return replace(seen, pods=self._pods(run) if slow else (), is_slow=slow)
        progress = progress_of(self.store, version_key(run), run, job, lambda: self._pods(run))
        return replace(seen, progress=progress)

    def _pods(self, run: TrainingRun) -> tuple[Object, ...]:
        return self.jobs.pods(run.metadata.namespace, job_name(run))

    def _published(self, version: VersionKey) -> Published | None:
        stored = self.store.get(version.manifest, limit=MANIFEST_LIMIT)
        if stored is None:
            return None
        try:
            manifest = Manifest.parse(stored.body)
        except DocumentInvalid as error:
            return Published(digest(stored.body), None, str(error))
        if manifest.key != version:
            return Published(digest(stored.body), None, f"it is the manifest of {manifest.key.prefix}")
        return Published(digest(stored.body), manifest)

    def _comparison(self, published: Published) -> Comparison | None:
        manifest = published.manifest
        if manifest is None or manifest.compared_with is None:
            return None
        key = manifest.key.comparison(published.digest, manifest.compared_with.digest)
        stored = self.store.get(key, limit=Comparison.LIMIT)
        try:
            return Comparison.parse(stored.body) if stored else None
        except DocumentInvalid:
            return None

    def _with_promotion(self, seen: Seen) -> Seen:
        """With the promotion that the run asks for, if it is there, else with the proof of who asks."""
        run, name = seen.run, promotion_name(seen.run)
        if name is None or run.status.promotion is not None:
            return seen
        promotion = self.cluster.get("ModelPromotion", run.metadata.namespace, name)
        if promotion is not None:
            return replace(seen, promotion=promotion)
        return replace(seen, proof=self.prove(run.metadata.namespace, anew=True))

    def _is_as_seen(self, run: TrainingRun) -> bool:
        """Whether the run is still what was decided on; False if it is gone. Raises Conflict if it changed.

        The cache may be behind what another operator wrote: a Job that it made and saw deleted is not made again.
        """
        metadata = run.metadata
        live = self.cluster.get("TrainingRun", metadata.namespace, metadata.name)
        if live is None or live["metadata"]["uid"] != metadata.uid:
            return False
        if live["metadata"]["resourceVersion"] != metadata.resource_version:
            raise Conflict(409, "Conflict", f"TrainingRun {metadata.name} has changed since it was read")
        return True

    def _enacted(self, seen: Seen, plan: Plan, effect: Effect) -> tuple[Seen, Plan]:
        """What is seen after the effect and what follows from it; a refusal of the API server follows, too."""
        try:
            done = self._enact(seen, effect)
        except NamespaceTerminating:
            raise
        except Refused as error:
            return seen, _refused(plan, effect, error)
        return done, reconcile(done, self.platform)

    def _enact(self, seen: Seen, effect: Effect) -> Seen:
        namespace = seen.run.metadata.namespace
        match effect:
            case CreateJob(body):
                return replace(seen, job=self.jobs.make(body))
            case SuspendJob(name, suspend):
                return replace(seen, job=self.jobs.suspend(namespace, name, suspend=suspend))
            case CreatePromotion(body):
                # Not put into the cache: the watch event has to be news, since that is what wakes the promotion.
                return replace(seen, promotion=create_or_get(self.cluster, "ModelPromotion", namespace, body))

    def _say_store_trouble(self, raw: Object, run: TrainingRun, error: Exception) -> None:
        refused = isinstance(error, StoreRefused)
        reason = Reason.REGISTRY_REFUSED if refused else Reason.REGISTRY_UNAVAILABLE
        plan = Plan(Running(reason, str(error) if refused else reason.when))
        self._report(raw, Seen(run=run, spec_hash=None), plan)


def _refused(plan: Plan, effect: Effect, error: Refused) -> Plan:
    """What a refusal of the API server means: a quota may give way, a Job that it cannot take never will be taken."""
    if isinstance(effect, CreatePromotion) and isinstance(plan.state, Succeeded):
        return Plan(replace(plan.state, promotion_problem=f"its promotion was refused: {error.message}"))
    said = f"the API server refuses: {error.message}"
    if error.status == HTTPStatus.FORBIDDEN:
        return Plan(Running(Reason.JOB_REFUSED, said))
    return Plan(Failed(Reason.JOB_REFUSED, f"{said}; create a run under another name"))


def _hash(spec: dict[str, Any]) -> tuple[str | None, str]:
    try:
        return spec_hash(spec), ""
    except NotCanonicalError as error:
        return None, str(error)
