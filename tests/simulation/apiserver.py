"""The Kubernetes API server in memory, as far as Mira's operator sees it: no threads, no clock, no chance of its own.

Its answers are compared with those of the real one in test_apiserver_is_like_the_real_one.py.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from pydantic_core import from_json

from mira.adapters.admission import OWN_WORDS, POLICY
from mira.adapters.cluster import (
    TYPES,
    Absent,
    AlreadyExists,
    ClusterUnavailable,
    Conflict,
    NamespaceTerminating,
    Object,
    Refused,
)
from mira.adapters.policies import shipped
from mira.registry.document import format_time
from tests.simulation.defaulting import as_stored, copied, is_miras
from tests.simulation.history import Change, EventType, History, Name, matches, shared, text_of

Edit = Callable[[Object], None]
Objects = list[Object]  # a method of that name hides it below
Names = list[Name]
# What nobody changes once an object is there, and what nobody's wish counts for.
SET_BY_SERVER = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")
KEPT = ("uid", "creationTimestamp", "generation", "resourceVersion")
# Of these kinds the API server counts no generations.
WITHOUT_GENERATION = ("Event", "Lease", "Namespace")
WITHOUT_STATUS = ("Event", "Lease")


@dataclass
class ApiServer:
    """The `Cluster` port, what users and controllers do besides, and the history of it all.

    With `lists_behind` every list is answered from a snapshot of up to so many revisions ago, as chance will have it.
    """

    now: Callable[[], datetime]
    random: Random
    lists_behind: int = 0
    revision: int = 1
    history: History = field(default_factory=History)
    _texts: dict[Name, str] = field(default_factory=dict)
    _accounts: tuple[str, ...] = ()

    # --- the port

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object as it is now, None if there is none."""
        return self._read(Name(kind, namespace or "", name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str = "") -> list[Object]:
        """Every object of the kind, of one namespace or of all, with these labels; maybe as they were."""
        behind = self.random.randint(0, self.lists_behind) if self.lists_behind else 0
        return self.list_at(self.revision - behind, kind, namespace=namespace, labels=labels)

    def create(self, kind: str, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """The created object."""
        where = Name(kind, namespace if TYPES[kind].namespaced else "", body["metadata"]["name"])
        if body["metadata"].get("resourceVersion"):
            raise ClusterUnavailable("500 : resourceVersion should not be set on objects to be created")
        self._check_namespace(where, body)
        made = self._as_created(where, body)
        self._check_policies(where, made)
        if where in self._texts:
            ending = self._required(where)["metadata"].get("deletionTimestamp")
            said = f"{'object is being deleted: ' if ending else ''}{_called(where)} already exists"
            raise AlreadyExists(409, "AlreadyExists", said)
        return made if dry_run else self._write(where, made)

    def patch(self, kind: str, namespace: str | None, name: str, body: Mapping[str, Any]) -> Object:
        """The object after a JSON merge patch."""
        where = Name(kind, namespace or "", name)
        return self._update(where, lambda before: merged(before, body))

    def patch_status(self, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Object:
        """The object after a JSON merge patch of its status."""
        where = Name(kind, namespace, name)
        return self._update(where, lambda before: merged(before, body), subresource="status")

    # --- what others do

    def list_at(self, revision: int, kind: str, *, namespace: str | None = None, labels: str = "") -> Objects:
        """The objects as they were at a revision."""
        texts = self._texts if revision >= self.revision else self.history.undone(self._texts, revision)
        found = sorted((name for name in texts if name.kind == kind), key=lambda name: name.place)
        here = [texts[name] for name in found if namespace is None or name.namespace == namespace]
        return [from_json(text) for text in here if matches(shared(text), labels)]

    def objects(self, kind: str) -> Objects:
        """Every object of the kind as it is now: shared by all who ask, so nobody may change it."""
        found = sorted((name for name in self._texts if name.kind == kind), key=lambda name: name.place)
        return [shared(self._texts[name]) for name in found]

    def at(self, where: Name) -> Object:
        """The object of this name, shared like that."""
        return shared(self._texts[where])

    def names(self) -> Names:
        """The names of all objects, in order."""
        return sorted(self._texts, key=lambda name: name.place)

    def change(self, kind: str, namespace: str | None, name: str, edit: Edit) -> Object:
        """The object after somebody read, edited and replaced it, all at once."""
        return self._update(Name(kind, namespace or "", name), lambda before: _edited(before, edit))

    def change_status(self, kind: str, namespace: str, name: str, edit: Edit) -> Object:
        """The same of its status."""
        where = Name(kind, namespace, name)
        return self._update(where, lambda before: _edited(before, edit), subresource="status")

    def delete(self, kind: str, namespace: str | None, name: str, *, uid: str | None = None) -> None:
        """Deletes the object or, while finalizers or a node hold it, marks it as being deleted.

        Absent if there is none, Conflict if it is another one than that of `uid`.
        """
        where = Name(kind, namespace or "", name)
        body = self._required(where)
        metadata = body["metadata"]
        if uid is not None and metadata["uid"] != uid:
            said = f"the UID in the precondition ({uid}) does not match the UID in record ({metadata['uid']})"
            raise Conflict(409, "Conflict", f"{_called(where)}: {said}")
        grace = _grace(body)
        if not metadata.get("finalizers") and not grace and kind != "Namespace":
            self._remove(where)
        elif not metadata.get("deletionTimestamp"):
            metadata["deletionTimestamp"] = self._time()
            if kind == "Namespace":
                body["status"] = {"phase": "Terminating"}
            else:
                metadata["deletionGracePeriodSeconds"] = grace
                if metadata.get("generation"):
                    metadata["generation"] += 1
            self._write(where, body)

    def remove(self, kind: str, namespace: str | None, name: str) -> None:
        """Takes a Pod or a Namespace that is being deleted away for good, as its node or its controller does."""
        self._remove(Name(kind, namespace or "", name))

    def create_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> Object:
        """The created namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
        return self.create("Namespace", "", body)

    def delete_namespace(self, name: str) -> None:
        """Begins to delete the namespace; what is in it goes as `collecting` says."""
        self.delete("Namespace", None, name)

    def install_policies(self, accounts: Sequence[str], *, since: datetime | None = None) -> None:
        """Mira's validating policies for these operator accounts, made at `since`, as far as the canary sees them."""
        self._accounts = tuple(accounts)
        for body in shipped(accounts):
            name = body["metadata"]["name"]
            made = self._as_created(Name(body["kind"], "", name), body)
            made["metadata"]["creationTimestamp"] = format_time(since or self.now())
            self._write(Name(body["kind"], "", name), made)

    # --- how

    def _read(self, where: Name) -> Object | None:
        text = self._texts.get(where)
        if text is None:
            return None
        # Policies are large, read for every proof, and changed by nobody who reads them.
        body: Object = shared(text) if where.kind.startswith("ValidatingAdmission") else from_json(text)
        return body

    def _required(self, where: Name) -> Object:
        body = self._read(where)
        if body is None:
            raise Absent(404, "NotFound", f"{_called(where)} not found")
        return body

    def _time(self) -> str:
        return format_time(self.now())

    def _as_created(self, where: Name, body: Mapping[str, Any]) -> Object:
        """The body as it would be stored, but for its resourceVersion."""
        kind = where.kind
        metadata = {key: value for key, value in body["metadata"].items() if not key.startswith("deletion")}
        metadata["uid"] = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        metadata["creationTimestamp"] = self._time()
        if kind not in WITHOUT_GENERATION:
            metadata["generation"] = 1
        if TYPES[kind].namespaced:
            metadata["namespace"] = where.namespace
        made = as_stored(kind, {**body, "metadata": metadata})
        if is_miras(kind):
            made.pop("status", None)
        elif kind == "Namespace":
            made |= {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        elif kind == "Job":
            made["status"] = {}
        return made

    def _check_namespace(self, where: Name, body: Mapping[str, Any]) -> None:
        if not where.namespace:
            return
        if body["metadata"].get("namespace", where.namespace) != where.namespace:
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise Refused(400, "BadRequest", message)
        namespace = self._read(Name("Namespace", "", where.namespace))
        if namespace is None:
            raise Absent(404, "NotFound", f'namespaces "{where.namespace}" not found')
        if namespace["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {where.namespace} because it is being terminated"
            raise NamespaceTerminating(403, "Forbidden", f"{_called(where)} is forbidden: {why}")

    def _check_policies(self, where: Name, body: Object) -> None:
        """Raises the refusal that the canary has to meet: nobody asks for a promotion in an operator's name."""
        if where.kind != "ModelPromotion" or body["spec"].get("requestedBy") not in self._accounts:
            return
        if Name("ValidatingAdmissionPolicy", "", POLICY) not in self._texts:
            return
        for binding in self.objects("ValidatingAdmissionPolicyBinding"):
            spec = binding["spec"]
            if spec["policyName"] == POLICY and "Deny" in spec["validationActions"]:
                said = f"ValidatingAdmissionPolicy '{POLICY}' with binding '{binding['metadata']['name']}'"
                words = f"{OWN_WORDS}: name the person it acts for"
                raise Refused(403, "Forbidden", f"{_called(where)} is forbidden: {said} denied request: {words}")

    def _update(self, where: Name, edit: Callable[[Object], Object], *, subresource: str = "") -> Object:
        """The object after an update of its main resource or of its status: what each of them may change, changes."""
        if subresource and where.kind in WITHOUT_STATUS:
            raise Absent(404, "NotFound", "the server could not find the requested resource")
        before = self._required(where)
        wanted = edit(copied(before))
        _check_identity(where, before, wanted)
        # A status goes with the rest as it was, all else with the status as it was.
        rest, status = (before, wanted) if subresource else (wanted, before)
        made = {key: value for key, value in rest.items() if key != "status"}
        if status.get("status") is not None:
            made["status"] = status["status"]
        made["metadata"] = _metadata(before, rest if is_miras(where.kind) else wanted)
        return self._replace(where, before, as_stored(where.kind, made))

    def _replace(self, where: Name, before: Object, made: Object) -> Object:
        """Stores what an update made of an object, if that is anything else."""
        if text_of(made) == text_of(before):
            return made
        metadata = made["metadata"]
        if where.kind not in WITHOUT_GENERATION and _essence(made) != _essence(before):
            metadata["generation"] = before["metadata"].get("generation", 0) + 1
        if where.kind.startswith("ValidatingAdmission"):
            metadata["managedFields"] = [{"manager": "somebody", "operation": "Update", "time": self._time()}]
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers") and not _grace(made):
            # The last finalizer went; the answer is the object without it, at its last version.
            self._remove(where)
            return made
        return self._write(where, made)

    def _write(self, where: Name, body: Object) -> Object:
        """The body as it is stored now, with a resourceVersion of its own."""
        event: EventType = "MODIFIED" if where in self._texts else "ADDED"
        before = self._texts.get(where, "")
        self.revision += 1
        body["metadata"]["resourceVersion"] = str(self.revision)
        self._texts[where] = text_of(body)
        self.history.changes.append(Change(self.revision, event, where, self._texts[where], before))
        return from_json(self._texts[where])  # type: ignore[no-any-return]

    def _remove(self, where: Name) -> None:
        before = self._texts.pop(where)
        self.revision += 1
        # What watches are told is what was stored last: not the update that let go of the last finalizer.
        last = from_json(before)
        last["metadata"]["resourceVersion"] = str(self.revision)
        self.history.changes.append(Change(self.revision, "DELETED", where, text_of(last), before))


def merged(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return copied(patch)
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def _edited(before: Object, edit: Edit) -> Object:
    edit(before)
    return before


def _called(where: Name) -> str:
    """The object as the API server's messages call it."""
    kind = TYPES[where.kind]
    return f'{kind.plural}{"." + kind.group if kind.group else ""} "{where.name}"'


def _check_identity(where: Name, before: Object, wanted: Object) -> None:
    """Raises if an update is of another object or of an older one than is there, or touches what nobody may."""
    old, new = before["metadata"], wanted["metadata"]
    if new.get("name") != where.name:
        message = f"the name of the object ({new.get('name')}) does not match the name on the URL ({where.name})"
        raise Refused(400, "BadRequest", message)
    version = new.get("resourceVersion", old["resourceVersion"])
    if version != old["resourceVersion"]:
        said = "the object has been modified; please apply your changes to the latest version and try again"
        raise Conflict(409, "Conflict", f"Operation cannot be fulfilled on {_called(where)}: {said}")
    for key in SET_BY_SERVER:
        if new.get(key) != old.get(key):
            raise Refused(422, "Invalid", f"{_called(where)} is invalid: metadata.{key}: field is immutable")
    if old.get("deletionTimestamp") and set(new.get("finalizers") or []) - set(old.get("finalizers") or []):
        said = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted"
        raise Refused(422, "Invalid", f"{_called(where)} is invalid: {said}")


def _metadata(before: Object, wanted: Object) -> Object:
    """The metadata after an update that wants these: what the API server alone sets is as it was."""
    metadata: Object = wanted["metadata"]
    return metadata | {key: before["metadata"].get(key) for key in KEPT}


def _essence(body: Object) -> str:
    """What makes a new generation if it changes."""
    return text_of({key: value for key, value in body.items() if key not in ("metadata", "status")})


def _grace(body: Object) -> int:
    """The seconds for which a node may hold the object after its deletion; 0 for all but Pods that have not ended."""
    if body["kind"] != "Pod" or body.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    return int(body["spec"].get("terminationGracePeriodSeconds", 30))
