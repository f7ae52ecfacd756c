"""Where registry and data lie, as a person writes it: s3://, file:// or a path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mira.api.reasons import Reason
from mira_training.refusal import Refused

S3, FILE = "s3://", "file:///"


def registry_uri(written: str) -> str:
    """The registry's uri; a path is a folder relative to where we are. Raises Refused for any other scheme."""
    if written.startswith((S3, FILE)):
        return written.rstrip("/")
    _no_other_scheme("--registry", written, "s3://bucket/root, file:///folder or a folder's path")
    folder = Path(written).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise Refused(Reason.REGISTRY_REFUSED, f"--registry: {written} is a file; name a folder, or s3://bucket/root")
    return folder.as_uri()


def data_uri(field: str, written: str, folder: Path) -> str:
    """The uri of data; a path is relative to the folder of the manifest that names it. Raises Refused."""
    if written.startswith((S3, FILE)):
        return written
    _no_other_scheme(field, written, "s3://bucket/key, file:///path or a path relative to the manifest")
    path = (folder / Path(written).expanduser()).resolve()
    if path.is_dir() and not written.endswith("/"):
        raise Refused(Reason.DATA_INVALID, f"{field}: {written} is a folder; write {written}/ for all files below it")
    return path.as_uri() + ("/" if written.endswith("/") else "")


def with_uris(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The spec with a uri in place of each path. Raises Refused."""
    data = spec.get("data")
    if not isinstance(data, dict):
        return spec
    changed = dict(data)
    for part in ("training", "holdout"):
        if part in data:
            changed[part] = _source(f"spec.data.{part}.uri", data[part], folder)
    if isinstance(data.get("inputs"), list):
        changed["inputs"] = [
            _source(f"spec.data.inputs.{number}.uri", source, folder) for number, source in enumerate(data["inputs"])
        ]
    if expectations := _expectations(data):
        suite = _source("spec.data.checks.expectations.uri", expectations, folder)
        changed["checks"] = {**data["checks"], "expectations": suite}
    return {**spec, "data": changed}


def file_uris(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each uri of the spec's data that names a file, with its field."""
    data = spec.get("data")
    parts = dict(data) if isinstance(data, dict) else {}
    inputs = parts.get("inputs") or []
    sources = {f"data.{name}": parts.get(name) for name in ("training", "holdout")}
    sources["data.checks.expectations"] = _expectations(parts)
    for name, source in (sources | {f"data.inputs.{number}": each for number, each in enumerate(inputs)}).items():
        uri = source.get("uri") if isinstance(source, dict) else None
        if isinstance(uri, str) and uri.startswith("file:"):
            yield f"{name}.uri", uri


def _expectations(data: dict[str, Any]) -> Any:
    checks = data.get("checks")
    return checks.get("expectations") if isinstance(checks, dict) else None


def _source(field: str, source: Any, folder: Path) -> Any:
    uri = source.get("uri") if isinstance(source, dict) else None
    return {**source, "uri": data_uri(field, uri, folder)} if isinstance(uri, str) and uri else source


def _no_other_scheme(field: str, written: str, allowed: str) -> None:
    if "://" in written or written.startswith("file:"):
        raise Refused(Reason.ORDER_INVALID, f"{field}: {written} is not allowed; write {allowed}")
