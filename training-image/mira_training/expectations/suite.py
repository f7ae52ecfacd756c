"""The file with a suite: found, read and taken apart. What its expectations mean is not known here."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mira.api.reasons import Reason
from mira.registry.document import DocumentInvalid, parse_json, sha256
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira.api.data import Expectations
    from mira_training.ports import Ports

FIELD = "data.checks.expectations"
LARGEST = 1024 * 1024  # bytes; a ConfigMap cannot hold more
MOST = 1000
SEVERITIES = ("critical", "warning", "info")
PARAMETER = "$PARAMETER"
EXPECTATION = "expect_"


@dataclass(frozen=True)
class Wanted:
    """One expectation as it is written, and where in the file."""

    place: str
    type: str
    kwargs: dict[str, Any]
    severity: str


@dataclass(frozen=True)
class Suite:
    """The expectations of one file, which `place` and `sha256` name."""

    place: str
    sha256: str
    expectations: tuple[Wanted, ...]


def read_suite(asked: "Expectations", ports: "Ports") -> Suite:
    """The suite that the run names.

    Raises Refused: `ExpectationsInvalid` with the file and what to write there, `DataAccessDenied`; StoreUnavailable.
    """
    place, body = _from_object(asked.uri, ports) if asked.uri else _from_config_map(asked.config_map, ports.suite_file)
    return Suite(place, sha256(body), tuple(_expectations(body, place)))


def _from_object(uri: str, ports: "Ports") -> tuple[str, bytes]:
    listed = ports.data.find(uri)
    if listed is not None and listed.size > LARGEST:
        raise _invalid(f"{FIELD}.uri: {uri} has {listed.size} bytes; a suite has at most {LARGEST}")
    path = ports.folder / "suite.json"
    if listed is None or ports.data.read(listed, path) is None:
        raise _invalid(f"{FIELD}.uri: {uri} does not exist; write the uri of a suite's JSON file")
    body = path.read_bytes()
    path.unlink()
    return uri, body


def _from_config_map(name: str | None, file: Path | None) -> tuple[str, bytes]:
    if file is None:
        raise _invalid(f"{FIELD}.configMap: there is no cluster here to read {name} from; write uri, with the file")
    try:
        return f"configmap:{name}/{file.name}", file.read_bytes()
    except OSError as error:
        raise _invalid(
            f"{FIELD}.configMap: the run's namespace had no ConfigMap {name} with the key {file.name} when the pod "
            "started; create it, then create the run again"
        ) from error


def _expectations(body: bytes, place: str) -> list[Wanted]:
    try:
        content = parse_json(body, limit=LARGEST)
    except DocumentInvalid as error:
        raise _invalid(f"{FIELD}: {place}: {error}") from error
    written = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(written, list) or not written:
        raise _invalid(f"{FIELD}: {place}: expectations must be a list of at least one expectation")
    if len(written) > MOST:
        raise _invalid(f"{FIELD}: {place}: {len(written)} expectations are more than the {MOST} allowed")
    return [_wanted(each, f"{place}: expectations[{number}]") for number, each in enumerate(written)]


def _wanted(written: Any, place: str) -> Wanted:
    if not isinstance(written, dict):
        raise _invalid(f"{FIELD}: {place} must be an object with type and kwargs")
    if "expectation_type" in written:
        raise _invalid(f"{FIELD}: {place}: expectation_type is of Great Expectations 0.x; write type instead of it")
    type_, kwargs, severity = written.get("type"), written.get("kwargs"), written.get("severity", SEVERITIES[0])
    if not isinstance(type_, str):
        raise _invalid(f"{FIELD}: {place}.type is required; write an expectation's name")
    if not type_.startswith(EXPECTATION):
        raise _invalid(f"{FIELD}: {place}.type: {type_[:100]!r} is none for tables; write one that begins with expect_")
    if not isinstance(kwargs, dict):
        raise _invalid(f"{FIELD}: {place}.kwargs is required; write the arguments of {type_[:100]}, or {{}}")
    if severity not in SEVERITIES:
        raise _invalid(f"{FIELD}: {place}.severity: {str(severity)[:100]!r} is not one of {', '.join(SEVERITIES)}")
    if _has_parameter(kwargs):
        raise _invalid(f"{FIELD}: {place}: {PARAMETER} is not filled in here; write the value itself")
    return Wanted(place, type_, kwargs, severity)


def _has_parameter(value: Any) -> bool:
    if isinstance(value, dict):
        return PARAMETER in value or any(map(_has_parameter, value.values()))
    return isinstance(value, list) and any(map(_has_parameter, value))


def _invalid(said: str) -> Refused:
    return Refused(Reason.EXPECTATIONS_INVALID, said)
