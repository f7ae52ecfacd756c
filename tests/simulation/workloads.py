"""What a history is about: who asks for what, and which ends are right, whatever goes wrong meanwhile."""

from collections.abc import Callable
from typing import NamedTuple

from tests.simulation.people import Team
from tests.simulation.promises import told

GATES = [{"metric": "roc_auc", "minimum": "0.5", "maxRegression": "0.5"}]
V1, V2 = ("Promote", "Promoted", "v1"), ("Promote", "Promoted", "v2")
BACK = ("RollBack", "RolledBack", "v1")
Lineage = list[tuple[str, str, str | None]]
Ends = dict[str, tuple[str, ...]]


class Workload(NamedTuple):
    """What people do; the lineages that may come of it; the reasons with which each resource may end."""

    does: Callable[[Team], None]
    lineages: tuple[Lineage, ...]
    promotions: Ends
    runs: Ends


def _journey(team: Team) -> None:
    team.own_stage(gates=GATES)
    for version in ("v1", "v2"):
        team.run(version)
        team.ends(version, "TrainingRun")
        team.say(f"{version}.production")
        team.ends(f"{version}.production")
    team.promote("back", "v1", action="RollBack")
    team.ends("back")


def _two_at_once(team: Team) -> None:
    # Trained side by side, the two were never compared with each other: a relative gate would want a Job for that.
    team.own_stage(gates=[{"metric": "roc_auc", "minimum": "0.5"}])
    for version in ("v1", "v2"):
        team.run(version, promote=False)
    for version in ("v1", "v2"):
        team.ends(version, "TrainingRun")
        team.promote(f"to-{version}", version)
        team.world.scheduler.sleep(1.5)
    for version in team.world.scheduler.random.sample(("v1", "v2"), 2):
        team.say(f"to-{version}")
        team.pause(2)
    team.ends("to-v1")
    team.ends("to-v2")


def _compared_by_a_job(team: Team) -> None:
    """No training has compared the two: the second promotion has a Job do it."""
    team.own_stage(gates=GATES)
    for version in ("v1", "v2"):
        team.run(version, promote=False)
    for version in ("v1", "v2"):
        team.ends(version, "TrainingRun")
        team.promote(f"to-{version}", version)
        team.say(f"to-{version}")
        team.decided(f"to-{version}")


def _training_fails(team: Team) -> None:
    team.own_stage()
    team.run("v1", fail=64)
    team.ends("v1", "TrainingRun")
    team.delete("TrainingRun", "v1")
    team.pause(3)
    team.run("v1")
    team.ends("v1", "TrainingRun")
    team.say("v1.production")
    team.ends("v1.production")


def _rejected(team: Team) -> None:
    team.own_stage()
    team.run("v1")
    team.ends("v1", "TrainingRun")
    team.say("v1.production", "Rejected")
    team.ends("v1.production")


def _trained(team: Team) -> None:
    """A stage without gates, and a version that nobody has asked to promote."""
    team.own_stage()
    team.run("v1", promote=False)
    team.ends("v1", "TrainingRun")


def _expects_another(team: Team) -> None:
    _trained(team)
    team.promote("to-v1", "v1", expectedCurrent="v0")
    team.say("to-v1")
    team.ends("to-v1")


def _deleted_midway(team: Team) -> None:
    _trained(team)
    team.promote("to-v1", "v1")
    team.say("to-v1")
    team.pause(1.5)
    team.delete("ModelPromotion", "to-v1")


def _created_again(team: Team) -> None:
    _trained(team)
    for _ in range(3):
        team.promote("to-v1", "v1")
        team.say("to-v1")
        team.pause(1.5)
        team.delete("ModelPromotion", "to-v1")
        team.delete("TrainingRun", "v1")
        team.pause(0.5)
        team.run("v1", promote=False)
    team.promote("to-v1", "v1")
    team.say("to-v1")
    team.ends("to-v1")


def _everything_deleted(team: Team) -> None:
    _journey(team)
    for kind, names in (("TrainingRun", ("v1", "v2")), ("ModelPromotion", ("v1.production", "v2.production", "back"))):
        for name in names:
            team.delete(kind, name)
    team.delete("ModelStage", f"{team.model}.production")
    team.pause(5)
    _applied_again(team)


def _cluster_lost(team: Team) -> None:
    """Git has everything, S3 has everything: a new cluster is given both."""
    _journey(team)
    team.pause(5)
    world = team.world
    world.act("somebody", "loses the cluster", world.lose_cluster)
    team.pause(5)
    world.server.create_namespace(team.namespace)
    _applied_again(team)


def _applied_again(team: Team) -> None:
    """All of the journey once more, in another order, as a tool does that keeps a cluster as Git says."""
    team.own_stage(gates=GATES)
    for version in ("v2", "v1"):
        team.run(version)
    team.promote("back", "v1", action="RollBack")
    for version in ("v1", "v2"):
        team.until(f"{version}.production is made again", lambda name=f"{version}.production": not team.gone(name))
        team.ends(f"{version}.production")
    team.ends("back")


