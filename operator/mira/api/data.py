"""The data of a TrainingRun: where it lies, how it is split, what it must satisfy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mira.api.meta import Model
from mira.api.scalars import (
    IDENTIFIER,
    Bool,
    CodeRef,
    ColumnName,
    Decimal,
    Fraction,
    Int,
    ObjectName,
    S3Uri,
    Share,
)
from mira.api.schema import LIST_SET, Rule, in_words, list_map, rules

SUFFIXES = (".csv", ".csv.gz", ".parquet")
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
DEFAULT_FRACTION = "0.2"


class Format(StrEnum):
    """How rows are written in an object."""

    CSV = "CSV"
    PARQUET = "Parquet"


class SplitMethod(StrEnum):
    """How the rows are chosen that the model is evaluated on."""

    HASH = "Hash"
    TIME = "Time"
    GROUP = "Group"
    RANDOM = "Random"


class OnFinding(StrEnum):
    """What a finding in the data leads to."""

    FAIL = "Fail"
    WARN = "Warn"
    IGNORE = "Ignore"


class ColumnType(StrEnum):
    """The type that a column's values must have."""

    STRING = "String"
    INTEGER = "Integer"
    NUMBER = "Number"
    BOOLEAN = "Boolean"
    TIMESTAMP = "Timestamp"


_KNOWN_SUFFIX = "self.uri.endsWith('.csv') || self.uri.endsWith('.csv.gz') || self.uri.endsWith('.parquet')"
_PIN_ONE_OBJECT = Rule(
    "!has(self.versionId) || !self.uri.endsWith('/')",
    "versionId pins one object; a uri that ends in / names a prefix, which has none: remove versionId",
    field=".versionId",
)


class DataSource(Model):
    """One object, or all objects under a prefix."""

    model_config = ConfigDict(json_schema_extra=rules(_PIN_ONE_OBJECT))

    uri: S3Uri = Field(
        description="Where the data lies: `s3://bucket/key` for one object, `s3://bucket/prefix/` for all objects "
        "under a prefix. The first attempt lists a prefix and later attempts use the same list."
    )
    format: Format | None = Field(
        default=None,
        description="How the rows are written: CSV or Parquet. Default: by the suffix of uri (.csv, .csv.gz, "
        ".parquet). Required otherwise, also for a prefix, unless the image reads the data itself (task Transform or "
        "Custom, or hooks.ingest).",
    )
    version_id: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        default=None,
        description="The S3 version of the object to read. Default: the newest when the first attempt starts.",
    )


class DataInput(DataSource):
    """One more table, handed to the user's code by name."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _PIN_ONE_OBJECT,
            Rule(
                f"has(self.format) || {_KNOWN_SUFFIX}",
                "format is required where the suffix of uri is not .csv, .csv.gz or .parquet: set it to CSV or Parquet",
                field=".format",
                reason="FieldValueRequired",
            ),
        )
    )

    format: Format | None = Field(
        default=None,
        description="How the rows are written: CSV or Parquet. Default: by the suffix of uri (.csv, .csv.gz, "
        ".parquet); required otherwise, also for a prefix.",
    )
    name: Annotated[
        str,
        Field(min_length=1, max_length=63, pattern=IDENTIFIER),
        in_words(IDENTIFIER, "must be letters, digits and underscores, with no digit first, e.g. plans_2026"),
    ] = Field(description="The name under which `features` or `hooks.ingest` finds the table.")


class Split(Model):
    """Which rows the model is evaluated on and does not see in training."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!(self.method in ['Time', 'Group']) || has(self.column)",
                "column is required with method Time and Group: name the column that holds the time or the group",
                field=".column",
                reason="FieldValueRequired",
            ),
            Rule(
                "self.method != 'Random' || !has(self.column)",
                "column is not used with method Random: remove it, or use method Hash or Group",
                field=".column",
                reason="FieldValueForbidden",
            ),
            Rule(
                "(self.method == 'Time') == has(self.evaluationFrom)",
                "evaluationFrom is required with method Time and allowed only there: write the first moment to "
                "evaluate on, e.g. 2026-10-01",
                field=".evaluationFrom",
            ),
            Rule(
                "self.method != 'Time' || !has(self.fraction)",
                "fraction is not used with method Time, where evaluationFrom divides the rows: remove it",
                field=".fraction",
                reason="FieldValueForbidden",
            ),
        )
    )

    method: SplitMethod = Field(
        default=SplitMethod.HASH,
        description="How rows are chosen. Hash: by a hash of the row without target and weight, so that a row stays "
        "on its side for ever, also when the data grows, and rows with equal features are on the same side. "
        "Group: by a hash of one column, so that its groups stay whole. Time: the rows from evaluationFrom on. Random: "
        "by the seed; on growing data the current version has then seen rows that it is evaluated on.",
    )
    column: ColumnName | None = Field(
        default=None,
        description="The column that method Time or Group looks at. With Hash: hash this column. Default with Hash: "
        "all columns but target and weight.",
    )
    fraction: Fraction | None = Field(
        default=None,
        description='The share of rows to evaluate on, e.g. "0.2", for Hash, Group and Random. Default: 0.2.',
    )
    evaluation_from: (
        Annotated[
            str,
            Field(min_length=10, max_length=32, pattern=MOMENT),
            in_words(MOMENT, "must be a date or a time in quotes, e.g. 2026-10-01 or 2026-10-01T12:00:00Z"),
        ]
        | None
    ) = Field(
        default=None,
        description="With method Time: rows from this date or time on are evaluated on, e.g. 2026-10-01 (UTC if no "
        "zone is given).",
    )


