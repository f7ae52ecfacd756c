"""What Mira promises, held against everything that happens, at the moment it happens."""

from dataclasses import dataclass, field
from typing import Any

from mira.api.identity import op
from mira.registry.document import DocumentInvalid, digest, sha256
from mira.registry.entry import GENESIS, Entry, EntryKind, Pointer, render_pointer
from mira.registry.keys import InvalidKey, StageKey, VersionKey, entry_number
from tests.simulation.faults import S3, Call
from tests.simulation.history import Change

OPERATORS_KEYS = ("lineage/", "decisions/", "stages/", "quarantine/")
MOVES = (EntryKind.PROMOTE, EntryKind.ROLL_BACK)


@dataclass
class Promises:
    """Remembers what was seen of each stage, so that what comes next can be judged. `broken` says what was not kept."""

    world: Any
    entries: dict[StageKey, list[Entry]] = field(default_factory=dict)
    last_raw: dict[StageKey, bytes] = field(default_factory=dict)
    pointers: dict[str, bytes] = field(default_factory=dict)
    edited: set[StageKey] = field(default_factory=set)
    jobs: dict[str, int] = field(default_factory=dict)
    approved: set[tuple[str, str, str]] = field(default_factory=set)
    last_write: float = 0.0
    broken: list[str] = field(default_factory=list)

    # --- what operators write

    def written(self, call: Call) -> None:
        """Called after each write of an operator."""
        if call.server != S3:
            if call.about not in ("Lease", "Event") and call.name != "canary":
                self.last_write = self.world.scheduler.now
            return
        self.last_write = self.world.scheduler.now
        self._require(call.about.startswith(OPERATORS_KEYS), f"an operator wrote {call.about}")
        kind, *parts = call.about.split("/")
        if kind == "lineage":
            self._entry(StageKey(*parts[:3]))
        elif kind == "stages":
            self._pointer(StageKey(*parts[:3]))

    def _entry(self, stage: StageKey) -> None:
        """Each entry has its number, chains to the one before, and ends an op that had no end."""
        objects, known = self.world.store.objects, self.entries.setdefault(stage, [])
        keys = sorted(key for key in objects if key.startswith(stage.lineage))
        for key in keys[len(known) :]:
            raw = objects[key]
            entry = Entry.parse(raw)
            number = _number(key, stage)
            self._require(number == len(known) + 1 == entry.number, f"{key} comes after entry {len(known)}")
            before = sha256(self.last_raw[stage]) if known else GENESIS
            self._require(entry.prev_sha256 == before, f"{key} does not chain to the entry before")
            own = (entry.stage_key, entry.resource.namespace) == (stage, stage.namespace)
            self._require(own, f"{key} is of another stage")
            self._decides_once(known, entry)
            self._is_allowed(known, entry)
            known.append(entry)
            self.last_raw[stage] = raw
        for key, entry in zip(keys, known, strict=True):
            self._require(entry == Entry.parse(objects[key]), f"{key} was changed")

    def _decides_once(self, known: list[Entry], entry: Entry) -> None:
        if entry.kind is EntryKind.VOID:
            return
        ends = [each.number for each in known if each.op == entry.op and each.kind is not EntryKind.VOID]
        self._require(not ends, f"{entry.resource.name} is decided by entry {ends} and by entry {entry.number}")

    def _is_allowed(self, known: list[Entry], entry: Entry) -> None:
        """Only a move changes what is current; it names a whole version, and was approved by somebody else."""
        served = known[-1].current if known else None
        if entry.kind not in MOVES:
            self._require(entry.current == served, f"entry {entry.number} ({entry.kind}) changes what is current")
            return
        assert entry.current
        manifest = VersionKey(entry.namespace, entry.model, entry.current.version).manifest
        raw = self.world.store.objects.get(manifest)
        self._require(raw is not None and digest(raw) == entry.current.digest, f"{manifest} is not what is promoted")
        if entry.kind is EntryKind.PROMOTE:
            self._require(bool(entry.approvals), f"entry {entry.number} has no approval")
        for approval in entry.approvals:
            known_as = (entry.resource.uid, approval.approver, entry.current.digest)
            self._require(approval.approver != entry.requested_by, f"{approval.approver} approved the own promotion")
            self._require(known_as in self.approved, f"nobody ever gave {known_as}")

    def _pointer(self, stage: StageKey) -> None:
        """It renders an entry, and from a genuine one it never goes to a lower number."""
        now = self.world.store.objects[stage.pointer]
        number = Pointer.parse(now).number
        raw = self.world.store.objects.get(stage.entry(number))
        self._require(raw is not None and render_pointer(raw) == now, f"{stage.pointer} renders no entry")
        self.edited.discard(stage)
        before = self.pointers.get(stage.pointer)
        if before is not None and before != now:
            self._require(self._genuine(stage, before) <= number, f"{stage.pointer} went down to {number}")
        self.pointers[stage.pointer] = now

    def _genuine(self, stage: StageKey, body: bytes) -> int:
        """The number of the entry that it renders, 0 if it renders none."""
        try:
            number = Pointer.parse(body).number
        except DocumentInvalid:
            return 0
        raw = self.world.store.objects.get(stage.entry(number))
        return number if raw is not None and render_pointer(raw) == body else 0

    def pointer_edited(self, stage: StageKey) -> None:
        """Somebody other than an operator wrote it."""
        self.edited.add(stage)
        body = self.world.store.objects.get(stage.pointer)
        if body is None:
            self.pointers.pop(stage.pointer, None)
        else:
            self.pointers[stage.pointer] = body

    # --- what the API server shows

    def changed(self, change: Change) -> None:
        """Called after each change of an object."""
        match change.name.kind:
            case "Job" if change.type == "ADDED":
                (owner,) = change.body["metadata"]["ownerReferences"]
                found = self.world.server.get(owner["kind"], change.name.namespace, owner["name"])
                if found is None or found["metadata"]["uid"] != owner["uid"] or owner["kind"] != "TrainingRun":
                    # Carried out late, after its run was deleted: it goes the way of its owner. Or a promotion's, which
                    # has one Job for each pair, and another one when somebody deletes that.
                    return
                self.jobs[owner["uid"]] = self.jobs.get(owner["uid"], 0) + 1
                self._require(self.jobs[owner["uid"]] == 1, f"a second Job of run {owner['name']}")
            case "ModelPromotion" if change.type != "DELETED":
                self._promotion(change.body, change.last_seen if change.before else {})
            case "TrainingRun" if change.type == "MODIFIED":
                self._end_stays(change.body, change.last_seen)

    def _promotion(self, body: dict[str, Any], before: dict[str, Any]) -> None:
        for approval in body["spec"].get("approvals", []):
            if approval["decision"] == "Approved":
                self.approved.add((body["metadata"]["uid"], approval["approver"], approval["digest"]))
        self._end_stays(body, before)
        finished = _condition(body, "Finished")
        if not finished or finished["status"] != "True" or _condition(before, "Finished") == finished:
            return
        spec, metadata = body["spec"], body["metadata"]
        stage = StageKey(metadata["namespace"], spec["model"], spec["stage"])
        mine = op(metadata["namespace"], metadata["name"], spec)
        ends = [e for e in self.entries.get(stage, []) if e.op == mine and e.kind is not EntryKind.VOID]
        self._require(len(ends) == 1, f"{metadata['name']} is said to be finished and has {len(ends)} entries")
        said = (body["status"]["number"], finished["reason"])
        self._require(said == (ends[0].number, ends[0].reason), f"{metadata['name']} says {said}, its entry otherwise")
        pointer = self.world.store.objects.get(stage.pointer)
        # Somebody may set it back in the moment between the operator's look at it and its report.
        if ends[0].kind in MOVES and stage not in self.edited:
            shown = Pointer.parse(pointer).number if pointer else 0
            self._require(shown >= ends[0].number, f"{metadata['name']} is said to be promoted, the pointer is behind")

    def _end_stays(self, body: dict[str, Any], before: dict[str, Any]) -> None:
        """A final condition stays as it is; what is observed is never ahead of what is there."""
        name = body["metadata"]["name"]
        old, new = _condition(before, "Finished"), _condition(body, "Finished")
        if old and old["status"] == "True" and before["metadata"]["uid"] == body["metadata"]["uid"]:
            self._require(bool(new) and (new or {})["reason"] == old["reason"], f"{name} was finished: {old} -> {new}")
        seen = (body.get("status") or {}).get("observedGeneration", 0)
        self._require(seen <= body["metadata"]["generation"], f"{name} observed generation {seen}")

    # --- at the end

    def kept(self) -> None:
        """Called when all is quiet: every pointer shows its newest entry, every decision is found by its op."""
        objects = self.world.store.objects
        for stage, entries in self.entries.items():
            wanted = render_pointer(objects[stage.entry(len(entries))])
            self._require(objects.get(stage.pointer) == wanted, f"{stage.pointer} does not show entry {len(entries)}")
            for entry in entries:
                decided = objects.get(stage.decision(entry.op))
                if entry.kind is not EntryKind.VOID:
                    self._require(decided == objects[stage.entry(entry.number)], f"entry {entry.number} is not found")
        for key in objects:
            self._require(not key.startswith("lineage/") or StageKey(*key.split("/")[1:4]) in self.entries, key)

    def _require(self, holds: bool, words: str) -> None:
        # Not raised: it would be raised in the middle of an operator, which takes every error for a failed pass.
        if not holds:
            self.broken.append(words)
            self.world.tell("the promises", words)


def _condition(body: dict[str, Any], kind: str) -> dict[str, Any] | None:
    conditions = (body.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)


def _number(key: str, stage: StageKey) -> int | None:
    try:
        return entry_number(key, stage)
    except InvalidKey:
        return None


def told(entries: list[Entry]) -> list[tuple[str, str, str | None]]:
    """The lineage in short: kind, reason and current version of each entry, Voids apart."""
    return [
        (e.kind.value, e.reason, e.current.version if e.current else None)
        for e in entries
        if e.kind is not EntryKind.VOID
    ]
