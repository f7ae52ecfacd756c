"""Two versions that no training has compared: the promotion has a Job do it, and goes on by itself."""

import csv
import io
import random
from pathlib import Path

from dev.local import IMAGE, Local, OperatorProcess
from dev.s3.roles import DATA_BUCKET, Role
from mira.registry.comparison import Comparison, Verdict
from mira.registry.keys import VersionKey
from tests.support.team import Team

GATES = [{"metric": "roc_auc", "minimum": "0.5", "maxRegression": "0.5"}]


def comparison(team: Team, candidate: str, current: str) -> Comparison | None:
    """What the registry has of this pair."""
    digests = [team.status("mrun", version)["version"]["digest"] for version in (candidate, current)]
    key = VersionKey(team.namespace, "churn", candidate).comparison(digests[0], digests[1])
    stored = team.store.get(key, limit=Comparison.LIMIT)
    return Comparison.parse(stored.body) if stored else None


def two_versions_of_which_the_first_is_current(team: Team) -> None:
    """Trained side by side, so neither was compared with the other."""
    team.stage(gates=GATES)
    for version in ("v1", "v2"):
        team.run(version)
    for version in ("v1", "v2"):
        team.finished("mrun", version, "Succeeded")
    team.promote("first", "v1")
    team.approve("first")
    team.finished("mpromo", "first", "Promoted")
    assert comparison(team, "v2", "v1") is None


def test_a_pair_that_no_training_compared_is_compared_by_a_job_of_the_promotion(
    team: Team, operator: OperatorProcess
) -> None:
    two_versions_of_which_the_first_is_current(team)
    team.promote("second", "v2")
    team.approve("second")
    team.finished("mpromo", "second", "Promoted")
    found = comparison(team, "v2", "v1")
    assert found is not None
    assert found.verdict is Verdict.COMPARED
    (gate,) = team.status("mpromo", "second")["gates"]
    assert (gate["current"], gate["result"]) == ("0.8", "Pass")
    assert team.lineage()[-1].gates[0].lower == "0.000000"
    assert len([job for job in team.jobs() if job.startswith("second-") and job.endswith("-cmp")]) == 1
    assert "Comparing" in team.kubectl("alice", "get", "events", "--field-selector=involvedObject.name=second")
    team.kubectl("admin", "delete", "mpromo", "second")
    team.until("the promotion's Job to go with it", lambda: not any(job.startswith("second-") for job in team.jobs()))
    assert operator.process.poll() is None


def test_an_operator_killed_while_it_compares_is_followed_by_one_that_goes_on(mira: Local, team: Team) -> None:
    first = mira.start_operator("killed", MIRA_RESYNC_SECONDS="3")
    two_versions_of_which_the_first_is_current(team)
    team.promote("second", "v2")
    team.until("the Job that compares them", lambda: any(job.endswith("-cmp") for job in team.jobs()))
    first.process.kill()
    first.process.wait(30)
    team.approve("second")
    after = mira.start_operator("after", MIRA_RESYNC_SECONDS="3")
    team.finished("mpromo", "second", "Promoted")
    assert len([job for job in team.jobs() if job.endswith("-cmp")]) == 1
    after.process.terminate()
    after.process.wait(30)


def some_customers(rows: int) -> bytes:
    """A table in which who pays more is likelier to leave."""
    drawn, text = random.Random(7), io.StringIO()  # noqa: S311
    table = csv.writer(text)
    table.writerow(["id", "price", "months", "churned"])
    for row in range(rows):
        price, months = drawn.uniform(5, 60), drawn.randrange(48)
        table.writerow([row, f"{price:.2f}", months, int(drawn.random() < price / 80)])
    return text.getvalue().encode()


def test_the_training_image_itself_makes_the_rows_again_and_scores_both_versions(
    mira: Local, team: Team, operator: OperatorProcess, tmp_path: Path
) -> None:
    mira.s3.client(Role.ADMIN).put_object(Bucket=DATA_BUCKET, Key="churn/customers.csv", Body=some_customers(600))
    team.stage(gates=GATES)
    data = {"training": {"uri": f"s3://{DATA_BUCKET}/churn/customers.csv"}, "target": "churned", "drop": ["id"]}
    for version, depth in (("v1", 2), ("v2", 3)):
        team.train(version, image=IMAGE, data=data, parameters={"max_depth": depth})
    for version in ("v1", "v2"):
        team.finished("mrun", version, "Succeeded", within=120)
    for name, version in (("first", "v1"), ("second", "v2")):
        team.promote(name, version)
        team.approve(name)
        team.finished("mpromo", name, "Promoted", within=120)
    found = comparison(team, "v2", "v1")
    assert found is not None
    measured = team.status("mrun", "v2")["metrics"]
    assert found.rows > 80
    difference = found.difference("roc_auc")
    assert difference is not None
    assert difference.candidate in {metric["value"] for metric in measured}
    assert float(difference.lower) <= 0.5 and operator.process.poll() is None
