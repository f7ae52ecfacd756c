"""Group and version, the base of every model, object metadata, and how a kind is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from mira.api.scalars import Time

if TYPE_CHECKING:
    from mira.api.conditions import ConditionType
    from mira.api.schema import Rule

GROUP = "mira.constellation.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "mira"


class Model(BaseModel):
    """A frozen part of the API: snake_case in Python, camelCase on the wire."""

    # Unknown fields are ignored: after a roll-back of the operator the cluster holds what a newer one wrote.
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore")

    @classmethod
    def strictly(cls, value: Any) -> Self:
        """The parsed value, where an unknown field is an error: for examples, files and tests."""
        return cls.model_validate(value, extra="forbid")

    def wire(self) -> dict[str, Any]:
        """The JSON that the API server is sent: camelCase, without what is absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class OwnerReference(Model):
    """Who owns an object; the garbage collector deletes it with its owner."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Model):
    """The part of an object's metadata that Mira reads."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


SpecT = TypeVar("SpecT", bound=Model)
StatusT = TypeVar("StatusT", bound=Model)


class Resource(Model, Generic[SpecT, StatusT]):
    """One object of a kind of Mira, as the API server has it."""

    api_version: Literal["mira.constellation.dev/v1alpha1"] = "mira.constellation.dev/v1alpha1"
    kind: str
    metadata: ObjectMeta
    spec: SpecT
    status: StatusT


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date"] = "string"
    priority: Literal[0, 1] = 0

    def wire(self) -> dict[str, Any]:
        """The column as an item of additionalPrinterColumns."""
        item = {"name": self.name, "type": self.type, "jsonPath": self.path, "description": self.description}
        return item | ({"priority": self.priority} if self.priority else {})


@dataclass(frozen=True, slots=True)
class Immutable:
    """Every field of the spec is refused a change but these; a new field is covered without anybody thinking of it."""

    but: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is known of one kind: names, models, columns, condition types, rules of the whole object."""

    resource: type[Resource[Any, Any]]
    plural: str
    short_name: str
    conditions: tuple[ConditionType, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    immutable: Immutable | None = None

    @property
    def kind(self) -> str:
        """The name in CamelCase, e.g. `TrainingRun`."""
        return self.resource.__name__

    @property
    def spec(self) -> type[Model]:
        """The model of what users write."""
        return self._part("spec")

    @property
    def status(self) -> type[Model]:
        """The model of what the operator reports."""
        return self._part("status")

    def _part(self, name: str) -> type[Model]:
        annotation = self.resource.model_fields[name].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, Model)):
            raise TypeError(f"{self.kind}.{name} is not a model")
        return annotation


def condition_path(condition: str, field: str) -> str:
    """The JSONPath of one field of one condition, by type and never by position."""
    return f'.status.conditions[?(@.type=="{condition}")].{field}'


READY_COLUMNS = (
    Column(
        "Ready",
        condition_path("Ready", "status"),
        "Whether what was asked for is so; the reason says more.",
    ),
    Column("Reason", condition_path("Ready", "reason"), "Why, in one word; docs/reference/reasons.md lists them."),
)
LAST_COLUMNS = (
    Column("Age", ".metadata.creationTimestamp", "Time since the object was created.", type="date"),
    Column("Message", condition_path("Ready", "message"), "Why, in a sentence.", priority=1),
)
