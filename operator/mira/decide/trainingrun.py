"""What to do next for a TrainingRun, from what was seen of it, of its Job and in S3."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from mira.api.conditions import ConditionType, condition
from mira.api.job import Runtime
from mira.api.reasons import Reason
from mira.decide.approvals import asked_under_policies
from mira.decide.job import (
    Platform,
    build_job,
    build_order,
    image_of,
    job_name,
    owned_by,
)
from mira.decide.job_state import true_conditions
from mira.decide.last_attempt import last_words
from mira.decide.pods import diagnose, no_pod
from mira.decide.run_plan import CreateJob, CreatePromotion, Failed, Object, Plan, Running, Seen, Succeeded, SuspendJob
from mira.decide.run_promotion import promotion_of
from mira.registry.document import DocumentInvalid
from mira.registry.ordering import check_arrives, order_too_large
from mira.registry.outcome import Outcome, Result
from mira.registry.progress import Step

NO_FAILURES = (
    Reason.PENDING,
    Reason.SUSPENDED,
    Reason.QUEUED,
    Reason.STARTING,
    Reason.RUNNING,
    Reason.INGESTING,
    Reason.VALIDATING,
    Reason.TRAINING,
    Reason.EVALUATING,
    Reason.PUBLISHING,
    Reason.RETRYING,
    Reason.SUCCEEDED,
    Reason.ADOPTED,
    Reason.DATA_VALID,
    Reason.TRAINED,
    Reason.PUBLISHED,
)
AT_STEP = {
    Step.INGEST: Reason.INGESTING,
    Step.VALIDATE: Reason.VALIDATING,
    Step.TRAIN: Reason.TRAINING,
    Step.EVALUATE: Reason.EVALUATING,
    Step.PUBLISH: Reason.PUBLISHING,
}
WHILE_A_POD_RUNS = (Reason.RUNNING, *AT_STEP.values())

ENDED_BY_SUSPEND = (
    "spec.suspend is true, so the Job is suspended and its pod ended; set it to false to start the training anew"
)


def reconcile(seen: Seen, platform: Platform) -> Plan:
    """The plan; without an effect it is a fixed point."""
    for rule in (_unreadable, _version_is_there, _job_is_gone, _refused, _start, _job_is_foreign, _job_ended):
        plan = rule(seen, platform)
        if plan is not None:
            return plan
    return _under_way(seen)


Rule: TypeAlias = Callable[[Seen, Platform], Plan | None]


def _unreadable(seen: Seen, _: Platform) -> Plan | None:
    if seen.spec_problem or seen.spec_hash is None:
        return Plan(
            Failed(Reason.PARAMETERS_NOT_CANONICAL, f"spec.parameters or spec.search.space: {seen.spec_problem}")
        )
    return None


def _version_is_there(seen: Seen, _: Platform) -> Plan | None:
    """The manifest is the success, whoever reports what else."""
    published, run = seen.published, seen.run
    if published is None:
        return None
    manifest = published.manifest
    if manifest is None:
        return Plan(
            Failed(
                Reason.VERSION_EXISTS, f"the version exists and cannot be read ({published.problem}); use another name"
            )
        )
    own = manifest.run.uid == run.metadata.uid
    if not own and manifest.run.spec_hash != seen.spec_hash:
        return Plan(
            Failed(
                Reason.VERSION_EXISTS,
                f"version {manifest.version} of model {manifest.model} exists, made by run {manifest.run.name} "
                "from another spec; use another name, or set spec.version",
            )
        )
    return _promoting(seen, Succeeded(Reason.SUCCEEDED if own else Reason.ADOPTED, published))


def _promoting(seen: Seen, succeeded: Succeeded) -> Plan:
    """Makes the run's promotion once: if it was made and deleted by hand since, it was cancelled."""
    wanted = promotion_of(seen.run)
    if wanted is None or seen.run.status.promotion is not None:
        return Plan(succeeded)
    if seen.promotion is None:
        return _asking(seen, succeeded, wanted)
    same = {k: v for k, v in seen.promotion["spec"].items() if k not in ("approvals", "action")} == {
        k: v for k, v in wanted["spec"].items() if k != "action"
    }
    if same and seen.promotion["spec"].get("action", "Promote") == "Promote":
        return Plan(succeeded)
    name = wanted["metadata"]["name"]
    return Plan(
        Succeeded(succeeded.reason, succeeded.published, f"ModelPromotion {name} exists and asks for something else")
    )


