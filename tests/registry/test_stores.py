"""What the registry asks of an object store, shown on each one: in memory, in a folder, on moto and on SeaweedFS."""

import hashlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mira.registry.folder import FolderStore
from mira.registry.memory import MemoryStore
from mira.registry.reader import ReadableStore
from mira.registry.s3 import S3Store
from mira.registry.store import Fingerprint, ObjectStore, Put, Stored
from tests.registry.servers import MOTO_ROOT, put_into_moto, session, store_at

MISSING = '"00000000000000000000000000000000"'
LIMIT = 1000


@pytest.fixture(params=["memory", "folder", "moto", "SeaweedFS"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return FolderStore((tmp_path / "a registry").as_uri())
    return request.getfixturevalue(f"on_{request.param.lower()}")


@pytest.fixture
def folder() -> str:
    return f"lineage/{uuid.uuid4()}/"


class TestEveryStore:
    def test_gives_nothing_for_a_key_that_is_free(self, store: ObjectStore, folder: str) -> None:
        assert store.get(f"{folder}a", limit=LIMIT) is None
        assert store.head(f"{folder}a") is None
        assert store.sha256(f"{folder}a") is None
        assert list(store.list(folder)) == []
        assert list(store.folders(folder)) == []

    @pytest.mark.parametrize(
        "body", [b"", b"x", b"\0\xff\r\n", b"x" * LIMIT], ids=["empty", "short", "binary", "limit"]
    )
    def test_gives_back_what_was_created(self, store: ObjectStore, folder: str, body: bytes) -> None:
        assert store.create(f"{folder}a", body) is Put.WRITTEN
        stored = store.get(f"{folder}a", limit=LIMIT)
        assert stored is not None
        assert stored.body == body
        assert store.head(f"{folder}a") == Fingerprint(len(body), stored.etag)
        assert store.sha256(f"{folder}a") == (len(body), hashlib.sha256(body).hexdigest())

    def test_creates_only_where_the_key_is_free(self, store: ObjectStore, folder: str) -> None:
        assert store.create(f"{folder}a", b"first") is Put.WRITTEN
        assert store.create(f"{folder}a", b"second") is Put.UNCLEAR
        assert store.create(f"{folder}a", b"first") is Put.UNCLEAR, "not even with the same bytes"
        assert body_of(store, f"{folder}a") == b"first"

    def test_replaces_only_what_was_read(self, store: ObjectStore, folder: str) -> None:
        store.create(f"{folder}a", b"1")
        first = got(store, f"{folder}a")
        assert store.replace(f"{folder}a", b"2", first.etag) is Put.WRITTEN
        assert store.replace(f"{folder}a", b"3", first.etag) is Put.UNCLEAR
        assert store.replace(f"{folder}a", b"3", MISSING) is Put.UNCLEAR
        second = got(store, f"{folder}a")
        assert (second.body, second.etag == first.etag) == (b"2", False)
        assert store.replace(f"{folder}a", b"3", second.etag) is Put.WRITTEN

    def test_replaces_nothing_where_there_is_nothing(self, store: ObjectStore, folder: str) -> None:
        """AWS and moto answer 404, SeaweedFS 412: neither says that nobody wrote."""
        assert store.replace(f"{folder}a", b"1", MISSING) is Put.UNCLEAR
        assert store.get(f"{folder}a", limit=LIMIT) is None

    def test_gives_one_byte_more_than_the_limit_of_what_is_larger(self, store: ObjectStore, folder: str) -> None:
        for size in (LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, 50 * LIMIT):
            store.create(f"{folder}{size}", b"x" * size)
            assert len(body_of(store, f"{folder}{size}")) == min(size, LIMIT + 1)
        assert got(store, f"{folder}{50 * LIMIT}").etag == store.head(f"{folder}{50 * LIMIT}").etag  # type: ignore[union-attr]

    def test_lists_in_order_what_begins_with_the_prefix(self, store: ObjectStore, folder: str) -> None:
        keys = [f"{folder}{name}" for name in ("000000000001.json", "000000000002.json", "000000000010.json")]
        for key in (*reversed(keys), f"{folder[:-1]}-beside/x", f"{folder}.keep"):
            store.create(key, b"")
        assert list(store.list(folder)) == [f"{folder}.keep", *keys]
        assert list(store.list(f"{folder}00000000000")) == keys[:2]

    def test_tells_the_folders_right_below(self, store: ObjectStore, folder: str) -> None:
        for name in ("b/1", "b/2", "a/x/y", "file", "c-d/1"):
            store.create(f"{folder}{name}", b"")
        assert list(store.folders(folder)) == [f"{folder}a/", f"{folder}b/", f"{folder}c-d/"]
        assert list(store.folders(f"{folder}a/")) == [f"{folder}a/x/"]

    def test_lists_more_than_one_page(self, store: ObjectStore, folder: str) -> None:
        keys = [f"{folder}{number:012d}.json" for number in range(1, 1003)]
        fill(store, keys)
        assert list(store.list(folder)) == keys

    @pytest.mark.parametrize("name", ["a b", "ä", "a+b", "a%2Fb", "a&b", "a?b#c", "'\"", "~", "a=b", "x" * 200])
    def test_keeps_odd_names_as_they_are(self, store: ObjectStore, folder: str, name: str) -> None:
        assert store.create(f"{folder}{name}/f", b"1") is Put.WRITTEN
        assert body_of(store, f"{folder}{name}/f") == b"1"
        assert list(store.list(folder)) == [f"{folder}{name}/f"]
        assert list(store.folders(folder)) == [f"{folder}{name}/"]

    def test_lets_one_of_many_create(self, store: ObjectStore, folder: str) -> None:
        start = threading.Barrier(4)

        def create(writer: int) -> Put:
            start.wait()
            return store.create(f"{folder}a", f"writer {writer}".encode())

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(create, range(4)))
        assert answers.count(Put.WRITTEN) == 1
        assert body_of(store, f"{folder}a") == f"writer {answers.index(Put.WRITTEN)}".encode()

    def test_lets_one_of_many_replace(self, store: ObjectStore, folder: str) -> None:
        store.create(f"{folder}a", b"before")
        etag = got(store, f"{folder}a").etag
        start = threading.Barrier(4)

        def replace(writer: int) -> Put:
            start.wait()
            return store.replace(f"{folder}a", f"writer {writer}".encode(), etag)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(replace, range(4)))
        assert answers.count(Put.WRITTEN) == 1
        assert body_of(store, f"{folder}a") == f"writer {answers.index(Put.WRITTEN)}".encode()


