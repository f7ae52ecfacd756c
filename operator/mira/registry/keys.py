"""Every key of the registry, made and parsed here and nowhere else. Keys are relative to the registry's root."""

import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
UID8 = re.compile(r"[0-9a-f]{8}")
ATTEMPT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}")
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = re.compile(r"[0-9a-f]{64}")
NUMBER_DIGITS = 12
LARGEST_NUMBER = 10**NUMBER_DIGITS - 1
LARGEST_STEP = 99

REGISTRY = "registry.json"
PROBES = "probes/"
LINEAGES = "lineage/"


class InvalidKey(ValueError):
    """A part of a key that could point anywhere else than where it says."""


@dataclass(frozen=True, order=True)
class StageKey:
    """The stage of one model in one namespace: the unit that is decided in one total order."""

    namespace: str
    model: str
    stage: str

    def __post_init__(self) -> None:
        for field in ("namespace", "model", "stage"):
            _checked(NAME, getattr(self, field), field)

    @property
    def lineage(self) -> str:
        """The folder of the stage's entries, one key for each number."""
        return f"{LINEAGES}{self.path}/"

    @property
    def path(self) -> str:
        """`<namespace>/<model>/<stage>`, by which every key of the stage is told from another stage's."""
        return f"{self.namespace}/{self.model}/{self.stage}"

    @property
    def pointer(self) -> str:
        """What readers read: the stage's only key whose object is ever replaced."""
        return f"stages/{self.path}/current.json"

    def entry(self, number: int) -> str:
        """The key of one entry, padded so that keys sort as numbers do. Raises InvalidKey outside 1..LARGEST_NUMBER."""
        if not 1 <= number <= LARGEST_NUMBER:
            raise InvalidKey(f"entry number {number} is not within 1..{LARGEST_NUMBER}")
        return f"{self.lineage}{number:0{NUMBER_DIGITS}d}.json"

    def decision(self, op: str) -> str:
        """Where a resource that was created again finds the end of its op. Raises InvalidKey if the op is no sha256."""
        return f"decisions/{self.path}/{_checked(HEX, op, 'op')}.json"

    def quarantine(self, sha256: str) -> str:
        """Where a pointer that could not be read is kept, named by its own content: copying it twice is harmless."""
        return f"quarantine/stages/{self.path}/{_checked(HEX, sha256, 'sha256')}"


@dataclass(frozen=True, order=True)
class VersionKey:
    """One version of one model in one namespace."""

    namespace: str
    model: str
    version: str

    def __post_init__(self) -> None:
        _checked(NAME, self.namespace, "namespace")
        _checked(NAME, self.model, "model")
        if ".." in _checked(VERSION, self.version, "version"):
            raise InvalidKey(f"version {self.version!r} must not contain '..'")

    @property
    def prefix(self) -> str:
        """The folder of everything that belongs to this version alone."""
        return f"models/{self.namespace}/{self.model}/versions/{self.version}/"

    @property
    def manifest(self) -> str:
        """The commit point: the version exists once there is an object under this key."""
        return f"{self.prefix}manifest.json"

    def inputs_of(self, run_uid: str) -> str:
        """What this run's first attempt listed. One per run: a failed run that is created anew lists the data anew."""
        return f"{self.prefix}inputs/{_checked(UID8, run_uid[:8], 'run uid')}.json"

    def snapshots_of(self, run_uid: str) -> str:
        """Which snapshots this run's first attempt took of data that no object pins; every later one reads these."""
        return f"{self.prefix}inputs/{_checked(UID8, run_uid[:8], 'run uid')}/snapshots.json"

    def snapshot(self, run_uid: str, sha256: str) -> str:
        """Where a snapshot lies, named by its own content: two attempts that take it at once overwrite nothing."""
        uid = _checked(UID8, run_uid[:8], "run uid")
        return f"{self.prefix}inputs/{uid}/{_checked(HEX, sha256, 'sha256')}.parquet"

    @property
    def tombstone(self) -> str:
        """The mark of a version that was collected or revoked: its name is never used again."""
        return f"tombstones/{self.namespace}/{self.model}/{self.version}.json"

    @property
    def attempts(self) -> str:
        """The folder of all attempts to make this version; the manifest names the one that did."""
        return f"{self.prefix}attempts/"

    def attempt(self, attempt: str) -> str:
        """The folder that one attempt writes to and no other. Raises InvalidKey if this is no attempt's id."""
        return f"{self.attempts}{_checked(ATTEMPT, attempt, 'attempt')}/"

    def outcome(self, attempt: str) -> str:
        """Where an attempt says how it ended, also when it failed."""
        return f"{self.attempt(attempt)}outcome.json"

    def progress(self, attempt: str, number: int) -> str:
        """Where an attempt says which step it has begun, by the step's number. Raises InvalidKey outside 1..99."""
        if not 1 <= number <= LARGEST_STEP:
            raise InvalidKey(f"step number {number} is not within 1..{LARGEST_STEP}")
        return f"{self.attempt(attempt)}progress/{number:02d}.json"

    def file(self, path: str) -> str:
        """The key of a manifest's file. Raises InvalidKey if its path leads out of the version's folder."""
        return f"{self.prefix}{checked_path(path)}"

    def signature(self, digest: str, key_id: str) -> str:
        """Where this key's signature over the manifest with this digest lies: one object for each, create-only."""
        return f"{self.prefix}signatures/{hex_of(digest)}/{_checked(HEX, key_id, 'key id')}.dsse.json"

    def comparison(self, candidate_digest: str, current_digest: str) -> str:
        """Where exactly these two manifests are compared, whatever their versions' names. Raises InvalidKey."""
        return f"{self._pair(candidate_digest, current_digest)}.json"

    def comparing(self, candidate_digest: str, current_digest: str) -> str:
        """The folder of all attempts to compare this pair. Raises InvalidKey."""
        return f"{self._pair(candidate_digest, current_digest)}/attempts/"

    def comparing_outcome(self, candidate_digest: str, current_digest: str, attempt: str) -> str:
        """Where an attempt to compare this pair says how it ended, also when it failed. Raises InvalidKey."""
        folder = self.comparing(candidate_digest, current_digest)
        return f"{folder}{_checked(ATTEMPT, attempt, 'attempt')}/outcome.json"

    def _pair(self, candidate_digest: str, current_digest: str) -> str:
        candidate, current = hex_of(candidate_digest), hex_of(current_digest)
        return f"models/{self.namespace}/{self.model}/comparisons/{candidate}/{current}"


