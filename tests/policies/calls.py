"""Requests to a real API server in the name of anybody: people by their tokens, service accounts by a TokenRequest."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubernetes import client

from dev.local import Local
from mira.adapters.cluster import TYPES

Json = dict[str, Any]
PEOPLE = ("admin", "alice", "dan", "bob", "erin", "carol")
SERVICE_ACCOUNT = "system:serviceaccount:"
PATCHES = {
    "json patch": "application/json-patch+json",
    "merge patch": "application/merge-patch+json",
    "status patch": "application/merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Where(NamedTuple):
    """One object of one of Mira's kinds."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Answer:
    """What the API server said: the object, or its refusal in words."""

    status: int
    body: Json

    @property
    def taken(self) -> bool:
        return self.status < 300

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


@dataclass
class Calls:
    """An API server as everybody sees it. `deleted` has the metadata of policies that a test took away, by path."""

    cluster: Local
    deleted: dict[str, Json] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, client.ApiClient] = field(default_factory=dict)

    def call(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """The answer to one request of that user, whatever it is."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        api = self._client(who if who in PEOPLE else "admin")
        if who.startswith(SERVICE_ACCOUNT):
            headers["Authorization"] = f"Bearer {self.token(who)}"
        elif who not in PEOPLE:
            headers["Impersonate-User"] = who
        try:
            raw = api.call_api(
                path,
                method,
                query_params=list((query or {}).items()),
                header_params=headers,
                body=body,
                auth_settings=[] if who.startswith(SERVICE_ACCOUNT) else ["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=10,
            )
        except client.ApiException as error:
            text = error.body.decode() if isinstance(error.body, bytes) else error.body
            return Answer(int(error.status), json.loads(text))
        return Answer(int(raw.status), json.loads(raw.data))

    def send(self, who: str, how: str, where: Where, body: Any, *, dry_run: bool = False) -> Answer:
        """The answer to a request of one of the table's ways; the object is read and changed where it is replaced."""
        query = {"dryRun": "All"} if dry_run else {}
        kind = TYPES[where.kind]
        path = kind.path(where.namespace, where.name, "status" if how.startswith("status") else None)
        if how == "create":
            return self.call(who, "POST", kind.path(where.namespace), body, query=query)
        if how.endswith("replace"):
            live = self.call("admin", "GET", kind.path(where.namespace, where.name)).body
            return self.call(who, "PUT", path, merged(live, body), query=query)
        if how == "apply":
            query |= {"fieldManager": f"test-{who}".replace(":", "-"), "force": "true"}
        return self.call(who, "PATCH", path, body, content_type=PATCHES[how], query=query)

    def clear(self, who: str, kind: str, namespace: str) -> None:
        """Takes every finalizer from the objects, so that their namespace can go."""
        for item in self.call("admin", "GET", TYPES[kind].path(namespace)).body["items"]:
            if item["metadata"].get("finalizers"):
                where = Where(kind, namespace, item["metadata"]["name"])
                assert self.send(who, "merge patch", where, {"metadata": {"finalizers": None}}).taken

    def _client(self, who: str) -> client.ApiClient:
        if who not in self._clients:
            self._clients[who] = self.cluster.client(who)
        return self._clients[who]

    def token(self, who: str) -> str:
        """A token of that service account."""
        if who not in self._tokens:
            namespace, name = who.removeprefix(SERVICE_ACCOUNT).split(":")
            path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
            self._tokens[who] = self.call("admin", "POST", path, {"spec": {}}).body["status"]["token"]
        return self._tokens[who]


def merged(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    base = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = merged(base.get(key), value)
    return base
