"""The manifest of a version: what it is, from which data and code, how good, and the digest of each of its files."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from mira.api.scalars import MetricName, ModelName, StageName, VersionId
from mira.registry.document import DecimalText, Digest, Document, Part, Sha256, Time
from mira.registry.keys import ATTEMPT, VersionKey, checked_path

MANIFEST_LIMIT = 1024 * 1024
MOST_FILES = 10_000
Text = Annotated[str, StringConstraints(max_length=4096)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
# As long as a gate's; what it holds comes from the data.
SliceName = Annotated[str, StringConstraints(max_length=256)]


class Direction(StrEnum):
    """Which values of a metric are the better ones."""

    HIGHER = "Higher"
    LOWER = "Lower"


class Verdict(StrEnum):
    """Whether a pair of versions could be scored at all."""

    COMPARED = "Compared"
    NOT_COMPARABLE = "NotComparable"


class DriftVerdict(StrEnum):
    """Whether data is still what a version was trained on."""

    STABLE = "Stable"
    DRIFTED = "Drifted"
    NOT_MEASURED = "NotMeasured"


class File(Part):
    """One file of the version; its path is relative to the version's prefix."""

    path: str
    size: int = Field(ge=0)
    sha256: Sha256

    @field_validator("path")
    @classmethod
    def stays_below(cls, path: str) -> str:
        """The path, once it is sure to stay below the version's folder."""
        return checked_path(path)


class Metric(Part):
    """One measured value on the evaluation rows, of all of them or of one slice of them (`column=value`)."""

    name: MetricName
    value: DecimalText
    direction: Direction | None = None
    slice: SliceName = ""


class Column(Part):
    """One input column as the model saw it in training."""

    name: Name
    type: Name


class Source(Part):
    """One object that was read, pinned so that it can be told from a later one at the same place."""

    name: Name
    uri: Text
    sha256: Sha256
    size: int = Field(ge=0)
    rows: int = Field(ge=0)
    version_id: Text | None = None
    etag: Text | None = None


class Run(Part):
    """The TrainingRun that made the version."""

    name: Name
    uid: Name
    spec_hash: Digest
    requested_by: Text | None = None


class Code(Part):
    """What ran: image, estimator, hooks, and the versions of the libraries that matter for loading the model.

    `revision` is the commit of the code in the image, where whoever built it has said so (`MIRA_CODE_REVISION`).
    """

    image: Text | None = None
    revision: Text | None = None
    estimator: Text
    features: Text | None = None
    hooks: Annotated[dict[Name, Text], Field(max_length=8)] | None = None
    libraries: dict[str, str] = Field(default_factory=dict, max_length=64)


class Schema(Part):
    """What the model takes and gives: the columns in their order, the target, the label classes.

    `outputs` are the columns that a transformation makes; a version that predicts has none. `sample` is a row that is
    like those that the model learned from and is none of them, by column (docs/design/0010-a-sample-is-nobodys-row.md).
    """

    columns: list[Column] = Field(max_length=10_000)
    target: Name | None = None
    classes: list[Text] = Field(default_factory=list, max_length=10_000)
    outputs: Annotated[list[Column], Field(max_length=10_000)] | None = None
    sample: Annotated[dict[Name, bool | int | float | Text], Field(max_length=10_000)] | None = None


class ComparedWith(Part):
    """The version that this one was compared with on the same rows; the result lies under `comparisons/`.

    No stage: it was named by its version, by somebody on a laptop. `reason` says why a pair is not comparable.
    """

    stage: StageName | None = None
    version: VersionId
    digest: Digest
    verdict: Verdict | None = None
    reason: Text = ""


class FailedCheck(Part):
    """One check of the data that failed: counts and names, never a cell's value."""

    check: Name
    column: Annotated[str, StringConstraints(max_length=253)] = ""
    message: Annotated[str, StringConstraints(max_length=1024)]


class CheckedSuite(Part):
    """The Great Expectations suite that the training rows were held against, and how many expectations they met."""

    place: Text
    sha256: Sha256
    passed: int = Field(ge=0)


class Validation(Part):
    """What the data went through: how many checks of columns it passed, and what was found and lived with."""

    passed: int = Field(ge=0)
    warnings: list[FailedCheck] = Field(default_factory=list, max_length=100)
    suite: CheckedSuite | None = None


class DriftSummary(Part):
    """How far the data is from the training data of a version, in short: the report is `drift.json`.

    `columns` are the names of those that drifted most.
    """

    version: VersionId
    digest: Digest
    verdict: DriftVerdict
    reason: Text = ""
    drifted_share: DecimalText | None = None
    columns: list[Name] = Field(default_factory=list, max_length=10)


class SearchSummary(Part):
    """Which of how many trials the model was trained with, and its score on folds of the training rows.

    The report is `search.json`. `score` is missing where the search was over before any trial was.
    """

    metric: Name
    trials: int = Field(ge=1)
    chosen: int = Field(ge=1)
    score: DecimalText | None = None


class Rows(Part):
    """How many rows trained the model and how many evaluated it."""

    training: int = Field(ge=0)
    evaluation: int = Field(ge=0)


class Manifest(Document):
    """The commit point of a version: written last, create-only; its sha256 is the version's digest."""

    SCHEMA: ClassVar[str] = "mira.manifest/v1"
    LIMIT: ClassVar[int] = MANIFEST_LIMIT

    namespace: ModelName
    model: ModelName
    version: VersionId
    description: Text | None = None
    task: Name
    attempt: Annotated[str, StringConstraints(pattern=rf"^{ATTEMPT.pattern}$")]
    run: Run
    code: Code
    parameters: dict[str, Any] = Field(default_factory=dict)
    seed: int
    sources: list[Source] = Field(max_length=MOST_FILES)
    rows: Rows
    model_schema: Schema = Field(alias="schemaOfModel")
    metrics: list[Metric] = Field(max_length=1000)
    compared_with: ComparedWith | None = None
    validation: Validation | None = None
    drift: DriftSummary | None = None
    search: SearchSummary | None = None
    files: list[File] = Field(min_length=1, max_length=MOST_FILES)
    created_at: Time

    @model_validator(mode="after")
    def files_are_this_attempts_own(self) -> Self:
        """Refuses a path that is listed twice, and a file that another attempt wrote."""
        own = f"attempts/{self.attempt}/"
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("files: the same path twice")
        if foreign := next((path for path in paths if not path.startswith(own)), None):
            raise ValueError(f"files: {foreign!r} does not lie under {own}")
        return self

    @model_validator(mode="after")
    def metrics_have_one_value(self) -> Self:
        """Refuses a metric that is listed twice: two readers could judge two values."""
        if len({(metric.name, metric.slice) for metric in self.metrics}) != len(self.metrics):
            raise ValueError("metrics: the same metric twice")
        return self

    @property
    def key(self) -> VersionKey:
        """Which version the manifest says that it is."""
        return VersionKey(self.namespace, self.model, self.version)

    def metric(self, name: str, slice_: str = "") -> Metric | None:
        """The metric over all rows, or over one slice of them; None if it was not measured."""
        return next((metric for metric in self.metrics if (metric.name, metric.slice) == (name, slice_)), None)
