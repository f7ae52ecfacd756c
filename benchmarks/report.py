"""What the benchmarks measured, as a page of docs/: never a number without its floor beside it."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.children import Cost

LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "skl2onnx", "skops", "prefect")


@dataclass(frozen=True)
class Line:
    """Mira beside its floor. `seconds`: at most so many times the floor, and so many more; `memory`: times."""

    what: str
    mira: Cost
    floor: Cost
    seconds: tuple[float, float] | None = None
    memory: float | None = None

    @property
    def allowed(self) -> float | None:
        """Seconds, None without a budget of time."""
        return None if self.seconds is None else self.seconds[0] * self.floor.wall + self.seconds[1]

    @property
    def kept(self) -> bool:
        """Whether all its budgets are kept."""
        in_time = self.allowed is None or self.mira.wall <= self.allowed
        return in_time and (self.memory is None or self.mira.peak <= self.memory * self.floor.peak)


@dataclass(frozen=True)
class Run:
    """One run of all benchmarks; `load` is that of the machine just before."""

    lines: tuple[Line, ...]
    rounds: int
    load: tuple[float, float, float]


def report(run: Run) -> str:
    """The page."""
    return "\n".join([*_head(run), *(_row(line) for line in run.lines), *_foot()])


def _head(run: Run) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield "# What a training by Mira costs beside a plain script"
    yield ""
    yield "<!-- Written by `python -m benchmarks --report <this file>`; change benchmarks/ instead. -->"
    yield ""
    yield "The floor of a training is [a plain script](../../benchmarks/plain.py) that does the same with the same"
    yield "libraries: it reads the file with pandas, splits it, fits the same estimator, predicts, measures, and writes"
    yield "joblib and ONNX. It checks nothing, records nothing, compares nothing and draws no model card."
    yield "The rows are [flights of 2013 with the weather](../../benchmarks/flights.py), 21 columns, in Parquet."
    yield ""
    yield f"Measured on {datetime.now(UTC):%d %B %Y} on {os.cpu_count()} cores ({platform.machine()}, load"
    yield f"{run.load[0]:.1f} before), Python {platform.python_version()}, {versions}."
    yield f"Each number is the median of {run.rounds} runs, Mira and floor in turns. CPU is user and system time of the"
    yield "process: where others use the same cores, it says more than wall time. The peak is `ru_maxrss`. S3 is a"
    yield "SeaweedFS on the same cores."
    yield ""
    yield "| what | wall, s: Mira / floor | at most | CPU, s | peak, MiB | at most | |"
    yield "|---|---|---|---|---|---|---|"


def _row(line: Line) -> str:
    ours, floor = line.mira, line.floor
    in_time = "" if line.allowed is None else f"{line.allowed:.1f}"
    in_memory = "" if line.memory is None else f"{line.memory:g} x"
    times = f" ({ours.peak / floor.peak:.2f} x)"
    return (
        f"| {line.what} | {ours.wall:.2f} / {floor.wall:.2f} | {in_time} | {ours.cpu:.2f} / {floor.cpu:.2f} "
        f"| {ours.peak:.0f} / {floor.peak:.0f}{times} | {in_memory} | {'kept' if line.kept else 'missed'} |"
    )


def _foot() -> Iterator[str]:
    yield ""
    yield "The budgets: a training takes at most 10% and 2.5 s longer than its floor, most of that to import Prefect,"
    yield "skops and the ONNX runtime, and holds at most 1.25 times the memory; reading and splitting alone 1.5 times."
    yield "The floor of the checks is pandas looking at each column once: missing values, least and greatest number or"
    yield "how often each text occurs; both are the processor time of the fastest of five rounds."
    yield "Where memory is missed with 10,000 rows it is by libraries that the floor is without: Prefect first, the"
    yield "ONNX runtime that checks what was written, skops."
    yield ""
