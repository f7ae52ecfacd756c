"""What the follower takes over, and what it leaves, look by look and without a process."""

import pytest

from mira.registry import Registry, Tampered
from mira.registry.document import digest
from mira.registry.manifest import Column
from mira_training.serve.follower import Follower
from mira_training.serve.metrics import Metrics
from mira_training.serve.predictor import load, sample
from mira_training.serve.settings import Settings
from tests.registry.readable import overwrite, point
from tests.support.signers import ED25519, keys
from tests.training.workbench import MODEL, NAMESPACE, STAGE


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def follow(published, tmp_path, clock):
    def made(**settings):
        given = {"namespace": NAMESPACE, "model": MODEL, "stage": STAGE, "refresh_seconds": 10} | settings
        registry = Registry(published.store, cache=tmp_path / "cache")
        return Follower(registry, Settings(registry=published.store.root, **given), Metrics(), clock)

    return made


def served(follower):
    return follower.served and follower.served.version.version


def test_nothing_is_served_before_there_is_a_current_version(published, follow):
    follower = follow()
    follower.look()
    assert (served(follower), follower.now.problem) == (
        None,
        f"stage {STAGE} of {NAMESPACE}/{MODEL} has no current version yet",
    )
    published.promote("v1")
    follower.look()
    assert (served(follower), follower.now.problem) == ("v1", None)


def test_promotions_are_followed_forth_and_back(published, follow):
    follower = follow()
    for version in ("v1", "v2", "v1"):
        published.promote(version)
        follower.look()
        assert (served(follower), follower.now.problem, follower.now.found.number) == (version, None, published.number)


def test_a_version_that_is_the_same_is_not_loaded_again(published, follow):
    follower = follow()
    published.promote("v1")
    follower.look()
    first = follower.served
    published.promote("v1")
    follower.look()
    assert follower.served is first
    assert follower.now.found.number == 2


def spoil_file(published):
    key = published.key("v2")
    body = published.store.get(key, limit=10**8).body
    overwrite(published.store, key, body[:-1] + b"x")
    published.promote("v2")
    return lambda: overwrite(published.store, key, body)


def spoil_manifest(published):
    manifest = published.manifest("v2")
    published.promote("v2")
    overwrite(published.store, manifest.key.manifest, manifest.render().replace(b'"seed":0', b'"seed":1'))
    return lambda: overwrite(published.store, manifest.key.manifest, manifest.render())


def spoil_pointer(published):
    point(published.store, published.manifest("v2"), 2, stage="staging")
    return lambda: published.promote("v2")


def not_onnx(published):
    """A manifest that names its files truly, of which the ONNX file is none."""
    manifest = published.manifest("v2")
    overwrite(published.store, published.key("v2"), b"not onnx")
    (file,) = (file for file in manifest.files if file.path.endswith("model.onnx"))
    true = file.model_copy(update={"size": 8, "sha256": digest(b"not onnx")[7:]})
    changed = manifest.model_copy(update={"files": [true]})
    overwrite(published.store, manifest.key.manifest, changed.render())
    point(published.store, changed, 2)


def another_schema(**changed):
    """A manifest that does not say what its ONNX file takes or gives: it loads, and only asking it shows that."""

    def spoil(published):
        manifest = published.manifest("v2")
        schema = manifest.model_schema.model_copy(update=changed)
        wrong = manifest.model_copy(update={"model_schema": schema})
        overwrite(published.store, manifest.key.manifest, wrong.render())
        point(published.store, wrong, 2)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_file, "version v2 is not used: models/team-a/churn/versions/v2/"),
        (spoil_manifest, "models/team-a/churn/versions/v2/manifest.json does not have the sha256"),
        (spoil_pointer, "stages/team-a/churn/production/current.json is the pointer of team-a/churn/staging"),
        (
            another_schema(classes=["0", "1", "2"]),
            "version v2 is not used: its ONNX file does not give 3 probabilities per row",
        ),
        (
            another_schema(columns=[Column(name="age", type="Integer")]),
            "version v2 is not used: its ONNX file takes 'active', which its manifest does not name",
        ),
        (not_onnx, "version v2 is not used: its ONNX file cannot be loaded: "),
        (
            lambda published: published.promote("without-onnx"),
            "version without-onnx is not used: it was published without model.onnx; publish with artifacts: ",
        ),
    ],
    ids=[
        "a file",
        "the manifest",
        "the pointer",
        "classes that it does not give",
        "columns that it does not name",
        "no ONNX",
        "without ONNX",
    ],
)
def test_a_version_that_is_bad_leaves_the_old_one_served(published, follow, clock, spoil, problem):
    follower = follow()
    published.promote("v1")
    follower.look()
    repair = spoil(published)
    follower.look()
    assert served(follower) == "v1"
    assert follower.now.problem.startswith(problem)
    assert follower._metrics.up_to_date._value.get() == 0
    assert follower.served.scores(sample(follower.served.version.manifest.model_schema)).shape == (1, 2)
    if repair:
        repair()
        clock.now += 600
        follower.look()
        assert (served(follower), follower.now.problem) == ("v2", None)


def test_what_none_of_the_keys_has_signed_is_not_served(published, follow):
    follower = follow()
    follower._registry.verify_keys = keys(ED25519)
    published.promote("v1")
    follower.look()
    assert served(follower) is None
    assert "is signed by none of" in follower.now.problem
    manifest = published.manifest("v1")
    version = digest(manifest.render())
    published.store.create(manifest.key.signature(version, ED25519.key_id), ED25519.signed(manifest.key, version))
    follower.look()
    assert (served(follower), follower.now.problem) == ("v1", None)


def test_bytes_that_changed_on_the_disk_since_they_were_verified_are_not_loaded(published, follow, tmp_path):
    follower = follow()
    published.promote("v1")
    follower.look()
    (tmp_path / "model.onnx").write_bytes(published.bench.file("v2", "model.onnx"))
    with pytest.raises(Tampered, match="is not the file that the manifest names"):
        load(follower.served.version, tmp_path, threads=1)


def test_a_bad_version_is_tried_less_and_less_often(published, follow, clock, monkeypatch):
    follower = follow()
    published.promote("v1")
    follower.look()
    spoil_file(published)
    tried = []
    monkeypatch.setattr(follower._registry, "folder", lambda version: tried.append(clock.now) or 1 / 0)
    for _ in range(200):
        follower.look()
        clock.now += 10
    assert tried == [0, 20, 60, 140, 300, 620, 1220, 1820]
    assert follower.now.problem == "version v2 is not used: division by zero"


def test_what_is_served_no_more_leaves_the_cache(published, follow, tmp_path):
    follower = follow()
    for version in ("v1", "v2", "v1", "v2"):
        published.promote(version)
        follower.look()
    assert [path.name for path in (tmp_path / "cache" / "versions").iterdir()] == [follower.now.found.digest[7:]]


class TestPinned:
    def test_a_version_stays_whatever_is_promoted(self, published, follow):
        follower = follow(stage=None, version="v1", digest=digest(published.manifest("v1").render()))
        for _ in range(2):
            follower.look()
            assert (served(follower), follower.now.problem) == ("v1", None)
            published.promote("v2")

    def test_another_digest_is_never_served(self, follow):
        follower = follow(stage=None, version="v1", digest=f"sha256:{'0' * 64}")
        follower.look()
        assert served(follower) is None
        assert "v1/manifest.json does not have the sha256" in follower.now.problem

    def test_a_version_that_is_not_there_is_said(self, follow):
        follower = follow(stage=None, version="v9")
        follower.look()
        assert follower.now.problem == f"version v9 of {NAMESPACE}/{MODEL} is not published"
