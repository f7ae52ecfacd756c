"""kopf as the shell: its watch streams tell the cache and the queue what changed. No state and no correctness is here.

kopf ends the whole operator on several errors of a watch (docs/design and research: 5xx, 410 in a list, an error in the
stream), so it runs in its own thread and event loop and is started again with back-off; the cache stays, and the
periodic lists find what was missed meanwhile.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, MutableMapping
from typing import Any

import kopf

from mira.adapters.cluster import TYPES, ClusterUnavailable
from mira.adapters.discovery import not_shown
from mira.decide.job import MANAGED_BY

log = logging.getLogger(__name__)
WATCHED = ("TrainingRun", "ModelPromotion", "ModelStage", "Job")
FIRST_RESTART, LONGEST_RESTART = 0.5, 15.0
FAREWELL = 2.0
Tell = Callable[[str, str, dict[str, Any]], None]
Login = Callable[[], kopf.ConnectionInfo]


class _Nothing(kopf.DiffBaseStorage, kopf.ProgressStorage):
    """kopf's storages, writing and reading nothing: its annotations are writable by users, and we use none of them."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:  # noqa: ARG002
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: Any) -> Any:
        return essence


class _Endless(Collection[float]):
    """Back-offs without end, as often as they are asked for: an outage of minutes must not end a request for good."""

    def __iter__(self) -> Iterator[float]:
        delay = 0.2
        while True:
            yield delay
            delay = min(delay * 2, 10.0)

    def __len__(self) -> int:
        return 1_000_000

    def __contains__(self, item: object) -> bool:
        return isinstance(item, float)


class Watching:
    """Keeps kopf running until it is stopped, and tells every event as (kind, event type, body)."""

    def __init__(self, tell: Tell, login: Login, *, restarted: Callable[[], None]) -> None:
        self._tell = tell
        self._login = login
        self._restarted = restarted
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="kopf", daemon=True)

    def start(self) -> None:
        """Watches from now on, in a thread of its own."""
        self._thread.start()

    def stop(self, *, seconds: float) -> None:
        """Ends the watches; waits for kopf no longer than `seconds`."""
        self._stop.set()
        self._thread.join(seconds)

    def alive(self) -> bool:
        """Whether kopf is still started again whenever it ends; between two starts, too."""
        return self._thread.is_alive()

    def _supervise(self) -> None:
        delay = FIRST_RESTART
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if missing := not_shown(self._login(), WATCHED):
                    log.warning("discovery does not show every kind yet", extra={"kinds": missing})
                else:
                    self._watch_once()
            except ClusterUnavailable as error:
                log.warning("the watches cannot start; trying again", extra={"error": str(error)})
            except Exception:
                log.exception("kopf ended; it is started again")
            if time.monotonic() - began > LONGEST_RESTART:
                delay = FIRST_RESTART
            if self._stop.wait(delay):
                return
            self._restarted()
            delay = min(delay * 2, LONGEST_RESTART)

    def _watch_once(self) -> None:
        """Returns or raises when kopf has ended or begins to: it may never come to its own end.

        After a failed watch kopf waits for tasks that have swallowed their cancellation. So its event loop is left
        as it is after a moment; nothing in it is worth waiting for.
        """
        loop = asyncio.new_event_loop()
        ending = threading.Event()
        try:
            loop.run_until_complete(self._run(ending))
        finally:
            # kopf waits for this flag in a thread of the loop's, which must not outlive the loop.
            ending.set()
            if left := asyncio.all_tasks(loop):
                for task in left:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(left, timeout=FAREWELL))
            loop.close()

    async def _run(self, ending: threading.Event) -> None:
        tasks = await kopf.spawn_tasks(
            registry=self._registry(), settings=_settings(), clusterwide=True, standalone=True, stop_flag=ending
        )
        stopping = asyncio.get_running_loop().create_task(self._stopping())
        done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _stopping(self) -> None:
        while not self._stop.is_set():  # noqa: ASYNC110 - it is set by other threads
            await asyncio.sleep(0.1)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        # By itself kopf would try a login that failed again after a minute, or never.
        @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.TEMPORARY, backoff=FIRST_RESTART)
        def login(**_: Any) -> kopf.ConnectionInfo:
            return self._login()

        for kind in WATCHED:
            self._watch(registry, kind)
        return registry

    def _watch(self, registry: kopf.OperatorRegistry, kind: str) -> None:
        where = TYPES[kind]

        @kopf.on.event(where.group, where.version, where.plural, registry=registry, id=f"watch-{where.plural}")
        async def changed(type: str | None, body: Any, **_: Any) -> None:  # noqa: A002 - kopf's own word
            plain = _plain(body)
            self._tell(kind, type or "LISTED", plain)


def _settings() -> kopf.OperatorSettings:
    """Kopf with everything off that writes, scans, pairs or posts."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.networking.error_backoffs = _Endless()
    settings.networking.connect_timeout = 3
    settings.persistence.diffbase_storage = _Nothing()
    settings.persistence.progress_storage = _Nothing()
    settings.process.ultimate_exiting_timeout = None
    labels = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
    settings.watching.label_selectors["jobs.batch"] = labels
    return settings


def _plain(value: Any) -> Any:
    """Kopf's views as dicts and lists of our own."""
    if isinstance(value, MutableMapping) or hasattr(value, "items"):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
