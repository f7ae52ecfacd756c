"""The commands that the operator prints for approvers, run word for word by a shell on the real API server."""

import itertools
import os
import subprocess
from datetime import timedelta

import pytest

from mira.api.modelpromotion import ModelPromotion
from mira.decide.approvals import Proof, Weighed, how_to_approve, renewals, weigh
from tests.policies.calls import Calls, Json, Where
from tests.policies.in_force import document
from tests.policies.language import CLOSED, DIGEST, OPERATOR, PROMOTION, SPECS, add, approve, operate
from tests.policies.test_cases import WITH_NAMES
from tests.support.world import NOON, POLICIES_SINCE, stage

NUMBERS = itertools.count(1)
EXPIRING = {"approvalPolicy": {"requiredApprovals": 2, "validSeconds": 60}}


class Asked:
    """One promotion with its version verified, as somebody sees it who is told what to do."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.where = Where(PROMOTION, CLOSED, f"told-{next(NUMBERS)}")
        body = document(PROMOTION, self.where.name, SPECS[PROMOTION] | {"requestedBy": "alice"})
        assert calls.send("alice", "create", self.where, body).taken
        self.report({"digest": DIGEST})

    def report(self, status: Json) -> None:
        answer = self.calls.send(OPERATOR, "status patch", self.where, {"status": status})
        assert answer.taken, answer.message

    def live(self) -> ModelPromotion:
        found = self.calls.call(
            "admin",
            "GET",
            f"/apis/mira.constellation.dev/v1alpha1/namespaces/{CLOSED}/modelpromotions/{self.where.name}",
        )
        return ModelPromotion.model_validate(found.body)

    def look(self, *, later: int) -> Weighed:
        """What the operator makes of the approvals so many seconds after noon, reported as it does."""
        now, proof = NOON + timedelta(seconds=later), Proof(since=POLICIES_SINCE)
        weighed = weigh(self.live(), stage(**EXPIRING), digest=DIGEST, label="", proof=proof, now=now)
        self.report({"approvals": [record.wire() for record in weighed.records]})
        return weighed

    def says(self, told: str, who: str) -> subprocess.CompletedProcess[str]:
        """What a shell answers this person to the command that was told."""
        local, command = self.calls.cluster, told.partition(" by: ")[2]
        path = os.pathsep.join([str(local.kubectl_path().parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "KUBECONFIG": str(local.kubeconfig(who))}
        return subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def asked(calls: Calls) -> Asked:
    return Asked(calls)


@WITH_NAMES
@pytest.mark.usefixtures("filled")
def test_the_command_that_is_told_approves(asked: Asked) -> None:
    done = asked.says(how_to_approve(asked.live(), DIGEST), "bob")
    assert done.returncode == 0, done.stderr
    assert [(a.approver, a.decision, a.digest) for a in asked.live().spec.approvals] == [("bob", "Approved", DIGEST)]


@WITH_NAMES
@pytest.mark.usefixtures("filled")
def test_the_command_that_is_told_renews_an_expired_approval_and_no_other(asked: Asked) -> None:
    for who in ("bob", "erin"):
        assert asked.calls.send(who, "json patch", asked.where, add(approve(who, comment="it's fine")).change).taken
    asked.look(later=0)
    told = renewals(asked.live(), asked.look(later=60))
    assert [each.partition(" ")[0] for each in told] == ["bob", "erin"]
    assert 'the entry of approver "erin" is not yours' in asked.says(told[1], "bob").stderr
    done = asked.says(told[1], "erin")
    assert done.returncode == 0, done.stderr
    assert [approval.comment for approval in asked.live().spec.approvals] == ["it's fine", "renewed"]
    asked.look(later=61)
    weighed = asked.look(later=62)
    assert [(record.approver, record.reason) for record in weighed.records] == [
        ("bob", "ApprovalExpired"),
        ("erin", "Counted"),
    ]
    assert [each.partition(" ")[0] for each in renewals(asked.live(), weighed)] == ["bob"]


@pytest.mark.usefixtures("filled")
def test_what_renews_nothing_is_not_what_is_told(asked: Asked) -> None:
    """The API server takes an equal entry for no change and a second one for a duplicate."""
    assert asked.calls.send("bob", "json patch", asked.where, add(approve("bob")).change).taken
    before = asked.live().metadata.resource_version
    same = operate({"op": "replace", "path": "/spec/approvals/0", "value": approve("bob")}).change
    assert asked.calls.send("bob", "json patch", asked.where, same).taken
    assert asked.live().metadata.resource_version == before
    assert "Duplicate value" in asked.calls.send("bob", "json patch", asked.where, add(approve("bob")).change).message


@WITH_NAMES
@pytest.mark.usefixtures("filled")
def test_a_command_whose_entry_has_moved_meanwhile_changes_nothing(asked: Asked) -> None:
    for who in ("bob", "erin"):
        assert asked.calls.send(who, "json patch", asked.where, add(approve(who)).change).taken
    asked.look(later=0)
    told = renewals(asked.live(), asked.look(later=60))
    assert asked.calls.send("bob", "json patch", asked.where, [{"op": "remove", "path": "/spec/approvals/0"}]).taken
    before = asked.live().metadata.resource_version
    assert asked.says(told[0], "erin").returncode != 0
    assert asked.live().metadata.resource_version == before
