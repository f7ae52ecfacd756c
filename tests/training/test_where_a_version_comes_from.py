"""What a version says of itself: provenance, signature, sample row, and what the data went through."""

import json
import logging

import pytest

import mira
from mira.registry import Registry
from mira.registry.document import digest, sha256
from mira.registry.dsse import Statement
from mira.registry.order import Order
from mira_training.provenance import PREDICATE, Made
from mira_training.provenance import provenance as provenance_of
from mira_training.serve.predictor import sample
from mira_training.settings import Settings
from tests.registry.examples import A_SOURCE, ATTEMPT, NOW, a_file
from tests.registry.examples import an_order as an_order_of_the_registry
from tests.support.signers import ED25519, P256, keys, private_pem
from tests.training.workbench import MODEL, NAMESPACE, STAGE, csv, customers

DROP = {"drop": ["customer", "since", "loss", "band"]}
QUICK = {"max_iter": 2}
IMAGE = "registry.example.com/churn@sha256:" + "a" * 64


@pytest.fixture(params=[ED25519, P256], ids=["Ed25519", "P-256"])
def signer(request, bench, tmp_path):
    """The bench's trainings sign with this key."""
    bench.signing_key = tmp_path / "key.pem"
    bench.signing_key.write_bytes(private_pem(request.param._key))
    return request.param


def an_order(bench, version="v1", **spec):
    order = bench.order(version, **{"data": DROP, "parameters": QUICK} | spec)
    return order.model_copy(update={"image": IMAGE})


def provenance(bench, version="v1"):
    return Statement.parse(bench.file(version, "report/provenance.json"))


def test_the_provenance_is_of_every_other_file_and_is_itself_one_that_the_manifest_lists(bench):
    bench.run(an_order(bench))
    said = {(each.name, each.digest.sha256) for each in provenance(bench).subject}
    listed = {(file.path, file.sha256) for file in bench.manifest("v1").files}
    (itself,) = listed - said
    assert itself[0].endswith("report/provenance.json")
    assert said < listed


def test_the_provenance_says_from_what_by_whom_and_when(bench):
    bench.revision = "0123abc"
    order = an_order(bench)
    end = bench.run(order)
    statement = provenance(bench)
    definition, run = statement.predicate["buildDefinition"], statement.predicate["runDetails"]
    assert statement.predicate_type == PREDICATE
    asked = definition["externalParameters"]
    assert (asked["spec"], asked["specHash"]) == (order.spec, order.run.spec_hash)
    assert (asked["namespace"], asked["model"], asked["version"]) == (NAMESPACE, MODEL, "v1")
    by_name = {each["name"]: each for each in definition["resolvedDependencies"]}
    data = bench.data.objects["s3://data/rows.csv"]
    assert by_name["training"]["uri"] == "s3://data/rows.csv"
    assert by_name["training"]["digest"] == {"sha256": sha256(data)}
    assert by_name["training"]["annotations"]["rows"] == 600
    assert by_name["image"] == {
        "name": "image",
        "uri": "registry.example.com/churn",
        "digest": {"sha256": "a" * 64},
        "annotations": {"revision": "0123abc"},
    }
    assert by_name["mira-mlops"]["uri"] == f"pkg:pypi/mira-mlops@{mira.__version__}"
    assert run["metadata"] == {
        "invocationId": f"{order.run.uid}/{end.attempt}",
        "startedOn": "2026-11-22T12:00:00Z",
        "finishedOn": "2026-11-22T12:00:00Z",
    }


def test_parameters_as_deep_as_an_order_takes_them_are_read_back():
    order = an_order_of_the_registry(spec={"parameters": {"a": json.loads("[" * 17 + "]" * 17)}})
    assert Order.parse(order.render()) == order
    made = Made(order, ATTEMPT, [A_SOURCE], {}, None, started_at=NOW, finished_at=NOW)
    statement = provenance_of(made, [a_file()])
    assert Statement.parse(statement.render()) == statement


def test_the_manifest_says_what_the_data_went_through_and_how_the_comparison_went(bench):
    checks = {"columns": [{"name": "age", "minimum": "0"}, {"name": "plan"}], "extraColumns": "Warn"}
    bench.run(an_order(bench, data=DROP | {"checks": checks}))
    bench.make_current("v1")
    bench.run(an_order(bench, "v2").model_copy(update={"against": STAGE}))
    first, second = bench.manifest("v1"), bench.manifest("v2")
    assert first.validation.passed == 2
    assert [each.check for each in first.validation.warnings] == ["extraColumns"]
    assert (second.validation.passed, second.validation.warnings) == (0, [])
    assert (second.compared_with.verdict, second.compared_with.reason) == ("Compared", "")
    assert first.code.libraries["mira-mlops"] == mira.__version__


# The sample


