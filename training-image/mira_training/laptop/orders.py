"""The order in a file: an order as the operator writes it, or made of a TrainingRun by the operator's own code."""

import re
import uuid
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mira.api.canonical import NotCanonicalError
from mira.api.identity import spec_hash
from mira.api.meta import API_VERSION
from mira.api.reasons import Reason
from mira.api.scalars import RESERVED_VERSIONS, SUBDOMAIN, VERSION_ID
from mira.api.trainingrun import MAX_NAME
from mira.registry.document import DocumentInvalid
from mira.registry.keys import InvalidKey
from mira.registry.order import Order
from mira.registry.ordering import check_arrives, order_too_large, ordered
from mira_training.laptop.places import registry_uri, with_uris
from mira_training.laptop.spec import LaptopRun
from mira_training.laptop.yaml_text import documents
from mira_training.model.wording import shown
from mira_training.refusal import Refused, listed

DEFAULT_REGISTRY = "mira-registry"
DEFAULT_NAMESPACE = "default"


def order_in(path: Path, *, registry: str | None = None, version: str | None = None) -> Order:
    """The order to carry out on this machine. `version` and `registry` win over what the file says.

    Raises Refused with one sentence: file or field, value, what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refused(Reason.ORDER_INVALID, f"{path}: cannot be read ({said}); name an order or a manifest") from error
    if version is not None and (not re.fullmatch(VERSION_ID[1:-1], version) or version in RESERVED_VERSIONS):
        raise Refused(
            Reason.ORDER_INVALID,
            f"--version: {version!r} is not allowed; write letters, digits, dashes, underscores and single dots, a "
            f"letter or digit first, and not {', '.join(RESERVED_VERSIONS)}",
        )
    found = documents(text, str(path))
    written = [each for each in found if isinstance(each, dict)]
    orders = [each for each in written if str(each.get("schema", "")).startswith("mira.order/")]
    if orders:
        return _as_it_is(text, path, registry=registry, version=version)
    runs = [each for each in written if each.get("kind") == "TrainingRun"]
    if len(runs) != 1:
        kinds = listed([str(each.get("kind")) for each in written if each.get("kind")]) or "nothing of the kind"
        raise Refused(
            Reason.ORDER_INVALID, f"{path}: holds {kinds}; it must hold exactly one TrainingRun, or be an order"
        )
    return _made_of(runs[0], path, registry=registry or DEFAULT_REGISTRY, version=version)


def _as_it_is(text: str, path: Path, *, registry: str | None, version: str | None) -> Order:
    try:
        order = Order.parse(text.encode())
    except DocumentInvalid as error:
        raise Refused(Reason.ORDER_INVALID, f"{path}: {error}") from error
    changed: dict[str, Any] = {"spec": with_uris(order.spec, path.parent), "registry": registry or order.registry}
    changed["registry"] = registry_uri(changed["registry"])
    return order.model_copy(update=changed | ({"version": version} if version else {}))


def _made_of(written: dict[str, Any], path: Path, *, registry: str, version: str | None) -> Order:
    if written.get("apiVersion") != API_VERSION:
        raise Refused(
            Reason.ORDER_INVALID, f"apiVersion: {shown(written.get('apiVersion'))} is not allowed; write {API_VERSION}"
        )
    metadata = written.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name")
    if not (isinstance(name, str) and re.fullmatch(SUBDOMAIN[1:-1], name) and len(name) <= MAX_NAME):
        raise Refused(
            Reason.ORDER_INVALID,
            f"metadata.name: {shown(name)} is not allowed; write lower-case letters, digits, dashes and dots, at most "
            f"{MAX_NAME}",
        )
    spec = written.get("spec")
    if not isinstance(spec, dict):
        raise Refused(Reason.ORDER_INVALID, f"spec: {shown(spec)} is not allowed; write the fields of a TrainingRun")
    spec = with_uris(spec | ({"version": version} if version else {}), path.parent)
    run = _parsed(name, str(metadata.get("namespace") or DEFAULT_NAMESPACE), spec)
    try:
        order = ordered(run, spec_hash(spec), registry=registry_uri(registry), image=None)
        if too_large := order_too_large(order):
            raise Refused(Reason.ORDER_TOO_LARGE, too_large)
        check_arrives(order)
    except (DocumentInvalid, NotCanonicalError) as error:
        raise Refused(Reason.PARAMETERS_NOT_CANONICAL, f"spec.parameters or spec.search.space: {error}") from error
    except InvalidKey as error:
        raise Refused(Reason.ORDER_INVALID, f"metadata: {error}") from error
    except ValidationError as error:
        raise Refused(Reason.ORDER_INVALID, _said(error, "")) from error
    return order


def _parsed(name: str, namespace: str, spec: dict[str, Any]) -> LaptopRun:
    # A laptop's uid is as random as a cluster's: every run is a run of its own, though the version may exist.
    metadata = {"name": name, "namespace": namespace, "uid": str(uuid.uuid4())}
    try:
        return LaptopRun.strictly({"kind": "TrainingRun", "metadata": metadata, "spec": spec})
    except ValidationError as error:
        raise Refused(Reason.ORDER_INVALID, _said(error, "")) from error


def _said(error: ValidationError, prefix: str) -> str:
    """The first thing that is wrong: field, value, what is allowed."""
    first = error.errors(include_url=False)[0]
    *above, last = (str(part) for part in first["loc"])
    place = ".".join([prefix, *above, last]).lstrip(".")
    if first["type"] == "missing":
        return f"{place}: is required"
    if first["type"] == "extra_forbidden":
        like = get_close_matches(last, _fields_at(above), n=1)
        return f"{place}: is no field of a TrainingRun" + (f"; did you mean {like[0]}?" if like else "; remove it")
    return f"{place}: {shown(first['input'])} is not allowed: {first['msg']}"


def _fields_at(path: list[str]) -> list[str]:
    """The names of the fields at this place of a TrainingRun."""
    schema = LaptopRun.model_json_schema()
    definitions, node = schema["$defs"], schema
    for part in path:
        below = node.get("items", {}) if part.isdigit() else node.get("properties", {}).get(part, {})
        alternatives = [below, *below.get("anyOf", [])]
        node = next((each for each in alternatives if "$ref" in each or "items" in each), {})
        node = definitions.get(str(node.get("$ref", "")).removeprefix("#/$defs/"), node)
    return list(node.get("properties", {}))
