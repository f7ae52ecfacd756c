"""The Job by which a promotion has two versions compared that no training has compared, and what it has come to."""

import re
from dataclasses import dataclass

from mira.api import job as api
from mira.api.modelpromotion import ModelPromotion
from mira.api.reasons import Reason
from mira.api.scalars import IMAGE
from mira.api.trainingrun import TrainingRun
from mira.decide.job import MODEL_LABEL, STAGE_LABEL, Platform, job_of, owned_by
from mira.decide.job_state import finished_at, true_conditions
from mira.decide.last_attempt import last_words
from mira.decide.pods import diagnose, no_pod
from mira.decide.promotion_case import Case
from mira.decide.promotion_rules import Ruling, wait
from mira.decide.run_plan import CreateJob, Object
from mira.registry.document import sha256
from mira.registry.entry import Version
from mira.registry.manifest import Manifest
from mira.registry.order import Order, OrderedRun, OrderedVersion, OrderKind
from mira.registry.outcome import Outcome

LONGEST_PROMOTION = 50


@dataclass(frozen=True)
class Pair:
    """The version that a promotion asks for, as its manifest says, and the one that is current."""

    promotion: ModelPromotion
    candidate: Manifest
    digest: str
    current: Version

    @property
    def answer(self) -> str:
        """The key of their comparison."""
        return self.candidate.key.comparison(self.digest, self.current.digest)

    @property
    def attempts(self) -> str:
        """The folder in which each attempt to compare them says how it ended."""
        return self.candidate.key.comparing(self.digest, self.current.digest)

    @property
    def job(self) -> str:
        """The name of their Job: one for each pair and promotion, and valid however long the promotion's name is."""
        name = self.promotion.metadata.name[:LONGEST_PROMOTION].rstrip("-.").replace(".", "-")
        pair = f"{self.digest}\n{self.current.digest}\n{self.promotion.metadata.uid}"
        return f"{name}-{sha256(pair.encode())[:8]}-cmp"