@dataclass(frozen=True, order=True)
class DriftKey:
    """One order that compares data with what a version was trained on; `id` is the uid of the run that it is for."""

    namespace: str
    model: str
    id: str

    def __post_init__(self) -> None:
        _checked(NAME, self.namespace, "namespace")
        _checked(NAME, self.model, "model")
        _checked(UID, self.id, "drift id")

    @property
    def prefix(self) -> str:
        """The folder of everything that belongs to this order alone."""
        return f"drift/{self.namespace}/{self.model}/{self.id}/"

    @property
    def document(self) -> str:
        """Where the answer lies, create-only."""
        return f"{self.prefix}drift.json"

    @property
    def inputs(self) -> str:
        """What the first attempt listed, so that every later one reads the same data."""
        return f"{self.prefix}inputs.json"

    def outcome(self, attempt: str) -> str:
        """Where an attempt says how it ended, also when it failed."""
        return f"{self.prefix}attempts/{_checked(ATTEMPT, attempt, 'attempt')}/outcome.json"


def attempt_id(run_uid: str, pod_uid: str) -> str:
    """The attempt of one pod: the first eight hex digits of the run's uid and of the pod's."""
    return _checked(ATTEMPT, f"{run_uid[:8]}-{pod_uid[:8]}", "attempt")


def entry_number(key: str, stage: StageKey) -> int | None:
    """The number of a lineage key of this stage, None for any other key."""
    match = re.fullmatch(re.escape(stage.lineage) + rf"([0-9]{{{NUMBER_DIGITS}}})\.json", key)
    return int(match[1]) if match and int(match[1]) else None


def checked_path(path: str) -> str:
    """The path itself, if it stays below where it is joined to: no '..', no empty or absolute part, no backslash."""
    parts = path.split("/")
    odd = any(part in ("", ".", "..") for part in parts) or any(c == "\\" or not c.isprintable() for c in path)
    if odd or len(path.encode()) > 512:
        raise InvalidKey(f"path {path[:80]!r} must be relative, below its folder, of printable characters")
    return path


def digest_of(sha256_hex: str) -> str:
    """The digest with this hex. Raises InvalidKey unless it is 64 lower-case hex digits."""
    return f"sha256:{_checked(HEX, sha256_hex, 'sha256')}"


def hex_of(digest: str) -> str:
    """The digest's bare hex, as keys hold it. Raises InvalidKey unless it is 64 lower-case hex digits."""
    return _checked(HEX, digest.removeprefix("sha256:"), "digest")


def _checked(pattern: re.Pattern[str], value: str, field: str) -> str:
    # fullmatch, not `$`: Python's `$` also matches before a final newline.
    if not pattern.fullmatch(value):
        raise InvalidKey(f"{field} {value[:80]!r} must match {pattern.pattern}")
    return value
