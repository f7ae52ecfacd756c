"""The strings and numbers of the API with their bounds: a name is spelled the same way wherever it stands.

Patterns are anchored and written for the common subset of Go, Rust and Python expressions.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, Strict

from mira.api.schema import INT_OR_STRING, Keywords, Rule, cel

LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
VERSION_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$"
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
IMAGE = (
    r"^([a-z0-9-]+(\.[a-z0-9-]+)*:[0-9]{1,5}|[a-z0-9-]+(\.[a-z0-9-]+)+|localhost)"
    r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?@sha256:[0-9a-f]{64}$"
)
DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
CRON_FIELD = r"[0-9A-Za-z*/,-]+"

RESERVED_VERSIONS = ("current", "latest", "previous")

ModelName = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL)]
StageName = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=SUBDOMAIN)]
VersionId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=VERSION_ID),
    cel(
        Rule(
            f"!(self in {list(RESERVED_VERSIONS)})",
            "a version cannot be named current, latest or previous: these words point at versions; choose another name",
        )
    ),
]
Digest = Annotated[str, Field(min_length=71, max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
# A service account is system:serviceaccount:<63>:<253>.
UserName = Annotated[str, Field(min_length=1, max_length=512, pattern=PRINTABLE)]
Sentence = Annotated[str, Field(max_length=1024, pattern=TEXT)]
Message = Annotated[str, Field(max_length=32768)]

Image = Annotated[str, Field(min_length=1, max_length=512, pattern=IMAGE)]
CodeRef = Annotated[str, Field(min_length=3, max_length=256, pattern=f"^{DOTTED}:{DOTTED}$")]
Estimator = Annotated[
    str, Field(min_length=1, max_length=256, pattern=f"^({DOTTED}:{DOTTED}|[A-Za-z0-9][A-Za-z0-9._-]*)$")
]
MetricName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$")]
ColumnName = Annotated[str, Field(min_length=1, max_length=256, pattern=PRINTABLE)]
Slice = Annotated[str, Field(max_length=256, pattern=r"^([^=\x00-\x1f\x7f]+=[^\x00-\x1f\x7f]*)?$")]
S3Uri = Annotated[
    str,
    Field(min_length=7, max_length=1024, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f{}]+$"),
    cel(
        Rule(
            r"!self.matches('/[.]{1,2}(/|$)')",
            "a uri must not have . or .. between slashes; write the key as it is in the bucket",
        )
    ),
]

Decimal = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
NotNegative = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?$")]
Share = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^(0(\.[0-9]+)?|1(\.0+)?)$")]
Fraction = Annotated[str, Field(min_length=3, max_length=32, pattern=r"^0\.[0-9]*[1-9][0-9]*$")]
Cron = Annotated[str, Field(min_length=9, max_length=128, pattern=f"^{CRON_FIELD}( {CRON_FIELD}){{4}}$")]
TimeZone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")]

# Strict: without it pydantic takes "5", 5.0 and true for 5, and "yes" for true; the API server takes none of them.
Int = Annotated[int, Strict()]
Bool = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=9_007_199_254_740_991)]
"""A whole number that every JSON reader keeps exact."""


def _to_the_second(value: datetime) -> datetime:
    """The same moment in UTC without the fraction, so that what was written reads back equal."""
    return value.astimezone(UTC).replace(microsecond=0)


def _rfc3339(value: datetime) -> str:
    """The moment as Kubernetes writes it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[AwareDatetime, AfterValidator(_to_the_second), PlainSerializer(_rfc3339, when_used="json")]


def _whole_number_to_text(value: Any) -> Any:
    """A whole number as its digits; everything else as it is, for pydantic to judge."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


QUANTITY = "^[0-9]+([.][0-9]+)?([numkMGTPE]|Ki|Mi|Gi|Ti|Pi|Ei)?$"
Quantity = Annotated[
    str,
    BeforeValidator(_whole_number_to_text),
    Field(min_length=1, max_length=32, pattern=QUANTITY),
    # YAML writes `cpu: 4` as a number: Kubernetes takes it, so do we.
    Keywords({INT_OR_STRING: True}),
]
