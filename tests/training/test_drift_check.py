"""A drift check: an order of its own that says of new data how far it is from what a version was trained on."""

import json
import re
import shutil
import uuid
from pathlib import Path

import pytest
from botocore.config import Config

from dev.processes import CHECKOUT
from dev.s3 import REGISTRY_URI, Role
from dev.s3.roles import DATA_BUCKET
from examples.flights.data import write_months
from mira.registry.document import digest
from mira.registry.drift import Drift
from mira.registry.keys import DriftKey
from mira.registry.manifest import DriftVerdict
from mira.registry.order import Order, OrderKind
from mira.registry.outcome import Outcome
from mira.registry.s3 import S3Store
from mira.registry.store import StoreUnavailable
from mira_training.assignment import assign
from mira_training.data.objects import S3Objects
from tests.training.servers import session_of
from tests.training.workbench import MODEL, NAMESPACE, Workbench, csv, customers

ROWS, NEW = "s3://data/rows.csv", "s3://data/new.csv"
DATA = {"drop": ["customer", "since", "loss", "band"]}


def check(bench, version="v1", *, fields=None, **spec) -> Order:
    """An order for new rows against the version, whose rows need not have answers yet."""
    content = {"data": DATA | {"training": {"uri": NEW}, "target": None}} | spec
    made = bench.order(version, **content)
    return Order.parse(
        json.dumps(json.loads(made.render()) | {"kind": OrderKind.DRIFT_CHECK} | (fields or {})).encode()
    )


def key(order) -> DriftKey:
    return DriftKey(NAMESPACE, MODEL, order.run.uid)


def answer(bench, order) -> Drift | None:
    stored = bench.store.get(key(order).document, limit=Drift.LIMIT)
    return stored and Drift.parse(stored.body)


@pytest.fixture
def published(bench):
    """A bench with v1, and new rows without answers."""
    bench.run(bench.order("v1", data=DATA, parameters={"max_iter": 2}))
    bench.data.objects[NEW] = csv(customers(400, seed=3).drop(columns="churned"))
    return bench


def test_new_rows_of_the_same_kind_have_not_drifted(published):
    order = check(published, fields={"digest": digest(published.body("v1"))})
    end = published.run(order)
    drift = answer(published, order)
    assert (end.code, end.termination.reason, end.termination.drift.verdict) == (0, "DriftMeasured", "Stable")
    assert (drift.verdict, drift.drifted_share, drift.rows.current) == (DriftVerdict.STABLE, "0.0", 400)
    assert (drift.reference.version, drift.reference.digest) == ("v1", digest(published.body("v1")))
    assert [source.uri for source in drift.sources] == [NEW]


def test_that_data_drifted_is_an_answer_and_no_failure(published):
    published.data.objects[NEW] = csv(customers(400, seed=3).assign(age=99, spend=1.0).drop(columns="active"))
    order = check(published, drift={"maxDriftedShare": "0.5"})
    end = published.run(order)
    assert (end.code, end.termination.step) == (0, "drift")
    assert end.termination.message == (
        "Drifted: 3 of 5 columns drifted from the training data of version v1, a share of 0.6 where 0.5 is the limit: "
        "active, spend, age"
    )
    assert (end.termination.drift.verdict, end.termination.drift.drifted_share) == ("Drifted", "0.6")
    stored = published.store.get(key(order).outcome(end.attempt), limit=1_000_000)
    outcome = Outcome.parse(stored.body)
    assert outcome.drift == answer(published, order).summary
    assert outcome.digest == digest(published.store.objects[key(order).document])
    assert published.store.get(published.key("v1").outcome(end.attempt), limit=1) is None, "v1 is not ours to write to"


def test_the_longest_names_leave_a_termination_message_that_kubernetes_takes(published):
    names = [f"{n}{'ä' * 252}" for n in range(4)]
    rows = customers().rename(columns=dict(zip(["age", "spend", "plan", "active"], names, strict=True)))
    published.data.objects[ROWS] = csv(rows)
    published.run(published.order("v2", data=DATA, parameters={"max_iter": 2}))
    end = published.run(check(published, "v2"))
    assert end.code == 0
    assert end.termination.message.startswith("Drifted: 4 of 4 columns drifted")
    assert end.termination.drift.verdict is DriftVerdict.DRIFTED


def test_a_second_attempt_adopts_the_answer_of_the_first(published):
    order = check(published)
    published.run(order)
    first = published.store.objects[key(order).document]
    published.data.objects[NEW] = csv(customers(400).assign(age=99))
    end = published.run(order)
    assert (end.code, end.termination.drift.verdict) == (0, "Stable")
    assert published.store.objects[key(order).document] == first


def test_no_user_code_but_features_is_needed(published):
    order = check(
        published, estimator="no.such:thing", task="Custom", artifacts=["Directory"], hooks={"train": "no:no"}
    )
    assert published.run(order).code == 0


def without_profile(bench):
    content = json.loads(bench.body("v1"))
    content["files"] = [file for file in content["files"] if not file["path"].endswith("profile.json")]
    bench.store.objects[bench.key("v1").manifest] = json.dumps(content).encode()


def forged_profile(bench):
    path = next(path for path in bench.store.objects if path.endswith("profile.json"))
    bench.store.objects[path] = b"{}"


def no_rows(bench):
    bench.data.objects[NEW] = csv(customers()[:0])