@pytest.fixture(params=["folder", "moto", "SeaweedFS"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        return FolderStore((tmp_path / "a registry").as_uri())
    return request.getfixturevalue(f"on_{request.param.lower()}")


class TestFiles:
    @pytest.mark.parametrize("size", [0, 1, 17 * 1024 * 1024], ids=["empty", "one byte", "in parts"])
    def test_go_up_and_down_and_tell_their_progress(
        self, files: ReadableStore, folder: str, tmp_path: Path, size: int
    ) -> None:
        content = hashlib.sha256(b"seed").digest() * (size // 32 + 1)
        (tmp_path / "up").write_bytes(content[:size])
        up: list[int] = []
        down: list[int] = []
        files.upload(f"{folder}model.onnx", tmp_path / "up", progress=up.append)
        assert files.sha256(f"{folder}model.onnx") == (size, hashlib.sha256(content[:size]).hexdigest())
        files.download(f"{folder}model.onnx", tmp_path / "down", progress=down.append)
        assert (tmp_path / "down").read_bytes() == content[:size]
        assert (sum(up), sum(down)) == (size, size)

    def test_replace_what_an_earlier_try_left(self, files: ReadableStore, folder: str, tmp_path: Path) -> None:
        for content in (b"half", b"whole"):
            (tmp_path / "f").write_bytes(content)
            files.upload(f"{folder}f", tmp_path / "f")
        assert body_of(files, f"{folder}f") == b"whole"


def test_roots_are_separate(on_moto: S3Store) -> None:
    endpoint = on_moto._client.meta.endpoint_url
    roots = [store_at(endpoint, root) for root in ("s3://mira", "s3://mira/", "s3://mira/a", "s3://mira/a/b/")]
    assert [store.root for store in roots] == ["s3://mira", "s3://mira", "s3://mira/a", "s3://mira/a/b"]
    assert [store.uri("x") for store in roots][0::2] == ["s3://mira/x", "s3://mira/a/x"]
    roots[2].create("one", b"1")
    roots[3].create("one", b"2")
    assert list(roots[2].list("")) == ["b/one", "one"]
    assert body_of(roots[0], "a/one") == b"1"
    assert body_of(roots[0], "a/b/one") == b"2"


@pytest.mark.parametrize("root", ["", "mira", "/mira", "s3:///x", "http://mira/x", "s3:mira"])
def test_a_root_is_refused_that_is(root: str) -> None:
    with pytest.raises(ValueError, match="must look like s3://bucket/root"):
        S3Store(root, session=session())


def fill(store: ObjectStore, keys: list[str]) -> None:
    """Makes many objects as fast as the store allows."""
    if isinstance(store, S3Store) and store.root == MOTO_ROOT:
        put_into_moto([store.prefix + key for key in keys])
        return
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda key: store.create(key, b""), keys)) == {Put.WRITTEN}


def got(store: ObjectStore, key: str) -> Stored:
    stored = store.get(key, limit=LIMIT)
    assert stored is not None
    return stored


def body_of(store: ObjectStore, key: str) -> bytes:
    return got(store, key).body
