"""Prefect's settings, made before it is imported, because it reads them once."""

import atexit
import os
import shutil
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

_made: list[str] = []
ALWAYS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Without a server Prefect would start one of its own: 18 s, and 280 MB.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_SETTINGS_PATH": str(Path(__file__).parent / "prefect-logging.json"),
    "PREFECT_CLIENT_MAX_RETRIES": "0",
    "PREFECT_API_REQUEST_TIMEOUT": "2",
}


def set_up(environment: MutableMapping[str, str] = os.environ) -> None:
    """Fills in every setting; what Prefect writes goes into a folder of its own below the temporary one."""
    environment.update(ALWAYS)
    home = environment.get("PREFECT_HOME")
    environment["PREFECT_HOME"] = home or _temporary()
    # A profile on a laptop may name another server than the environment does.
    environment["PREFECT_PROFILES_PATH"] = str(Path(environment["PREFECT_HOME"]) / "profiles.toml")


@atexit.register
def clean_up() -> None:
    """Removes the folders that `set_up` made: a laptop has no emptyDir. For the end of the process."""
    while _made:
        shutil.rmtree(_made.pop(), ignore_errors=True)


def _temporary() -> str:
    _made.append(tempfile.mkdtemp(prefix="prefect-"))
    return _made[-1]
