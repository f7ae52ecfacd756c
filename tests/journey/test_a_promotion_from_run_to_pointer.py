"""The journey on real servers: a run, a gate, an approval, a moved pointer, a rollback; and what must move nothing."""

import json

import pytest

from dev.local import OperatorProcess
from tests.support.team import API, INSTANT, Team

pytestmark = pytest.mark.usefixtures("operator")
GATES = [{"metric": "roc_auc", "minimum": "0.75", "maxRegression": "0.02"}]


def test_a_run_is_promoted_after_an_approval_then_replaced_then_rolled_back_to(team: Team) -> None:
    team.stage(gates=GATES)
    team.run("v1", roc_auc="0.80", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.until("v1 to wait for approval", lambda: team.reason("mpromo", "v1.production") == "AwaitingApproval")
    assert team.current() is None
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    assert team.current() == "v1"

    team.run("v2", roc_auc="0.79", user="dan", promotion={"stage": "production"})
    team.finished("mrun", "v2", "Succeeded")
    team.approve("v2.production", user="erin")
    status = team.finished("mpromo", "v2.production", "Promoted")
    assert status["previous"]["version"] == "v1"
    assert [(g["result"], g["current"]) for g in status["gates"]] == [("Pass", "0.80")]
    team.until(
        "the stage to show v2",
        lambda: (team.status("mstage", "churn.production").get("current") or {}).get("version") == "v2",
    )

    team.promote("back", "v1", user="carol", action="RollBack", expectedCurrent="v2", justification="INC-99")
    team.finished("mpromo", "back", "RolledBack")
    assert team.current() == "v1"
    assert team.told() == [
        ("Promote", "Promoted", "v1"),
        ("Promote", "Promoted", "v2"),
        ("RollBack", "RolledBack", "v1"),
    ]
    first = team.lineage()[0]
    assert (first.requested_by, [a.approver for a in first.approvals]) == ("alice", ["bob"])


def test_a_version_that_fails_its_gates_is_refused_before_anybody_is_asked(team: Team) -> None:
    team.stage(gates=GATES)
    team.run("weak", roc_auc="0.70", promotion={"stage": "production"})
    team.finished("mrun", "weak", "Succeeded")
    team.finished("mpromo", "weak.production", "GatesFailed")
    message = team.condition("mpromo", "weak.production")["message"]
    assert "roc_auc is 0.70" in message and "minimum 0.75" in message
    assert team.current() is None
    assert [entry.kind for entry in team.lineage()] == ["Refuse"]


def test_a_run_whose_data_is_bad_fails_once_with_a_readable_reason_and_publishes_nothing(team: Team) -> None:
    team.run("broken", parameters={"fail": 64})
    status = team.finished("mrun", "broken", "ColumnsMissing")
    assert team.condition("mrun", "broken")["message"] == "data.training: column 'x' is missing"
    assert team.condition("mrun", "broken", "DataValidated")["status"] == "False"
    assert status["attempts"] == 1
    assert not team.has_version("broken")
    assert "column 'x' is missing" not in team.kubectl("alice", "logs", f"job/{status['job']['name']}")


def test_deleting_everything_deletes_no_model_and_moves_no_pointer_and_what_is_created_again_adopts_its_end(
    team: Team,
) -> None:
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    before = team.told()

    team.kubectl("admin", "delete", "mrun,mpromo,mstage", "--all")
    team.until("the Job to be gone", lambda: not team.jobs())
    assert team.current() == "v1"
    assert team.has_version("v1")

    team.stage()
    team.run("v1", promotion={"stage": "production"})
    status = team.finished("mrun", "v1", "Adopted")
    assert status["version"]["id"] == "v1"
    team.finished("mpromo", "v1.production", "Promoted")
    assert "decided on" in team.condition("mpromo", "v1.production")["message"]
    assert team.told() == before
    assert not team.jobs()


def test_a_run_with_another_spec_and_a_name_that_has_a_version_is_refused_before_any_job(team: Team) -> None:
    team.run("v1")
    team.finished("mrun", "v1", "Succeeded")
    team.kubectl("admin", "delete", "mrun", "v1")
    team.run("v1", roc_auc="0.9")
    team.finished("mrun", "v1", "VersionExists")
    assert "use another name" in team.condition("mrun", "v1")["message"]


def test_a_rejection_ends_the_promotion(team: Team) -> None:
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.approve("v1.production", decision="Rejected")
    team.finished("mpromo", "v1.production", "Rejected")
    assert team.current() is None


def test_nobody_approves_the_own_promotion(team: Team) -> None:
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.until("the digest", lambda: bool(team.status("mpromo", "v1.production").get("digest")))
    entry = {"decision": "Approved", "digest": team.status("mpromo", "v1.production")["digest"]}
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": entry}])
    refusal = team.refused("alice", "patch", "mpromo", "v1.production", "--type=json", "-p", patch)
    assert "the requester of a ModelPromotion cannot approve it" in refusal


def test_a_pointer_changed_or_deleted_by_hand_is_put_back_and_what_was_found_is_kept(
    team: Team, operator: OperatorProcess
) -> None:
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    key = team.lineage()[0].stage_key
    stored = team.store.get(key.pointer, limit=65536)
    assert stored is not None
    team.s3_admin.replace(key.pointer, b'{"forged":true}', stored.etag)
    team.until("the pointer to be repaired", lambda: team.store.get(key.pointer, limit=65536) == stored, within=40)
    kept = list(team.store.list(f"quarantine/stages/{key.path}/"))
    assert len(kept) == 1
    assert operator.process.poll() is None


def test_alone_in_a_labelled_namespace_what_passes_the_gates_is_promoted_without_a_second_person(team: Team) -> None:
    team.kubectl("admin", "label", "namespace", team.namespace, "mira.constellation.dev/automatic-promotion=All")
    team.stage(gates=GATES, approvalPolicy={"mode": "Automatic", "automaticFor": "All"})
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.finished("mpromo", "v1.production", "Promoted")
    assert team.current() == "v1"


def test_parameters_nested_nine_thousand_levels_deep_stop_nobody_else(team: Team, operator: OperatorProcess) -> None:
    deep = "[" * 9000 + "]" * 9000
    poison = json.dumps(
        {
            "apiVersion": API,
            "kind": "TrainingRun",
            "metadata": {"name": "poison"},
            "spec": {
                "model": "churn",
                "task": "Classification",
                "image": INSTANT,
                "parameters": {"deep": "DEEP"},
                "data": {"training": {"uri": "s3://flights/any.csv"}, "target": "late"},
            },
        }
    ).replace('"DEEP"', deep)
    team.kubectl("alice", "create", "--validate=false", "-f", "-", stdin=poison)
    team.run("good")
    team.finished("mrun", "good", "Succeeded")
    restarted = team.local.start_operator("restarted", MIRA_IDENTITY="operator", MIRA_RESYNC_SECONDS="3")
    team.run("better")
    team.finished("mrun", "better", "Succeeded")
    assert (operator.process.poll(), restarted.process.poll()) == (None, None)
    restarted.process.terminate()
    restarted.process.wait(30)


def test_a_job_that_the_api_server_can_never_take_ends_the_run_with_its_words(team: Team) -> None:
    team.run("odd", job={"nodeSelector": {"a b": "c"}})
    team.finished("mrun", "odd", "JobRefused")
    message = team.condition("mrun", "odd")["message"]
    assert "nodeSelector" in message
    assert "create a run under another name" in message


def test_a_promotion_that_is_refused_hides_no_version(team: Team) -> None:
    refuse_promotions_named(team, "v1.production")
    team.run("v1", promotion={"stage": "production"})
    status = team.finished("mrun", "v1", "Succeeded")
    assert status["version"]["id"] == "v1"
    message = team.condition("mrun", "v1")["message"]
    assert "its promotion was refused" in message
    assert "not in this house" in message
    assert "promotion" not in status


def refuse_promotions_named(team: Team, name: str) -> None:
    """A policy of the platform's own, in force in the team's namespace when this returns."""
    group = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["mira.constellation.dev"], "apiVersions": ["v1alpha1"], "operations": ["CREATE"]}
    policy = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": team.namespace},
        "spec": {
            "matchConstraints": {
                "resourceRules": [rule | {"resources": ["modelpromotions"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": team.namespace}},
            },
            "validations": [{"expression": f"object.metadata.name != '{name}'", "message": "not in this house"}],
        },
    }
    binding = {
        "apiVersion": group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": team.namespace},
        "spec": {"policyName": team.namespace, "validationActions": ["Deny"]},
    }
    for body in (policy, binding):
        team.kubectl("admin", "apply", "-f", "-", stdin=json.dumps(body))
    spec = {"model": "churn", "stage": "production", "version": "v1"}
    tried = {"apiVersion": API, "kind": "ModelPromotion", "metadata": {"name": name}, "spec": spec}

    def refuses() -> bool:
        arguments = ("create", "--dry-run=server", "-n", team.namespace, "-f", "-")
        return "not in this house" in team.local.kubectl("alice", *arguments, stdin=json.dumps(tried)).stderr

    team.until("the policy to refuse", refuses)
