"""The rules by which a promotion is decided: each with its reason and words, and the first that speaks decides."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from mira.api.modelpromotion import ModelPromotion
from mira.api.reasons import Reason
from mira.decide.promotion_rules import RULES
from mira.registry.deciding import Decided
from mira.registry.document import digest as digest_of
from mira.registry.keys import StageKey, VersionKey, hex_of
from mira.registry.lineage import BrokenChain
from mira.registry.manifest import Manifest
from mira.registry.memory import MemoryStore
from tests.registry.examples import OTHER, a_comparison
from tests.registry.lineages import a_world
from tests.support.signers import ED25519, P256, keys
from tests.support.world import KEY, MODEL, NAMESPACE, NOON, World, promotion, publish, stage

MANIFEST = VersionKey(NAMESPACE, MODEL, "v9").manifest
FILE = VersionKey(NAMESPACE, MODEL, "v9").file("attempts/aaaaaaaa-bbbbbbbb/model/model.onnx")


@dataclass(frozen=True)
class Situation:
    """What is different from a promotion that nothing stands in the way of, and what the rule then says."""

    reason: str
    message: str
    spec: dict[str, Any] = field(default_factory=dict)
    stage: dict[str, Any] = field(default_factory=dict)
    change: Callable[[World], Any] = lambda _: None

    def __and__(self, other: "Situation") -> "Situation":
        def both(world: World) -> None:
            self.change(world)
            other.change(world)

        return replace(self, spec=self.spec | other.spec, stage=_joined(self.stage, other.stage), change=both)


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    gates = [*one.get("gates", []), *other.get("gates", [])]
    return one | other | ({"gates": gates} if gates else {})


def proof(**changed: Any) -> Callable[[World], Any]:
    return lambda world: setattr(world, "proof", replace(world.proof, **changed))


def put(key: str, body: bytes | None) -> Callable[[World], Any]:
    def change(world: World) -> None:
        if body is None:
            world.store.objects.pop(key, None)
        else:
            world.store.objects[key] = body

    return change


def soaking(seconds: int) -> Callable[[World], Any]:
    """The candidate is current in staging since so many seconds."""

    def change(world: World) -> None:
        staging = World(store=world.store, stage=stage(stage="staging"))
        digest = digest_of(world.store.objects[MANIFEST])
        staging.now = world.now - timedelta(seconds=seconds)
        staging.decide(staging.put(promotion("s", "v9", stage="staging", approvals={"bob": digest})))

    return change


def must_be_signed(world: World) -> None:
    world.keys = keys(ED25519, P256)


def signed_with_junk(world: World) -> None:
    must_be_signed(world)
    where = VersionKey(NAMESPACE, MODEL, "v9").signature(digest_of(world.store.objects[MANIFEST]), ED25519.key_id)
    world.store.objects[where] = b"junk"


SITUATIONS = {
    "superseded": Situation(
        "Superseded",
        "ModelPromotion p3, created later (2026-11-25T12:00:03Z), moved the stage as entry 3; "
        "version v3 is current",
        spec={"created": NOON},
    ),
    "already_current": Situation("AlreadyCurrent", "the stage already serves version v3", spec={"version": "v3"}),
    "version_not_found": Situation(
        "VersionNotFound",
        "version v9 of model churn has no manifest yet; waiting for its TrainingRun (kubectl get mrun --namespace "
        "team-a): if that has failed, or a name is mistyped, delete this promotion and ask for a version that is "
        "published",
        change=put(MANIFEST, None),
    ),
    "manifest_invalid": Situation(
        "ManifestInvalid",
        "models/team-a/churn/versions/v9/manifest.json: not JSON: Expecting value: line 1 column 1 (char 0)",
        change=put(MANIFEST, b"garbage"),
    ),
    "digest_mismatch": Situation(
        "DigestMismatch", "the manifest has digest {digest}, spec.digest is " + OTHER, spec={"digest": OTHER}
    ),
    "artifact_corrupt": Situation(
        "ArtifactCorrupt",
        "file attempts/aaaaaaaa-bbbbbbbb/model/model.onnx is missing",
        change=put(FILE, None),
    ),
    "not_signed": Situation(
        "NotSigned",
        "version v9 is not signed by any key that this operator knows; train it again where signing is set up, or sign "
        "it, and promote it under another name (docs/training/publishing.md)",
        change=must_be_signed,
    ),
    "signature_invalid": Situation(
        "SignatureInvalid",
        f"models/team-a/churn/versions/v9/signatures/{{hex}}/{ED25519.key_id}.dsse.json: "
        "not JSON: Expecting value: line 1 column 1 (char 0)",
        change=signed_with_junk,
    ),
    "conflict": Situation(
        "Conflict", "spec.expectedCurrent is v7, the stage serves v3", spec={"expectedCurrent": "v7"}
    ),
    "not_a_rollback": Situation(
        "NotARollback",
        "version v9 with digest {digest} was never current here; use action Promote",
        spec={"action": "RollBack"},
    ),
    "stage_not_found": Situation(
        "StageNotFound",
        "there is no ModelStage churn.production in namespace team-a; the platform team writes it",
        change=lambda world: setattr(world, "stage", None),
    ),
    "rejected": Situation(
        "Rejected", "rejected by carol: too risky today", spec={"rejection": "too risky today"}
    ),
    "gates_failed": Situation(
        "GatesFailed",
        "roc_auc is 0.80, needs minimum 0.99 (BelowMinimum)",
        stage={"gates": [{"metric": "roc_auc", "minimum": "0.99"}]},
    ),
    "gates_inconclusive": Situation(
        "Comparing",
        "version v9 was never compared with the current version v3; "
        "roc_auc[a=b] is 0.80, needs maxRegression 0.01 (NotCompared)",
        stage={"gates": [{"metric": "roc_auc", "slice": "a=b", "maxRegression": "0.01"}]},
    ),
    "not_soaked": Situation(
        "NotSoaked",
        "the version must be current in stage staging for 60 s; nothing was ever promoted there; "
        "if there is no such stage (kubectl get mstage --namespace team-a), the platform team corrects spec.requires",
        stage={"requires": {"stage": "staging", "soakSeconds": 60}},
    ),
    "policies_missing": Situation(
        "AdmissionPolicyMissing", "a binding is missing", change=proof(problem="a binding is missing")
    ),
    "requester_unproven": Situation(
        "RequesterUnproven",
        "the promotion is older than the admission policies, so nobody knows who asked; "
        "create it again under another name",
        change=proof(since=NOON + timedelta(days=1)),
    ),
    "awaiting_approval": Situation(
        "AwaitingApproval",
        "0 of 1 approvals; approve by: kubectl patch mpromo mine --namespace team-a --type=json -p "
        """'[{{"op":"add","path":"/spec/approvals/-","value":{{"decision":"Approved","digest":"{digest}"}}}}]'""",
        spec={"approved": False},
    ),
    "frozen": Situation(
        "FrozenUntil",
        "a freeze window is open until 2026-11-25T13:00:00Z",
        stage={"freezeWindows": [{"schedule": "0 12 * * *", "durationSeconds": 3600}]},
    ),
}  # fmt: skip
NOTHING = Situation("Promoted", "")
FINAL = {
    "Superseded", "AlreadyCurrent", "ManifestInvalid", "DigestMismatch", "ArtifactCorrupt", "Conflict", "NotARollback",
    "Rejected", "NotSigned", "SignatureInvalid", "GatesFailed", "NotComparable", "Promoted", "RolledBack",
}  # fmt: skip


def world_of(situation: Situation) -> tuple[World, ModelPromotion, str]:
    world = a_world()
    publish(world.store, "v9")
    _add_slice(world.store)
    digest = digest_of(world.store.objects[MANIFEST])
    given: dict[str, Any] = {"version": "v9", "created": NOON + timedelta(minutes=1), "approved": True, "rejection": ""}
    given |= situation.spec
    approved, rejection = given.pop("approved"), given.pop("rejection")
    mine = promotion("mine", given.pop("version"), approvals={"bob": digest} if approved else {}, **given)
    if rejection:
        mine = with_rejection(mine, digest, rejection)
    world.put(mine)
    world.stage = stage(**situation.stage)
    situation.change(world)
    return world, mine, digest


def _add_slice(store: MemoryStore) -> None:
    """The candidate reports its metric for a slice too."""
    found = Manifest.parse(store.objects[MANIFEST])
    more = [*found.metrics, found.metrics[0].model_copy(update={"slice": "a=b"})]
    store.objects[MANIFEST] = found.model_copy(update={"metrics": more}).render()


def with_rejection(mine: ModelPromotion, digest: str, comment: str) -> ModelPromotion:
    """The promotion with carol's rejection, seen long ago."""
    word = {"approver": "carol", "decision": "Rejected", "digest": digest, "comment": comment}
    raw = mine.model_dump(by_alias=True, mode="json")
    raw["spec"]["approvals"].append(word)
    raw["status"]["approvals"].append(word | {"seenAt": "2026-11-25T12:00:00Z", "counts": True, "reason": "Counted"})
    return ModelPromotion.model_validate(raw)


