"""What each call of the operator is called: the same name in every run, whatever uids, times and digests it has."""

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from tests.faults.proxy import Request

UID = re.compile(r"-[0-9a-f]{8}(?=$|[/.])")
ATTEMPT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}")
HEX = re.compile(r"[0-9a-f]{64}")
READS = ("get", "list", "head", "discover", "dry-run")
VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


@dataclass(frozen=True, order=True)
class Identity:
    """One kind of call: to whom, the verb, about what."""

    to: str
    verb: str
    about: str

    def __str__(self) -> str:
        return f"{self.to} {self.verb} {self.about}"

    @property
    def is_of_a_clock(self) -> bool:
        """Whether it is made every so often, whatever happens: the Lease's renewals."""
        return self.about.startswith(("leases", "events Lease/"))

    @property
    def writes(self) -> bool:
        """Whether it makes or changes something that counts; Events and statuses are told again as it pleases."""
        return self.verb not in READS and not self.about.startswith("events") and "/status" not in self.about


@dataclass(frozen=True, order=True)
class Name:
    """One call: the n-th of its kind."""

    identity: Identity
    ordinal: int

    def __str__(self) -> str:
        return f"{self.identity} #{self.ordinal}"


@dataclass
class Naming:
    """Names the calls of one operator that works in one namespace and one root of the registry, in order of arrival."""

    namespace: str
    root: str
    _seen: Counter[Identity] = field(default_factory=Counter)
    _ops: dict[str, str] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def kubernetes(self, request: Request) -> Name:
        return self._numbered(self._of_kubernetes(request))

    def s3(self, request: Request) -> Name:
        return self._numbered(self._of_s3(request))

    def _numbered(self, identity: Identity) -> Name:
        with self._lock:
            self._seen[identity] += 1
            return Name(identity, self._seen[identity])

    def _of_kubernetes(self, request: Request) -> Identity:
        # kopf lists and discovers by itself; its calls are not those of the operator's own client.
        to = "kopf" if "kopf" in request.header("user-agent").lower() else "Kubernetes"
        parts = request.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        if not parts:
            return Identity(to, "discover", request.path)
        namespaced = parts[0] == "namespaces" and len(parts) > 2
        where, rest = (parts[1], parts[2:]) if namespaced else ("", parts)
        prefix = "" if where in ("", self.namespace) else f"{where}: "
        about = prefix + "/".join([rest[0], *(UID.sub("-<uid>", part) for part in rest[1:])])
        if request.method == "GET":
            return Identity(to, "get" if len(rest) > 1 else "list", about)
        if rest[0] == "events":
            told = json.loads(request.body)
            about += f" {told['involvedObject']['kind']}/{told['involvedObject']['name']} {told['reason']}"
        verb = "dry-run" if "dryRun" in request.query else VERBS[request.method]
        return Identity(to, verb, about)

    def _of_s3(self, request: Request) -> Identity:
        if "list-type" in request.query:
            prefix = request.query.get("prefix", [""])[0]
            return Identity("S3", "list", self._key("/mira/" + prefix))
        condition = {True: "create"}.get(bool(request.header("if-none-match")), "replace")
        verb = {"GET": "get", "HEAD": "head", "PUT": condition, "DELETE": "delete"}[request.method]
        return Identity("S3", verb, self._key(request.path))

    def _key(self, path: str) -> str:
        key = path.removeprefix(f"/mira/{self.root}/").replace(f"/{self.namespace}/", "/")
        if key.startswith("decisions/"):
            return HEX.sub(lambda op: self._op(op[0]), key)
        return HEX.sub("<sha256>", ATTEMPT.sub("<attempt>", key))

    def _op(self, op: str) -> str:
        """A short name for an op, in order of appearance."""
        with self._lock:
            if op not in self._ops:
                self._ops[op] = f"<op {next(self._numbers)}>"
            return self._ops[op]
