"""Keys are made of checked parts only: no part can point anywhere else than where it says."""

import pytest

from mira.registry.keys import (
    LARGEST_NUMBER,
    DriftKey,
    InvalidKey,
    StageKey,
    VersionKey,
    attempt_id,
    checked_path,
    digest_of,
    entry_number,
    hex_of,
)

STAGE = StageKey("team-a", "churn", "production")
VERSION = VersionKey("team-a", "churn", "v1")
HASH = "0123456789abcdef" * 4

HOSTILE = {
    "empty": "",
    "one dot": ".",
    "two dots": "..",
    "up and away": "../production",
    "a slash inside": "a/b",
    "a slash in front": "/a",
    "a slash behind": "a/",
    "a backslash": "a\\b",
    "a newline behind": "production\n",
    "a newline in front": "\nproduction",
    "a carriage return behind": "production\r",
    "NUL behind": "production\0",
    "NUL alone": "\0",
    "a blank": "pro duction",
    "a blank behind": "production ",
    "an encoded slash": "a%2fb",
    "a Cyrillic look-alike": "producti\u043en",
    "a full-width letter": "\uff41",
    "an Arabic digit": "v\u0663",
    "a superscript digit": "v\u00b2",
    "a fraction slash": "a\u2044b",
    "a full-width dot": "\uff0e\uff0e",
    "a zero-width space": "prod\u200buction",
    "a right-to-left override": "prod\u202euction",
    "a combining accent": "e\u0301",
    "a lone surrogate": "\ud800",
    "a wildcard": "*",
    "a question mark": "a?b",
    "a hash": "a#b",
}
LABELS = HOSTILE | {
    "capitals": "Production",
    "a dot": "a.b",
    "an underscore": "a_b",
    "a hyphen in front": "-a",
    "a hyphen behind": "a-",
    "64 characters": "a" * 64,
}
VERSIONS = HOSTILE | {
    "two dots inside": "v1..2",
    "a dot in front": ".v1",
    "a hyphen in front": "-v1",
    "129 characters": "v" * 129,
}


@pytest.mark.parametrize("part", LABELS.values(), ids=LABELS.keys())
@pytest.mark.parametrize("field", ["namespace", "model", "stage"])
def test_a_stage_key_refuses_a_part_with(field: str, part: str) -> None:
    with pytest.raises(InvalidKey, match=field):
        StageKey(**({"namespace": "team-a", "model": "churn", "stage": "production"} | {field: part}))


@pytest.mark.parametrize("part", VERSIONS.values(), ids=VERSIONS.keys())
def test_a_version_key_refuses_a_version_with(part: str) -> None:
    with pytest.raises(InvalidKey, match="version"):
        VersionKey("team-a", "churn", part)


@pytest.mark.parametrize("part", LABELS.values(), ids=LABELS.keys())
@pytest.mark.parametrize("field", ["namespace", "model"])
def test_a_version_key_refuses_a_part_with(field: str, part: str) -> None:
    with pytest.raises(InvalidKey, match=field):
        VersionKey(**({"namespace": "team-a", "model": "churn", "version": "v1"} | {field: part}))


@pytest.mark.parametrize("part", ["a", "0", "a-b", "a--b", "a" * 63])
def test_every_name_that_kubernetes_takes_is_a_part(part: str) -> None:
    assert StageKey(part, part, part).path == f"{part}/{part}/{part}"


@pytest.mark.parametrize("version", ["v", "1", "V1.2.3", "2026-11-25_1", "churn-2026-11b", "v" * 128])
def test_every_version_that_the_api_takes_is_a_part(version: str) -> None:
    assert VersionKey("team-a", "churn", version).prefix == f"models/team-a/churn/versions/{version}/"


@pytest.mark.parametrize("number", [0, -1, 100])
def test_a_step_has_a_number_of_two_digits(number: int) -> None:
    with pytest.raises(InvalidKey, match="step number"):
        VERSION.progress("0a1b2c3d-4e5f6071", number)


def test_the_keys_are_those_of_the_design() -> None:
    assert VERSION.progress("0a1b2c3d-4e5f6071", 3) == f"{VERSION.prefix}attempts/0a1b2c3d-4e5f6071/progress/03.json"
    assert STAGE.pointer == "stages/team-a/churn/production/current.json"
    assert STAGE.entry(7) == "lineage/team-a/churn/production/000000000007.json"
    assert STAGE.decision(HASH) == f"decisions/team-a/churn/production/{HASH}.json"
    assert STAGE.quarantine(HASH) == f"quarantine/stages/team-a/churn/production/{HASH}"
    assert VERSION.manifest == "models/team-a/churn/versions/v1/manifest.json"
    assert VERSION.tombstone == "tombstones/team-a/churn/v1.json"
    assert VERSION.outcome("01234567-89abcdef").endswith("/v1/attempts/01234567-89abcdef/outcome.json")
    assert (
        VERSION.comparison(f"sha256:{HASH}", f"sha256:{HASH}") == f"models/team-a/churn/comparisons/{HASH}/{HASH}.json"
    )


def test_no_two_stages_share_a_key() -> None:
    # Without the check of hyphens and slashes a/b-c and a-b/c could meet.
    stages = [StageKey(n, m, s) for n in ("a", "a-b") for m in ("a", "b-a") for s in ("a", "a-a")]
    for make in (lambda s: s.pointer, lambda s: s.entry(1), lambda s: s.decision(HASH), lambda s: s.quarantine(HASH)):
        assert len({make(stage) for stage in stages}) == len(stages)


