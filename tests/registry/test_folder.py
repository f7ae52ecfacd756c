"""What is the folder's own among the stores: its roots, its names, several processes, and writes that do not end."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mira.registry import folder as module
from mira.registry.folder import WRITING, FolderStore
from mira.registry.store import Put, StoreRefused, StoreUnavailable

COUNT = """
import sys
from mira.registry.folder import FolderStore
from mira.registry.store import Put
store = FolderStore(sys.argv[1])
for _ in range(25):
    while True:
        stored = store.get("stages/count", limit=100)
        if store.replace("stages/count", str(int(stored.body) + 1).encode(), stored.etag) is Put.WRITTEN:
            break
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path.as_uri())


@pytest.mark.parametrize(
    "root", ["", "/registry", "file:registry", "file://registry", "file://host/x", "s3://bucket/x"]
)
def test_a_root_is_refused_that_is(root):
    with pytest.raises(ValueError, match="must look like file:///folder"):
        FolderStore(root)


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", "a//b", "", "a\\b", f"{WRITING}/x"])
def test_a_key_that_leads_out_of_the_root_is_refused(store, key):
    for use in (lambda: store.get(key, limit=1), lambda: store.create(key, b""), lambda: store.head(key)):
        with pytest.raises(StoreRefused):
            use()


def test_processes_that_count_together_lose_no_step(store):
    store.create("stages/count", b"0")
    command = [sys.executable, "-c", textwrap.dedent(COUNT), store.root]
    counting = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(60) for process in counting] == [0, 0, 0]
    assert store.get("stages/count", limit=100).body == b"75"


def test_a_write_that_does_not_reach_the_disk_leaves_nothing_under_the_key(store, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    store.create("stages/x", b"before")
    etag = store.get("stages/x", limit=100).etag
    monkeypatch.setattr(module.os, "fsync", full)
    assert store.create("models/a", b"1") is Put.UNCLEAR
    assert store.replace("stages/x", b"after", etag) is Put.UNCLEAR
    with pytest.raises(StoreUnavailable, match="models/b: No space left on device"):
        store.upload("models/b", Path(__file__))
    assert list(store.list("")) == ["stages/x"]
    assert store.get("stages/x", limit=100).body == b"before"
    assert [path.name for path in (store.folder / WRITING).iterdir() if path.name != "lock"] == []


def test_what_is_not_there_cannot_be_downloaded(store, tmp_path):
    with pytest.raises(StoreRefused, match="models/a: No such file"):
        store.download("models/a", tmp_path / "a")
