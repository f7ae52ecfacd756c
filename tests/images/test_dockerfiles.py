"""What the Dockerfiles install is installed here in a fresh virtual environment, and is enough to start the program."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dev.processes import CHECKOUT

IMAGES = {
    "Dockerfile": (["-m", "mira.controller"], 78, "MIRA_REGISTRY"),
    "training-image/Dockerfile": (["-m", "mira_training", "run", "no-such-order.json"], 64, "no-such-order.json"),
}
IMPORTS = {
    "Dockerfile": "import kopf, kubernetes, boto3, mira.controller.__main__",
    "training-image/Dockerfile": "import prefect, sklearn, skops, skl2onnx, onnxruntime, mira_training.__main__",
}


@pytest.mark.parametrize("dockerfile", IMAGES)
def test_its_install_line_gives_an_environment_in_which_its_program_starts(dockerfile: str, tmp_path: Path) -> None:
    python = installed(dockerfile, tmp_path)
    done = run(python, ["-c", IMPORTS[dockerfile]])
    assert done.returncode == 0, done.stderr
    arguments, code, words = IMAGES[dockerfile]
    done = run(python, arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr


def installed(dockerfile: str, folder: Path) -> Path:
    """The python of a new environment that holds exactly the locked requirements that the Dockerfile names."""
    text = (CHECKOUT / dockerfile).read_text()
    (lock,) = set(re.findall(r"requirements/\w+\.txt", text))
    # pip in the image, uv here: the same lock and the same hashes, but from uv's cache.
    assert "--require-hashes" in text
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", CHECKOUT / lock]
    subprocess.run(install, check=True)
    return python


def run(python: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    code = os.pathsep.join(str(CHECKOUT / folder) for folder in ("operator", "training-image"))
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": code, "MIRA_TERMINATION_LOG": os.devnull}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    command = [python, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
