"""What Mira has written once is read for ever: every artifact of `v1/`, by the production readers.

If one of these tests fails, the code has changed the contract. **Never edit or write `v1/` again**: registries of
users hold such bytes. Make the code read both, or give the document a new version and add its artifacts as `v2/`
(`python -m tests.contract.write tests/contract/v2`); see README.md beside this file.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mira.api.identity import spec_hash
from mira.registry import Registry
from mira.registry.comparison import Comparison
from mira.registry.document import Document, digest, sha256
from mira.registry.drift import Drift
from mira.registry.dsse import Envelope, Statement
from mira.registry.entry import Entry, EntryKind, Pointer, render_pointer
from mira.registry.folder import FolderStore
from mira.registry.inputs import Inputs
from mira.registry.keys import DriftKey, StageKey, VersionKey
from mira.registry.lineage import genuine_pointer, verify_chain
from mira.registry.manifest import Manifest
from mira.registry.order import Order
from mira.registry.outcome import Outcome, Result, Termination
from mira.registry.probe import RegistryInfo
from mira.registry.profile import Profile
from mira.registry.progress import Progress
from mira.registry.search import SearchReport
from mira.registry.signing import PublicKeys
from mira.registry.steps import Procedure, answer_from, check_against
from mira_training.assignment import Assignment, assign, attempt_of, pair_of
from mira_training.publication import adopted
from mira_training.serve.predictor import load, sample
from tests.contract.write import SUMS

V1 = Path(__file__).parent / "v1"
NEVER_EDIT = "never edit tests/contract/v1: make the code read it, or add v2 (tests/contract/README.md)"
STORE = FolderStore((V1 / "registry").as_uri())
STAGE = StageKey("team-a", "churn", "production")
KEYS = PublicKeys.in_folder(V1 / "keys")
VERSIONS = ["v1", "v2"]
READERS: dict[str, type[Document] | type[Statement] | type[Envelope]] = {
    "orders/*.json": Order,
    "terminations/*.json": Termination,
    "registry/registry.json": RegistryInfo,
    "registry/**/manifest.json": Manifest,
    "registry/**/outcome.json": Outcome,
    "registry/**/progress/*.json": Progress,
    "registry/**/inputs/*.json": Inputs,
    "registry/drift/**/inputs.json": Inputs,
    "registry/drift/**/drift.json": Drift,
    "registry/**/report/drift.json": Drift,
    "registry/**/report/profile.json": Profile,
    "registry/**/report/provenance.json": Statement,
    "registry/**/comparisons/*/*.json": Comparison,
    "registry/**/attempts/*/order.json": Order,
    "registry/**/report/search.json": SearchReport,
    "registry/**/*.dsse.json": Envelope,
    "registry/lineage/**/*.json": Entry,
    "registry/decisions/**/*.json": Entry,
    "registry/stages/**/current.json": Pointer,
}
BESIDE = {".html", ".onnx", ".skops", ".pem", ""}
NOT_READ = {"scores.json", "metrics.json", "conditions.json"}


def files(pattern: str) -> list[Path]:
    return sorted(path for path in V1.glob(pattern) if path.is_file())


DOCUMENTS = [(kind, path) for pattern, kind in READERS.items() for path in files(pattern)]


def test_no_artifact_is_changed_added_or_lost() -> None:
    there = {path.relative_to(V1).as_posix(): sha256(path.read_bytes()) for path in files("**/*") if path.name != SUMS}
    lines = (V1 / SUMS).read_text().splitlines()
    listed = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines)}
    assert there == listed, NEVER_EDIT


def test_every_artifact_has_a_reader_and_every_reader_an_artifact() -> None:
    read = {path for _, path in DOCUMENTS}
    left = [path for path in files("**/*") if path not in read]
    assert [path for path in left if path.suffix not in BESIDE and path.name not in NOT_READ] == []
    assert [pattern for pattern in READERS if not files(pattern)] == []


def in_both(old: Any, new: Any) -> bool:
    """Whether all of the old value is in the new one, which may have more fields."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and in_both(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(in_both, old, new))
    return type(old) is type(new) and bool(old == new)


