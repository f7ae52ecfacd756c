"""The training as a Prefect flow with a task per step, on a real tracking server or on the stand-in."""

import contextlib
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from mira_training.tracking.environment import set_up
from mira_training.tracking.probe import Probe
from mira_training.tracking.standin import stand_in

log = logging.getLogger(__name__)
Perform = Callable[[str], None]
Body = Callable[[Perform], None]


@dataclass
class _Started:
    """Whether the flow's own body was reached: before that, any error is Prefect's own."""

    body: bool = field(default=False)


@dataclass(frozen=True)
class Tracker:
    """Runs bodies as flows; `probe` is of the server that is to be told, None if there is none."""

    probe: Probe | None

    @classmethod
    def of(cls, url: str | None, authorization: str | None = None) -> "Tracker":
        """The tracker of a server; it is asked at once whether it is there."""
        return cls(Probe(url, authorization) if url else None)

    def run(self, name: str, run_name: str, perform: Perform, body: Body) -> None:
        """Runs `body` as a flow; what it is given performs one step as a task. Raises what the body raises.

        A server that does not answer, now or when the flow is reported to it, costs a warning.
        """
        set_up()
        url = os.environ.get("PREFECT_API_URL")
        started = _Started()
        problem = self.probe.problem() if self.probe else ""
        if self.probe and not problem:
            try:
                _as_flow(name, run_name, perform, body, started)
            except Exception as error:
                if started.body:
                    raise
                problem = str(error).splitlines()[0][:200]
            else:
                return
        if problem:
            log.warning("the tracking server %s is not used: %s", url, problem)
        with _untracked():
            _as_flow(name, run_name, perform, body, started)


def _as_flow(name: str, run_name: str, perform: Perform, body: Body, started: _Started) -> None:
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    def step(step_name: str) -> None:
        task(
            lambda: perform(step_name),
            name=step_name,
            task_run_name=step_name,
            cache_policy=NO_CACHE,
            persist_result=False,
        )()

    def train() -> None:
        started.body = True
        body(step)

    flow(train, name=name, flow_run_name=run_name, persist_result=False, validate_parameters=False)()


@contextlib.contextmanager
def _untracked() -> "contextlib._GeneratorContextManager[None]":
    """Prefect, talking to the stand-in for the length of the block."""
    with ExitStack() as stack:
        server = stack.enter_context(stand_in())
        os.environ["PREFECT_API_URL"] = server.url
        os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
        from prefect.events.clients import NullEventsClient
        from prefect.events.worker import EventsWorker
        from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

        EventsWorker.set_client_override(NullEventsClient)
        # Where Prefect was imported before, it has read its settings already.
        stack.enter_context(temporary_settings({PREFECT_API_URL: server.url, PREFECT_LOGGING_TO_API_ENABLED: False}))
        yield
