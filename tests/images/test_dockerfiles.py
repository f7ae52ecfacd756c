"""What the Dockerfiles install is installed here in a fresh virtual environment, and is enough to start the program."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from dev.processes import CHECKOUT


@dataclass(frozen=True)
class Image:
    """A variant of a Dockerfile, what must be importable in it and what not, and how its program ends here."""

    dockerfile: str
    imports: str
    arguments: tuple[str, ...]
    code: int
    words: str
    variant: str = ""
    absent: tuple[str, ...] = ()


TRAINING = Image(
    "training-image/Dockerfile",
    "import prefect, sklearn, skops, skl2onnx, onnxruntime, evidently, great_expectations, mira_training.__main__",
    ("-m", "mira_training", "run", "no-such-order.json"),
    64,
    "no-such-order.json",
)
HEAVY = ("evidently", "great_expectations", "plotly")
IMAGES = {
    "operator": Image(
        "Dockerfile",
        "import kopf, kubernetes, boto3, mira.controller.__main__",
        ("-m", "mira.controller"),
        78,
        "MIRA_REGISTRY",
        absent=("sklearn", "pandas", *HEAVY),
    ),
    "training": TRAINING,
    "training, slim": replace(
        TRAINING,
        variant="slim",
        imports="import prefect, sklearn, skops, skl2onnx, onnxruntime, mira_training.__main__",
        absent=HEAVY,
    ),
}


@pytest.fixture(scope="module")
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Image], Path]:
    """The python of each image's environment, which is installed once."""
    return cache(lambda image: installed(image, tmp_path_factory.mktemp("image")))


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES.keys())
def test_its_install_line_gives_an_environment_in_which_its_program_starts(
    image: Image, python_of: Callable[[Image], Path]
) -> None:
    python = python_of(image)
    done = run(python, ["-c", image.imports])
    assert done.returncode == 0, done.stderr
    found = run(python, ["-c", f"import importlib.util as i; print([n for n in {image.absent!r} if i.find_spec(n)])"])
    assert found.stdout.strip() == "[]"
    done = run(python, list(image.arguments))
    assert done.returncode == image.code, done.stderr
    assert image.words in done.stdout + done.stderr


def test_the_slim_variant_refuses_a_suite_at_its_start(python_of: Callable[[Image], Path], tmp_path: Path) -> None:
    python = python_of(IMAGES["training, slim"])
    (tmp_path / "suite.json").write_text('{"expectations": [{"type": "expect_column_to_exist", "kwargs": {}}]}')
    data = {"training": {"uri": "rows.csv"}, "target": "y", "checks": {"expectations": {"uri": "suite.json"}}}
    run_ = {
        "apiVersion": "mira.constellation.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": "a"},
        "spec": {"model": "a", "task": "Classification", "data": data},
    }
    (tmp_path / "run.json").write_text(json.dumps(run_))
    arguments = ["-m", "mira_training", "run", str(tmp_path / "run.json"), "--registry", str(tmp_path / "registry")]
    done = run(python, arguments)
    assert (done.returncode, "built without Great Expectations" in done.stderr) == (64, True), done.stderr


def installed(image: Image, folder: Path) -> Path:
    """The python of a new environment that holds exactly the locked requirements that the Dockerfile names."""
    text = (CHECKOUT / image.dockerfile).read_text()
    written = set(re.findall(r"-r(?:equirement)? \S*?(\w+(?:\$\{VARIANT:\+-\$VARIANT\})?\.txt)", text))
    (lock,) = {name.replace("${VARIANT:+-$VARIANT}", f"-{image.variant}" if image.variant else "") for name in written}
    # pip in the image, uv here: the same lock and the same hashes, but from uv's cache. Without --no-deps pip would
    # refuse a lock that uv takes.
    assert "--no-deps --require-hashes" in text
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    flags = ["--quiet", "--python", python, "--no-deps", "--require-hashes", "-r", CHECKOUT / "requirements" / lock]
    subprocess.run([uv, "pip", "install", *flags], check=True)
    # What pip would have said: the lock is whole.
    subprocess.run([uv, "pip", "check", "--quiet", "--python", python], check=True)
    return python


def run(python: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    code = os.pathsep.join(str(CHECKOUT / folder) for folder in ("operator", "training-image"))
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": code, "MIRA_TERMINATION_LOG": os.devnull}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    command = [python, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
