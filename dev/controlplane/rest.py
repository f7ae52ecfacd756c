"""Calls to an API server without a client library."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3


@dataclass(frozen=True)
class Answer:
    """What the API server said: a status code and a document (or a text, where it does not speak JSON)."""

    status: int
    body: Any

    @property
    def message(self) -> str:
        """What a refusal says."""
        return str(self.body["message"] if isinstance(self.body, dict) else self.body)


class Rest:
    """An API server as one user sees it; nothing is retried."""

    def __init__(self, server: str, authority: Path, token: str) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        # Its connections are kept, and end with it.
        self._pool = urllib3.PoolManager(ca_certs=str(authority), retries=False, timeout=30.0, maxsize=8)

    def call(self, method: str, path: str, body: object = None, *, content_type: str = "application/json") -> Answer:
        """The answer, whatever its status; an HTTPError of urllib3 if there is none."""
        response = self._pool.request(
            method,
            f"{self._server}{path}",
            body=None if body is None else json.dumps(body),
            headers={**self._headers, "Content-Type": content_type},
        )
        try:
            return Answer(response.status, json.loads(response.data))
        except ValueError:
            return Answer(response.status, response.data.decode())
