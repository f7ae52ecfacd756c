"""An attempt dies at each write of its commit, its last write lands late, another commits: one version is there.

The attempts sign with P-256, whose signatures differ each time: nothing may rest on equal bytes.
"""

from dataclasses import dataclass, field

import pytest

from mira.registry import Registry
from mira.registry.document import digest
from mira.registry.manifest import File
from mira.registry.memory import MemoryStore
from mira.registry.store import Put, StoreUnavailable
from mira_training.publication import commit
from tests.registry.examples import a_comparison, a_manifest
from tests.support.signers import P256, keys

WRITES = ["comparison", "signature", "manifest"]
ATTEMPTS = ["01234567-aaaaaaaa", "01234567-bbbbbbbb"]
RUN_OF = {"uid": "01234567-0000-0000-0000-000000000000", "name": "v1", "spec_hash": "sha256:" + "1" * 64}


class Died(Exception):
    """The pod is gone."""


@dataclass
class Dying(MemoryStore):
    """A store in whose client a pod dies at its n-th write; what it has sent may still arrive."""

    dies_at: int = 99
    sent: list = field(default_factory=list)

    def create(self, key, body):
        self.sent.append((key, body))
        if len(self.sent) > self.dies_at:
            raise Died
        return super().create(key, body)


@dataclass
class Forgetful(MemoryStore):
    """A store that loses its n-th answer: the write took effect, and its client is told nothing."""

    loses: int = 99
    writes: int = 0

    def create(self, key, body):
        answer = super().create(key, body)
        self.writes += 1
        return Put.UNCLEAR if self.writes == self.loses + 1 else answer


def made_by(attempt):
    path = f"attempts/{attempt}/model/model.onnx"
    manifest = a_manifest(
        attempt=attempt,
        files=[File(path=path, size=5, sha256="1" * 64)],
        run=a_manifest().run.model_copy(update=RUN_OF),
    )
    return manifest, a_comparison(candidate=digest(manifest.render()))


def no_sleep(_):
    """Tests do not wait."""


def committed(store, attempt):
    manifest, comparison = made_by(attempt)
    return commit(store, manifest, comparison, P256, sleep=no_sleep)


def check(store, expected):
    """The version is the expected attempt's, whole, signed and compared."""
    manifest, comparison = made_by(expected)
    registry = Registry(store, verify_keys=keys(P256))
    found = registry.version(namespace="team-a", model="churn", version=manifest.version)
    assert found is not None
    assert found.manifest == manifest
    assert store.objects[manifest.key.comparison(comparison.candidate, comparison.current)] == comparison.render()


@pytest.mark.parametrize("arrives", [False, True], ids=["its last write is lost", "its last write lands late"])
@pytest.mark.parametrize("at", range(len(WRITES)), ids=WRITES)
def test_an_attempt_dies_at_its(at, arrives):
    dead, alive = ATTEMPTS
    store = Dying(dies_at=at)
    with pytest.raises(Died):
        committed(store, dead)
    manifest, _ = made_by(dead)
    assert manifest.key.manifest not in store.objects, "a signature publishes nothing"
    store.dies_at = 99
    published = committed(store, alive)
    before = store.objects[manifest.key.manifest]
    if arrives:
        MemoryStore.create(store, *store.sent[at])
    assert store.objects[manifest.key.manifest] == before
    assert (published.attempt, published.digest) == (alive, digest(before))
    check(store, alive)


@pytest.mark.parametrize("at", range(len(WRITES)), ids=WRITES)
def test_a_zombie_that_goes_on_after_another_has_published_changes_nothing(at):
    """It was paused before its n-th write and knows nothing of the other; it ends by adopting what is there."""
    zombie, other = ATTEMPTS
    store = MemoryStore()
    state = {"writes": 0}

    def paused(request):
        if request.verb != "create":
            return
        if state["writes"] == at:
            state["writes"] = 99
            committed(store, other)
        elif state["writes"] != 99:
            state["writes"] += 1

    store.before = paused
    published = committed(store, zombie)
    assert published.attempt == other
    check(store, other)


@pytest.mark.parametrize("at", range(len(WRITES)), ids=WRITES)
def test_the_answer_is_lost_to_its(at):
    store = Forgetful(loses=at)
    assert committed(store, ATTEMPTS[0]).attempt == ATTEMPTS[0]
    check(store, ATTEMPTS[0])


@pytest.mark.parametrize("at", range(len(WRITES)), ids=WRITES)
def test_s3_goes_away_at_its(at):
    store = Dying(dies_at=at)

    def away(request):
        if request.verb == "create" and len(store.sent) > at:
            raise StoreUnavailable("away")

    store.dies_at, store.before = 99, away
    with pytest.raises(StoreUnavailable):
        committed(store, ATTEMPTS[0])
    assert made_by(ATTEMPTS[0])[0].key.manifest not in store.objects
    store.before = lambda _: None
    committed(store, ATTEMPTS[1])
    check(store, ATTEMPTS[1])
