"""The reader that anybody may use: verified answers from SeaweedFS and a folder, a cache, and what is never used."""

import asyncio
import os
import stat
import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mira.registry
from dev.s3 import REGISTRY_URI, Role, SeaweedFS
from dev.waiting import wait_until
from mira.registry import AsyncRegistry, Registry, StoreRefused, StoreUnavailable, Tampered
from mira.registry.document import DocumentInvalid, digest, sha256
from mira.registry.folder import FolderStore
from mira.registry.keys import InvalidKey, StageKey
from mira.registry.reader import ReadableStore
from mira.registry.s3 import S3Store
from tests.registry.readable import file_key, overwrite, point, publish
from tests.registry.servers import in_role

STAGE = {"namespace": "team-a", "model": "churn", "stage": "production"}
FILES = {"model.onnx": b"onnx" * 1000, "extra/labels.txt": b"yes\nno\n", "empty": b""}
POINTER = StageKey(**STAGE).pointer


class Counting:
    """A store that tells what was asked of it, and that can be away."""

    def __init__(self, store: ReadableStore) -> None:
        self.store = store
        self.asked: list[tuple[str, str]] = []
        self.away = False

    def __getattr__(self, verb):
        def ask(key, *arguments, **options):
            self.asked.append((verb, key))
            if self.away:
                raise StoreUnavailable(f"{key}: away")
            return getattr(self.store, verb)(key, *arguments, **options)

        return ask


@pytest.fixture(params=["folder", "SeaweedFS"])
def written(request, tmp_path) -> ReadableStore:
    """A registry with v1, current in production; who writes may do everything."""
    if request.param == "folder":
        store = FolderStore((tmp_path / "registry").as_uri())
    else:
        server = request.getfixturevalue("seaweedfs")
        store = in_role(server, Role.ADMIN, f"{REGISTRY_URI}/{uuid.uuid4()}")
    point(store, publish(store, "v1", FILES), 1)
    return store


@pytest.fixture
def read(written, request, tmp_path) -> Counting:
    """The same registry, read with the reader's rights."""
    if isinstance(written, S3Store):
        return Counting(in_role(request.getfixturevalue("seaweedfs"), Role.READER, written.root))
    return Counting(written)


@pytest.fixture
def registry(read, tmp_path) -> Registry:
    return Registry(read, cache=tmp_path / "cache")


class TestCurrent:
    def test_takes_two_gets_and_one_when_the_manifest_is_known(self, read, registry):
        current = registry.current(**STAGE)
        assert (current.version, current.number, current.stale) == ("v1", 1, False)
        assert current.digest == digest(current.manifest.render())
        assert read.asked == [("get", POINTER), ("get", current.key.manifest)]
        assert registry.current(**STAGE) == current
        assert read.asked[2:] == [("get", POINTER)]

    def test_follows_the_pointer(self, written, registry):
        point(written, publish(written, "v2", FILES), 2)
        assert (registry.current(**STAGE).version, registry.current(**STAGE).number) == ("v2", 2)

    @pytest.mark.parametrize("other", [{"stage": "staging"}, {"model": "other"}, {"namespace": "team-b"}])
    def test_is_none_where_nothing_was_ever_current(self, registry, other):
        assert registry.current(**STAGE | other) is None

    def test_refuses_a_name_that_is_none(self, registry):
        with pytest.raises(InvalidKey, match=r"stage '\.\./x' must match"):
            registry.current(**STAGE | {"stage": "../x"})

    def test_is_the_same_for_asyncio(self, read, tmp_path):
        async def ask():
            asking = AsyncRegistry(read, cache=tmp_path / "cache")
            current = await asking.current(**STAGE)
            pinned = await asking.version(namespace="team-a", model="churn", version="v1")
            return current, pinned, await asking.folder(current)

        current, pinned, folder = asyncio.run(ask())
        assert current == Registry(read).current(**STAGE)
        assert (pinned.version, pinned.digest) == (current.version, current.digest)
        assert contents(folder) == FILES