def verdict(situation: Situation) -> tuple[bool, str, str, str]:
    world, mine, digest = world_of(situation)
    end = world.decide(mine)
    if isinstance(end, Decided):
        return True, end.link.entry.reason, end.link.entry.message, digest
    assert end.seen.ruling is not None
    return False, end.seen.ruling.reason, end.seen.ruling.message, digest


@pytest.mark.parametrize(("name", "situation"), SITUATIONS.items(), ids=SITUATIONS.keys())
def test_a_rule_speaks_with_its_own_reason_and_words(name: str, situation: Situation) -> None:
    final, reason, message, digest = verdict(situation)
    assert (reason, message) == (situation.reason, situation.message.format(digest=digest, hex=hex_of(digest)))
    assert final is (reason in FINAL)
    assert Reason.known(reason) is not None
    assert name in {rule.__name__ for rule in RULES}


def test_every_rule_has_a_situation_in_which_it_speaks() -> None:
    assert list(SITUATIONS) == [rule.__name__ for rule in RULES]


def test_nothing_in_the_way_promotes() -> None:
    assert verdict(NOTHING)[:2] == (True, "Promoted")


# Either cannot be together, or one takes away what the other needs.
EXCLUSIVE = {
    ("version_not_found", "manifest_invalid"),
    ("version_not_found", "signature_invalid"),
    ("version_not_found", "not_a_rollback"),
    ("not_signed", "signature_invalid"),
    ("not_signed", "not_a_rollback"),
    ("signature_invalid", "not_a_rollback"),
    ("rejected", "awaiting_approval"),
    ("already_current", "digest_mismatch"),
}
PAIRS = [pair for pair in combinations(SITUATIONS, 2) if pair not in EXCLUSIVE]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_first_rule_that_speaks_decides(first: str, second: str) -> None:
    _, reason, message, digest = verdict(SITUATIONS[first] & SITUATIONS[second])
    assert reason == SITUATIONS[first].reason
    if (first, second) != ("gates_failed", "gates_inconclusive"):
        assert message.startswith(SITUATIONS[first].message.format(digest=digest, hex=hex_of(digest))[:40])


