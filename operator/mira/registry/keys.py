"""Every key of the registry, made and parsed here and nowhere else. Keys are relative to the registry's root."""

import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
ATTEMPT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}")
HEX = re.compile(r"[0-9a-f]{64}")
NUMBER_DIGITS = 12
LARGEST_NUMBER = 10**NUMBER_DIGITS - 1

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
        return f"{LINEAGES}{self.path}/"

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.model}/{self.stage}"

    @property
    def pointer(self) -> str:
        return f"stages/{self.path}/current.json"

    def entry(self, number: int) -> str:
        if not 1 <= number <= LARGEST_NUMBER:
            raise InvalidKey(f"entry number {number} is not within 1..{LARGEST_NUMBER}")
        return f"{self.lineage}{number:0{NUMBER_DIGITS}d}.json"

    def decision(self, op: str) -> str:
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
        return f"models/{self.namespace}/{self.model}/versions/{self.version}/"

    @property
    def manifest(self) -> str:
        return f"{self.prefix}manifest.json"

    @property
    def inputs(self) -> str:
        return f"{self.prefix}inputs.json"

    @property
    def tombstone(self) -> str:
        return f"tombstones/{self.namespace}/{self.model}/{self.version}.json"

    @property
    def attempts(self) -> str:
        return f"{self.prefix}attempts/"

    def attempt(self, attempt: str) -> str:
        return f"{self.attempts}{_checked(ATTEMPT, attempt, 'attempt')}/"

    def outcome(self, attempt: str) -> str:
        return f"{self.attempt(attempt)}outcome.json"

    def file(self, path: str) -> str:
        return f"{self.prefix}{checked_path(path)}"

    def comparison(self, candidate_digest: str, current_digest: str) -> str:
        candidate, current = hex_of(candidate_digest), hex_of(current_digest)
        return f"models/{self.namespace}/{self.model}/comparisons/{candidate}/{current}.json"


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
    odd = any(part in ("", ".", "..") for part in parts) or any(ord(c) < 0x20 or c == "\\" for c in path)
    if odd or len(path.encode()) > 512:
        raise InvalidKey(f"path {path[:80]!r} must be relative, below its folder, without control characters")
    return path


def digest_of(sha256_hex: str) -> str:
    return f"sha256:{_checked(HEX, sha256_hex, 'sha256')}"


def hex_of(digest: str) -> str:
    return _checked(HEX, digest.removeprefix("sha256:"), "digest")


def _checked(pattern: re.Pattern[str], value: str, field: str) -> str:
    # fullmatch, not `$`: Python's `$` also matches before a final newline.
    if not pattern.fullmatch(value):
        raise InvalidKey(f"{field} {value[:80]!r} must match {pattern.pattern}")
    return value