@pytest.mark.parametrize(
    ("kind", "path"), DOCUMENTS, ids=[path.relative_to(V1).as_posix()[-70:] for _, path in DOCUMENTS]
)
def test_is_read_with_every_value_that_is_in_it(kind: Any, path: Path) -> None:
    raw = path.read_bytes()
    assert in_both(json.loads(raw), json.loads(kind.parse(raw).render())), f"a value is lost; {NEVER_EDIT}"


# What the documents mean together


def test_outcomes_and_terminations_of_both_ends_are_here() -> None:
    ends = {Outcome.parse(path.read_bytes()).result for path in files("registry/**/outcome.json")}
    assert ends == set(Result)
    assert {Termination.parse(path.read_bytes()).result for path in files("terminations/*.json")} == ends


def test_the_failed_outcome_says_which_check_failed() -> None:
    (outcome,) = (
        outcome
        for path in files("registry/**/outcome.json")
        if (outcome := Outcome.parse(path.read_bytes())).result is Result.FAILED
    )
    assert (outcome.reason, outcome.retryable, outcome.step) == ("NotEnoughRows", False, "validate")
    assert [check.check for check in outcome.failed_checks] == ["minRows"]


def assigned(path: Path) -> Assignment:
    order = Order.parse(path.read_bytes())
    return assign(order, attempt_of(order, "01234567-89ab-4cde-8f01-23456789abcd"))


@pytest.mark.parametrize(
    "path", [path for path in files("orders/*.json") if path.name != "compare.json"], ids=lambda path: path.name
)
def test_an_order_is_one_that_the_image_carries_out(path: Path) -> None:
    made = assigned(path)
    assert made.spec.data.training.uri.startswith("s3://data/rows/")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_of_the_same_spec_still_adopts_its_version(version: str) -> None:
    """The hash of a spec is what run-once rests on: it never changes."""
    made = assigned(V1 / "orders" / f"{version}.json")
    assert spec_hash(made.order.spec) == made.order.run.spec_hash
    raw = (V1 / "registry" / made.key.manifest).read_bytes()
    assert adopted(raw, _Wanted(made)).digest == digest(raw)


class _Wanted:
    def __init__(self, made: Assignment) -> None:
        self.key = made.key
        self.run = made.order.run


def test_the_chain_of_the_lineage_holds_every_kind_of_entry() -> None:
    head = Procedure(verify_chain(STAGE)).advance(lambda call: answer_from(STORE, call))
    assert head is not None
    entries = [Entry.parse(path.read_bytes()) for path in files("registry/lineage/**/*.json")]
    assert head.entry == entries[-1]
    assert {entry.kind for entry in entries} == set(EntryKind)
    assert [entry.signed_by in KEYS.ids for entry in entries] == [True, True, True, False, False]


def test_every_decision_is_a_copy_of_its_entry() -> None:
    decisions = {path.stem: path.read_bytes() for path in files("registry/decisions/**/*.json")}
    for path in files("registry/lineage/**/*.json"):
        entry = Entry.parse(path.read_bytes())
        expected = None if entry.kind is EntryKind.VOID else path.read_bytes()
        assert decisions.pop(entry.op, None) == expected
    assert decisions == {}


