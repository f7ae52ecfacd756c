"""The order: how the operator tells the training image what to do. It arrives as a pod annotation."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from mira.api.scalars import ModelName, StageName, VersionId
from mira.registry.document import Digest, Document, Part
from mira.registry.manifest import Name, Text

ORDER_LIMIT = 200 * 1024
ORDER_FILE = "order.json"
"""By this name an attempt keeps its order beside `model/`: by it the evaluation rows can be made again."""


class OrderKind(StrEnum):
    """What is asked of the training image."""

    TRAIN = "Train"
    COMPARE = "Compare"
    DRIFT_CHECK = "DriftCheck"


class OrderedRun(Part):
    """For whom the order is carried out."""

    name: Name
    uid: Name
    spec_hash: Digest
    requested_by: Text | None = None


class OrderedVersion(Part):
    """The version that a Compare holds the candidate against, by its id and its manifest's digest."""

    version: VersionId
    digest: Digest


class Order(Document):
    """Everything that one Job needs to know, but for credentials and its own pod's name.

    `spec` holds, in the words of the TrainingRun's spec, what determines the result (those fields of `spec` that the
    specHash covers), with the schema's defaults filled in; `against` is the stage whose current version the candidate
    is compared with; `deadlineSeconds` is how long the Job may take, for what plans by it: a search. A DriftCheck
    compares the data of `spec.data.training` with what `version` was trained on; its manifest must then have the
    `digest`, where one is given. A Compare scores `version`, whose manifest has the `digest`, and `current` on the
    candidate's evaluation rows; its `spec` is empty, because the candidate carries its own order.
    """

    SCHEMA: ClassVar[str] = "mira.order/v1"
    LIMIT: ClassVar[int] = ORDER_LIMIT

    kind: OrderKind
    registry: Text
    namespace: ModelName
    model: ModelName
    version: VersionId
    run: OrderedRun
    image: Text | None = None
    description: Text | None = None
    against: StageName | None = None
    deadline_seconds: Annotated[int, Field(ge=1)] | None = None
    digest: Digest | None = None
    current: OrderedVersion | None = None
    spec: dict[str, Any] = Field(default_factory=dict)
