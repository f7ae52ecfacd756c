"""Which kinds the API server shows to whoever asks what there is: kopf watches these, and never looks again."""

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import urllib3

from mira.adapters.cluster import TYPES, ClusterUnavailable

TIMEOUT = urllib3.Timeout(connect=3.0, read=10.0)


def not_shown(connection: Any, kinds: Collection[str]) -> list[str]:
    """Those of the kinds that discovery does not show; right after a CRD is made it may be late for seconds.

    `connection` is a `kopf.ConnectionInfo`. Raises ClusterUnavailable if discovery does not answer.
    """
    missing = []
    with urllib3.PoolManager(
        ca_certs=connection.ca_path, cert_file=connection.certificate_path, key_file=connection.private_key_path
    ) as pool:
        for kind in kinds:
            where = TYPES[kind]
            if where.plural not in _plurals(pool, connection, f"/apis/{where.group}/{where.version}"):
                missing.append(kind)
    return missing


def _plurals(pool: urllib3.PoolManager, connection: Any, path: str) -> list[str]:
    headers = {"Accept": "application/json"}
    if connection.token:
        headers["Authorization"] = f"{connection.scheme or 'Bearer'} {connection.token}"
    try:
        answer = pool.request(
            "GET", connection.server.rstrip("/") + path, headers=headers, retries=False, timeout=TIMEOUT
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return []
        if answer.status != HTTPStatus.OK:
            raise ClusterUnavailable(f"discovery {path}: the API server answers {answer.status}")
        shown = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ClusterUnavailable(f"discovery {path}: {str(error)[:300]}") from error
    resources = shown.get("resources") if isinstance(shown, dict) else None
    return [str(each.get("name")) for each in resources or [] if isinstance(each, dict)]