def test_the_pointer_is_still_the_rendering_of_its_entry() -> None:
    """Another rendering would make every pointer out there look forged."""
    head = Procedure(verify_chain(STAGE)).advance(lambda call: answer_from(STORE, call))
    stored = STORE.get(STAGE.pointer, limit=10**6)
    assert head is not None
    assert stored is not None
    assert genuine_pointer(stored, head)
    assert render_pointer(head.raw) == (V1 / "registry" / STAGE.pointer).read_bytes()


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A reader who asks for signatures."""
    yield Registry(STORE, cache=tmp_path, verify_keys=KEYS)  # noqa: PT022


def test_the_current_version_is_read_and_its_signature_verified(registry: Registry) -> None:
    found = registry.current(namespace="team-a", model="churn", stage="production")
    assert found is not None
    assert (found.version, found.number) == ("v1", 5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_whole_signed_and_answers_as_it_did(registry: Registry, version: str) -> None:
    found = registry.version(namespace="team-a", model="churn", version=version)
    assert found is not None
    assert check_against(STORE, found.manifest) is None
    scores = load(found, registry.folder(found), threads=1).scores(sample(found.manifest.model_schema))
    assert scores.ravel().tolist() == pytest.approx(json.loads((V1 / "scores.json").read_bytes())[version], abs=1e-5)


def test_both_kinds_of_keys_have_signed() -> None:
    signed = {path.name.removesuffix(".dsse.json") for path in files("registry/**/*.dsse.json")}
    assert signed == set(KEYS.ids)
    assert len(signed) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_the_provenance_is_of_the_files_that_are_there(registry: Registry, version: str) -> None:
    found = registry.version(namespace="team-a", model="churn", version=version)
    assert found is not None
    (file,) = (file for file in found.manifest.files if file.path.endswith("report/provenance.json"))
    statement = Statement.parse((V1 / "registry" / found.key.file(file.path)).read_bytes())
    assert statement.predicate_type == "https://slsa.dev/provenance/v1"
    others = {each.path: each.sha256 for each in found.manifest.files if each is not file}
    assert {each.name: each.digest.sha256 for each in statement.subject} == others


def test_comparison_drift_and_profile_are_found_from_the_manifest(registry: Registry) -> None:
    second = registry.version(namespace="team-a", model="churn", version="v2")
    assert second is not None
    with_ = second.manifest.compared_with
    assert with_ is not None
    comparison = STORE.get(second.key.comparison(second.digest, with_.digest), limit=10**6)
    assert comparison is not None
    assert Comparison.parse(comparison.body).difference("roc_auc") is not None
    drift = registry.report(second.manifest, "drift.json", Drift)
    profile = registry.report(second.manifest, "profile.json", Profile)
    assert drift is not None
    assert profile is not None
    assert drift.summary == second.manifest.drift
    assert profile.rows == second.manifest.rows.training


def test_a_comparison_by_an_order_of_its_own_is_found_by_both_digests() -> None:
    order = Order.parse((V1 / "orders" / "compare.json").read_bytes())
    candidate, current = pair_of(order)
    stored = STORE.get(VersionKey("team-a", "churn", order.version).comparison(candidate, current), limit=10**6)
    assert stored is not None
    assert Comparison.parse(stored.body).difference("roc_auc") is not None


def test_suite_and_search_are_told_by_the_manifest(registry: Registry) -> None:
    second = registry.version(namespace="team-a", model="churn", version="v2")
    assert second is not None
    validation, search = second.manifest.validation, second.manifest.search
    assert validation is not None
    assert validation.suite is not None
    assert (validation.suite.place, validation.suite.passed) == ("s3://data/suite.json", 1)
    assert "expect_column_values_to_not_be_null" in [warning.check for warning in validation.warnings]
    report = registry.report(second.manifest, "search.json", SearchReport)
    assert search is not None
    assert report is not None
    assert (search.trials, search.score) == (len(report.trials), report.best.score)


def test_the_answer_of_a_drift_check_is_found_by_the_uid_of_its_run() -> None:
    order = Order.parse((V1 / "orders" / "drift-check.json").read_bytes())
    stored = STORE.get(DriftKey("team-a", "churn", order.run.uid).document, limit=10**6)
    assert stored is not None
    assert Drift.parse(stored.body).reference.version == "v1"


def test_skops_says_what_is_in_its_file() -> None:
    import skops.io

    path = V1 / "registry" / VersionKey("team-a", "churn", "v1").file("attempts/01234567-aaaaaaaa/model/model.skops")
    assert skops.io.get_untrusted_types(file=path) == ["numpy.dtype"]


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in files("**/*")) < 200_000
