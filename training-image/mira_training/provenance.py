"""Where a version comes from, in the words of others: an in-toto Statement with SLSA's provenance v1 as predicate.

Its subject is every other file of the version; the manifest lists it like any file, so the manifest's digest covers it
and a signature over the manifest signs it (docs/design/0011-what-is-signed.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import mira
from mira.registry.document import format_time
from mira.registry.dsse import STATEMENT_TYPE, Digests, Statement, Subject
from mira.registry.manifest import File, Source
from mira.registry.order import Order

PROVENANCE_FILE = "provenance.json"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://mira.constellation.dev/build/training/v1"
BUILDER = "https://mira.constellation.dev/builder/training-image"


@dataclass(frozen=True)
class Made:
    """How one attempt made a version."""

    order: Order
    attempt: str
    sources: Sequence[Source]
    libraries: Mapping[str, str]
    revision: str | None
    started_at: datetime
    finished_at: datetime


def provenance(made: Made, files: Sequence[File]) -> Statement:
    """What made these files: the order's spec, the bytes that were read, the image, the run and its attempt."""
    subject = [Subject(name=file.path, digest=Digests(sha256=file.sha256)) for file in files]
    return Statement(
        type_=STATEMENT_TYPE,
        subject=subject,
        predicate_type=PREDICATE,
        predicate={"buildDefinition": _definition(made), "runDetails": _run(made)},
    )


def _definition(made: Made) -> dict[str, Any]:
    order = made.order
    asked = {
        "namespace": order.namespace,
        "model": order.model,
        "version": order.version,
        "specHash": order.run.spec_hash,
        "spec": order.spec,
        "against": order.against,
        "requestedBy": order.run.requested_by,
    }
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {name: value for name, value in asked.items() if value is not None},
        "internalParameters": {"registry": order.registry},
        "resolvedDependencies": [*_image(made), *map(_data, made.sources), *_libraries(made.libraries)],
    }


def _run(made: Made) -> dict[str, Any]:
    return {
        "builder": {"id": BUILDER, "version": {"mira": mira.__version__}},
        "metadata": {
            "invocationId": f"{made.order.run.uid}/{made.attempt}",
            "startedOn": format_time(made.started_at),
            "finishedOn": format_time(made.finished_at),
        },
    }


def _image(made: Made) -> Iterator[dict[str, Any]]:
    image = made.order.image
    if image is None:
        return
    name, _, digest = image.partition("@sha256:")
    revision = {"annotations": {"revision": made.revision}} if made.revision else {}
    yield {"name": "image", "uri": name} | ({"digest": {"sha256": digest}} if digest else {}) | revision


def _data(source: Source) -> dict[str, Any]:
    pins = {"versionId": source.version_id, "etag": source.etag, "size": source.size, "rows": source.rows}
    return {
        "name": source.name,
        "uri": source.uri,
        "digest": {"sha256": source.sha256},
        "annotations": {name: value for name, value in pins.items() if value is not None},
    }


def _libraries(libraries: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name, version in libraries.items():
        kind = "generic" if name == "python" else "pypi"
        yield {"name": name, "uri": f"pkg:{kind}/{name}@{version}"}
