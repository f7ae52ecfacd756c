"""A newer version of Mira was here and was rolled back: its CRDs let pass what this operator cannot read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mira.controller.listing import has_ended
from tests.support.team import Team

pytestmark = pytest.mark.usefixtures("operator")

MODE = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/approvalPolicy/properties/mode/enum"
CRD = "crd/modelstages.mira.constellation.dev"


@contextmanager
def newer_stages(team: Team) -> Iterator[None]:
    """The CRD of a version whose stages can be decided by vote."""

    def patch(operation: dict[str, str]) -> None:
        team.kubectl("admin", "patch", CRD, "--type=json", f"--patch={json.dumps([operation])}")

    patch({"op": "add", "path": f"{MODE}/2", "value": "ByVote"})
    try:
        yield
    finally:
        patch({"op": "remove", "path": f"{MODE}/2"})


def by_vote(team: Team) -> bool:
    """Whether the stage could be applied: the API server takes a moment to serve a CRD's new schema."""
    try:
        team.stage(approvalPolicy={"mode": "ByVote"})
    except AssertionError as error:
        assert "Unsupported value" in str(error)  # noqa: PT017
        return False
    return True


def test_stage_and_promotion_say_what_cannot_be_read_and_go_on_once_it_can(team: Team) -> None:
    team.stage()
    team.run("v1")
    team.finished("mrun", "v1", "Succeeded")
    team.promote("v1", "v1")
    team.approve("v1")
    team.finished("mpromo", "v1", "Promoted")
    with newer_stages(team):
        team.until("the newer stage to be accepted", lambda: by_vote(team))
    team.run("v2")
    team.finished("mrun", "v2", "Succeeded")
    team.promote("v2", "v2")
    for kind, name in (("mstage", "churn.production"), ("mpromo", "v2")):
        team.until(f"{name} to say so", lambda kind=kind, name=name: team.reason(kind, name) == "SpecUnreadable")
        stalled = team.condition(kind, name, "Stalled")
        assert stalled["status"] == "True"
        assert stalled["message"].startswith("ModelStage churn.production: spec.approvalPolicy.mode: "), stalled
        assert "not 'ByVote'" in stalled["message"]
        assert not has_ended(team.get(kind, name))
    assert "SpecUnreadable" in team.kubectl("bob", "get", "mpromo", "v2")
    events = team.kubectl("bob", "get", "events", "--field-selector=reason=SpecUnreadable,type=Warning", "-o=name")
    assert len(events.splitlines()) == 2
    assert team.status("mstage", "churn.production")["current"]["version"] == "v1", "what it said before stays"
    team.stage(approvalPolicy={"mode": "Manual"})
    team.approve("v2")
    team.finished("mpromo", "v2", "Promoted")
    team.until("the stage to say so", lambda: team.reason("mstage", "churn.production") != "SpecUnreadable")
    assert [version for _, _, version in team.told()] == ["v1", "v2"]
    assert team.current() == "v2"
