"""docs/aws.md: each role may do what its code does, nobody else may, and nobody without a condition."""

import inspect
import re
from collections.abc import Iterator

import pytest

import mira.registry.keys
import mira.registry.s3
import mira_training.data.objects
from mira.registry.keys import PROBES, REGISTRY, DriftKey, StageKey, VersionKey, attempt_id
from tests.registry.iam import BUCKET, Request, allowed, policies

UID = "11111111-2222-3333-4444-555555555555"
HASH = "a" * 64
STAGE = StageKey("team-a", "churn", "production")
VERSION = VersionKey("team-a", "churn", "v1")
DRIFT = DriftKey("team-a", "churn", UID)
ATTEMPT = attempt_id(UID, UID)

OPERATORS = {
    "registry": REGISTRY,
    "probe": f"{PROBES}conditions.json",
    "pointer": STAGE.pointer,
    "entry": STAGE.entry(7),
    "decision": STAGE.decision(HASH),
    "quarantine": STAGE.quarantine(HASH),
}
TRAINERS = {
    "manifest": VERSION.manifest,
    "inputs_of": VERSION.inputs_of(UID),
    "snapshots_of": VERSION.snapshots_of(UID),
    "signature": VERSION.signature(HASH, HASH),
    "comparison": VERSION.comparison(HASH, HASH),
    "comparing_outcome": VERSION.comparing_outcome(HASH, HASH, ATTEMPT),
    "drift document": DRIFT.document,
    "drift inputs": DRIFT.inputs,
}
AN_ATTEMPTS = {
    "snapshot": VERSION.snapshot(UID, HASH),
    "outcome": VERSION.outcome(ATTEMPT),
    "progress": VERSION.progress(ATTEMPT, 3),
    "model": f"{VERSION.attempt(ATTEMPT)}model/manifest.json",
    "report": f"{VERSION.attempt(ATTEMPT)}report/model-card.html",
    "drift outcome": DRIFT.outcome(ATTEMPT),
    "drift report": f"{DRIFT.prefix}attempts/{ATTEMPT}/report/evidently.html.gz",
}
SWAPPED = {"probe", "pointer"}
ALL = OPERATORS | TRAINERS | AN_ATTEMPTS
WRITER = dict.fromkeys(OPERATORS, "operator") | dict.fromkeys(TRAINERS | AN_ATTEMPTS, "trainer")

ONCE = {"s3:if-none-match": "*"}
SWAP = {"s3:if-match": '"etag"'}
ROLES = {
    "operator": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/mira-operator"},
    "trainer": {
        "aws:PrincipalArn": "arn:aws:iam::111122223333:role/mira-trainer",
        "aws:PrincipalTag/kubernetes-namespace": "team-a",
    },
    "another team's trainer": {
        "aws:PrincipalArn": "arn:aws:iam::111122223333:role/mira-trainer",
        "aws:PrincipalTag/kubernetes-namespace": "team-ab",
    },
    "an administrator": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"},
    "break-glass": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/break-glass"},
}
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def may(who: str, action: str, key: str, condition: dict[str, str] | None = None) -> bool:
    page = policies()
    own = page["trainer"] if "trainer" in who else page.get(who, EVERYTHING)
    context = ROLES[who] | (condition or {}) | {"s3:ObjectCreationOperation": "true"}
    return allowed(Request(action, f"{BUCKET}/mira/{key}", context), own, page["bucket-policy"])


@pytest.mark.parametrize("what", ALL)
def test_the_writer_of_a_key_may_create_it_and_nobody_of_another_role_or_namespace(what: str) -> None:
    others = {"operator", "trainer", "another team's trainer"} - {WRITER[what]}
    assert may(WRITER[what], "s3:PutObject", ALL[what], ONCE)
    assert [who for who in others if may(who, "s3:PutObject", ALL[what], ONCE)] == []


