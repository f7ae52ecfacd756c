"""A TrainingRun as a person runs it on a laptop: its data may also lie in files."""

from typing import Annotated

from pydantic import Field

from mira.api.data import Checks, Data, DataInput, DataSource, Expectations
from mira.api.scalars import S3_URI
from mira.api.trainingrun import TrainingRun, TrainingRunSpec

Uri = Annotated[str, Field(min_length=7, max_length=4096, pattern=rf"{S3_URI}|^file:///[^\x00-\x1f\x7f]+$")]


class LaptopSource(DataSource):
    """Rows in S3 or in files."""

    uri: Uri


class LaptopInput(DataInput):
    """One more table, in S3 or in files."""

    uri: Uri


class LaptopExpectations(Expectations):
    """A Great Expectations suite in S3 or in a file."""

    uri: Uri | None = None


class LaptopChecks(Checks):
    """What the data must satisfy, with a suite that may lie in a file."""

    expectations: LaptopExpectations | None = None


class LaptopData(Data):
    """What a run on a laptop reads."""

    training: LaptopSource
    holdout: LaptopSource | None = None
    inputs: Annotated[tuple[LaptopInput, ...], Field(max_length=16)] = ()
    checks: LaptopChecks | None = None


class LaptopSpec(TrainingRunSpec):
    """A TrainingRun's spec, with the same defaults."""

    data: LaptopData


class LaptopRun(TrainingRun):
    """A TrainingRun that no API server has seen."""

    spec: LaptopSpec
