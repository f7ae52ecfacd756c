"""The port to Kubernetes on the official client: plain dicts, a sized pool, and a time-out on every call."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from kubernetes import client, config

from mira.adapters.cluster import (
    TYPES,
    Absent,
    AlreadyExists,
    Answer,
    ClusterUnavailable,
    Conflict,
    NamespaceTerminating,
    Object,
    Refused,
)

# Seconds to connect, and to wait for an answer.
TIMEOUT = (3.0, 10.0)
PAGE = 500
MERGE_PATCH = "application/merge-patch+json"
Watcher = Callable[[str, str, int, float], None]


class KubernetesCluster:
    """One API server. `watcher` is told (verb, kind, status code or 0, seconds) of every call."""

    def __init__(
        self,
        *,
        kubeconfig: str | None,
        pool: int,
        watcher: Watcher = lambda *_: None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        configuration = client.Configuration()
        if kubeconfig:
            config.load_kube_config(kubeconfig, client_configuration=configuration)
        else:
            config.load_incluster_config(client_configuration=configuration)
        configuration.connection_pool_maxsize = pool
        # The client's own retries would hide what happened; the work queue decides when to ask again.
        configuration.retries = urllib3.Retry(0)
        self._api = client.ApiClient(configuration)
        self._watcher = watcher
        self._timeout = timeout

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        try:
            return self._call("get", kind, TYPES[kind].path(namespace, name))
        except Absent:
            return None

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        items: list[Object] = []
        query = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        while True:
            page = self._call("list", kind, TYPES[kind].path(namespace), query=query)
            # Items of a list carry no kind of their own.
            items += [{"apiVersion": page["apiVersion"], "kind": kind, **item} for item in page["items"]]
            following = page["metadata"].get("continue")
            if not following:
                return items
            query["continue"] = following

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        query = {"dryRun": "All"} if dry_run else {}
        return self._call("create", kind, TYPES[kind].path(namespace), body=body, query=query)

    def patch(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        return self._call("patch", kind, TYPES[kind].path(namespace, name), body=body)

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        return self._call("patch", kind, TYPES[kind].path(namespace, name, "status"), body=body)

    def _call(
        self,
        verb: str,
        kind: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Object:
        started, code = time.monotonic(), 0
        try:
            code, raw = self._request(verb, path, body, query or {})
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnavailable(f"{verb} {kind}: {str(error)[:300]}") from error
        finally:
            self._watcher(verb, kind, code, time.monotonic() - started)
        answer = _parsed(raw)
        if code >= 300:
            raise _refusal(code, answer, raw)
        if answer is None:
            raise ClusterUnavailable(f"{verb} {kind}: the answer is not a JSON object: {raw[:100]!r}")
        return answer

    def _request(
        self, verb: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str]
    ) -> tuple[int, bytes]:
        method = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH"}[verb]
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = MERGE_PATCH if verb == "patch" else "application/json"
        try:
            answer = self._api.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=self._timeout,
            )
        except client.ApiException as error:
            return int(error.status or 0), _bytes(error.body)
        return int(answer.status), answer.data


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _parsed(raw: bytes) -> Object | None:
    try:
        answer = json.loads(raw)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(code: int, answer: Object | None, raw: bytes) -> Exception:
    """The exception for a code of 300 and more. Whatever may pass by itself is ClusterUnavailable."""
    status = answer or {}
    reason, message = str(status.get("reason", "")), str(status.get("message") or raw[:300].decode(errors="replace"))
    causes = [cause.get("reason") for cause in (status.get("details") or {}).get("causes") or []]
    kind: type[Answer]
    if code == 404:
        kind = Absent
    elif code == 409:
        kind = AlreadyExists if reason == "AlreadyExists" else Conflict
    elif code == 403 and "NamespaceTerminating" in causes:
        kind = NamespaceTerminating
    elif code in (400, 403, 405, 413, 422) and "not yet ready to handle request" not in message:
        kind = Refused
    else:
        return ClusterUnavailable(f"{code} {reason}: {message}")
    return kind(code, reason, message)
