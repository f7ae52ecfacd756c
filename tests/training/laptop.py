"""A laptop to type on: a folder with data, a manifest and own code; commands run in this process."""

import contextlib
import io
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from mira_training.__main__ import main
from mira_training.laptop import running

DROP = ["customer", "since", "loss", "band"]
MANIFEST = {
    "apiVersion": "mira.constellation.dev/v1alpha1",
    "kind": "TrainingRun",
    "metadata": {"name": "churn-1"},
    "spec": {
        "model": "churn",
        "task": "Classification",
        "parameters": {"max_iter": 2},
        "data": {"training": {"uri": "customers.csv"}, "target": "churned", "drop": DROP},
    },
}


@dataclass(frozen=True)
class Typed:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class NoWatchdog:
    """Ends nobody: this process is pytest's."""

    def arm(self, exit_code: int) -> None:
        pass


@dataclass(frozen=True)
class Laptop:
    """One's own folder; `mira_training` is what a person types there."""

    folder: Path

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def manifest(self, name: str = "run.yaml", *, metadata: dict | None = None, data: dict | None = None, **spec):
        """A manifest, `spec` over the usual one; `data` over the usual data, None to leave a field out."""
        fields = MANIFEST["spec"] | {"data": without_none(MANIFEST["spec"]["data"] | (data or {}))} | spec
        content = MANIFEST | {"metadata": metadata or MANIFEST["metadata"], "spec": without_none(fields)}
        return self.write(name, yaml.safe_dump(content))

    def types(self, *arguments: str) -> Typed:
        """The command in this process, in the folder."""
        out, err = io.StringIO(), io.StringIO()
        root, ours = logging.getLogger(), logging.getLogger("mira_training")
        before, level = root.handlers[:], ours.level
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(running, "Watchdog", NoWatchdog)
            for name in [name for name in os.environ if name.startswith(("MIRA_", "PREFECT_API"))]:
                patch.delenv(name)
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                root.handlers[:] = before
                ours.setLevel(level)
                logging.captureWarnings(capture=False)
        return Typed(code, out.getvalue(), err.getvalue())


def without_none(fields):
    return {name: value for name, value in fields.items() if value is not None}
