"""Logs as one JSON object per line."""

import json
import logging
import sys
from datetime import UTC, datetime

OWN = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One record as one line: time, level, logger, message, whatever `extra` holds, and the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line; a value that JSON does not know is written as text, so no record is lost."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in record.__dict__.items() if name not in OWN},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logs(level: str) -> None:
    """Sends Mira's records of this level and up, and everybody's warnings, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mira").setLevel(level)
    # kopf says at ERROR what its supervisor says again, and at WARNING each reconnect.
    logging.getLogger("kopf").setLevel(logging.ERROR)
