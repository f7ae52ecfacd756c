"""What trainings ask of S3, recorded as it is sent, is what docs/aws.md allows them, and nothing there is too much."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

from dev.s3 import REGISTRY_URI, Role
from dev.s3.roles import DATA_BUCKET
from mira.registry.keys import DriftKey
from mira.registry.order import OrderKind
from mira.registry.s3 import S3Store
from mira_training.data.objects import S3Objects
from tests.registry.iam import Request, allowed, asked, policies
from tests.training.servers import session_of
from tests.training.workbench import MODEL, NAMESPACE, Workbench, csv, customers

TRAINER = {
    "aws:PrincipalArn": "arn:aws:iam::111122223333:role/mira-trainer",
    "aws:PrincipalTag/kubernetes-namespace": NAMESPACE,
}
ON_AWS = {f"/{REGISTRY_URI.removeprefix('s3://')}": "/my-models/mira", f"/{DATA_BUCKET}": "/team-a-data"}
ROWS = f"s3://{DATA_BUCKET}/rights/rows/"
QUICK = {"parameters": {"max_iter": 2}}


@dataclass
class Recorded:
    """Every request of the sessions that it listens to."""

    requests: list[Request] = field(default_factory=list)

    def __call__(self, request, **_):
        url = urlsplit(request.url)
        target = f"{url.path}?{url.query}".replace(f"prefix={REGISTRY_URI.split('/')[-1]}", "prefix=mira")
        for local, remote in ON_AWS.items():
            if target.startswith(local):
                target = remote + target.removeprefix(local)
                break
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        self.requests.append(asked(request.method, target, headers))


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def trainer(s3, tmp_path: Path, recorded) -> Workbench:
    """A workbench on S3 with what a training pod may do there; the customers lie in two objects of a prefix."""
    admin = session_of(s3, Role.ADMIN).client("s3", endpoint_url=s3.endpoint)
    for seed in (1, 2):
        admin.put_object(Bucket=DATA_BUCKET, Key=f"rights/rows/{seed}.csv", Body=csv(customers(seed=seed)))
    session = session_of(s3, Role.TRAINER)
    session.events.register("before-send.s3", recorded)
    client = session.client("s3", endpoint_url=s3.endpoint, config=Config(retries={"total_max_attempts": 4}))
    store = S3Store(REGISTRY_URI, endpoint=s3.endpoint, session=session)
    return Workbench(tmp_path, store=store, data=S3Objects(client), registry=REGISTRY_URI)


def promoted(s3, trainer: Workbench, version: str) -> None:
    session = session_of(s3, Role.ADMIN)
    by_admin = Workbench(trainer.folder, store=S3Store(REGISTRY_URI, endpoint=s3.endpoint, session=session))
    by_admin.make_current(version)


def test_a_whole_life_of_trainings_needs_no_right_that_the_page_does_not_give(s3, trainer, recorded):
    data = {"training": {"uri": ROWS, "format": "CSV"}}
    assert trainer.run(trainer.order("rights-1", data=data, **QUICK)).code == 0
    promoted(s3, trainer, "rights-1")
    against = {"evaluation": {"against": "production"}}
    assert trainer.run(trainer.order("rights-2", against="production", data=data, **QUICK, **against)).code == 0
    assert trainer.comparison("rights-2", "rights-1") is not None
    queried = {"training": {"uri": "s3://warehouse/customers"}}
    hooks = {"ingest": "tests.training.test_rights_on_aws:query"}
    assert trainer.run(trainer.order("rights-3", data=queried, hooks=hooks, **QUICK)).code == 0
    checked = trainer.order("rights-1", data=data, **QUICK).model_copy(update={"kind": OrderKind.DRIFT_CHECK})
    assert trainer.run(checked).code == 0
    assert trainer.store.get(DriftKey(NAMESPACE, MODEL, checked.run.uid).document, limit=10_000_000) is not None

    granted = policies()
    refused = {
        (each.action, each.resource)
        for each in recorded.requests
        if not allowed(
            Request(each.action, each.resource, each.context | TRAINER), granted["trainer"], granted["bucket-policy"]
        )
    }
    assert refused == set()
    used = {each.action for each in recorded.requests}
    assert used == {"s3:PutObject", "s3:GetObject", "s3:ListBucket"}


def query(inputs, uri, params):
    return customers(seed=7)
