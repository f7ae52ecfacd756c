"""Logs as one JSON object per line on standard output: time, level, step, message."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from typing_extensions import override

BEFORE_ANY_STEP = "start"
_step: ContextVar[str] = ContextVar("step", default=BEFORE_ANY_STEP)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; a traceback goes into `error`, its line breaks escaped."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "step": _step.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure(handler: logging.Handler | None = None) -> None:
    """Sends every record of ours, and warnings of everybody, to the handler; by default to standard output."""
    if handler is None:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mira_training").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


@contextmanager
def in_step(name: str) -> Iterator[None]:
    """Says in every record of the block which step it belongs to."""
    token = _step.set(name)
    try:
        yield
    finally:
        _step.reset(token)


def current_step() -> str:
    """The name of the step that runs, `start` before the first."""
    return _step.get()
