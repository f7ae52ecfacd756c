"""The strings and numbers of the API with their bounds: a name is spelled the same way wherever it stands.

Patterns are anchored and written for the common subset of Go, Rust and Python expressions.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, Strict

from mira.api.schema import INT_OR_STRING, Keywords, Rule, cel, in_words

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
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
CODE_REF = f"^{DOTTED}:{DOTTED}$"
ESTIMATOR = f"^({DOTTED}:{DOTTED}|[A-Za-z0-9][A-Za-z0-9._-]*)$"
METRIC = r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$"
SLICE = r"^([^=\x00-\x1f\x7f]+=[^\x00-\x1f\x7f]*)?$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
S3_URI = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\x00-\x1f\x7f{}]+$"
DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
NOT_NEGATIVE = r"^[0-9]+(\.[0-9]+)?$"
SHARE = r"^(0(\.[0-9]+)?|1(\.0+)?)$"
FRACTION = r"^0\.[0-9]*[1-9][0-9]*$"
CRON_FIELD = r"[0-9A-Za-z*/,-]+"
CRON = f"^{CRON_FIELD}( {CRON_FIELD}){{4}}$"
ZONE = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"


def _cron_field(value: str) -> str:
    """The expression of one field: lists of values, ranges and steps."""
    item = rf"(\*|({value})(-({value}))?)(/0*[1-9][0-9]*)?"
    return f"{item}(,{item})*"


POSSIBLE_CRON = "^(?i:{})$".format(
    " ".join(
        _cron_field(value)
        for value in (
            "[0-5]?[0-9]",
            "[01]?[0-9]|2[0-3]",
            "0?[1-9]|[12][0-9]|3[01]|L",
            "0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC",
            "0?[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT",
        )
    )
)
"""Only the API server asks for it: a schedule that was stored before stays readable, and its ModelStage says so."""

RESERVED_VERSIONS = ("current", "latest", "previous")

_LABEL_IN_WORDS = in_words(
    LABEL, "must be lower-case letters, digits and dashes, with a letter or digit first and last, e.g. churn-eu"
)
ModelName = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL), _LABEL_IN_WORDS]
StageName = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL), _LABEL_IN_WORDS]
ObjectName = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=SUBDOMAIN),
    in_words(
        SUBDOMAIN,
        "must be an object's name: lower-case letters, digits, dashes and dots, a letter or digit at each end",
    ),
]
VersionId = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=VERSION_ID),
    cel(
        Rule(
            f"!(self in {list(RESERVED_VERSIONS)})",
            "a version cannot be named current, latest or previous: these words point at versions; choose another name",
        )
    ),
    in_words(
        VERSION_ID,
        "must be letters, digits, dashes, underscores and single dots, with a letter or digit first, e.g. 2026-11_v1.2",
    ),
]
Digest = Annotated[
    str,
    Field(min_length=71, max_length=71, pattern=DIGEST),
    in_words(
        DIGEST,
        "must be a whole digest, sha256: and 64 hex digits: copy it from status.digest, which is there once the "
        "version is verified",
    ),
]
# A service account is system:serviceaccount:<63>:<253>.
UserName = Annotated[
    str,
    Field(min_length=1, max_length=512, pattern=PRINTABLE),
    in_words(PRINTABLE, "must be a user name in one line, without control characters; kubectl auth whoami says yours"),
]
Sentence = Annotated[
    str, Field(max_length=1024, pattern=TEXT), in_words(TEXT, "must be text, without control characters")
]
Message = Annotated[str, Field(max_length=32768)]

Image = Annotated[
    str,
    Field(min_length=1, max_length=512, pattern=IMAGE),
    in_words(
        IMAGE,
        "must be an image with its registry and by digest, e.g. registry.example.com/ml/churn@sha256:<64 hex digits>; "
        "a tag alone can be moved to another image",
    ),
]
CodeRef = Annotated[
    str,
    Field(min_length=3, max_length=256, pattern=CODE_REF),
    in_words(CODE_REF, "must be module:attr, the module and what it holds in the image, e.g. churn.features:make"),
]
Estimator = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=ESTIMATOR),
    in_words(ESTIMATOR, "must be module:attr, e.g. churn.model:make, or a name that the image registers"),
]
MetricName = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=METRIC),
    in_words(METRIC, "must be a metric's name of letters, digits and _ . @ -, e.g. roc_auc or precision@10"),
]
ColumnName = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=PRINTABLE),
    in_words(PRINTABLE, "must be a column's name in one line, without control characters"),
]
Slice = Annotated[
    str, Field(max_length=256, pattern=SLICE), in_words(SLICE, "must be column=value, e.g. plan=pro, or empty")
]
S3Uri = Annotated[
    str,
    Field(min_length=7, max_length=1024, pattern=S3_URI),
    in_words(
        S3_URI, "must be s3://bucket/key, or s3://bucket/prefix/ for all objects under a prefix; no braces in the key"
    ),
    cel(
        Rule(
            r"!self.matches('/[.]{1,2}(/|$)')",
            "a uri must not have . or .. between slashes; write the key as it is in the bucket",
        )
    ),
]

Decimal = Annotated[
    str,
    Field(min_length=1, max_length=32, pattern=DECIMAL),
    in_words(DECIMAL, 'must be a decimal in quotes, with a point and without an exponent, e.g. "0.75"'),
]
NotNegative = Annotated[
    str,
    Field(min_length=1, max_length=32, pattern=NOT_NEGATIVE),
    in_words(
        NOT_NEGATIVE, 'must be a decimal in quotes, not below 0, with a point and without an exponent, e.g. "0.002"'
    ),
]
Share = Annotated[
    str,
    Field(min_length=1, max_length=32, pattern=SHARE),
    in_words(SHARE, 'must be a share in quotes, from "0" to "1", e.g. "0.3"'),
]
Fraction = Annotated[
    str,
    Field(min_length=3, max_length=32, pattern=FRACTION),
    in_words(FRACTION, 'must be a share in quotes, above 0 and below 1, e.g. "0.2"'),
]
Cron = Annotated[
    str,
    Field(min_length=9, max_length=128, pattern=CRON),
    in_words(
        POSSIBLE_CRON,
        "must be five cron fields: minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, day of week 0-7 "
        'or SUN-SAT, each also as *, list, range or step; e.g. "0 16 * * 5"',
    ),
]
TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=ZONE),
    cel(
        Rule(
            # An unknown zone is an error of the evaluation, which refuses the object too, with these words.
            "timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",
            "must be the name of a time zone, e.g. Europe/Berlin or UTC",
        )
    ),
]

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
