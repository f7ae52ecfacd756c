"""The order, read and understood: what this attempt has to do, or why this image cannot do it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mira.api.data import SplitMethod
from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact, Task, TrainingRunSpec
from mira.registry.document import DocumentInvalid
from mira.registry.keys import DriftKey, InvalidKey, VersionKey, attempt_id
from mira.registry.order import Order, OrderKind
from mira_training.laptop.places import file_uris
from mira_training.laptop.spec import LaptopSpec
from mira_training.refusal import Refused

PREDICTING = (Task.CLASSIFICATION, Task.REGRESSION)
DEFAULT_ARTIFACTS: dict[Task, tuple[Artifact, ...]] = {Task.TRANSFORM: (Artifact.DIRECTORY,)}
DEFAULT_OF_OTHERS = (Artifact.SKOPS, Artifact.ONNX)
LATER = "this version of Mira cannot do that yet"


@dataclass(frozen=True)
class Assignment:
    """One order with its spec parsed, and the attempt that carries it out."""

    order: Order
    spec: TrainingRunSpec
    attempt: str

    @property
    def key(self) -> VersionKey:
        """The version that is to be published, or that data is compared with."""
        return VersionKey(self.order.namespace, self.order.model, self.order.version)

    @property
    def inputs_key(self) -> str:
        """Where the attempts of this run agree on what they read."""
        if self.order.kind is OrderKind.DRIFT_CHECK:
            return self.drift_key.inputs
        return self.key.inputs_of(self.order.run.uid)

    @property
    def drift_key(self) -> DriftKey:
        """Where a drift check writes."""
        return DriftKey(self.order.namespace, self.order.model, self.order.run.uid)

    @property
    def predicts(self) -> bool:
        """Whether the task is one whose predictions and metrics Mira knows."""
        return self.spec.task in PREDICTING

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The forms in which the model is published."""
        listed: tuple[Artifact, ...] = self.spec.artifacts or ()
        return listed or DEFAULT_ARTIFACTS.get(self.spec.task, DEFAULT_OF_OTHERS)


def read_order(path: Path) -> Order:
    """The order in the file. Raises Refused (`OrderInvalid`) if there is none or this image does not understand it."""
    try:
        return Order.parse(path.read_bytes())
    except OSError as error:
        raise Refused(Reason.ORDER_INVALID, f"order: {path} cannot be read ({error.strerror})") from error
    except DocumentInvalid as error:
        raise Refused(
            Reason.ORDER_INVALID, f"order: {error}; operator and image must be of the same version"
        ) from error


def attempt_of(order: Order, pod_uid: str) -> str:
    """The id of this pod's attempt. Raises Refused if one of the uids is no uid, or the version's name no name."""
    try:
        attempt = attempt_id(order.run.uid, pod_uid)
        outcome_key(order, attempt)
    except InvalidKey as error:
        raise Refused(Reason.ORDER_INVALID, f"order: {error}") from error
    return attempt


def outcome_key(order: Order, attempt: str) -> str:
    """Where the attempt says how it ended. Raises InvalidKey if a name or uid of the order is none."""
    version = VersionKey(order.namespace, order.model, order.version)
    match order.kind:
        case OrderKind.DRIFT_CHECK:
            return DriftKey(order.namespace, order.model, order.run.uid).outcome(attempt)
        case OrderKind.COMPARE:
            return version.comparing_outcome(*pair_of(order), attempt)
        case _:
            return version.outcome(attempt)


def pair_of(order: Order) -> tuple[str, str]:
    """The digests of the candidate and of the current version. Raises InvalidKey if the order lacks one."""
    if order.digest is None or order.current is None:
        raise InvalidKey("digest and current: are required for kind Compare")
    VersionKey(order.namespace, order.model, order.current.version)
    return order.digest, order.current.digest


def assign(order: Order, attempt: str, *, on_laptop: bool = False) -> Assignment:
    """What is to be done. Raises Refused for a field that is wrong, unknown, or not supported yet.

    Only a person's own order may name files: one from the operator would read the files of the image or of the node.
    """
    kind: type[TrainingRunSpec] = LaptopSpec if on_laptop else TrainingRunSpec
    if not on_laptop:
        _no_files(order)
    try:
        # Strictly: a field that this image does not know would be left out of the result without a word.
        spec = kind.strictly(order.spec)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Refused(
            Reason.ORDER_INVALID, f"spec.{field}: {first['msg']}; operator and image must be of the same version"
        ) from error
    not_yet, incomplete = RULES[order.kind]
    for rule in not_yet:
        if said := rule(spec):
            raise Refused(Reason.NOT_SUPPORTED, f"{said}; {LATER}")
    for rule in incomplete:
        if said := rule(spec):
            raise Refused(Reason.ORDER_INVALID, said)
    return Assignment(order, spec, attempt)


def _no_files(order: Order) -> None:
    for field, uri in file_uris(order.spec):
        raise Refused(
            Reason.ORDER_INVALID,
            f"spec.{field}: {uri} is not allowed: files are for `mira-training run` on a laptop; write s3://bucket/key",
        )