@pytest.mark.parametrize("what", OPERATORS | TRAINERS)
def test_without_its_condition_nobody_writes_not_even_an_administrator(what: str) -> None:
    assert [who for who in ROLES if may(who, "s3:PutObject", ALL[what])] == []


@pytest.mark.parametrize("what", AN_ATTEMPTS)
def test_an_attempt_uploads_its_files_and_snapshots_without_one(what: str) -> None:
    assert may("trainer", "s3:PutObject", ALL[what])
    assert may("trainer", "s3:AbortMultipartUpload", ALL[what])


@pytest.mark.parametrize("what", OPERATORS | TRAINERS)
def test_only_pointer_and_probe_are_ever_replaced(what: str) -> None:
    assert may(WRITER[what], "s3:PutObject", ALL[what], SWAP) == (what in SWAPPED)


@pytest.mark.parametrize("what", OPERATORS.keys() - {"probe"})
def test_an_administrator_decides_nothing_even_with_the_condition(what: str) -> None:
    assert not may("an administrator", "s3:PutObject", ALL[what], ONCE)
    assert not may("break-glass", "s3:PutObject", ALL[what], ONCE)


@pytest.mark.parametrize("what", ALL)
def test_only_who_breaks_the_glass_deletes(what: str) -> None:
    assert [who for who in ROLES if may(who, "s3:DeleteObject", ALL[what])] == ["break-glass"]


@pytest.mark.parametrize("what", ALL)
def test_the_operator_reads_all_and_a_trainer_what_is_its_namespaces(what: str) -> None:
    assert may("operator", "s3:GetObject", ALL[what])
    assert may("trainer", "s3:GetObject", ALL[what]) == ALL[what].startswith(("models/", "drift/", "stages/"))
    assert not may("another team's trainer", "s3:GetObject", ALL[what])


LISTED = {
    "a key that is not there": (None, True),
    "its own": ("mira/models/team-a/churn/", True),
    "a neighbour's": ("mira/models/team-b/", False),
    "the lineage": ("mira/lineage/team-a/churn/", False),
}


@pytest.mark.parametrize(("prefix", "expected"), LISTED.values(), ids=LISTED)
def test_a_trainer_lists_its_own_and_is_told_what_is_not_there(prefix: str | None, expected: bool) -> None:
    context = ROLES["trainer"] | ({"s3:prefix": prefix} if prefix else {})
    request = Request("s3:ListBucket", BUCKET, context)
    assert allowed(request, policies()["trainer"], policies()["bucket-policy"]) == expected


def test_no_trainer_without_a_namespace_reads_anything() -> None:
    context = {"aws:PrincipalArn": ROLES["trainer"]["aws:PrincipalArn"]}
    request = Request("s3:GetObject", f"{BUCKET}/mira/{VERSION.manifest}", context)
    assert not allowed(request, policies()["trainer"], policies()["bucket-policy"])


def test_every_sort_of_key_is_looked_at() -> None:
    def names(kind: type) -> Iterator[str]:
        made = (name for name, value in vars(kind).items() if isinstance(value, property) or inspect.isfunction(value))
        yield from (name for name in made if not name.startswith("_"))

    folders = {"lineage", "path", "prefix", "attempts", "attempt", "file", "comparing"}
    # What marks a version that is no more is written by nobody yet.
    unwritten = {"tombstone"}
    looked_at = {name.removeprefix("drift ") for name in ALL}
    assert set(names(StageKey)) | set(names(VersionKey)) | set(names(DriftKey)) <= looked_at | folders | unwritten


def test_no_other_call_of_s3_is_made() -> None:
    source = inspect.getsource(mira.registry.s3) + inspect.getsource(mira_training.data.objects)
    made = set(re.findall(r"_(?:client|once)\.(\w+)\(", source)) - {"get_paginator"}
    paginated = set(re.findall(r'get_paginator\("(\w+)"\)', source))
    assert made == {"put_object", "get_object", "head_object", "upload_file", "download_file"}
    assert paginated == {"list_objects_v2"}