class ColumnCheck(Model):
    """What one column must satisfy."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!(has(self.minimum) || has(self.maximum)) || (has(self.type) && self.type in ['Integer', 'Number'])",
                "minimum and maximum are for columns of type Integer or Number: set type, or remove them",
                field=".type",
            ),
            Rule(
                "!has(self.minimum) || !has(self.maximum) || double(self.minimum) <= double(self.maximum)",
                "minimum must not be above maximum",
                field=".minimum",
            ),
            Rule(
                "!has(self.pattern) || (has(self.type) && self.type == 'String')",
                "pattern is for columns of type String: set type, or remove it",
                field=".type",
            ),
        )
    )

    name: ColumnName = Field(description="The column's name.")
    type: ColumnType | None = Field(
        default=None,
        description="The type of its values: String, Integer, Number, Boolean or Timestamp. Default: any.",
    )
    required: Bool = Field(default=True, description="Whether the data is invalid without this column.")
    max_null_share: Share | None = Field(
        default=None, description='The largest allowed share of missing values, e.g. "0.01". Default: any share.'
    )
    minimum: Decimal | None = Field(default=None, description="The smallest allowed value. Default: any.")
    maximum: Decimal | None = Field(default=None, description="The largest allowed value. Default: any.")
    allowed: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=256), LIST_SET] = Field(
        default=(), description="The only allowed values, as text. Default: any."
    )
    unique: Bool = Field(default=False, description="Whether no value may occur twice.")
    pattern: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None, description="A regular expression that every whole value must match. Default: any text."
    )


class Expectations(Model):
    """A Great Expectations suite, as version 1.x writes it to JSON."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "has(self.configMap) != has(self.uri)",
                "set exactly one of configMap and uri: where the expectation suite lies",
            )
        )
    )

    config_map: ObjectName | None = Field(
        default=None,
        description="The ConfigMap in the run's namespace whose key `suite.json` holds the suite; it must exist when "
        "the run is created. Exactly one of configMap and uri is set.",
    )
    uri: S3Uri | None = Field(
        default=None, description="The object that holds the suite. Exactly one of configMap and uri is set."
    )


class Checks(Model):
    """What the data must satisfy before anything is trained."""

    min_rows: Annotated[Int, Field(ge=1, le=1_000_000_000_000)] | None = Field(
        default=None,
        description="The smallest allowed number of rows. Default: as many as training and evaluation need.",
    )
    schema_drift: OnFinding = Field(
        default=OnFinding.WARN,
        description="What happens if columns or types differ from the current version's training data: Fail, Warn or "
        "Ignore.",
    )
    extra_columns: OnFinding = Field(
        default=OnFinding.IGNORE,
        description="What happens if there are columns that `columns` does not list: Fail, Warn or Ignore.",
    )
    columns: Annotated[tuple[ColumnCheck, ...], Field(max_length=256), list_map("name")] = Field(
        default=(), description="What single columns must satisfy. Default: nothing."
    )
    expectations: Expectations | None = Field(
        default=None,
        description="A Great Expectations suite that the rows of training must pass, as they were read. An expectation "
        "of severity warning or info that fails is a warning. Default: none.",
    )


class Data(Model):
    """What a run reads, predicts and checks."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                "!has(self.target) || !has(self.drop) || !(self.target in self.drop)",
                "drop must not contain the target column: remove it there",
                field=".drop",
            ),
            Rule(
                "!has(self.target) || !has(self.weight) || self.target != self.weight",
                "weight must not be the target column: name another one",
                field=".weight",
            ),
            Rule(
                "!has(self.holdout) || !has(self.split)",
                "holdout and split exclude each other: with holdout, its rows are what the model is evaluated on",
                field=".split",
                reason="FieldValueForbidden",
            ),
        )
    )

    training: DataSource = Field(description="The rows to train on.")
    holdout: DataSource | None = Field(
        default=None, description="The rows to evaluate on. Default: a part of training, chosen by split."
    )
    inputs: Annotated[tuple[DataInput, ...], Field(max_length=16), list_map("name")] = Field(
        default=(),
        description="More tables, handed to `features` or `hooks.ingest`; refused without one of them. Default: none.",
    )
    target: ColumnName | None = Field(
        default=None, description="The column to predict. Required for task Classification and Regression."
    )
    weight: ColumnName | None = Field(
        default=None,
        description="The column with the weight of each row; no feature. Default: all rows weigh the same.",
    )
    drop: Annotated[tuple[ColumnName, ...], Field(max_length=256), LIST_SET] = Field(
        default=(), description="Columns that the model must not see, e.g. identifiers. Default: none."
    )
    split: Split | None = Field(
        default=None,
        description="Which rows of training the model is evaluated on. Default: method Hash of all columns but target "
        "and weight, 20% of the rows. Excludes holdout.",
    )
    checks: Checks | None = Field(
        default=None,
        description="What the data must satisfy before anything is trained. Default: the target exists and there are "
        "enough rows.",
    )


class Hooks(Model):
    """User code in the image, called instead of or after a step of Mira's."""

    metrics: CodeRef | None = Field(
        default=None, description="`module:attr` of a function that adds metrics of its own. Default: none."
    )
    ingest: CodeRef | None = Field(
        default=None,
        description="`module:attr` of a function that reads the data instead of Mira. Default: Mira reads it.",
    )
    train: CodeRef | None = Field(
        default=None,
        description="`module:attr` of a function that does the whole training; only with task Custom. Default: Mira "
        "fits the estimator.",
    )
