"""One step measured in a process of its own: `validation` by processor time, `ingest` and `read` by peak memory."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.flights import TARGET
from mira.api.data import Checks, ColumnType, Format
from mira.registry.folder import FolderStore
from mira_training.assignment import assign
from mira_training.data.checks import failed_checks
from mira_training.data.columns import NUMBERS, type_of
from mira_training.data.files import Files
from mira_training.data.tables import read_table
from mira_training.laptop.orders import order_in
from mira_training.model.plan import plan
from mira_training.ports import Ports
from mira_training.steps.ingest import ingest

ROUNDS = 5
SHARE = 0.2


def validation(data: Path) -> dict[str, float]:
    """Seconds of processor for all checks of every column, and for the floor: each column looked at once by pandas."""
    frame = read_table(data, str(data), Format.PARQUET)
    checks = Checks.model_validate({"minRows": 10, "columns": [_check(frame, name) for name in frame.columns]})
    if found := failed_checks(frame, checks):
        raise RuntimeError(f"the benchmark's checks fail: {found[0].message}")
    return {
        "mira": _seconds(lambda: failed_checks(frame, checks)),
        "floor": _seconds(lambda: _one_pass(frame)),
        "columns": len(checks.columns),
    }


def _check(frame: pd.DataFrame, name: str) -> dict[str, object]:
    """All rules that fit the column."""
    values, kind = frame[name], type_of(frame[name])
    rules: dict[str, object] = {"name": name, "type": kind, "maxNullShare": "0.5"}
    if kind in NUMBERS and kind is not ColumnType.BOOLEAN:
        rules |= {"minimum": str(float(values.min())), "maximum": str(float(values.max()))}
    elif kind is ColumnType.STRING and values.nunique() < 100:
        rules |= {"allowed": tuple(sorted(values.dropna().unique()))}
    elif kind is ColumnType.STRING:
        rules |= {"pattern": "[A-Z0-9]{3,6}"}
    return rules


def _one_pass(frame: pd.DataFrame) -> None:
    """How many values are missing; least and greatest number; how often each text."""
    for name in frame.columns:
        values = frame[name]
        values.isna().sum()
        if type_of(values) is ColumnType.STRING:
            values.value_counts()
        else:
            values.min(), values.max()


def _seconds(work: Callable[[], object]) -> float:
    """The processor time of the fastest of a few rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def ingested(manifest: Path) -> dict[str, float]:
    """The rows of both sides as the step `ingest` gives them."""
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=manifest.parent) as folder:
        order = order_in(manifest)
        assignment = assign(order, "00000000-00000000", on_laptop=True)
        ports = Ports(FolderStore(Path(folder).as_uri()), Files(), lambda: datetime.now(UTC), Path(folder))
        found = ingest(assignment, plan(assignment.spec), ports)
        return {"rows": len(found.division.training) + len(found.division.evaluation)}


def read(data: Path) -> dict[str, float]:
    """The floor of `ingest`: a plain script that reads the file and splits it at random."""
    frame = pd.read_parquet(data)
    held_out = np.random.default_rng(0).random(len(frame)) < SHARE
    training, evaluation = frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)
    return {"rows": len(training.drop(columns=TARGET)) + len(evaluation)}


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps({"validation": validation, "ingest": ingested, "read": read}[sys.argv[1]](Path(sys.argv[2]))) + "\n"
    )