def _asking(seen: Seen, succeeded: Succeeded, wanted: Object) -> Plan:
    """Asks in the name of whoever asked for the run, if that is known: only the admission policies can tell.

    Without that look, a forged requester of a run would become the unsuspicious requester of a new promotion.
    """
    if seen.proof.problem:
        return Plan(
            Running(Reason.ADMISSION_POLICY_MISSING, f"the promotion is not asked for yet: {seen.proof.problem}")
        )
    known = seen.run.spec.requested_by is not None
    if known and asked_under_policies(seen.run.metadata.creation_timestamp, seen.proof):
        return Plan(succeeded, CreatePromotion(wanted))
    problem = (
        "no promotion was asked for, because the run is older than the admission policies; create a ModelPromotion"
    )
    return Plan(replace(succeeded, promotion_problem=problem))


def _job_is_gone(seen: Seen, _: Platform) -> Plan | None:
    """A Job that once was is never made a second time; a pod that outlives it may still publish."""
    if seen.job is not None or (seen.run.status.job is None and not seen.outcomes):
        return None
    if any((pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") for pod in seen.pods):
        return Plan(Running(Reason.RUNNING, "the Job was deleted; its pod is ending"))
    known = seen.run.status.job
    gone = f"Job {known.name if known else job_name(seen.run)} is gone"
    again = "to train again, create a run under another name"
    if not seen.outcomes:
        return Plan(Failed(Reason.JOB_LOST, f"{gone} and left no outcome; {again}"))
    told = _failed_as_told(seen.outcomes[-1])
    # A Job that was deleted under way ends its pod, which tells no more than that.
    interrupted = told.reason is Reason.INTERRUPTED
    return Plan(replace(told, message=f"{gone}: {told.message}; {again}") if interrupted else told)


def _refused(seen: Seen, platform: Platform) -> Plan | None:
    """What is refused before there is a Job, with what to change."""
    run = seen.run
    if seen.job is not None:
        return None
    if run.spec.job and run.spec.job.runtime is not Runtime.KUBERNETES:
        return Plan(
            Failed(
                Reason.NOT_SUPPORTED, f"spec.job.runtime: {run.spec.job.runtime} is not supported yet; use Kubernetes"
            )
        )
    image = image_of(run, platform)
    if image is None:
        return Plan(
            Failed(Reason.IMAGE_NOT_ALLOWED, "spec.image: is missing, and the platform team has set no default image")
        )
    if platform.allowed_images and not image.startswith(platform.allowed_images):
        allowed = ", ".join(platform.allowed_images)
        return Plan(
            Failed(Reason.IMAGE_NOT_ALLOWED, f"spec.image: {image} is not allowed; images must begin with {allowed}")
        )
    return None


def _start(seen: Seen, platform: Platform) -> Plan | None:
    if seen.job is not None or seen.spec_hash is None:
        return None
    try:
        order = build_order(seen.run, seen.spec_hash, platform)
        if too_large := order_too_large(order):
            return Plan(Failed(Reason.ORDER_TOO_LARGE, too_large))
        check_arrives(order)
    except DocumentInvalid as error:
        return Plan(Failed(Reason.PARAMETERS_NOT_CANONICAL, f"spec.parameters or spec.search.space: {error}"))
    if seen.run.spec.suspend:
        return Plan(Running(Reason.SUSPENDED, "spec.suspend is true; set it to false to start the training"))
    return Plan(Running(Reason.STARTING, ""), CreateJob(build_job(seen.run, order, platform)))


def _job_is_foreign(seen: Seen, _: Platform) -> Plan | None:
    if seen.job is None or owned_by(seen.job, seen.run):
        return None
    return Plan(Failed(Reason.JOB_NAME_TAKEN, f"Job {job_name(seen.run)} exists and does not belong to this run"))


def _job_ended(seen: Seen, _: Platform) -> Plan | None:
    """A Job that ended without a manifest has failed, whatever it says of itself."""
    conditions = true_conditions(seen.job)
    if "Complete" in conditions:
        return Plan(Failed(Reason.UNEXPECTED, "the Job completed, but published no manifest; see its logs"))
    if "Failed" not in conditions:
        return None
    job = conditions["Failed"]
    if job.get("reason") == "DeadlineExceeded":
        last = seen.outcomes[-1] if seen.outcomes else None
        return Plan(Failed(Reason.DEADLINE_EXCEEDED, _deadline(seen), last))
    return Plan(
        _failed_last(seen) or Failed(Reason.FAILED, f"the Job failed: {job.get('message') or job.get('reason')}")
    )


def _failed_last(seen: Seen) -> Failed | None:
    told = last_words(seen.run.metadata.uid, seen.pods, seen.outcomes)
    if isinstance(told, Outcome):
        return _failed_as_told(told)
    return Failed(told.reason, told.message) if told is not None else None


def _under_way(seen: Seen) -> Plan:
    job = seen.job or {}
    spec, status = job.get("spec") or {}, job.get("status") or {}
    queued = bool(seen.run.spec.job and seen.run.spec.job.queue_name)
    if not queued and bool(spec.get("suspend")) != seen.run.spec.suspend:
        return Plan(
            _progress(seen, suspend=seen.run.spec.suspend), SuspendJob(job_name(seen.run), seen.run.spec.suspend)
        )
    if spec.get("suspend"):
        if queued:
            return Plan(Running(Reason.QUEUED, _in_queue(seen)))
        return Plan(Running(Reason.SUSPENDED, ENDED_BY_SUSPEND))
    if not status.get("ready") and (told := diagnose(seen.pods)) is not None and told.reason is Reason.NEVER_STARTED:
        return Plan(Running(Reason.STARTING, told.message))
    return Plan(_progress(seen, suspend=False))


def _progress(seen: Seen, *, suspend: bool) -> Running:
    """How far the Job is, only forwards: between a pod's end and the Job's there is no news worth a write."""
    job = seen.job or {}
    name, status = job["metadata"]["name"], job.get("status") or {}
    if suspend:
        return Running(Reason.SUSPENDED, ENDED_BY_SUSPEND)
    said = condition(seen.run.status.conditions, ConditionType.RECONCILING)
    was_running = said is not None and said.reason in WHILE_A_POD_RUNS
    if status.get("ready") or (was_running and not status.get("active")):
        return _at_step(seen, name)
    if status.get("failed"):
        return Running(Reason.RETRYING, f"{status['failed']} of the Job's pods failed; another one is starting")
    if seen.is_slow and not seen.pods and not status.get("active"):
        return Running(Reason.STARTING, no_pod(job))
    return Running(Reason.STARTING, f"Job {name} was created; waiting for its pod")


def _at_step(seen: Seen, job: str) -> Running:
    """At the step that the pod says, else at the one that was told last, else somewhere."""
    if (progress := seen.progress) is not None:
        news = f": {progress.message}" if progress.message else ""
        return Running(AT_STEP[progress.step], f"Job {job} is at step {progress.step}{news}")
    said = condition(seen.run.status.conditions, ConditionType.RECONCILING)
    told = next((reason for reason in AT_STEP.values() if said is not None and said.reason == reason), None)
    if told is not None and said is not None:
        return Running(told, said.message)
    return Running(Reason.RUNNING, f"Job {job} is training")


def _failed_as_told(outcome: Outcome) -> Failed:
    """What the training image said of an attempt; user code can write it, so it is believed a failure alone."""
    if outcome.result is Result.SUCCEEDED:
        return Failed(Reason.UNEXPECTED, "the training says that it succeeded, but published no manifest", outcome)
    if outcome.result is Result.INTERRUPTED:
        return Failed(Reason.INTERRUPTED, outcome.message, outcome)
    reason = Reason.known(outcome.reason)
    if reason is None or "TrainingRun" not in reason.kinds or reason in NO_FAILURES:
        return Failed(Reason.FAILED, f"{outcome.reason}: {outcome.message}", outcome)
    return Failed(reason, outcome.message, outcome)


def _deadline(seen: Seen) -> str:
    seconds = ((seen.job or {}).get("spec") or {}).get("activeDeadlineSeconds")
    never_started = diagnose(seen.pods)
    why = f": {never_started.message}" if never_started and never_started.reason is Reason.NEVER_STARTED else ""
    counted = (seen.job or {}).get("status") or {}
    if not seen.pods and not any(counted.get(count) for count in ("active", "succeeded", "failed")):
        why = f": {no_pod(seen.job or {})}"
    return f"the Job ran longer than job.activeDeadlineSeconds ({seconds} s){why}"


def _in_queue(seen: Seen) -> str:
    queue = (seen.run.spec.job.queue_name if seen.run.spec.job else None) or ""
    return (
        f"waiting for Kueue to admit it to queue {queue}; if it waits for ever, look whether there is such a queue and "
        f"what it says: kubectl describe localqueue {queue} --namespace {seen.run.metadata.namespace}"
    )
