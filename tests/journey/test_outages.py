"""S3 or the API server goes away while work is under way: it is said at once, and all goes on within 30 s after."""

import os
import time
from collections.abc import Callable, Iterator

import pytest

from dev.local import Local, OperatorProcess
from tests.support.team import Team

# The long campaign's outage is a whole minute: the back-off has then grown to its end.
OUTAGE = 60.0 if os.environ.get("MIRA_LONG") else 6.0


def an_outage() -> Callable[[], bool]:
    """Whether the outage that begins now has lasted long enough."""
    began = time.monotonic()
    return lambda: time.monotonic() - began >= OUTAGE


@pytest.fixture
def operator(mira: Local) -> Iterator[OperatorProcess]:
    started = mira.start_operator("outage", MIRA_RESYNC_SECONDS="3")
    yield started
    started.process.terminate()
    started.process.wait(30)


def ask_for_v1(team: Team) -> None:
    """Returns when v1 is trained and its promotion needs nothing but an approval."""
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.until("the digest", lambda: bool(team.status("mpromo", "v1.production").get("digest")))


def promoted_once(operator: OperatorProcess, team: Team) -> None:
    """S3 serves again: the approved promotion goes through, once, and the metric says that all is well."""
    team.finished("mpromo", "v1.production", "Promoted", within=30)
    assert operator.metric("mira_registry_up") == 1
    assert team.told() == [("Promote", "Promoted", "v1")]


def test_s3_away_is_said_by_metric_and_condition_and_the_promotion_goes_through_when_it_is_back(
    mira: Local, operator: OperatorProcess, team: Team
) -> None:
    ask_for_v1(team)
    mira.s3.stop()
    over = an_outage()
    try:
        team.approve("v1.production")
        team.until("the metric to say so", lambda: operator.metric("mira_registry_up") == 0)
        team.until("the promotion to say so", lambda: team.reason("mpromo", "v1.production") == "RegistryUnavailable")
        team.until("the stage to say so", lambda: team.reason("mstage", "churn.production") == "RegistryUnavailable")
        team.until("the outage to be long enough", over, within=OUTAGE + 30)
        assert operator.process.poll() is None
    finally:
        mira.s3.start()
    promoted_once(operator, team)


def test_s3_silent_is_said_by_the_metric_and_the_promotion_goes_through_when_it_speaks_again(
    mira: Local, operator: OperatorProcess, team: Team
) -> None:
    ask_for_v1(team)
    team.until("the metric to say that all is well", lambda: operator.metric("mira_registry_up") == 1)
    mira.s3.pause()
    try:
        team.approve("v1.production")
        operator.wait_until(lambda: operator.metric("mira_registry_up") == 0, timeout=10, what="the metric to say so")
    finally:
        mira.s3.resume()
    promoted_once(operator, team)


def test_the_api_server_away_is_said_by_a_metric_and_the_run_ends_when_it_is_back(
    mira: Local, operator: OperatorProcess, team: Team
) -> None:
    team.stage()
    team.run("v1", promotion={"stage": "production"}, parameters={"wait_for": f"models/{team.namespace}/gate"})
    team.until("the run to be running", lambda: team.reason("mrun", "v1") in ("Starting", "Running"))
    mira.control_plane.stop_apiserver()
    over = an_outage()
    try:
        team.until("the metric to say so", lambda: operator.metric("mira_cluster_up") == 0)
        team.until("the outage to be long enough", over, within=OUTAGE + 30)
        assert operator.process.poll() is None
    finally:
        mira.control_plane.start_apiserver()
    team.s3_admin.create(f"models/{team.namespace}/gate", b"{}")
    team.finished("mrun", "v1", "Succeeded", within=30)
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
