"""One attempt at one order, from reading it to the exit code."""

import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from mira.registry.order import Order
from mira.registry.reader import ReadableStore
from mira_training.assignment import attempt_of, outcome_key, read_order
from mira_training.data.objects import DataObjects
from mira_training.ending import Ending, failed, leave_message, record
from mira_training.interruption import Interruption
from mira_training.logs import BEFORE_ANY_STEP, in_step
from mira_training.model.code import raised_by_user_code
from mira_training.ports import Ports
from mira_training.refusal import Interrupted
from mira_training.settings import Settings
from mira_training.signing import signing_key
from mira_training.tracking.flow import Perform, Tracker
from mira_training.work import Work, work_of

log = logging.getLogger(__name__)
Connect = Callable[[str], tuple[ReadableStore, DataObjects]]


def _now() -> datetime:
    return datetime.now(UTC)


def _step_of(work: Work | None) -> str:
    return work.step if work else BEFORE_ANY_STEP


@dataclass
class Attempt:
    """The frame around the work. `known` is told the exit code as soon as the outcome is written."""

    settings: Settings
    connect: Connect
    interruption: Interruption
    known: Callable[[int], None] = lambda _: None
    now: Callable[[], datetime] = _now
    ending: Ending | None = field(default=None, init=False)
    _ends: threading.Lock = field(default_factory=threading.Lock, init=False)

    def run(self) -> int:
        """Carries the order out and tells how it ended: 0, 64 (never retry) or 1. Raises nothing that can be told."""
        self._started_at = self.now()
        tracker = Tracker.of(self.settings.tracking_url, self.settings.tracking_auth)
        try:
            order = read_order(self.settings.order_file)
            attempt = attempt_of(order, self.settings.pod_uid)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            # Without an order nobody knows where an outcome would belong: the termination message is all there is.
            ending = self._told(error, BEFORE_ANY_STEP)
            leave_message(self.settings.termination_log, ending.termination(BEFORE_ANY_STEP))
            return ending.exit_code
        try:
            return self._carry_out(order, attempt, tracker)
        finally:
            self.interruption.close()

    def _carry_out(self, order: Order, attempt: str, tracker: Tracker) -> int:
        store, work = None, None
        try:
            store, objects = self.connect(order.registry)
            with tempfile.TemporaryDirectory(prefix="mira-", ignore_cleanup_errors=True) as folder:
                ports = Ports(
                    store,
                    objects,
                    self.now,
                    Path(folder),
                    signing_key(self.settings.signing_key),
                    self.settings.revision,
                    self.settings.suite_file,
                )
                work = work_of(order, attempt, ports, on_laptop=self.settings.on_laptop, against=self.settings.against)
                self.interruption.unheard = partial(self._unheard, store, order, attempt, work)
                self._perform(order, attempt, work, store, tracker)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            if self.ending is None:
                self._end(store, order, attempt, work, self._told(error, _step_of(work)))
            elif self.ending.exit_code == 0:
                log.warning("after the work was done: %s: %s", type(error).__name__, error)
        if self.ending is None:
            raise AssertionError("an attempt ended without an ending")
        return self.ending.exit_code

    def _perform(self, order: Order, attempt: str, work: Work, store: ReadableStore, tracker: Tracker) -> None:
        done = work.prepare()
        if done is not None:
            self._end(store, order, attempt, work, done)
            return

        def body(perform: Perform) -> None:
            # The ending is written here, inside of the flow: nothing that Prefect does afterwards can lose or delay it.
            self.interruption.listen()
            try:
                for step in work.steps:
                    perform(step)
                ending = work.ending()
            except BaseException as error:
                ending = self._told(error, work.step)
                self._end(store, order, attempt, work, ending)
                raise
            self._end(store, order, attempt, work, ending)

        tracker.run(f"{order.namespace}.{order.model}", work.name, work.perform, body, work.result)

    def _told(self, error: BaseException, step: str) -> Ending:
        """What the error means, logged once: Prefect, which it goes through next, keeps quiet about it."""
        self.interruption.ignore()
        ending = failed(error)
        with in_step(step):
            if ending.unexpected:
                log.error("%s", ending.message, exc_info=error)
            else:
                log.error("%s: %s", ending.reason, ending.message, exc_info=raised_by_user_code(error))
        return ending

    def _unheard(self, store: ReadableStore, order: Order, attempt: str, work: Work) -> None:
        """The pod is told to stop and code runs that does not come back: it is told from here, and `known` ends it."""
        # The signal stays: should the code come back after all, the main thread must not go on.
        self._write_down(store, order, attempt, work, failed(Interrupted()))

    def _end(self, store: ReadableStore | None, order: Order, attempt: str, work: Work | None, ending: Ending) -> None:
        self.interruption.ignore()
        self._write_down(store, order, attempt, work, ending)

    def _write_down(
        self, store: ReadableStore | None, order: Order, attempt: str, work: Work | None, ending: Ending
    ) -> None:
        """The ending, once: outcome first, termination message second."""
        step = _step_of(work)
        with self._ends:
            if self.ending is not None:
                return
            if store is not None:
                record(store, outcome_key(order, attempt), ending.outcome(attempt, step, self._started_at, self.now()))
            leave_message(self.settings.termination_log, ending.termination(step))
            self.ending = ending
        if ending.exit_code == 0:
            with in_step(step):
                log.info("%s", ending.message)
        self.known(ending.exit_code)
