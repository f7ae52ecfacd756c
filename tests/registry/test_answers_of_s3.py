"""What S3 may answer and what the registry makes of it: absent, unclear, away or refused, and no false certainty."""

import gzip
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest

from dev.s3 import Role, SeaweedFS
from mira.registry.s3 import S3Store
from mira.registry.store import Put, StoreRefused, StoreUnavailable
from tests.registry.servers import Script, in_role, losing_answers, scripted, session, store_at

KEY = "lineage/team-a/churn/production/000000000001.json"
READS: dict[str, Callable[[S3Store], Any]] = {
    "get": lambda store: store.get(KEY, limit=10),
    "head": lambda store: store.head(KEY),
    "sha256": lambda store: store.sha256(KEY),
}
LISTS: dict[str, Callable[[S3Store], Any]] = {
    "list": lambda store: list(store.list("lineage/")),
    "folders": lambda store: list(store.folders("lineage/")),
}
WRITES: dict[str, Callable[[S3Store], Any]] = {
    "create": lambda store: store.create(KEY, b"{}"),
    "replace": lambda store: store.replace(KEY, b"{}", '"e"'),
}

ABSENT: dict[str, tuple[int, str]] = {"no such key": (404, "NoSuchKey")}
AWAY: dict[str, tuple[int, str]] = {
    "an internal error": (500, "InternalError"),
    "a bad gateway": (502, ""),
    "slow down": (503, "SlowDown"),
    "unavailable": (503, "ServiceUnavailable"),
    "a gateway's time-out": (504, ""),
    "throttled": (429, "TooManyRequests"),
    "credentials that have just expired": (400, "ExpiredToken"),
    "a request that took too long": (400, "RequestTimeout"),
}
REFUSED: dict[str, tuple[int, str]] = {
    "access denied": (403, "AccessDenied"),
    "an unknown access key": (403, "InvalidAccessKeyId"),
    "a wrong secret": (403, "SignatureDoesNotMatch"),
    "a clock that is wrong": (403, "RequestTimeTooSkewed"),
    "not authorized": (401, "Unauthorized"),
    "a bad request": (400, "InvalidRequest"),
    "no such bucket": (404, "NoSuchBucket"),
    "a method that is not allowed": (405, "MethodNotAllowed"),
}
UNCLEAR: dict[str, tuple[int, str]] = {
    "a failed condition": (412, "PreconditionFailed"),
    "a conflicting request": (409, "ConditionalRequestConflict"),
    "no such key": (404, "NoSuchKey"),
}


@pytest.fixture(scope="module")
def script() -> Iterator[tuple[Script, S3Store]]:
    script = Script()
    with scripted(script) as endpoint:
        yield script, store_at(endpoint)


