"""`python -m mira_training.serve`: serves one model until it is told to end."""

import logging
import os
import sys
import time
from types import FrameType

import uvicorn
from pydantic import ValidationError
from typing_extensions import override

from mira.registry import Registry
from mira.registry.cache import default_folder
from mira.registry.signatures import keys_in
from mira_training import logs
from mira_training.serve.app import Service, application
from mira_training.serve.follower import Follower
from mira_training.serve.metrics import Metrics
from mira_training.serve.settings import Settings

log = logging.getLogger("mira_training.serve")
LAST_SECONDS = 5
"""For the requests that are under way when no new ones are taken any more."""
NEVER = 64


class Server(uvicorn.Server):
    """uvicorn's, which still answers for a while when told to end: others must first hear that it is not ready."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._closing_at: float | None = None

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.draining:
            self.should_exit = True
        self._service.draining = True
        self._closing_at = time.monotonic() + self._service.settings.drain_seconds

    @override
    async def on_tick(self, counter: int) -> bool:
        if self._closing_at is not None and time.monotonic() >= self._closing_at:
            self.should_exit = True
        return await super().on_tick(counter)


def main() -> int:
    """Serves until SIGTERM; 0 after a good end, 64 if the settings can never work."""
    logs.configure()
    try:
        settings = Settings()
        registry = _registry(settings)
    except (ValidationError, ValueError) as error:
        sys.stderr.write("".join(f"{line}\n" for line in _said(error)))
        return NEVER
    metrics = Metrics()
    follower = Follower(registry, settings, metrics)
    service = Service(follower, settings, metrics)
    server = Server(_config(service), service)
    with logs.in_step("serve"):
        follower.start()
        server.run()
        follower.stop()
        log.info("ended")
    return 0


def _registry(settings: Settings) -> Registry:
    base = settings.cache or default_folder()
    if base is None:
        raise ValueError("MIRA_CACHE: name a folder that this user may write")
    # A folder of its own: what this server does not need any more, it removes.
    of = settings.stage or settings.version
    cache = base / "serving" / f"{settings.namespace}.{settings.model}.{of}"
    return Registry(settings.registry, cache=cache, verify_keys=keys_in(settings.verify_keys))


def _config(service: Service) -> uvicorn.Config:
    return uvicorn.Config(
        application(service),
        host=service.settings.listen_host,
        port=service.settings.listen_port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        # Longer than clients keep an idle connection, so that it is not closed under a request on its way.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=LAST_SECONDS,
    )


def _said(error: ValueError) -> list[str]:
    """One sentence for each setting that is wrong."""
    if not isinstance(error, ValidationError):
        return [str(error)]
    problems = error.errors(include_url=False)
    return [f"{_variable(each['loc'])}{each['msg'].removeprefix('Value error, ')}" for each in problems]


def _variable(location: tuple[int | str, ...]) -> str:
    return f"MIRA_{str(location[0]).upper()}: " if location else ""


def run() -> None:
    """`mira-serve`: as `main`, and ends at once, whatever a thread still does."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
