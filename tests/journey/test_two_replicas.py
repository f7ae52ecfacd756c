"""Two replicas: one works, the other stands by and takes over: at once when told, soon when not, and nothing is wrong.

Times are of this machine and this Lease; what they must not exceed is the promise.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from dev.local import Local, OperatorProcess
from dev.waiting import wait_until
from tests.support.audit import Audit
from tests.support.reporting import LONG, note
from tests.support.team import Team

# In production 10; the long campaign measures that.
SECONDS = 10 if LONG else 4
PAGE = ("high-availability", "Two replicas")
# A standby looks twice a second. The long campaign has the two cores to itself, and the control plane on them; in
# `make test` another track of tests runs beside, and `test_leading` shows the same bounds in simulated time.
AT_ONCE = 1.0 if LONG else 3.0
SOON = SECONDS + (2.0 if LONG else 5.0)


def leads(operator: OperatorProcess) -> bool:
    return operator.metric("mira_leads") == 1


@pytest.fixture
def replicas(mira: Local, team: Team) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """The one that leads, and the one that stands by."""
    settings = {"MIRA_LEASE_SECONDS": str(SECONDS), "MIRA_RESYNC_SECONDS": "3"}
    first = mira.start_operator("first", **settings)
    # Who led in the test before was killed, or has given the Lease back.
    team.until("the first to lead", lambda: leads(first), within=SOON)
    second = mira.start_operator("second", **settings)
    yield first, second
    for each in (first, second):
        if each.process.poll() is None:
            each.process.terminate()
            each.process.wait(30)


def seconds_until(holds: Callable[[], bool], within: float) -> float:
    """How long it took; a TimeoutError if it did not come."""
    began = time.monotonic()
    wait_until(holds, timeout=within, every=0.01, what="the other replica to take over")
    return time.monotonic() - began


def a_promotion_waits_for_approval(team: Team, version: str) -> None:
    team.run(version, promotion={"stage": "production"})
    team.finished("mrun", version, "Succeeded")


def test_told_to_end_it_hands_over_within_a_second(
    team: Team, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    first, second = replicas
    team.stage()
    a_promotion_waits_for_approval(team, "v1")
    assert not leads(second)
    first.process.terminate()
    took = seconds_until(lambda: leads(second), 5.0)
    note(*PAGE, "told to end (SIGTERM)", f"the standby leads {took:.2f} s after.")
    assert took < AT_ONCE
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    assert first.process.wait(30) == 0
    holder = team.local.kubectl("admin", "-n", "mira-system", "get", "lease", "mira-operator", "-o", "yaml").stdout
    assert "holderIdentity: second" in holder


def test_killed_it_is_replaced_within_the_leases_time(
    team: Team, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    first, second = replicas
    audit = Audit(team.local.control_plane.audit_log)
    team.stage()
    team.run("v1", promotion={"stage": "production"}, parameters={"wait_for": f"models/{team.namespace}/gate"})
    team.until("the Job to run", lambda: team.reason("mrun", "v1") in ("Starting", "Running"))
    first.process.kill()
    took = seconds_until(lambda: leads(second), 2 * SOON)
    note(*PAGE, "killed (SIGKILL)", f"with a Lease of {SECONDS} s the standby leads {took:.1f} s after.")
    assert took < SOON
    team.s3_admin.create(f"models/{team.namespace}/gate", b"{}")
    team.finished("mrun", "v1", "Succeeded")
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    made = audit.made(team.namespace)
    assert (made["jobs"], made["modelpromotions"]) == (1, 1)


def test_thawed_after_its_time_it_stands_by_and_writes_nothing(
    team: Team, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    first, second = replicas
    team.stage()
    a_promotion_waits_for_approval(team, "v1")
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        # While it stands still, something is there for it to do.
        team.approve("v1.production")
        took = seconds_until(lambda: leads(second), 2 * SOON)
        note(*PAGE, "stopped (SIGSTOP)", f"with a Lease of {SECONDS} s the standby leads {took:.1f} s after.")
        assert took < SOON
        team.finished("mpromo", "v1.production", "Promoted")
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    team.until("the thawed one to see it", lambda: first.metric("mira_lease_changes_total", change="lost") == 1)
    assert (leads(first), leads(second)) == (False, True)
    a_promotion_waits_for_approval(team, "v2")
    team.approve("v2.production", user="erin")
    team.finished("mpromo", "v2.production", "Promoted")
    assert team.told() == [("Promote", "Promoted", "v1"), ("Promote", "Promoted", "v2")]
    lost = first.metric("mira_passes_total", result="ok")
    team.until("the leader to go on", lambda: second.metric("mira_passes_total", result="ok") > 10)
    assert first.metric("mira_passes_total", result="ok") == lost


def test_an_api_server_that_is_away_longer_than_the_lease_leaves_one_leader(
    team: Team, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    plane = team.local.control_plane
    team.stage()
    team.run("v1", parameters={"wait_for": f"models/{team.namespace}/gate"})
    team.until("the Job to run", lambda: team.reason("mrun", "v1") in ("Starting", "Running"))
    plane.stop_apiserver()
    try:
        team.until("nobody to lead", lambda: not any(map(leads, replicas)), within=SOON)
    finally:
        plane.start_apiserver()
    team.until("one to lead", lambda: sum(map(leads, replicas)) == 1, within=30)
    team.s3_admin.create(f"models/{team.namespace}/gate", b"{}")
    team.finished("mrun", "v1", "Succeeded")
    assert sum(map(leads, replicas)) == 1