def test_the_sample_is_typical_and_holds_no_text_of_the_data(bench):
    bench.run(an_order(bench))
    rows = customers()
    found = bench.manifest("v1").model_schema.sample
    assert list(found) == ["active", "age", "plan", "spend"]
    assert (found["plan"], found["active"]) == ("", True)
    assert found["age"] == pytest.approx(rows["age"].median(), rel=0.1)
    assert found["spend"] == pytest.approx(rows["spend"].median(), rel=0.1)


def test_a_text_that_a_check_allows_is_in_the_sample_because_a_person_wrote_it(bench):
    checks = {"columns": [{"name": "plan", "allowed": ["pro", "free", "team"]}]}
    bench.run(an_order(bench, data=DROP | {"checks": checks}))
    assert bench.manifest("v1").model_schema.sample["plan"] == "pro"


def test_a_customers_number_is_not_in_the_sample(bench):
    rows = customers()
    rows["customer"] = rows["customer"] + 123_456_789
    bench.data.objects["s3://data/rows.csv"] = csv(rows)
    bench.run(an_order(bench, data={"drop": ["since", "loss", "band"]}, artifacts=["Skops"]))
    assert bench.manifest("v1").model_schema.sample["customer"] == 123_000_000


def test_a_server_warms_up_on_the_sample_and_on_zeros_where_it_has_no_usable_value(bench):
    bench.run(an_order(bench))
    schema = bench.manifest("v1").model_schema
    given = schema.model_copy(update={"sample": {"age": 1e300, "spend": "x", "plan": 3, "active": True}})
    assert {name: cell[0][0] for name, cell in sample(given).items()} == {
        "age": 0.0, "spend": 0.0, "plan": "", "active": 1.0,
    }  # fmt: skip
    assert sample(schema)["age"][0][0] == schema.sample["age"]
    assert sample(schema.model_copy(update={"sample": None}))["age"][0][0] == 0.0


# The signature


def signature_key(bench, signer, version="v1"):
    return bench.key(version).signature(digest(bench.body(version)), signer.key_id)


def test_a_training_with_a_key_signs_what_it_publishes(bench, signer):
    end = bench.run(an_order(bench))
    assert end.code == 0
    found = Registry(bench.store, verify_keys=keys(ED25519, P256)).version(
        namespace=NAMESPACE, model=MODEL, version="v1"
    )
    assert found.digest == end.outcome.digest
    written = [request.key for request in bench.store.requests if request.verb == "create"]
    assert written[-3:-1] == [signature_key(bench, signer), bench.key("v1").manifest]


def test_without_a_key_nothing_is_signed(bench):
    bench.run(an_order(bench))
    assert not [key for key in bench.store.objects if "/signatures/" in key]


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nTUlHAgEA\n-----END PRIVATE KEY-----\n", None])
def test_a_key_that_cannot_be_used_ends_the_run_before_anything_is_read(bench, tmp_path, caplog, content):
    bench.signing_key = tmp_path / "key.pem"
    if content is not None:
        bench.signing_key.write_bytes(content)
    with caplog.at_level(logging.DEBUG):
        end = bench.run(an_order(bench))
    assert (end.code, end.outcome.reason) == (64, "SigningKeyInvalid")
    assert end.outcome.message.startswith(f"MIRA_SIGNING_KEY: {bench.signing_key}: ")
    assert "TUlHAgEA" not in end.outcome.message + caplog.text
    assert "s3://data/rows.csv" not in caplog.text


def test_the_key_is_in_no_log_and_no_document(bench, signer, caplog):
    with caplog.at_level(logging.DEBUG):
        bench.run(an_order(bench))
    secret = bench.signing_key.read_text().splitlines()[1]
    assert secret not in caplog.text
    assert not [key for key, body in bench.store.objects.items() if secret.encode() in body]
    assert signer.key_id in caplog.text


def test_something_in_the_signatures_place_fails_the_attempt_and_the_next_one_publishes(bench, signer):
    """The place is named by the manifest's digest, so that another attempt has another one."""
    real, spoiled = bench.store.create, []

    def squatted(key, body):
        if "/signatures/" in key and not spoiled:
            spoiled.append(key)
            bench.store.objects[key] = b"junk"
        return real(key, body)

    bench.store.create = squatted
    order = an_order(bench)
    first = bench.run(order)
    assert (first.code, first.outcome.retryable, bench.body("v1")) == (1, True, None)
    assert "holds something else than this attempt's signature" in first.outcome.message
    assert bench.run(order).code == 0
    assert signature_key(bench, signer) != spoiled[0]
    assert Registry(bench.store, verify_keys=keys(signer)).version(namespace=NAMESPACE, model=MODEL, version="v1")


def test_settings_name_the_key_and_the_revision():
    of = Settings.of({"MIRA_SIGNING_KEY": "/mira/signing/key.pem", "MIRA_CODE_REVISION": "abc"})
    assert (str(of.signing_key), of.revision) == ("/mira/signing/key.pem", "abc")
    assert Settings.of({"MIRA_SIGNING_KEY": ""}).signing_key is None
