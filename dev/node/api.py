"""The little of the Kubernetes API that a node speaks: plain dicts over HTTPS, one answer or one error per call."""

import base64
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import urllib3
import yaml
from urllib3.exceptions import HTTPError

Json = dict[str, Any]

MERGE = "application/merge-patch+json"
# Lists of conditions are merged by their type, as a kubelet patches a status.
STRATEGIC = "application/strategic-merge-patch+json"

_WATCH_SECONDS = 300
_NOT_FOUND, _CONFLICT, _REFUSED = 404, 409, 400


class ApiError(Exception):
    """A call that was refused, or that got no answer (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}" if status else message)
        self.status = status


class ApiServer:
    """A connection to the API server that a kubeconfig names. Safe to share between threads."""

    def __init__(self, kubeconfig: Path) -> None:
        """`kubeconfig`: one like the control plane's own, with a token and the authority inline."""
        config = yaml.safe_load(kubeconfig.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        self._url = cluster["server"]
        self._headers = {"Accept": "application/json", "Authorization": f"Bearer {user['token']}"}
        self._pool = urllib3.PoolManager(
            maxsize=32,
            retries=False,
            timeout=urllib3.Timeout(connect=2, read=10),
            ca_cert_data=base64.b64decode(cluster["certificate-authority-data"]).decode(),
        )

    def get(self, path: str, **query: str) -> Json | None:
        """The object at `path`, None if there is none."""
        return self._call("GET", path, query=query, none_if={_NOT_FOUND})

    def create(self, path: str, body: Json) -> Json | None:
        """The object as it was created, None if one of that name exists."""
        return self._call("POST", path, body, "application/json", none_if={_CONFLICT})

    def patch(self, path: str, body: Json, kind: str) -> Json | None:
        """The patched object, None if there is none (also if another has the name: a patch may give the uid)."""
        return self._call("PATCH", path, body, kind, none_if={_NOT_FOUND, _CONFLICT})

    def delete(self, path: str, body: Json) -> None:
        """Returns when its deletion has begun, or had ended before (also if another has the name now)."""
        self._call("DELETE", path, body, "application/json", none_if={_NOT_FOUND, _CONFLICT})

    def watch(self, path: str, **query: str) -> Iterator[tuple[str, Json]]:
        """Every change as (`ADDED`, `MODIFIED` or `DELETED`, object), until the server ends the watch."""
        query |= {"watch": "true", "timeoutSeconds": str(_WATCH_SECONDS)}
        # Silence is no fault: the server ends a watch in time, and its death closes the connection.
        timeout = urllib3.Timeout(connect=2, read=_WATCH_SECONDS + 10)
        try:
            answer = self._pool.request(
                "GET",
                self._url + path,
                fields=query,
                headers=self._headers,
                timeout=timeout,
                preload_content=False,
            )
            with answer:
                _refuse(answer.status, b"" if answer.status < _REFUSED else answer.data)
                for line in _lines(answer.stream(1 << 16)):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"]["code"], event["object"]["message"])
                    yield event["type"], event["object"]
        except (HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error

    def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        kind: str = "",
        *,
        none_if: Collection[int],
        query: Mapping[str, str] | None = None,
    ) -> Json | None:
        try:
            answer = self._pool.request(
                method,
                self._url + path,
                fields=query,
                body=None if body is None else json.dumps(body),
                headers=self._headers | ({"Content-Type": kind} if kind else {}),
            )
        except HTTPError as error:
            raise ApiError(0, str(error)) from error
        if answer.status in none_if:
            return None
        _refuse(answer.status, answer.data)
        result: Json = json.loads(answer.data)
        return result


def _named(entries: list[Json], name: str) -> Json:
    return next(entry for entry in entries if entry["name"] == name)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _refuse(status: int, body: bytes) -> None:
    if status >= _REFUSED:
        try:
            message = json.loads(body)["message"]
        except (ValueError, KeyError, TypeError):
            message = body.decode(errors="replace")
        raise ApiError(status, message)
