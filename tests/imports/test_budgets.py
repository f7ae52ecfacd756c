"""What starting costs, in modules that are imported: the same on every machine, where seconds are not."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.processes import CHECKOUT
from tests.training.workbench import csv, customers

TRAINING = {"pandas", "numpy", "sklearn", "scipy", "prefect", "pyarrow", "onnxruntime", "skops", "skl2onnx"}
S3 = {"boto3", "botocore"}
ON_DEMAND = {"great_expectations", "evidently", "plotly", "matplotlib", "xgboost", "lightgbm", "torch", "tqdm"}
CLUSTER = {"kopf", "kubernetes", "aiohttp"}
CALL = "from mira_training.__main__ import main\ntry: main({arguments!r})\nexcept SystemExit: pass"
MANIFEST = """
apiVersion: mira.constellation.dev/v1alpha1
kind: TrainingRun
metadata: {name: churn-1}
spec:
  model: churn
  task: Classification
  parameters: {max_iter: 2}
  data: {training: {uri: customers.csv}, target: churned, drop: [customer, since, loss, band]}
"""


@dataclass(frozen=True)
class Budget:
    """How many modules this code may have imported at its end, and which packages it must do without."""

    code: str
    most: int
    without: frozenset[str]


def typed(*arguments: str) -> str:
    return CALL.format(arguments=list(arguments))


# What was counted when this was written: 63, 107, 735, 1691, 3287, 599, 1945. A tenth more is a reason to look.
BUDGETS = {
    "reading a registry": Budget("import mira.registry", 80, frozenset({"pydantic"} | S3 | TRAINING | CLUSTER)),
    "mira-training --help": Budget(typed("--help"), 120, frozenset(S3 | TRAINING | CLUSTER | ON_DEMAND)),
    "mira-training infer": Budget(
        typed("infer", "customers.csv"), 810, frozenset({"sklearn", "prefect"} | S3 | CLUSTER | ON_DEMAND)
    ),
    "mira-training describe": Budget(
        typed("describe", "sklearn.linear_model:Ridge"), 1860, frozenset({"prefect"} | S3 | CLUSTER | ON_DEMAND)
    ),
    "a whole training": Budget(typed("run", "run.yaml"), 3600, frozenset(S3 | CLUSTER | ON_DEMAND)),
    "the inference server": Budget(
        "import mira_training.serve.__main__",
        660,
        frozenset((TRAINING - {"numpy", "onnxruntime"}) | CLUSTER | ON_DEMAND),
    ),
    "the operator": Budget("import mira.controller.__main__", 2140, frozenset(TRAINING | ON_DEMAND)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place to train in, with a pytest that cannot be imported: scikit-learn imports one where there is one."""
    made = tmp_path_factory.mktemp("imports")
    (made / "customers.csv").write_bytes(csv(customers()))
    (made / "run.yaml").write_text(MANIFEST)
    (made / "image").mkdir()
    (made / "image" / "pytest.py").write_text('raise ImportError("the image has no pytest")\n')
    return made


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS.keys())
def test_starts_within_its_budget(budget: Budget, folder: Path) -> None:
    path = [folder / "image", CHECKOUT / "operator", CHECKOUT / "training-image"]
    done = subprocess.run(
        [sys.executable, "-c", f"{budget.code}\nimport sys\nprint(*sorted(sys.modules), file=sys.stderr)"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    modules = done.stderr.splitlines()[-1].split()
    assert {name.partition(".")[0] for name in modules} & budget.without == set()
    assert len(modules) <= budget.most, len(modules)
    assert len(modules) > budget.most * 0.6, "the budget says nothing any more"
