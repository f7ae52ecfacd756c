"""How little the operator writes: counted by verb and resource from the API server's audit log."""

from dev.local import Local
from tests.support.audit import Audit
from tests.support.team import Team


def test_a_run_from_created_to_succeeded_is_one_job_and_at_most_three_status_patches(mira: Local, team: Team) -> None:
    audit = Audit(mira.control_plane.audit_log)
    operator = mira.start_operator("counted")
    team.run("v1")
    team.finished("mrun", "v1", "Succeeded")
    operator.process.terminate()
    operator.process.wait(30)
    writes = audit.writes(team.namespace)
    assert writes.pop(("create", "jobs")) == 1
    assert writes.pop(("patch", "trainingruns/status")) <= 3
    assert not writes


def test_a_training_under_way_tells_its_step_with_one_status_patch_for_each_that_is_seen(
    mira: Local, team: Team
) -> None:
    audit = Audit(mira.control_plane.audit_log)
    operator = mira.start_operator("counted")
    gate = f"models/{team.namespace}/gate"
    team.run("v1", parameters={"at_step": "train", "wait_for": gate})
    team.until("the run to train", lambda: team.reason("mrun", "v1") == "Training")
    assert team.condition("mrun", "v1", "DataValidated")["status"] == "True"
    assert team.condition("mrun", "v1")["message"].endswith("is at step train: 7 rows")
    assert team.status("mrun", "v1")["step"]["number"] == 3
    team.s3_admin.create(gate, b"{}")
    team.finished("mrun", "v1", "Succeeded")
    operator.process.terminate()
    operator.process.wait(30)
    assert audit.writes(team.namespace)[("patch", "trainingruns/status")] <= 3 + 3


def test_a_restart_with_nothing_to_do_writes_nothing(mira: Local, team: Team) -> None:
    operator = mira.start_operator("counted")
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.finished("mrun", "v1", "Succeeded")
    team.run("held", promotion={"stage": "production"}, suspend=True)
    team.until("the first to wait", lambda: team.reason("mpromo", "v1.production") == "AwaitingApproval")
    team.until("the second to be held", lambda: team.reason("mrun", "held") == "Suspended")
    operator.process.terminate()
    operator.process.wait(30)

    audit = Audit(mira.control_plane.audit_log)
    operator = mira.start_operator("counted", MIRA_RESYNC_SECONDS="1")
    team.until("every key to be looked at again", lambda: operator.metric("mira_passes_total") >= 12)
    operator.process.terminate()
    operator.process.wait(30)
    assert not audit.writes(team.namespace)