class TestTampered:
    @pytest.mark.parametrize("warm", [False, True], ids=["nothing known before", "v1 known before"])
    @pytest.mark.parametrize(
        ("spoil", "expected"),
        [
            (lambda store, _: overwrite(store, POINTER, b"{"), (DocumentInvalid, "not JSON")),
            (lambda store, _: overwrite(store, POINTER, b'{"schema":"x"}'), (DocumentInvalid, "schema is 'x'")),
            (lambda store, _: overwrite(store, POINTER, b" " * 100_000), (DocumentInvalid, "more than the 65536")),
            (lambda store, v2: point(store, v2, 2, stage="staging"), (Tampered, "pointer of team-a/churn/staging")),
            (lambda store, v2: overwrite(store, v2.key.manifest, b"{}"), (Tampered, "does not have the ")),
        ],
        ids=["no JSON", "another document", "huge", "another stage's pointer", "another manifest"],
    )
    def test_pointers_and_manifests_are_not_used_and_nothing_old_instead(
        self, written, registry, warm, spoil, expected
    ):
        if warm:
            registry.current(**STAGE)
        v2 = publish(written, "v2", FILES)
        point(written, v2, 2)
        spoil(written, v2)
        error, words = expected
        with pytest.raises(error, match=words):
            registry.current(**STAGE)

    def test_manifest_of_another_version_is_not_used(self, written, registry):
        v1 = registry.current(**STAGE).manifest
        stolen = v1.model_copy(update={"version": "v2"})
        written.create(stolen.key.manifest, v1.render())
        pointed = v1.model_copy(update={"version": "v1"})
        point(written, pointed, 2, current={"version": "v2", "digest": digest(v1.render())})
        with pytest.raises(Tampered, match=r"v2/manifest.json is the manifest of .*/v1/"):
            registry.current(**STAGE)

    def test_files_are_not_used_and_leave_nothing(self, written, registry, tmp_path):
        current = registry.current(**STAGE)
        overwrite(written, file_key(current.key, "model.onnx"), b"forged")
        with pytest.raises(Tampered, match=r"model\.onnx does not have the sha256"):
            registry.folder(current)
        with pytest.raises(Tampered, match=r"model\.onnx does not have the sha256"):
            registry.download(current.key, current.file("model.onnx"), tmp_path / "into" / "model.onnx")
        assert [path for path in tmp_path.rglob("*") if path.is_file() and b"forged" in path.read_bytes()] in (
            [],
            # The registry itself, where it is a folder.
            [tmp_path / "registry" / file_key(current.key, "model.onnx")],
        )

    def test_cached_files_are_fetched_again(self, read, registry):
        current = registry.current(**STAGE)
        path = registry.folder(current) / "model.onnx"
        path.chmod(0o600)
        path.write_bytes(b"forged")
        assert contents(registry.folder(current)) == FILES
        assert [verb for verb, key in read.asked if key.endswith("model.onnx")] == ["download", "download"]


class TestFolder:
    def test_holds_the_model_files_and_nothing_is_downloaded_twice(self, written, read, registry):
        folder = registry.folder(registry.current(**STAGE))
        assert contents(folder) == FILES
        assert not any(path.stat().st_mode & stat.S_IWUSR for path in folder.rglob("*") if path.is_file())
        point(written, publish(written, "v2", FILES | {"model.onnx": b"new"}), 2)
        assert contents(registry.folder(registry.current(**STAGE))) == FILES | {"model.onnx": b"new"}
        registry.folder(registry.current(**STAGE))
        downloaded = [key.rsplit("/", 1)[1] for verb, key in read.asked if verb == "download"]
        assert sorted(downloaded) == ["empty", "labels.txt", "model.onnx", "model.onnx"]

    def test_is_downloaded_once_by_many_at_once(self, read, registry):
        current = registry.current(**STAGE)
        start = threading.Barrier(4)

        def folder(_):
            start.wait()
            return registry.folder(current)

        with ThreadPoolExecutor(4) as pool:
            folders = set(pool.map(folder, range(4)))
        assert contents(folders.pop()) == FILES
        assert not folders
        assert len([key for verb, key in read.asked if verb == "download"]) == len(FILES)

    def test_keeps_only_what_is_still_wanted(self, written, registry):
        first = registry.current(**STAGE)
        registry.folder(first)
        point(written, publish(written, "v2", FILES | {"model.onnx": b"new"}), 2)
        second = registry.current(**STAGE)
        folder = registry.folder(second)
        registry.cache.keep_only([second.digest])
        assert contents(folder) == FILES | {"model.onnx": b"new"}
        assert {path.name for path in (registry.cache.folder / "versions").iterdir()} == {second.digest[7:]}
        wanted = {second.digest[7:], *(file.sha256 for file in second.model_files.values())}
        assert {path.name for path in (registry.cache.folder / "files").iterdir()} == wanted

    def test_needs_a_cache(self, read):
        registry = Registry(read)
        with pytest.raises(ValueError, match="cache: name a folder"):
            registry.folder(registry.current(**STAGE))