def an_answer_that_is_none(bench):
    bench.store.objects[DriftKey(NAMESPACE, MODEL, UID).document] = b"{}"


def nothing(_):
    pass


UID = "01234567-89ab-cdef-0123-456789abcdef"
NOTHING_MEASURED = [
    ("no such version", nothing, {"version": "v9"}, "there is no version v9 of model churn; name one"),
    ("another digest", nothing, {"digest": "sha256:" + "0" * 64}, "does not have the digest"),
    ("no profile", without_profile, {}, "v1 was published without a profile of its training data"),
    ("a forged profile", forged_profile, {}, "profile.json does not have the sha256"),
    ("no rows", no_rows, {}, "the drift cannot be measured: the data has no rows"),
    ("an unreadable answer", an_answer_that_is_none, {}, "drift.json exists and cannot be read"),
]
WRONG_SPECS = [
    ("no such object", {"data": {"training": {"uri": "s3://data/x.csv"}}}, "DataNotFound", "does not exist"),
    ("an own ingest", {"hooks": {"ingest": "a:b"}}, "NotSupported", "hooks.ingest: must be absent; write the rows"),
    ("features that raise", {"features": "tests.training.own_code:misspelt"}, "CodeFailed", "'agee'"),
    ("an unknown field", {"colour": "blue"}, "OrderInvalid", "spec.colour: "),
]


@pytest.mark.parametrize(
    ("spoil", "fields", "message"),
    [case[1:] for case in NOTHING_MEASURED],
    ids=[case[0] for case in NOTHING_MEASURED],
)
def test_what_cannot_be_measured_is_refused_for_good(published, spoil, fields, message):
    spoil(published)
    end = published.run(check(published, uid=UID, fields=fields))
    assert (end.code, end.termination.reason) == (64, "DriftNotMeasured"), end.termination.message
    assert message in end.termination.message
    assert published.store.objects.get(DriftKey(NAMESPACE, MODEL, UID).document, b"{}") == b"{}", "there is no answer"


@pytest.mark.parametrize(
    ("spec", "reason", "message"), [case[1:] for case in WRONG_SPECS], ids=[case[0] for case in WRONG_SPECS]
)
def test_a_wrong_spec_is_refused_for_good(published, spec, reason, message):
    order = check(published, **spec)
    end = published.run(order)
    assert (end.code, end.termination.reason) == (64, reason), end.termination.message
    assert message in end.termination.message
    assert answer(published, order) is None


def test_a_run_whose_uid_is_none_is_refused_before_anything_is_written(published):
    before = dict(published.store.objects)
    end = published.run(check(published, uid="01234567").render())
    assert (end.code, end.termination.reason) == (64, "OrderInvalid")
    assert published.store.objects == before


def test_data_that_does_not_answer_is_worth_another_try(published):
    published.data.denied[NEW] = StoreUnavailable(f"{NEW}: SlowDown")
    end = published.run(check(published))
    assert (end.code, end.termination.reason) == (1, "RegistryUnavailable")


@pytest.fixture
def trainer(s3, tmp_path: Path) -> Workbench:
    """A workbench on S3 with what a training pod may do there, and the flights of January and July."""
    write_months(tmp_path / "data", months=7)
    admin = session_of(s3, Role.ADMIN).client("s3", endpoint_url=s3.endpoint)
    for name in ("weather.csv", "flights/2013-01.parquet", "flights/2013-07.parquet"):
        admin.upload_file(str(tmp_path / "data" / name), DATA_BUCKET, name)
    shutil.rmtree(tmp_path / "data")
    session = session_of(s3, Role.TRAINER)
    client = session.client("s3", endpoint_url=s3.endpoint, config=Config(retries={"total_max_attempts": 4}))
    store = S3Store(REGISTRY_URI, endpoint=s3.endpoint, session=session)
    return Workbench(tmp_path, store=store, data=S3Objects(client), registry=REGISTRY_URI)


def test_flights_of_july_are_checked_against_a_version_of_january_on_s3(trainer, monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / "examples" / "flights"))

    def of(month):
        weather = {"name": "weather", "uri": f"s3://{DATA_BUCKET}/weather.csv"}
        flights = {"uri": f"s3://{DATA_BUCKET}/flights/2013-0{month}.parquet"}
        return {
            "features": "flights.features:features",
            "data": {"training": flights, "inputs": [weather], "target": "late"},
        }

    version = f"january-{uuid.uuid4().hex[:8]}"
    assert trainer.run(trainer.order(version, parameters={"max_iter": 2}, **of(1))).code == 0
    verdicts = {}
    for month in (1, 7):
        order = check(trainer, version, fields={"digest": digest(trainer.body(version))}, **of(month))
        end = trainer.run(order)
        assert end.code == 0, end.termination.message
        verdicts[month] = answer(trainer, order).verdict
    assert verdicts == {1: DriftVerdict.STABLE, 7: DriftVerdict.DRIFTED}


def test_the_order_in_the_documentation_is_one_that_the_image_takes():
    page = (CHECKOUT / "docs" / "training" / "drift.md").read_text()
    (shown,) = re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    order = Order.parse(shown.encode())
    assigned = assign(order, "01234567-89abcdef")
    where = f"{order.namespace}/{order.model}/{order.run.uid}"
    assert assigned.drift_key.document in page.replace("<namespace>/<model>/<uid>", where)
    assert assigned.spec.drift.max_drifted_share == "0.3"