Rule = Callable[[TrainingRunSpec], str]


def _ingest(spec: TrainingRunSpec) -> str:
    asked = spec.hooks is not None and spec.hooks.ingest is not None
    return "hooks.ingest: must be absent; write the rows to S3 and name them in data.training" if asked else ""


def _directory(spec: TrainingRunSpec) -> str:
    asked = spec.task in PREDICTING and Artifact.DIRECTORY in (spec.artifacts or ())
    return f"artifacts: Directory is not among Skops, ONNX, Joblib, the forms for task {spec.task}" if asked else ""


def _transform_as_onnx(spec: TrainingRunSpec) -> str:
    asked = spec.task is Task.TRANSFORM and Artifact.ONNX in (spec.artifacts or ())
    return "artifacts: ONNX is not among Directory, Skops, Joblib, the forms for task Transform" if asked else ""


def _train_by_estimator(spec: TrainingRunSpec) -> str:
    missing = spec.task is Task.CUSTOM and not (spec.hooks and spec.hooks.train)
    return "hooks.train: is required for task Custom; write module:attr of the function that trains" if missing else ""


def _train(spec: TrainingRunSpec) -> str:
    if not (spec.hooks and spec.hooks.train):
        return ""
    if spec.task is not Task.CUSTOM:
        return f"spec.hooks.train: is not allowed for task {spec.task}; use estimator, or set task: Custom"
    return "spec.estimator: is not used with hooks.train; remove one of them" if spec.estimator else ""


def _artifacts(spec: TrainingRunSpec) -> str:
    if spec.task is Task.CUSTOM and not spec.artifacts:
        return (
            "spec.artifacts: is required for task Custom; list what the code writes, of Skops, ONNX, Joblib and "
            "Directory"
        )
    if spec.task is Task.TRANSFORM and spec.artifacts and Artifact.DIRECTORY not in spec.artifacts:
        return "spec.artifacts: must contain Directory for task Transform, which is the output as data"
    return ""


def _estimator(spec: TrainingRunSpec) -> str:
    missing = spec.task is Task.TRANSFORM and not spec.estimator
    return (
        "spec.estimator: is required for task Transform, which has no default one; write module:attr" if missing else ""
    )


def _slices(spec: TrainingRunSpec) -> str:
    if not (spec.evaluation and spec.evaluation.slices):
        return ""
    if spec.task is Task.TRANSFORM:
        return "spec.evaluation.slices: is not allowed for task Transform, which predicts nothing; remove it"
    return "" if spec.data.target else "spec.evaluation.slices: needs data.target; name the column, or remove slices"


def _target(spec: TrainingRunSpec) -> str:
    missing = spec.task in PREDICTING and not spec.data.target
    return f"spec.data.target: is required for task {spec.task}; name the column to predict" if missing else ""


def _search(spec: TrainingRunSpec) -> str:
    if spec.search is None:
        return ""
    if spec.task not in PREDICTING:
        return (
            f"spec.search: is not allowed for task {spec.task}, whose result Mira cannot score on rows of its choice; "
            "remove it"
        )
    return ""


def _split(spec: TrainingRunSpec) -> str:
    split = spec.data.split
    if split is None:
        return ""
    if spec.data.holdout is not None:
        return "spec.data.split: is not allowed with holdout; remove one of them"
    if split.method in (SplitMethod.TIME, SplitMethod.GROUP) and split.column is None:
        return f"spec.data.split.column: is required with method {split.method}; name a column"
    if (split.method is SplitMethod.TIME) != (split.evaluation_from is not None):
        return "spec.data.split.evaluationFrom: is required with method Time and allowed only there"
    return ""


def _inputs(spec: TrainingRunSpec) -> str:
    unused = spec.data.inputs and not (spec.features or _reads_itself(spec))
    return (
        "spec.data.inputs: needs features or hooks.ingest, which they are handed to; write module:attr in one of them"
        if unused
        else ""
    )


def _pinned(spec: TrainingRunSpec) -> str:
    parts = {"training": spec.data.training, "holdout": spec.data.holdout}
    pinned = [name for name, source in parts.items() if source and (source.version_id or source.format)]
    if not (pinned and _reads_itself(spec)):
        return ""
    return f"spec.data.{pinned[0]}: versionId and format are not allowed with hooks.ingest, which reads the data itself"


def _reads_itself(spec: TrainingRunSpec) -> bool:
    return bool(spec.hooks and spec.hooks.ingest)


# The API server holds specs to these rules; an order from a file on a laptop has not been there.
# A drift check trains nothing, so of a spec it takes what says which rows there are.
RULES: dict[OrderKind, tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {
    OrderKind.TRAIN: (
        (_directory, _transform_as_onnx, _train_by_estimator),
        (_target, _train, _estimator, _artifacts, _slices, _search, _split, _inputs, _pinned),
    ),
    OrderKind.DRIFT_CHECK: ((_ingest,), (_inputs,)),
}
