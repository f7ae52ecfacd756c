# ruff: noqa: PLC0415 - Prefect reads its settings when it is imported: they must be made before
"""The training as a Prefect flow with a task per step, on a real tracking server or on the stand-in."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from mira_training.tracking.environment import set_up
from mira_training.tracking.probe import Probe
from mira_training.tracking.standin import stand_in

log = logging.getLogger(__name__)
Perform = Callable[[str], None]
Body = Callable[[Perform], None]
Result = Callable[[], str]
NOT_IN_KEYS = re.compile("[^a-z0-9]+")


@dataclass(frozen=True)
class Tracker:
    """Runs bodies as flows; `probe` is of the server that is to be told, None if there is none."""

    probe: Probe | None

    @classmethod
    def of(cls, url: str | None, authorization: str | None = None) -> "Tracker":
        """The tracker of a server; it is asked at once whether it is there."""
        return cls(Probe(url, authorization) if url else None)

    def run(self, name: str, run_name: str, perform: Perform, body: Body, result: Result = lambda: "") -> None:
        """Runs `body` as a flow; what it is given performs one step as a task. Raises what the body raises.

        What `result` says after it, in Markdown, is shown with the flow as an artifact, if a server tracks it. A server
        that does not answer, now or when the flow is reported to it, costs a warning.
        """
        set_up()
        flow = _Flow(name, run_name, perform, body)
        if self.probe is not None:
            flow.result = result
            problem = self.probe.problem() or flow.run_or_say_why_not()
            if not problem:
                return
            log.warning("the tracking server %s is not used: %s", self.probe.url, problem)
        with _untracked():
            problem = flow.run_or_say_why_not()
        if problem:
            # A version of Prefect that the stand-in does not fit must not cost anybody a training.
            log.warning("Prefect is not used: %s", problem)
            body(perform)


@dataclass
class _Flow:
    """One flow that may be tried again as long as its body was not reached: until then any error is Prefect's own."""

    name: str
    run_name: str
    perform: Perform
    body: Body
    result: Result | None = None
    started: bool = False

    def run_or_say_why_not(self) -> str:
        """Empty if the flow ran; else why its body was never reached. Raises what the body raises."""
        try:
            self._run()
        except Exception as error:
            if self.started:
                raise
            return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0][:200]
        return ""

    def _run(self) -> None:
        from prefect import flow, task
        from prefect.cache_policies import NO_CACHE

        def step(name: str) -> None:
            named = task(name=name, task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
            named(lambda: self.perform(name))()

        def training() -> None:
            self.started = True
            self.body(step)
            self._show_result()

        named = flow(name=self.name, flow_run_name=self.run_name, persist_result=False, validate_parameters=False)
        named(training)()

    def _show_result(self) -> None:
        from prefect.artifacts import create_markdown_artifact

        said = self.result() if self.result else ""
        if not said:
            return
        key = NOT_IN_KEYS.sub("-", f"{self.name}-{self.run_name}".lower()).strip("-")
        try:
            create_markdown_artifact(said, key=key, description=f"What {self.run_name} gave")
        except Exception as error:  # noqa: BLE001 - Prefect's own; the version is published
            log.warning("the tracking server did not take the artifact: %s", str(error).strip()[:200])


@contextmanager
def _untracked() -> Iterator[None]:
    """Prefect, talking to the stand-in for the length of the block."""
    with ExitStack() as stack:
        url = stack.enter_context(stand_in()).url
        os.environ |= {"PREFECT_API_URL": url, "PREFECT_LOGGING_TO_API_ENABLED": "false"}
        from prefect.events.clients import NullEventsClient
        from prefect.events.worker import EventsWorker
        from prefect.settings import (
            PREFECT_API_URL,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            PREFECT_LOGGING_TO_API_ENABLED,
            temporary_settings,
        )

        EventsWorker.set_client_override(NullEventsClient)
        # Where Prefect was imported before, it has read its settings already. Heartbeats would reach nobody, and the
        # thread that sends them keeps every flow for a second at its end.
        settings = {
            PREFECT_API_URL: url,
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        stack.enter_context(temporary_settings(settings))
        yield