@pytest.fixture
def told(script: tuple[Script, S3Store], monkeypatch: pytest.MonkeyPatch) -> Callable[..., S3Store]:
    """The store, after the server was told what to answer; waiting between resends costs no time."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))

    def tell(status: int, code: str = "", body: bytes | None = None) -> S3Store:
        script[0].status, script[0].code, script[0].body = status, code, body
        script[0].requests.clear()
        return script[1]

    return tell


def cases(calls: dict[str, Any], answers: dict[str, tuple[int, str]]) -> list[Any]:
    return [
        pytest.param(call, answer, id=f"{name}: {why}")
        for name, call in calls.items()
        for why, answer in answers.items()
    ]


def both(calls: dict[str, Any], answers: dict[str, tuple[int, str]]) -> Any:
    return pytest.mark.parametrize(("call", "answer"), cases(calls, answers))


@both(READS, ABSENT)
def test_absent(told: Any, call: Any, answer: tuple[int, str]) -> None:
    assert call(told(*answer)) is None


@both(READS | LISTS, AWAY)
def test_away(told: Any, script: Any, call: Any, answer: tuple[int, str]) -> None:
    with pytest.raises(StoreUnavailable):
        call(told(*answer))
    assert len(script[0].requests) <= 3


# The answer to a HEAD has no body: a missing bucket looks like a missing key, a bad request like an expired token.
UNTOLD = ("head: no such bucket", "head: a bad request")
ALL_REFUSED = [case for case in cases(READS | LISTS | WRITES, REFUSED) if case.id not in UNTOLD]


@pytest.mark.parametrize(("call", "answer"), ALL_REFUSED)
def test_refused(told: Any, call: Any, answer: tuple[int, str]) -> None:
    with pytest.raises(StoreRefused) as refusal:
        call(told(*answer))
    assert "lineage/" in str(refusal.value), "the message names what was asked for"


@both(WRITES, UNCLEAR | AWAY)
def test_a_write_is_unclear_and_was_sent_once(told: Any, script: Any, call: Any, answer: tuple[int, str]) -> None:
    """A resend could be answered 412 for what the first one wrote."""
    assert call(told(*answer)) is Put.UNCLEAR
    assert script[0].requests == ["PUT"]


@both(LISTS, {"no XML": (200, ""), "XML of something else": (200, "Odd")})
def test_a_list_that_cannot_be_read_is_no_empty_list(told: Any, call: Any, answer: tuple[int, str]) -> None:
    """An empty lineage and an unreadable answer must not look the same: one would begin again at entry 1."""
    body = b"<html>Welcome to the hotel</html>" if answer[1] else b"not XML"
    with pytest.raises(StoreUnavailable):
        call(told(answer[0], body=body))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("call", (READS | LISTS).values(), ids=(READS | LISTS).keys())
def test_nobody_at_the_endpoint_is_away_and_that_quickly(call: Any) -> None:
    store = store_at(f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        call(store)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES.keys())
def test_a_write_to_nobody_is_unclear_at_once(call: Any) -> None:
    # Made before the clock starts: a client of boto3 takes a second of CPU, on a machine that others use some more.
    store = store_at(f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    assert call(store) is Put.UNCLEAR
    assert time.monotonic() - began < 3


def test_a_host_that_does_not_exist_is_away() -> None:
    with pytest.raises(StoreUnavailable):
        store_at("http://s3.invalid:9").get(KEY, limit=10)


def test_a_write_whose_answer_is_lost_is_unclear_was_sent_once_and_is_there(on_moto: S3Store) -> None:
    endpoint = on_moto._client.meta.endpoint_url
    with losing_answers(endpoint, lambda request: request.startswith(b"PUT")) as (lossy, seen):
        store = store_at(lossy, on_moto.root)
        assert store.create("lost/answer", b"1") is Put.UNCLEAR
        etag = store.head("lost/answer").etag  # type: ignore[union-attr]
        assert store.replace("lost/answer", b"2", etag) is Put.UNCLEAR
    assert [line.split()[0] for line in seen].count(b"PUT") == 2
    stored = on_moto.get("lost/answer", limit=10)
    assert stored is not None
    assert stored.body == b"2"


def test_a_read_whose_answer_is_lost_once_is_asked_again(on_moto: S3Store) -> None:
    on_moto.create("lost/read", b"1")
    lost: list[bytes] = []

    def first(request: bytes) -> bool:
        lost.append(request)
        return len(lost) == 1

    with losing_answers(on_moto._client.meta.endpoint_url, first) as (lossy, seen):
        stored = store_at(lossy, on_moto.root).get("lost/read", limit=10)
    assert stored is not None
    assert len(seen) == 2


BAD_KEYS = {"a wrong secret": ("", "wrong"), "an unknown key": ("nobody", "")}


@pytest.mark.parametrize(("access", "secret"), BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_seaweedfs_refuses_every_call_of(seaweedfs: SeaweedFS, access: str, secret: str) -> None:
    keys = seaweedfs.credentials(Role.OPERATOR)
    access, secret = access or keys["AWS_ACCESS_KEY_ID"], secret or keys["AWS_SECRET_ACCESS_KEY"]
    store = store_at(seaweedfs.endpoint, keys=session(access, secret))
    for call in (READS | LISTS | WRITES).values():
        with pytest.raises(StoreRefused):
            call(store)


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES.keys())
def test_a_reader_may_not_write(seaweedfs: SeaweedFS, call: Any) -> None:
    with pytest.raises(StoreRefused):
        call(in_role(seaweedfs, Role.READER))


def test_an_upload_that_is_not_allowed_is_refused_and_not_away(seaweedfs: SeaweedFS, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"1")
    with pytest.raises(StoreRefused):
        in_role(seaweedfs, Role.READER).upload("models/team-a/churn/versions/v1/f", tmp_path / "f")


@pytest.mark.parametrize(("name", "encoding"), [("card.html", None), ("page.html.gz", "gzip")])
def test_a_page_is_served_as_one_and_its_bytes_stay_as_they_are(
    seaweedfs: SeaweedFS, tmp_path: Path, name: str, encoding: str | None
) -> None:
    body = b"<p>caf\xc3\xa9</p>" * 1000
    (tmp_path / name).write_bytes(gzip.compress(body, mtime=0) if encoding else body)
    store, key = in_role(seaweedfs, Role.TRAINER), f"models/team-a/pages/versions/v1/attempts/a/report/{name}"
    store.upload(key, tmp_path / name)
    answer = seaweedfs.client(Role.ADMIN).get_object(Bucket=store.bucket, Key=store.prefix + key)
    assert (answer["ContentType"], answer.get("ContentEncoding")) == ("text/html; charset=utf-8", encoding)
    written = (tmp_path / name).read_bytes()
    assert store.sha256(key) == (len(written), hashlib.sha256(written).hexdigest())
    store.download(key, tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == written


def test_a_file_that_is_not_there_is_refused_and_leaves_nothing(on_moto: S3Store, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused):
        on_moto.download("models/none", tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("answer", AWAY.values(), ids=AWAY.keys())
def test_files_wait_for_a_server_that_is_away(told: Any, tmp_path: Path, answer: tuple[int, str]) -> None:
    (tmp_path / "f").write_bytes(b"1")
    store = told(*answer)
    with pytest.raises(StoreUnavailable):
        store.upload("models/f", tmp_path / "f")
    with pytest.raises(StoreUnavailable):
        store.download("models/f", tmp_path / "g")
