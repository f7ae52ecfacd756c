"""A pod that is told to stop ends in its time and says so, whatever code runs."""

import os
import subprocess
import sys
import time

from dev.processes import CHECKOUT
from mira.registry.outcome import Termination

STUCK = "tests.training.own_code_that_hangs:stuck"
# An attempt in a process of its own, as in a pod; the feature hook creates the file `stuck` and never comes back.
PROGRAM = f"""
import sys, uuid
from pathlib import Path
from mira_training.attempt import Attempt
from mira_training.interruption import Interruption
from mira_training.settings import Settings
from mira_training.watchdog import Watchdog
from tests.training.workbench import Workbench, csv, customers

bench = Workbench(Path(sys.argv[1]))
bench.data.objects["s3://data/rows.csv"] = csv(customers())
order = bench.order(features="{STUCK}")
(bench.folder / "order.json").write_bytes(order.render())
settings = Settings(bench.folder / "order.json", bench.folder / "termination", str(uuid.uuid4()))
interruption = Interruption(patience=0.5)
interruption.listen()
known = Watchdog(grace=0.1).arm
sys.exit(Attempt(settings, lambda _: (bench.store, bench.data), interruption, known=known).run())
"""


def test_code_that_never_comes_back_is_ended_with_its_outcome_said(tmp_path):
    environment = os.environ | {"STUCK": str(tmp_path / "stuck"), "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=environment, cwd=CHECKOUT, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "stuck").exists():
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=20)
    said = Termination.parse((tmp_path / "termination").read_bytes())
    assert (process.returncode, said.result, said.step) == (1, "Interrupted", "validate")
