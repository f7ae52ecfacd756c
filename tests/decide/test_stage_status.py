"""The status of a ModelStage: what it serves since when, and what stops it."""

from datetime import timedelta
from typing import Any

import pytest

from mira.api.conditions import ConditionType, condition
from mira.api.modelstage import KIND, ModelStage, ModelStageStatus
from mira.api.reasons import Reason
from mira.decide.modelstage import SeenStage, stage_status, trouble_status
from tests.decide.consistency import check_status
from tests.registry.lineages import a_world, entry_of
from tests.support.world import NOON, stage

POINTER = "s3://mira/registry/stages/team-a/churn/production/current.json"


def seen(**changed: Any) -> SeenStage:
    world = a_world()
    link = entry_of(world, 3)
    given: dict[str, Any] = {"stage": stage(), "head": link, "moved": link, "label": "", "pointer_uri": POINTER}
    return SeenStage(**given | changed)


def said(status: ModelStageStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status} {each.reason}" for each in status.conditions}


def ready(status: ModelStageStatus) -> str:
    found = condition(status.conditions, ConditionType.READY)
    assert found is not None
    return found.message


def with_status(status: ModelStageStatus, resource: ModelStage | None = None) -> ModelStage:
    return (resource or stage()).model_copy(update={"status": ModelStageStatus.strictly(status.wire())})


NOT_ALLOWED = (
    "version v3 is current as of entry 3; approvalPolicy.mode is Automatic, but the namespace has no label "
    "mira.constellation.dev/automatic-promotion, so a person must approve"
)
AUTOMATIC = stage(approvalPolicy={"mode": "Automatic"})
CASES: dict[str, tuple[SeenStage, str, str]] = {
    "nothing was promoted yet": (
        seen(head=None, moved=None),
        "True NothingPromoted",
        "no version was promoted to this stage yet",
    ),
    "a version is current": (seen(), "True PointerSynced", "version v3 is current as of entry 3"),
    "it is broken": (seen(head=None, moved=None, broken="entry 2 is gone"), "False LineageBroken", "entry 2 is gone"),
    "it is automatic and the namespace does not allow it": (
        seen(stage=AUTOMATIC),
        "True AutomaticNotAllowed",
        NOT_ALLOWED,
    ),
    "it is automatic and the label is none that is known": (
        seen(stage=AUTOMATIC, label="true"),
        "True AutomaticNotAllowed",
        "",
    ),
    "it is automatic and allowed": (seen(stage=AUTOMATIC, label="ServiceAccounts"), "True PointerSynced", ""),
    "Git is to decide its version": (
        seen(stage=stage(version="v9", requestedBy="alice")),
        "True NotSupported",
        "spec.version has no effect in this version of Mira",
    ),
    "a freeze window is at no possible time": (
        seen(stage=stage(freezeWindows=[{"schedule": "99 99 * * *", "durationSeconds": 60}])),
        "False FreezeWindowInvalid",
        "spec.freezeWindows of the ModelStage: '99 99 * * *' in UTC is no schedule",
    ),
    "a freeze window is in no time zone": (
        seen(stage=stage(freezeWindows=[{"schedule": "0 0 * * *", "durationSeconds": 60, "timeZone": "Mars/Phobos"}])),
        "False FreezeWindowInvalid",
        "nothing is promoted until it is one; version v3 is current as of entry 3",
    ),
    "it has something to refresh": (
        seen(stage=stage(refresh=[{"kind": "Deployment", "name": "d"}])),
        "True PointerSynced",
        "",
    ),
}


@pytest.mark.parametrize(("look", "reason", "message"), CASES.values(), ids=CASES.keys())
def test_a_stage_says_when(look: SeenStage, reason: str, message: str) -> None:
    status = stage_status(look, NOON)
    check_status(KIND, look.stage, status)
    assert said(status)["Ready"] == reason
    assert message in ready(status)


@pytest.mark.parametrize("look", [case[0] for case in CASES.values()], ids=CASES.keys())
def test_a_second_look_says_the_same_when(look: SeenStage) -> None:
    status = stage_status(look, NOON)
    again = SeenStage(**vars(look) | {"stage": with_status(status, look.stage)})
    assert stage_status(again, NOON + timedelta(hours=1)) == status


def test_what_is_served_is_shown_with_where_and_since_when() -> None:
    status = stage_status(seen(), NOON)
    assert status.current is not None
    assert (status.current.version, status.number, status.pointer) == ("v3", 3, POINTER)
    assert status.since == entry_of(a_world(), 3).entry.decided_at


def test_a_refusal_counts_the_number_and_not_the_time_of_what_is_served() -> None:
    world = a_world()
    first, last = entry_of(world, 2), entry_of(world, 3)
    later = last.entry.model_copy(update={"number": 4, "decided_at": NOON + timedelta(days=9)})
    look = seen(head=type(last)(later, last.raw), moved=first)
    status = stage_status(look, NOON)
    assert (status.number, status.since) == (4, first.entry.decided_at)


def test_pending_promotions_are_shown_in_order_and_at_most_32() -> None:
    names = tuple(f"p{number:03d}" for number in reversed(range(50)))
    status = stage_status(seen(pending=names), NOON)
    check_status(KIND, stage(), status)
    assert status.pending_promotions == tuple(sorted(names))[:32]


def test_what_is_served_stays_shown_while_the_chain_is_broken_or_s3_is_away() -> None:
    good = stage_status(seen(), NOON)
    before = with_status(good)
    broken = stage_status(seen(stage=before, head=None, moved=None, broken="entry 2 is gone"), NOON)
    away = trouble_status(before, Reason.REGISTRY_UNAVAILABLE, "S3 is away", NOON)
    for status in (broken, away):
        check_status(KIND, before, status)
        assert (status.current, status.number, status.since, status.pointer) == (
            good.current,
            good.number,
            good.since,
            good.pointer,
        )
    assert said(broken)["Stalled"] == "True LineageBroken"
    assert said(away)["Reconciling"] == "True RegistryUnavailable"


@pytest.mark.parametrize("reason", [Reason.REGISTRY_UNAVAILABLE, Reason.REGISTRY_REFUSED])
def test_a_new_stage_can_be_in_trouble_at_once(reason: Reason) -> None:
    check_status(KIND, stage(), trouble_status(stage(), reason, "why", NOON))


@pytest.mark.parametrize("steps", [["good", "broken", "good"], ["broken", "good", "away", "good"], ["away", "broken"]])
def test_every_way_from_one_state_to_another_is_consistent(steps: list[str]) -> None:
    resource = stage()
    for step in steps:
        if step == "away":
            status = trouble_status(resource, Reason.REGISTRY_UNAVAILABLE, "S3 is away", NOON)
        elif step == "broken":
            status = stage_status(seen(stage=resource, head=None, moved=None, broken="entry 2 is gone"), NOON)
        else:
            status = stage_status(seen(stage=resource), NOON)
        check_status(KIND, resource, status)
        resource = with_status(status)
