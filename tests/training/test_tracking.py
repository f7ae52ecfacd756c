"""What Prefect does around a training."""

from collections.abc import Callable

from mira_training.tracking.flow import Tracker


def test_on_the_stand_in_no_heartbeat_is_sent_for_whose_thread_every_flow_would_wait_a_second() -> None:
    found = []

    def body(perform: Callable[[str], None]) -> None:
        from prefect.settings import get_current_settings

        perform("train")
        found.append(get_current_settings().flows.heartbeat_frequency)

    Tracker.of(None).run("a flow", "a run", found.append, body)
    assert found == ["train", None]