class TestAway:
    def test_the_last_answer_is_used_and_said_to_be_stale(self, read, registry, caplog, tmp_path):
        fresh = registry.current(**STAGE)
        folder = registry.folder(fresh)
        read.away = True
        an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
        remembered = registry.cache.folder / "answers" / POINTER
        os.utime(remembered, (an_hour_ago.timestamp(),) * 2)
        # Another process, later.
        later = Registry(read, cache=tmp_path / "cache")
        stale = later.current(**STAGE)
        assert (stale.version, stale.digest, stale.stale) == (fresh.version, fresh.digest, True)
        assert stale.stale_since == an_hour_ago
        assert f"using v1 as it was at {an_hour_ago:%Y-%m-%dT%H:%M:%SZ}" in caplog.text
        assert later.folder(stale) == folder
        read.away = False
        assert not later.current(**STAGE).stale

    def test_nothing_is_invented(self, read, registry, tmp_path):
        read.away = True
        with pytest.raises(StoreUnavailable):
            registry.current(**STAGE)
        read.away = False
        registry.current(**STAGE)
        read.away = True
        with pytest.raises(StoreUnavailable):
            registry.current(**STAGE | {"stage": "staging"})
        with pytest.raises(StoreUnavailable):
            Registry(read).current(**STAGE)

    @pytest.mark.parametrize("spoilt", ["answers", "files"])
    def test_a_spoilt_cache_is_not_used(self, read, registry, spoilt):
        registry.current(**STAGE)
        read.away = True
        for path in (registry.cache.folder / spoilt).rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"{}")
        with pytest.raises(StoreUnavailable):
            registry.current(**STAGE)

    def test_a_cache_that_cannot_be_written_costs_only_what_it_is_for(self, read, tmp_path, caplog):
        (tmp_path / "cache").write_bytes(b"a file, no folder")
        registry = Registry(read, cache=tmp_path / "cache")
        assert registry.current(**STAGE).version == "v1"
        assert "cannot be kept" in caplog.text

    def test_a_real_server_that_is_stopped_and_comes_back(self, tmp_path, monkeypatch):
        from dev.processes import Supervisor

        with Supervisor() as supervisor, SeaweedFS(supervisor, tmp_path / "s3") as server:
            for name, value in server.credentials(Role.READER).items():
                monkeypatch.setenv(name, value)
            store = in_role(server, Role.ADMIN)
            point(store, publish(store, "v1", FILES), 1)
            registry = Registry(REGISTRY_URI, cache=tmp_path / "cache")
            folder = registry.folder(registry.current(**STAGE))
            server.stop()
            stale = registry.current(**STAGE)
            assert stale.stale
            assert registry.folder(stale) == folder
            server.start()
            point(store, publish(store, "v2", FILES), 2)
            now = wait_until(
                lambda: (found := registry.current(**STAGE)).version == "v2" and found, timeout=30, what="v2 is read"
            )
            assert not now.stale


class TestVersion:
    def test_is_read_by_name_or_by_digest(self, registry):
        named = registry.version(namespace="team-a", model="churn", version="v1")
        pinned = registry.version(namespace="team-a", model="churn", version="v1", expected_digest=named.digest)
        assert named == pinned
        assert registry.version(namespace="team-a", model="churn", version="v9") is None

    def test_with_another_digest_is_tampered(self, registry):
        with pytest.raises(Tampered):
            registry.version(
                namespace="team-a", model="churn", version="v1", expected_digest=f"sha256:{sha256(b'other')}"
            )


def test_two_registries_in_one_cache_do_not_answer_for_each_other(tmp_path):
    stores = [FolderStore((tmp_path / name).as_uri()) for name in ("one", "two")]
    for store, version in zip(stores, ("v1", "v2"), strict=True):
        point(store, publish(store, version, FILES), 1)
    registries = [Registry(store.root, cache=tmp_path / "cache") for store in stores]
    assert [registry.current(**STAGE).version for registry in registries] == ["v1", "v2"]
    for registry in registries:
        registry.store = Counting(registry.store)
        registry.store.away = True
    assert [registry.current(**STAGE).version for registry in registries] == ["v1", "v2"]


def test_rights_that_are_missing_are_not_an_absence(seaweedfs, tmp_path):
    """A stale answer for who may not read any more would hide it."""
    store = in_role(seaweedfs, Role.ADMIN, f"{REGISTRY_URI}/{uuid.uuid4()}")
    point(store, publish(store, "v1", FILES), 1)
    registry = Registry(in_role(seaweedfs, Role.READER, store.root), cache=tmp_path)
    registry.current(**STAGE)
    registry.store = in_role(seaweedfs, Role.TRAINER, "s3://flights-of-others")
    with pytest.raises(StoreRefused):
        registry.current(**STAGE)


@pytest.mark.parametrize("uri", ["", "bucket/root", "http://bucket/root", "s3:/bucket"])
def test_a_uri_is_refused_that_is(uri):
    with pytest.raises(ValueError, match="must look like s3://bucket/root or file:///folder"):
        Registry(uri)


def test_importing_the_registry_imports_no_s3_and_reading_a_folder_neither(tmp_path):
    store = FolderStore(tmp_path.as_uri())
    point(store, publish(store, "v1", FILES), 1)
    code = (
        "import sys, mira.registry; before = set(sys.modules)\n"
        f"current = mira.registry.Registry({store.root!r}).current(**{STAGE!r})\n"
        "print(current.version, 'pydantic' in before, {'boto3', 'asyncio', 'mira.registry.s3'} & set(sys.modules))"
    )
    environment = os.environ | {"MIRA_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "v1 False set()"


def test_every_name_of_the_package_is_there():
    for name in mira.registry._HOMES:
        assert getattr(mira.registry, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = mira.registry.Nothing


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
