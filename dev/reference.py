"""The reference pages of settings and metrics, written from the code: `python -m dev.reference`, or `--check`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from mira.adapters.metrics import Metrics
from mira.controller.settings import Settings
from mira_training.serve.metrics import Metrics as ServingMetrics
from mira_training.serve.settings import Settings as ServingSettings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
GENERATED = "<!-- Written by `make generate`; do not edit. -->\n\n"


def settings_page() -> str:
    """A table of every setting of the operator."""
    head = "# The operator's settings\n\nEach is an environment variable; the chart sets them from its values.\n\n"
    return GENERATED + head + _settings_table(Settings)


def metrics_page() -> str:
    """A table of every metric of the operator."""
    head = "# The operator's metrics\n\nServed at `/metrics` on the probes' port.\n\n"
    return GENERATED + head + _metrics_table(Metrics())


def serving_page() -> str:
    """Two tables: every setting and every metric of the inference server."""
    head = "# The inference server's settings and metrics\n\nEach setting is an environment variable.\n\n"
    metrics = "\nThe metrics are served at `/metrics` on the same port.\n\n"
    return GENERATED + head + _settings_table(ServingSettings) + metrics + _metrics_table(ServingMetrics())


def _settings_table(settings: type[BaseSettings]) -> str:
    rows = [
        f"| `MIRA_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in settings.model_fields.items()
    ]
    return "| variable | default | what it is |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _metrics_table(metrics: Metrics | ServingMetrics) -> str:
    head = "| metric | type | labels | what it counts |\n|---|---|---|---|\n"
    return head + "\n".join(_metrics(metrics)) + "\n"


def _metrics(metrics: Metrics | ServingMetrics) -> Iterator[str]:
    for collector in vars(metrics).values():
        for family in collector.describe() if hasattr(collector, "describe") else []:
            total = "_total" if family.type == "counter" else ""
            labels = ", ".join(f"`{label}`" for label in collector._labelnames)  # noqa: SLF001 - no public way to them
            yield f"| `{family.name}{total}` | {family.type} | {labels or '-'} | {family.documentation} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "the host's name"
    value = field.default
    if value is None or value == ():
        return "-"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def main() -> int:
    """0, or with --check the number of pages that are not what the code would write."""
    stale = 0
    pages = {"settings.md": settings_page(), "metrics.md": metrics_page(), "serving.md": serving_page()}
    for name, text in pages.items():
        path = FOLDER / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale += 1
            sys.stdout.write(f"{path.relative_to(FOLDER.parents[1])} is out of date: run make generate\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