@pytest.mark.parametrize("number", [1, 2, 999, LARGEST_NUMBER])
def test_an_entry_number_is_read_back_from_its_key(number: int) -> None:
    assert entry_number(STAGE.entry(number), STAGE) == number


@pytest.mark.parametrize("number", [0, -1, LARGEST_NUMBER + 1, 10**30])
def test_an_entry_number_is_refused(number: int) -> None:
    with pytest.raises(InvalidKey, match="entry number"):
        STAGE.entry(number)


def test_entry_keys_are_listed_in_the_order_of_their_numbers() -> None:
    numbers = [1, 2, 9, 10, 11, 99, 100, 10**6, LARGEST_NUMBER]
    assert sorted(STAGE.entry(number) for number in numbers) == [STAGE.entry(number) for number in numbers]


@pytest.mark.parametrize(
    "key",
    [
        "lineage/team-a/churn/production/000000000000.json",
        "lineage/team-a/churn/production/1.json",
        "lineage/team-a/churn/production/0000000000001.json",
        "lineage/team-a/churn/production/00000000001a.json",
        "lineage/team-a/churn/production/00000000000\u0663.json",
        "lineage/team-a/churn/production/+00000000001.json",
        "lineage/team-a/churn/production/000000000001.json\n",
        "lineage/team-a/churn/production/000000000001.json.bak",
        "lineage/team-a/churn/production/000000000001",
        "lineage/team-a/churn/production/x/000000000001.json",
        "lineage/team-a/churn/staging/000000000001.json",
        "lineage/team-aXchurn/production/000000000001.json",
        "/lineage/team-a/churn/production/000000000001.json",
        "",
    ],
)
def test_a_key_that_is_no_entry_of_the_stage_has_no_number(key: str) -> None:
    assert entry_number(key, STAGE) is None


def test_an_attempt_is_eight_digits_of_both_uids() -> None:
    run, pod = "0a1b2c3d-0000-4000-8000-000000000000", "4e5f6071-1111-4000-8000-000000000000"
    assert attempt_id(run, pod) == "0a1b2c3d-4e5f6071"


@pytest.mark.parametrize(
    ("run", "pod"),
    [
        ("", ""),
        ("0a1b2c3d", ""),
        ("0A1B2C3D", "4e5f6071"),
        ("0a1b2c3", "4e5f6071"),
        ("../../..", "4e5f6071"),
        ("0a1b2c3g", "4e5f6071"),
    ],
)
def test_an_attempt_of_something_that_is_no_uid_is_refused(run: str, pod: str) -> None:
    with pytest.raises(InvalidKey, match="attempt"):
        attempt_id(run, pod)


@pytest.mark.parametrize(
    "attempt", ["", "..", "01234567-89abcdef\n", "01234567-89ABCDEF", "01234567/89abcdef", "0" * 17]
)
def test_an_attempts_folder_refuses(attempt: str) -> None:
    with pytest.raises(InvalidKey, match="attempt"):
        VERSION.attempt(attempt)


@pytest.mark.parametrize(
    "path", ["model.onnx", "attempts/x/model/a b.bin", "a/..b", "a/b..", "a/...", "ä/ö", "x" * 512]
)
def test_a_path_below_its_folder_is_taken(path: str) -> None:
    assert checked_path(path) == path
    assert VERSION.file(path) == f"models/team-a/churn/versions/v1/{path}"


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../x", "a/../b", "a/..", "./a", "a/./b", "/a", "a//b", "a/", "//", "a\\b", "..\\b", "a\nb",
        "a\n",
        "a\0", "a\x1fb", "a\tb", "x" * 513, "ä" * 257, "a\x7fb", "a/\ud800",
    ],
)  # fmt: skip
def test_a_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidKey, match="path"):
        checked_path(path)


@pytest.mark.parametrize(
    "value", ["", "sha256:", HASH[:-1], HASH + "0", HASH.upper(), f"{HASH}\n", f"sha256:sha256:{HASH}", f"md5:{HASH}"]
)
def test_a_digest_is_refused(value: str) -> None:
    with pytest.raises(InvalidKey):
        hex_of(value)


def test_a_digest_and_its_hex_are_two_spellings_of_one_thing() -> None:
    assert hex_of(digest_of(HASH)) == HASH


UID = "01234567-89ab-cdef-0123-456789abcdef"


def test_a_drift_check_writes_below_its_own_folder() -> None:
    key = DriftKey("team-a", "churn", UID)
    assert key.document == f"drift/team-a/churn/{UID}/drift.json"
    assert key.inputs == f"drift/team-a/churn/{UID}/inputs.json"
    assert key.outcome("01234567-89abcdef") == f"drift/team-a/churn/{UID}/attempts/01234567-89abcdef/outcome.json"


@pytest.mark.parametrize(
    "uid", [*HOSTILE.values(), "01234567", UID.upper(), f"{UID}\n", UID.replace("-", ""), f"{UID}/.."]
)
def test_a_drift_key_refuses_an_id_that_is_no_uid(uid: str) -> None:
    with pytest.raises(InvalidKey, match="drift id"):
        DriftKey("team-a", "churn", uid)
