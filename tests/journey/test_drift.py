"""Data that moved away from what the current version was trained on: the run ends, and its status says how far."""

import random

import pytest

from dev.local import IMAGE, Local
from dev.s3.roles import DATA_BUCKET, Role
from tests.support.team import Team

pytestmark = pytest.mark.usefixtures("operator")


def customers(highest_price: int) -> bytes:
    drawn = random.Random(7)  # noqa: S311
    rows = [(drawn.randrange(highest_price), drawn.randrange(48), drawn.random() < 0.4) for _ in range(600)]
    return "\n".join(
        ["price,months,churned", *(f"{price},{months},{int(churned)}" for price, months, churned in rows)]
    ).encode()


def train(mira: Local, team: Team, version: str, highest_price: int) -> None:
    key = f"moved/{version}.csv"
    mira.s3.client(Role.ADMIN).put_object(Bucket=DATA_BUCKET, Key=key, Body=customers(highest_price))
    data = {"training": {"uri": f"s3://{DATA_BUCKET}/{key}"}, "target": "churned"}
    asked = {"drift": {"maxDriftedShare": "0.3"}, "evaluation": {"against": "production"}}
    team.train(version, image=IMAGE, data=data, **asked)


def test_a_run_whose_data_moved_too_far_fails_and_names_the_columns(mira: Local, team: Team) -> None:
    team.stage()
    train(mira, team, "v1", 60)
    assert "drift" not in team.finished("mrun", "v1", "Succeeded", within=60), "nothing was current"
    team.promote("first", "v1")
    team.approve("first")
    team.finished("mpromo", "first", "Promoted")
    train(mira, team, "v2", 60_000)
    status = team.finished("mrun", "v2", "DataDrift", within=60)
    assert {"verdict": "Drifted", "version": "v1", "columns": ["price"]}.items() <= status["drift"].items()
    assert [check["column"] for check in status["failedChecks"]] == ["price"]
    assert not team.has_version("v2")
