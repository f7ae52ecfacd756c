"""`python -m benchmarks`: a training by Mira beside a plain script that does the same, on one machine, in turns."""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.children import Cost, cost_of
from benchmarks.report import Line, Run, report
from dev.processes import CHECKOUT, Supervisor
from dev.s3.roles import DATA_BUCKET, REGISTRY_BUCKET, Role
from dev.s3.server import SeaweedFS

CACHE = CHECKOUT / ".cache" / "bench"
SIZES = (10_000, 1_000_000)
BIG = SIZES[-1]
LATE = {"target": "late", "drop": ["arr_delay", "arr_time", "air_time"]}
# `benchmarks/flights.py` says the same; importing it would make this process large, and with it all it measures.


@dataclass(frozen=True)
class Place:
    """Where the data lies and the version goes."""

    name: str
    data: Callable[[int], str]
    registry: str | None
    environment: Mapping[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if every budget is kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run; the median counts; default: 3")
    parser.add_argument("--report", type=Path, help="write what was measured, as Markdown")
    wanted = parser.parse_args(arguments)
    CACHE.mkdir(parents=True, exist_ok=True)
    # The image has no pytest; where scikit-learn finds one, it imports it.
    (CACHE / "image").mkdir(exist_ok=True)
    (CACHE / "image" / "pytest.py").write_text('raise ImportError("the image has no pytest")\n')
    sys.path.insert(0, str(CACHE / "image"))
    sys.path.insert(1, str(CHECKOUT))
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="run-", dir=CACHE) as folder:
        lines = _measured(Path(folder), wanted.rounds)
    page = report(Run(tuple(lines), wanted.rounds, load))
    sys.stdout.write(page)
    if wanted.report:
        wanted.report.write_text(page)
    return 0 if all(line.kept for line in lines) else 1


def _measured(folder: Path, rounds: int) -> list[Line]:
    for rows in SIZES:
        cost_of(["-m", "benchmarks.flights", str(CACHE), str(rows)], folder)
    here = Place("files", lambda rows: str(_parquet(rows)), None, {})
    lines = [_flow(here, rows, folder, rounds) for rows in SIZES]
    with Supervisor() as supervisor, SeaweedFS(supervisor, folder / "s3") as s3:
        client = s3.client(Role.ADMIN)
        for rows in SIZES:
            client.upload_file(str(_parquet(rows)), DATA_BUCKET, _parquet(rows).name)
        there = Place(
            "S3",
            lambda rows: f"s3://{DATA_BUCKET}/{_parquet(rows).name}",
            f"s3://{REGISTRY_BUCKET}/bench",
            s3.credentials(Role.ADMIN),
        )
        lines += [_flow(there, rows, folder, rounds) for rows in SIZES]
    return [*lines, _ingest(folder, rounds), _validation(folder, rounds)]


def _flow(place: Place, rows: int, folder: Path, rounds: int) -> Line:
    """The whole training, in turns with its floor, so that both see the same machine."""
    mira, plain = [], []
    for number in range(rounds):
        work = folder / f"{place.name}-{rows}-{number}"
        work.mkdir()
        _manifest(work, place.data(rows), f"{place.name.lower()}-{rows}-{number}")
        where = ["--registry", place.registry] if place.registry else []
        plain.append(cost_of(["-m", "benchmarks.plain", place.data(rows), str(work)], work, place.environment))
        mira.append(cost_of(["-m", "mira_training", "run", "run.yaml", *where], work, place.environment))
        shutil.rmtree(work)
    what = f"the whole training, {rows:,} rows, {place.name}"
    return Line(what, _middle(mira), _middle(plain), seconds=(1.1, 2.5), memory=1.25)


def _ingest(folder: Path, rounds: int) -> Line:
    _manifest(folder, str(_parquet(BIG)), "ingest")
    mira = [cost_of(["-m", "benchmarks.steps", "ingest", str(folder / "run.yaml")], folder) for _ in range(rounds)]
    plain = [cost_of(["-m", "benchmarks.steps", "read", str(_parquet(BIG))], folder) for _ in range(rounds)]
    return Line(f"ingest alone, {BIG:,} rows, files", _middle(mira), _middle(plain), memory=1.5)


def _validation(folder: Path, rounds: int) -> Line:
    """Processor time of the checks alone: their process's own time is that of reading the file."""
    costs = [cost_of(["-m", "benchmarks.steps", "validation", str(_parquet(BIG))], folder) for _ in range(rounds)]
    mira, plain = (
        Cost(found, found, statistics.median(cost.peak for cost in costs))
        for found in (statistics.median(cost.said[who] for cost in costs) for who in ("mira", "floor"))
    )
    return Line(f"every check of 21 columns, {BIG:,} rows", mira, plain, seconds=(0.0, 0.3))


def _middle(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "peak")))


def _parquet(rows: int) -> Path:
    return CACHE / f"flights-{rows}.parquet"


def _manifest(folder: Path, uri: str, name: str) -> None:
    spec = {"model": "late", "task": "Classification", "data": {"training": {"uri": uri}, **LATE}}
    run = {"apiVersion": "mira.constellation.dev/v1alpha1", "kind": "TrainingRun", "metadata": {"name": name}}
    (folder / "run.yaml").write_text(yaml.safe_dump(run | {"spec": spec}))


if __name__ == "__main__":
    sys.exit(main())
