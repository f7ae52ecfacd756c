"""Follows what should be served: looks, downloads, verifies, tries, and only then swaps."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mira.registry import Registry, StoreUnavailable, VerifiedVersion
from mira.registry.document import format_time
from mira.registry.reader import Current
from mira_training.logs import in_step
from mira_training.serve.metrics import Metrics
from mira_training.serve.predictor import Predictor, load, must_be_servable
from mira_training.serve.settings import Settings

log = logging.getLogger(__name__)
LONGEST_PAUSE = 600.0


class Outdated(Exception):
    """What is served may not be what should be; the text says why."""


@dataclass
class Bad:
    """A version that could not be taken over: it is tried again, less and less often."""

    digest: str
    problem: str
    tries: int
    again_at: float


@dataclass(frozen=True)
class Followed:
    """What one look left: what is served, where it was found, and what keeps it from being what should be served."""

    served: Predictor | None
    found: VerifiedVersion | None
    problem: str | None


class Follower:
    """Keeps `now`, which is swapped as a whole and never for anything unverified or untried."""

    def __init__(
        self, registry: Registry, settings: Settings, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.now = Followed(None, None, "it has not looked at the registry yet")
        self._registry = registry
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._bad: Bad | None = None
        self._stopping = threading.Event()

    @property
    def served(self) -> Predictor | None:
        """What is served now; None before anything could be."""
        return self.now.served

    def start(self) -> None:
        """Looks again and again, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="follower", daemon=True).start()

    def stop(self) -> None:
        """No further look; what is served stays."""
        self._stopping.set()

    def _run(self) -> None:
        with in_step("serve"):
            while not self._stopping.is_set():
                self.look()
                self._stopping.wait(self._settings.refresh_seconds)

    def look(self) -> None:
        """One look at the registry. Whatever fails is told by problem, log and metric, and what is served stays."""
        now, problem = self.now, None
        try:
            now = self._followed()
            _must_be_fresh(now.found)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a new version, the old one is served
            problem = f"{error}" or type(error).__name__
            self._metrics.failures.labels(type(error).__name__).inc()
        if problem != self.now.problem:
            log.warning("%s", problem) if problem else log.info("what is served is up to date")
        self.now = replace(now, problem=problem)
        self._metrics.up_to_date.set(0 if problem else 1)

    def _followed(self) -> Followed:
        found, served = self._wanted(), self.served
        if served is None or served.version.digest != found.digest:
            served = self._taken(found)
        return Followed(served, found, None)

    def _wanted(self) -> VerifiedVersion:
        of = self._settings
        if of.stage is not None:
            current = self._registry.current(namespace=of.namespace, model=of.model, stage=of.stage)
            if current is None:
                raise Outdated(f"stage {of.stage} of {of.namespace}/{of.model} has no current version yet")
            return current
        if self.served is not None:
            # Versions never change.
            return self.served.version
        named = of.version or ""
        pinned = self._registry.version(
            namespace=of.namespace, model=of.model, version=named, expected_digest=of.digest
        )
        if pinned is None:
            raise Outdated(f"version {named} of {of.namespace}/{of.model} is not published")
        return pinned

    def _taken(self, found: VerifiedVersion) -> Predictor:
        bad = self._bad if self._bad and self._bad.digest == found.digest else None
        if bad and self._clock() < bad.again_at:
            raise Outdated(bad.problem)
        try:
            must_be_servable(found)
            new = load(found, self._registry.folder(found), threads=self._settings.threads)
        except StoreUnavailable as error:
            raise Outdated(f"version {found.version} cannot be downloaded now: {error}") from error
        except Exception as error:
            tries = bad.tries + 1 if bad else 1
            pause = min(self._settings.refresh_seconds * 2**tries, LONGEST_PAUSE)
            self._bad = Bad(found.digest, f"version {found.version} is not used: {error}", tries, self._clock() + pause)
            raise Outdated(self._bad.problem) from error
        self._bad = None
        self._tell(new.version)
        return new

    def _tell(self, version: VerifiedVersion) -> None:
        self._metrics.version.clear()
        self._metrics.version.labels(version.version, version.digest).set(1)
        if self.served is not None:
            self._metrics.swaps.inc()
        log.info("serving version %s, %s", version.version, version.digest)
        try:
            if self._registry.cache is not None:
                self._registry.cache.keep_only([version.digest])
        except OSError as error:
            log.warning("what is not needed any more cannot be removed: %s", error)


def _must_be_fresh(found: VerifiedVersion | None) -> None:
    if isinstance(found, Current) and found.stale_since is not None:
        raise Outdated(f"the registry has not answered since {format_time(found.stale_since)}")