@dataclass(frozen=True)
class Seen:
    """Everything that was read of a pair's Job before anything is decided.

    `run` is the candidate's own, if it is still there. `answered` says that the comparison was there after the Job was
    seen to have ended. `outcomes` are those of the promotion's own attempts since the Job was made, oldest first.
    """

    pair: Pair
    run: TrainingRun | None = None
    job: Object | None = None
    answered: bool = False
    pods: tuple[Object, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What the promotion waits for, None if the comparison is there; and the Job to make first, if any."""

    ruling: Ruling | None
    effect: CreateJob | None = None


def pair_of(case: Case, ruling: Ruling) -> Pair | None:
    """The pair that has to be compared, None if the promotion waits for anything else."""
    evidence = case.evidence
    if ruling.reason is not Reason.COMPARING or evidence.manifest is None or evidence.digest is None:
        return None
    return Pair(case.promotion, evidence.manifest, evidence.digest, case.current) if case.current else None


def reconcile(seen: Seen, platform: Platform) -> Plan:
    """The plan; without an effect it is a fixed point."""
    job, pair = seen.job, seen.pair
    if seen.answered:
        return Plan(None)
    if job is None:
        return _start(seen, platform)
    if not owned_by(job, pair.promotion):
        return Plan(_failed(pair, f"Job {pair.job} exists and does not belong to this promotion"))
    if finished_at(job) is not None:
        return Plan(_ended(seen, job))
    return Plan(wait(Reason.COMPARING, f"{_doing(pair)}{_trouble(seen, job)}"))


def refused(pair: Pair, message: str, *, for_good: bool) -> Ruling:
    """What a refusal of the Job by the API server means: a quota may give way, a Job that cannot be never will be."""
    said = f"the API server refuses Job {pair.job}: {message}"
    return _failed(pair, said) if for_good else wait(Reason.JOB_REFUSED, said)


def _start(seen: Seen, platform: Platform) -> Plan:
    """Makes the Job, if the candidate's own image may run here."""
    pair = seen.pair
    image = pair.candidate.code.image or platform.default_image
    # Whoever can write to the registry's models/ can write a manifest: what it names is not more trusted than a run.
    if image is None:
        return Plan(_failed(pair, "its manifest names no image, and the platform team has set no default image"))
    if not re.fullmatch(IMAGE, image):
        return Plan(_failed(pair, f"its manifest names the image {image}, which is none by digest with its registry"))
    if platform.allowed_images and not image.startswith(platform.allowed_images):
        allowed = ", ".join(platform.allowed_images)
        return Plan(_failed(pair, f"its image {image} is not allowed; images must begin with {allowed}"))
    labels = {MODEL_LABEL: pair.candidate.model, STAGE_LABEL: pair.promotion.spec.stage}
    order = _order(pair, platform.registry, image)
    body = job_of(pair.promotion, pair.job, order, _how(seen.run), platform, labels=labels)
    return Plan(wait(Reason.COMPARING, _doing(pair)), CreateJob(body))


def _order(pair: Pair, registry: str, image: str) -> Order:
    """The candidate by its id and digest, and the version to hold it against."""
    metadata, candidate = pair.promotion.metadata, pair.candidate
    asked_by = OrderedRun(
        name=metadata.name,
        uid=metadata.uid,
        spec_hash=candidate.run.spec_hash,
        requested_by=pair.promotion.spec.requested_by,
    )
    return Order(
        kind=OrderKind.COMPARE,
        registry=registry,
        namespace=candidate.namespace,
        model=candidate.model,
        version=candidate.version,
        run=asked_by,
        image=image,
        digest=pair.digest,
        current=OrderedVersion(version=pair.current.version, digest=pair.current.digest),
    )


def _how(run: TrainingRun | None) -> api.Job:
    """As large as the training's Job and where that ran, but with no account or Secret of its own.

    A manifest says which run made it, and whoever forges one must not come by what that run was trusted with.
    """
    wanted = run.spec.job if run is not None and run.spec.job is not None else api.Job()
    return wanted.model_copy(update={"env": (), "service_account_name": None})


def _doing(pair: Pair) -> str:
    return (
        f"Job {pair.job} scores version {pair.candidate.version} and the current version {pair.current.version} on "
        "the same rows"
    )


def _trouble(seen: Seen, job: Object) -> str:
    """What keeps the Job from running, if anything does."""
    if (job.get("spec") or {}).get("suspend"):
        return "; it waits to be admitted by its queue"
    if (told := diagnose(seen.pods)) is not None and told.reason is Reason.NEVER_STARTED:
        return f"; {told.what}"
    return ""


def _ended(seen: Seen, job: Object) -> Ruling:
    """A Job that ended without a comparison has failed, whatever it says of itself."""
    pair, conditions = seen.pair, true_conditions(job)
    again = f"to try again, delete Job {pair.job}"
    if "Complete" in conditions:
        return _failed(pair, "its Job completed and wrote no comparison; see its logs", again)
    told = last_words(pair.promotion.metadata.uid, seen.pods, seen.outcomes)
    if isinstance(told, Outcome):
        return _failed(pair, f"{told.reason}: {told.message}", again)
    if told is not None:
        return _failed(pair, told.what, again)
    end = conditions["Failed"]
    if end.get("reason") == "DeadlineExceeded":
        return _failed(pair, no_pod(job), again)
    return _failed(pair, str(end.get("message") or end.get("reason")), again)


def _failed(pair: Pair, why: str, remedy: str = "") -> Ruling:
    """The promotion stalls: only a person can put this right."""
    against = (
        f"train the version again under another name with evaluation.against: {pair.promotion.spec.stage}, which "
        "compares as it trains"
    )
    return Ruling(
        final=False,
        reason=Reason.COMPARISON_FAILED,
        message=f"version {pair.candidate.version} could not be compared with the current version "
        f"{pair.current.version}: {why}; {f'{remedy}, or ' if remedy else ''}{against}",
        stalled=True,
    )