def test_what_is_current_already_with_another_digest_than_is_pinned_is_a_mismatch() -> None:
    situation = SITUATIONS["already_current"] & SITUATIONS["digest_mismatch"]
    _, reason, message, _ = verdict(situation)
    assert reason == "DigestMismatch"
    assert message.startswith("version v3 is current with digest sha256:")


ROLLBACK: dict[str, tuple[str, str]] = {
    "gates_failed": ("RolledBack", "a rollback skips gates"),
    "gates_inconclusive": ("RolledBack", "and comparisons"),
    "not_soaked": ("RolledBack", "and requirements"),
    "frozen": ("RolledBack", "and freeze windows"),
    "not_signed": ("RolledBack", "and signatures: what was current before the keys were known must be in reach"),
    "awaiting_approval": ("RolledBack", "and asks nobody, unless the stage says so"),
    "rejected": ("Rejected", "but not a person's no"),
    "conflict": ("Conflict", "nor what it expects to replace"),
    "policies_missing": ("AdmissionPolicyMissing", "nor the policies that guard the verb"),
    "requester_unproven": ("RequesterUnproven", "nor who asks"),
    "superseded": ("Superseded", "nor that it is history"),
    "stage_not_found": ("StageNotFound", "nor the stage"),
}


@pytest.mark.parametrize("name", ROLLBACK)
def test_a_rollback(name: str) -> None:
    world = a_world()
    publish(world.store, "v9")
    situation = SITUATIONS[name]
    _, reason, _, _ = _rolled_back(world, situation)
    assert reason == ROLLBACK[name][0]


def _rolled_back(world: World, situation: Situation) -> tuple[bool, str, str, str]:
    """The verdict on going back to v1, which was current as entry 1."""
    digest = digest_of(world.store.objects[VersionKey(NAMESPACE, MODEL, "v1").manifest])
    given: dict[str, Any] = {"created": NOON + timedelta(minutes=1), "approved": True, "rejection": ""} | situation.spec
    given.pop("approved")
    rejection = given.pop("rejection")
    mine = promotion("mine", "v1", action="RollBack", **given)
    if rejection:
        mine = with_rejection(mine, digest, rejection)
    world.put(mine)
    world.stage = stage(**situation.stage)
    situation.change(world)
    end = world.decide(mine)
    if isinstance(end, Decided):
        return True, end.link.entry.reason, end.link.entry.message, digest
    assert end.seen.ruling is not None
    return False, end.seen.ruling.reason, end.seen.ruling.message, digest


