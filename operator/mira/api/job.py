"""How a run is run: resources, placement, environment, limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mira.api.meta import Model
from mira.api.scalars import IDENTIFIER, QUANTITY, Int, ObjectName, Quantity
from mira.api.schema import LIST_ATOMIC, Rule, cel, in_words, list_map, rules

ENTRY_NAME = r"^[-._a-zA-Z0-9]+$"
RESERVED_ENV_PREFIXES = ("MIRA_", "AWS_", "KUBERNETES_", "LD_")

_QUANTITIES = cel(
    Rule(
        # The API server does not check the pattern of an int-or-string.
        f"self.all(k, string(self[k]).matches('{QUANTITY}') && "
        "isQuantity(string(self[k])) && quantity(string(self[k])).isGreaterThan(quantity('0')))",
        'every value must be a quantity above 0, e.g. "500m", "4" or 16Gi',
    ),
    Rule(
        "!('cpu' in self) || !isQuantity(string(self['cpu'])) || "
        "!quantity(string(self['cpu'])).isGreaterThan(quantity('1024'))",
        "cpu must be at most 1024",
    ),
    Rule(
        "!('memory' in self) || !isQuantity(string(self['memory'])) || "
        "(!quantity(string(self['memory'])).isGreaterThan(quantity('32Ti')) && "
        "!quantity(string(self['memory'])).isLessThan(quantity('1Mi')))",
        "memory must be between 1Mi and 32Ti; mind the unit, e.g. 16Gi",
    ),
    Rule(
        "self.all(k, k in ['cpu', 'memory', 'ephemeral-storage'] || "
        "k.matches('^[a-z0-9][-a-z0-9.]*/[A-Za-z0-9][-A-Za-z0-9_.]*$'))",
        "keys must be cpu, memory, ephemeral-storage or an extended resource such as nvidia.com/gpu",
    ),
)
Quantities = Annotated[dict[str, Quantity], Field(max_length=8), _QUANTITIES]


class Runtime(StrEnum):
    """Where a run's container runs."""

    KUBERNETES = "Kubernetes"
    ECS = "ECS"


class Resources(Model):
    """What the training container asks for and may use."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || "
                "!isQuantity(string(self.requests[k])) || !isQuantity(string(self.limits[k])) || "
                "!quantity(string(self.requests[k])).isGreaterThan(quantity(string(self.limits[k]))))",
                "a request must not be above the limit of the same resource: raise limits or lower requests",
                field=".requests",
            )
        )
    )

    requests: Quantities = Field(
        default_factory=dict,
        description="What is reserved, e.g. cpu: 500m, memory: 1Gi. Default: set by the platform team.",
    )
    limits: Quantities = Field(
        default_factory=dict,
        description="What must not be exceeded, e.g. memory: 4Gi, nvidia.com/gpu: 1. Default: set by the platform "
        "team.",
    )


class TolerationOperator(StrEnum):
    """How a toleration's value is compared."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Model):
    """One taint that the pod tolerates, as in a Pod."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.value) || !has(self.operator) || self.operator != 'Exists'",
                "value is not used with operator Exists: remove it, or use operator Equal",
                field=".value",
                reason="FieldValueForbidden",
            ),
            Rule(
                "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
                "key is required unless operator is Exists: name the taint's key",
                field=".key",
                reason="FieldValueRequired",
            ),
        )
    )

    key: Annotated[str, Field(min_length=1, max_length=317)] | None = Field(
        default=None, description="The taint's key. Default, with operator Exists: every taint."
    )
    operator: TolerationOperator | None = Field(
        default=None, description="Exists: any value; Equal: the value must be the same. Default: Equal."
    )
    value: Annotated[str, Field(max_length=63)] | None = Field(
        default=None, description="The taint's value, with operator Equal. Default: empty."
    )
    effect: TaintEffect | None = Field(
        default=None, description="The taint's effect: NoSchedule, PreferNoSchedule or NoExecute. Default: all."
    )
    toleration_seconds: Annotated[Int, Field(ge=0, le=31_536_000)] | None = Field(
        default=None, description="How long a NoExecute taint is tolerated. Default: for ever."
    )


class SecretKeyRef(Model):
    """One key of a Secret in the run's namespace."""

    name: ObjectName = Field(description="The Secret's name; whoever creates the run must be allowed to get it.")
    key: Annotated[
        str,
        Field(min_length=1, max_length=253, pattern=ENTRY_NAME),
        in_words(ENTRY_NAME, "must be a key of a Secret: letters, digits, dashes, dots and underscores"),
    ] = Field(description="The key in the Secret.")


