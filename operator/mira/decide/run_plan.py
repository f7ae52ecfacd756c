"""What can be seen of a TrainingRun, and what can be planned for it."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mira.api.reasons import Reason
from mira.api.trainingrun import TrainingRun
from mira.decide.approvals import Proof
from mira.registry.comparison import Comparison
from mira.registry.manifest import Manifest
from mira.registry.outcome import Outcome
from mira.registry.progress import Progress

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What lies under the key of the version's manifest; `manifest` is None if it cannot be read as one."""

    digest: str
    manifest: Manifest | None
    problem: str = ""


@dataclass(frozen=True)
class Seen:
    """Everything that was read before anything is decided.

    `outcomes` are those of this run's own attempts, oldest first. `is_slow` says that a pod should be ready by now, so
    that `pods` are all that there are. `progress` is the last step that the running pod said to have begun.
    """

    run: TrainingRun
    spec_hash: str | None
    spec_problem: str = ""
    job: Object | None = None
    pods: tuple[Object, ...] = ()
    published: Published | None = None
    comparison: Comparison | None = None
    outcomes: tuple[Outcome, ...] = ()
    promotion: Object | None = None
    proof: Proof = field(default_factory=lambda: Proof("not proven yet"))
    is_slow: bool = False
    progress: Progress | None = None


@dataclass(frozen=True)
class CreateJob:
    """Start the training; the Job's name makes a repetition harmless."""

    body: Object


@dataclass(frozen=True)
class SuspendJob:
    """Stop or resume the Job as spec.suspend says."""

    name: str
    suspend: bool


@dataclass(frozen=True)
class CreatePromotion:
    """Ask that the new version become current, in the name of whoever asked for the run."""

    body: Object


@dataclass(frozen=True)
class Running:
    """The run is on its way."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Succeeded:
    """The version is there, made by this run or adopted."""

    reason: Reason
    published: Published
    promotion_problem: str = ""


@dataclass(frozen=True)
class Failed:
    """The run ended without a version."""

    reason: Reason
    message: str
    outcome: Outcome | None = None


Effect: TypeAlias = CreateJob | SuspendJob | CreatePromotion
End: TypeAlias = Succeeded | Failed


@dataclass(frozen=True)
class Plan:
    """At most one effect, and the state to report once it is done. After an effect, reconcile again on what it gave."""

    state: Running | End
    effect: Effect | None = None