def test_a_rollback_waits_for_approvals_if_the_stage_asks_for_them() -> None:
    situation = Situation("", "", stage={"rollbackPolicy": {"requiredApprovals": 1}})
    assert _rolled_back(a_world(), situation)[1] == "AwaitingApproval"


def test_a_rollback_needs_the_digest_that_was_current() -> None:
    world = a_world()
    change = put(VersionKey(NAMESPACE, MODEL, "v1").manifest, _other_manifest(world))
    _, reason, message, _ = _rolled_back(world, Situation("", "", change=change))
    assert reason == "NotARollback"
    assert "was never current here" in message


def _other_manifest(world: World) -> bytes:
    found = Manifest.parse(world.store.objects[VersionKey(NAMESPACE, MODEL, "v1").manifest])
    return found.model_copy(update={"seed": 99}).render()


SOAK = [(0, "NotSoaked"), (59, "NotSoaked"), (60, "Promoted"), (61, "Promoted"), (86_400, "Promoted")]


@pytest.mark.parametrize(("seconds", "reason"), SOAK)
def test_soaking_begins_when_the_version_became_current_in_the_other_stage(seconds: int, reason: str) -> None:
    needs = SITUATIONS["not_soaked"]
    assert verdict(replace(needs, change=soaking(seconds)))[1] == reason


def test_a_comparison_that_cannot_be_scored_is_final_and_says_why() -> None:
    world, _, digest = world_of(SITUATIONS["gates_inconclusive"])
    current = world.entries()[-1].current
    assert current is not None
    body = a_comparison(
        candidate=digest, current=current.digest, verdict="NotComparable", reason="column x is missing", differences=[]
    ).render()
    key = VersionKey(NAMESPACE, MODEL, "v9").comparison(digest, current.digest)
    final, reason, message, _ = verdict(replace(SITUATIONS["gates_inconclusive"], change=put(key, body)))
    assert (final, reason) == (True, "NotComparable")
    assert message.endswith("(NotComparable): column x is missing")


@pytest.mark.parametrize("body", [b"garbage", a_comparison().render()], ids=["garbage", "of other versions"])
def test_a_comparison_that_cannot_be_used_is_final_because_no_other_can_take_its_place(body: bytes) -> None:
    world, _, digest = world_of(SITUATIONS["gates_inconclusive"])
    current = world.entries()[-1].current
    assert current is not None
    key = VersionKey(NAMESPACE, MODEL, "v9").comparison(digest, current.digest)
    final, reason, message, _ = verdict(replace(SITUATIONS["gates_inconclusive"], change=put(key, body)))
    assert (final, reason) == (True, "NotComparable")
    assert "comparison" in message


@pytest.mark.parametrize(
    ("version", "final", "reason"), [("v9", True, "NotARollback"), ("v1", False, "VersionNotFound")]
)
def test_a_roll_back_waits_for_no_version_that_was_never_current(version: str, final: bool, reason: str) -> None:
    """One that was, and whose manifest somebody has deleted, may be restored."""
    world = a_world()
    world.store.objects.pop(VersionKey(NAMESPACE, MODEL, version).manifest, None)
    asked_ = promotion("back", version, created=NOON + timedelta(seconds=30), action="RollBack", justification="INC-1")
    end = world.decide(world.put(asked_))
    if isinstance(end, Decided):
        assert (True, end.link.entry.reason) == (final, reason)
    else:
        assert end.seen.ruling is not None
        assert (False, end.seen.ruling.reason) == (final, reason)


@pytest.mark.parametrize(("seconds", "reason"), [(0, "RequesterUnproven"), (1, "RequesterUnproven"), (2, "Promoted")])
def test_the_policies_must_be_two_seconds_older_than_the_promotion(seconds: int, reason: str) -> None:
    since = NOON + timedelta(minutes=1) - timedelta(seconds=seconds)
    assert verdict(replace(NOTHING, change=proof(since=since)))[1] == reason


def test_a_broken_chain_of_the_stage_before_is_told_with_its_name() -> None:
    before = StageKey(NAMESPACE, MODEL, "staging")
    situation = replace(SITUATIONS["not_soaked"], change=put(before.entry(1), b"garbage"))
    with pytest.raises(BrokenChain, match="team-a/churn/staging"):
        verdict(situation)
    assert KEY.stage == "production"