def _withdrawn(team: Team) -> None:
    """Approved, changed to a rejection at once: either may have come first, but it is one of the two."""
    _trained(team)
    team.promote("to-v1", "v1")
    team.say("to-v1")
    team.pause(0.8)
    team.say("to-v1", "Rejected")
    team.ends("to-v1")


def _nobody_is_there(team: Team) -> None:
    """Approved while no operator runs: the next one sees creation and approval as one."""
    _trained(team)
    team.promote("to-v1", "v1")
    team.until("it shows its digest", lambda: bool(team.status("to-v1").get("digest")))
    for process in team.world.processes:
        team.world.kill(process.owner)
    team.say("to-v1")
    team.ends("to-v1")


def _a_file_is_changed(team: Team) -> None:
    """After the training somebody changes one byte of the model: it is never promoted."""
    _trained(team)
    objects = team.world.store.objects
    for key in [key for key in objects if f"/{team.model}/versions/v1/" in key and key.endswith("model.onnx")]:
        team.world.act("somebody", f"changes {key}", lambda key=key: objects.update({key: b"b model"}))
    team.promote("to-v1", "v1")
    team.ends("to-v1")


CLUSTER_LOST = "the cluster lost and everything applied to a new one"
REFUSED: Lineage = [("Refuse", "Rejected", None)]
WORKLOADS: dict[str, Workload] = {
    "two versions and a rollback": Workload(
        _journey,
        ([V1, V2, BACK],),
        {"v1.production": ("Promoted",), "v2.production": ("Promoted",), "back": ("RolledBack",)},
        {"v1": ("Succeeded",), "v2": ("Succeeded",)},
    ),
    "two promotions at once": Workload(
        _two_at_once,
        ([V1, V2], [V2, ("Refuse", "Superseded", "v2")]),
        {"to-v1": ("Promoted", "Superseded"), "to-v2": ("Promoted",)},
        {"v1": ("Succeeded",), "v2": ("Succeeded",)},
    ),
    "two versions compared by a Job": Workload(
        _compared_by_a_job,
        ([V1, V2],),
        {"to-v1": ("Promoted",), "to-v2": ("Promoted",)},
        {"v1": ("Succeeded",), "v2": ("Succeeded",)},
    ),
    "a training that fails, and one that does not": Workload(
        _training_fails, ([V1],), {"v1.production": ("Promoted",)}, {"v1": ("Succeeded", "Adopted")}
    ),
    "a rejection": Workload(_rejected, (REFUSED,), {"v1.production": ("Rejected",)}, {"v1": ("Succeeded",)}),
    "another current version than expected": Workload(
        _expects_another, ([("Refuse", "Conflict", None)],), {"to-v1": ("Conflict",)}, {"v1": ("Succeeded",)}
    ),
    "a promotion deleted midway": Workload(_deleted_midway, ([V1], []), {}, {"v1": ("Succeeded",)}),
    "resources deleted and created again": Workload(
        _created_again, ([V1],), {"to-v1": ("Promoted",)}, {"v1": ("Adopted", "Succeeded")}
    ),
    "everything deleted and created again": Workload(
        _everything_deleted,
        ([V1, V2, BACK],),
        {"v1.production": ("Promoted",), "v2.production": ("Promoted",), "back": ("RolledBack",)},
        {"v1": ("Adopted",), "v2": ("Adopted",)},
    ),
    CLUSTER_LOST: Workload(
        _cluster_lost,
        ([V1, V2, BACK],),
        {"v1.production": ("Promoted",), "v2.production": ("Promoted",), "back": ("RolledBack",)},
        {"v1": ("Adopted",), "v2": ("Adopted",)},
    ),
    "approved while no operator runs": Workload(
        _nobody_is_there, ([V1],), {"to-v1": ("Promoted",)}, {"v1": ("Succeeded",)}
    ),
    "a file changed after the training": Workload(
        _a_file_is_changed,
        ([("Refuse", "ArtifactCorrupt", None)],),
        {"to-v1": ("ArtifactCorrupt",)},
        {"v1": ("Succeeded",)},
    ),
    "an approval taken back": Workload(
        _withdrawn, ([V1], REFUSED), {"to-v1": ("Promoted", "Rejected")}, {"v1": ("Succeeded",)}
    ),
}


def wrong(team: Team, workload: Workload) -> list[str]:
    """What is not as it should be in the end; empty when all is."""
    entries = next((e for stage, e in team.world.promises.entries.items() if stage.model == team.model), [])
    found = [] if told(entries) in workload.lineages else [f"{team.model}: the lineage is {told(entries)}"]
    for kind, ends in (("ModelPromotion", workload.promotions), ("TrainingRun", workload.runs)):
        for name, reasons in ends.items():
            reason = (
                team.reason(name, kind) if team.finished(name, kind) else f"not finished: {team.reason(name, kind)}"
            )
            if reason not in reasons:
                found.append(f"{kind} {name} of {team.model} is {reason}")
    number = len(entries)
    if number and team.get("ModelStage", f"{team.model}.{team.stage}"):
        shown = team.status(f"{team.model}.{team.stage}", "ModelStage").get("number")
        if shown != number:
            found.append(f"ModelStage of {team.model} shows entry {shown} of {number}")
    return found
