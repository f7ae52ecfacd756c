"""A suite of Great Expectations in a ConfigMap: what the pod finds there decides whether anything is trained."""

import json

import pytest

from dev.local import IMAGE, Local
from dev.s3.roles import DATA_BUCKET, Role
from tests.support.team import Team

pytestmark = pytest.mark.usefixtures("operator")
ROWS = b"price,churned\n" + b"5,0\n42,1\n" * 200
CHEAP = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "price", "max_value": 40}}


def train(mira: Local, team: Team, version: str) -> None:
    mira.s3.client(Role.ADMIN).put_object(Bucket=DATA_BUCKET, Key="suite/rows.csv", Body=ROWS)
    data = {
        "training": {"uri": f"s3://{DATA_BUCKET}/suite/rows.csv"},
        "target": "churned",
        "checks": {"expectations": {"configMap": "churn-suite"}},
    }
    team.train(version, image=IMAGE, data=data)


def test_data_that_fails_the_suite_ends_the_run_and_is_told_in_its_status(mira: Local, team: Team) -> None:
    content = json.dumps({"expectations": [CHEAP]})
    team.kubectl("admin", "create", "configmap", "churn-suite", f"--from-literal=suite.json={content}")
    train(mira, team, "v1")
    status = team.finished("mrun", "v1", "ExpectationsFailed", within=60)
    said = "column 'price': expect_column_max_to_be_between(max_value=40) is not met"
    assert team.condition("mrun", "v1")["message"] == f"data.training: {said}"
    assert team.condition("mrun", "v1", "DataValidated")["status"] == "False"
    assert status["failedChecks"] == [{"check": "expect_column_max_to_be_between", "column": "price", "message": said}]
    assert not team.has_version("v1")


def test_a_config_map_that_is_not_there_ends_the_run_at_once(mira: Local, team: Team) -> None:
    train(mira, team, "v1")
    team.finished("mrun", "v1", "ExpectationsInvalid", within=60)
    assert "had no ConfigMap churn-suite with the key suite.json" in team.condition("mrun", "v1")["message"]
