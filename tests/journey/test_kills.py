"""The operator is killed at each step of the journey and started again: the end is that of the undisturbed journey."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dev.local import Local, OperatorProcess
from tests.support.audit import Audit
from tests.support.reporting import note
from tests.support.team import Team

UNDISTURBED = [("Promote", "Promoted", "v1"), ("Promote", "Promoted", "v2"), ("RollBack", "RolledBack", "v1")]
GATES = [{"metric": "roc_auc", "minimum": "0.5", "maxRegression": "0.5"}]


@dataclass(frozen=True)
class Step:
    """A person's act, and the signs of what the operator does about it: at each sign it is killed."""

    act: Callable[[Team], None]
    signs: tuple[tuple[str, Callable[[Team], bool]], ...]


def entries(team: Team) -> int:
    return len(team.lineage())


STEPS = (
    Step(
        lambda team: team.run("v1", promotion={"stage": "production"}),
        (
            ("the run is created", lambda team: bool(team.get("mrun", "v1"))),
            ("the Job exists", lambda team: len(team.jobs()) == 1),
            ("the status names the Job", lambda team: bool(team.status("mrun", "v1").get("job"))),
            ("the version is published", lambda team: team.has_version("v1")),
            ("the promotion exists", lambda team: bool(team.get("mpromo", "v1.production"))),
            ("the run is finished", lambda team: team.condition("mrun", "v1", "Finished").get("status") == "True"),
            ("the digest is shown", lambda team: bool(team.status("mpromo", "v1.production").get("digest"))),
        ),
    ),
    Step(
        lambda team: team.approve("v1.production"),
        (
            ("the approval is recorded", lambda team: bool(team.status("mpromo", "v1.production").get("approvals"))),
            ("the entry exists", lambda team: entries(team) == 1),
            ("the pointer is moved", lambda team: team.current() == "v1"),
            ("the promotion is finished", lambda team: team.reason("mpromo", "v1.production") == "Promoted"),
        ),
    ),
    Step(
        lambda team: team.run("v2", user="dan", promotion={"stage": "production"}),
        (
            (
                "the second version waits for approval",
                lambda team: team.reason("mpromo", "v2.production") == "AwaitingApproval",
            ),
        ),
    ),
    Step(
        lambda team: team.approve("v2.production", user="erin"),
        (
            ("the second entry exists", lambda team: entries(team) == 2),
            ("the pointer is at the second version", lambda team: team.current() == "v2"),
        ),
    ),
    Step(
        lambda team: team.promote("back", "v1", user="carol", action="RollBack"),
        (
            ("the rollback's entry exists", lambda team: entries(team) == 3),
            ("the pointer is back", lambda team: team.current() == "v1"),
            ("the rollback is finished", lambda team: team.reason("mpromo", "back") == "RolledBack"),
        ),
    ),
)


def test_killed_at_every_step_it_ends_as_if_undisturbed_and_makes_nothing_twice(mira: Local, team: Team) -> None:
    audit = Audit(mira.control_plane.audit_log)
    team.stage(gates=GATES)
    operator = mira.start_operator("killed")
    for step in STEPS:
        step.act(team)
        for sign, holds in step.signs:
            team.until(sign, lambda holds=holds: holds(team))  # type: ignore[misc]
            operator = killed_and_started_again(mira, operator)
    team.finished("mpromo", "back", "RolledBack")
    team.until("the stage to say so", lambda: team.status("mstage", "churn.production").get("number") == 3)
    operator.process.terminate()
    operator.process.wait(30)
    assert team.told() == UNDISTURBED
    assert team.current() == "v1"
    made = audit.made(team.namespace)
    assert (made["jobs"], made["modelpromotions"]) == (2, 2)


def killed_and_started_again(mira: Local, operator: OperatorProcess) -> OperatorProcess:
    operator.process.kill()
    operator.process.wait(10)
    return mira.start_operator("killed")


@pytest.fixture
def second(mira: Local) -> Iterator[OperatorProcess]:
    """Of the same name as `operator`: each holds the other's Lease to be its own."""
    started = mira.start_operator("second", MIRA_IDENTITY="operator", MIRA_RESYNC_SECONDS="3")
    yield started
    started.process.terminate()
    started.process.wait(30)


def test_two_leaders_at_once_make_nothing_twice(
    mira: Local, team: Team, operator: OperatorProcess, second: OperatorProcess
) -> None:
    audit = Audit(mira.control_plane.audit_log)
    team.until("both to lead", lambda: operator.metric("mira_leads") == second.metric("mira_leads") == 1)
    team.stage(gates=GATES)
    for name in ("v1", "v2"):
        team.run(name, promotion={"stage": "production"})
        team.finished("mrun", name, "Succeeded")
        team.approve(f"{name}.production")
        team.finished("mpromo", f"{name}.production", "Promoted")
    team.promote("back", "v1", user="carol", action="RollBack")
    team.finished("mpromo", "back", "RolledBack")
    assert operator.metric("mira_leads") == second.metric("mira_leads") == 1
    note(
        "high-availability",
        "Two replicas",
        "two leaders forced at once",
        "2 runs, 2 promotions, a rollback; nothing twice.",
    )
    assert team.told() == UNDISTURBED
    made = audit.made(team.namespace)
    assert (made["jobs"], made["modelpromotions"]) == (2, 2)