class EnvVar(Model):
    """One environment variable of the training container."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.value) != has(self.secretKeyRef)",
                "set exactly one of value and secretKeyRef",
            ),
        )
    )

    name: Annotated[
        str,
        Field(min_length=1, max_length=128, pattern=IDENTIFIER),
        in_words(IDENTIFIER, "must be letters, digits and underscores, with no digit first, e.g. LOG_LEVEL"),
        cel(
            Rule(
                "!(self.startsWith('MIRA_') || self.startsWith('AWS_') || self.startsWith('KUBERNETES_') || "
                "self.startsWith('LD_'))",
                "names that begin with MIRA_, AWS_, KUBERNETES_ or LD_ belong to the platform: use another name",
                reason="FieldValueForbidden",
            )
        ),
    ] = Field(description="The variable's name. Names that begin with MIRA_, AWS_, KUBERNETES_ or LD_ are refused.")
    value: Annotated[str, Field(max_length=4096)] | None = Field(
        default=None, description="Its value. Exactly one of value and secretKeyRef is set."
    )
    secret_key_ref: SecretKeyRef | None = Field(
        default=None, description="Where its value lies. Exactly one of value and secretKeyRef is set."
    )


class Job(Model):
    """How the run's Job is made."""

    resources: Resources | None = Field(
        default=None, description="What the container asks for and may use. Default: set by the platform team."
    )
    node_selector: Annotated[
        dict[str, Annotated[str, Field(max_length=63)]],
        Field(max_length=16),
        cel(Rule("self.all(k, k.size() <= 317)", "keys must be label keys of at most 317 characters")),
    ] = Field(default_factory=dict, description="Labels that the node must have. Default: any node.")
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16), LIST_ATOMIC] = Field(
        default=(), description="Taints that the pod tolerates. Default: none."
    )
    priority_class_name: (
        Annotated[
            ObjectName,
            cel(
                Rule(
                    "!self.startsWith('system-')",
                    "system- priority classes belong to the cluster: use another one",
                    reason="FieldValueForbidden",
                )
            ),
        ]
        | None
    ) = Field(default=None, description="The pod's priority class. Default: the cluster's.")
    queue_name: Annotated[ObjectName, Field(max_length=63)] | None = Field(
        default=None, description="The Kueue LocalQueue that admits the Job. Default: no queue; the Job starts at once."
    )
    env: Annotated[
        tuple[EnvVar, ...],
        Field(max_length=64),
        list_map("name"),
        cel(
            Rule(
                "self.filter(e, has(e.secretKeyRef)).size() <= 16",
                "at most 16 variables may come from Secrets: put more keys into one file, or fewer variables",
            )
        ),
    ] = Field(default=(), description="Environment variables of the training container. Default: none.")
    service_account_name: ObjectName | None = Field(
        default=None,
        description="The pod's service account; whoever creates the run needs the verb use on it. Default: set by the "
        "platform team.",
    )
    active_deadline_seconds: Annotated[Int, Field(ge=1, le=2_592_000)] = Field(
        default=86_400, description="How long the run may take with all its tries, in seconds; then it fails."
    )
    backoff_limit: Annotated[Int, Field(ge=0, le=10)] = Field(
        default=2, description="How often a failed pod is replaced. Bad data, code or parameters are never tried again."
    )
    ttl_seconds_after_finished: Annotated[Int, Field(ge=3600, le=31_536_000)] = Field(
        default=604_800, description="How long the finished Job and its logs stay in the cluster, in seconds."
    )
    runtime: Runtime = Field(default=Runtime.KUBERNETES, description="Where the container runs: Kubernetes or ECS.")
