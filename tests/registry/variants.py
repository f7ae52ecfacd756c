"""The protocol, broken in one place each: what the tests must find, if they are worth anything."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mira.decide.promotion_case import Asked
from mira.registry import deciding, lineage, pointing
from mira.registry.deciding import Decided, Waiting
from mira.registry.entry import EntryKind
from mira.registry.keys import StageKey
from mira.registry.lineage import Head, Link, ensure_decision, find_head, read_decision, read_entry
from mira.registry.steps import Steps, create, get
from mira.registry.steps import replace as replace_object
from mira.registry.store import Put
from tests.support import world

Variant = Callable[[], AbstractContextManager[Callable[[Any], Asked]]]


@contextmanager
def _patched(*patches: Any) -> Iterator[Callable[[Any], Asked]]:
    for each in patches:
        each.start()
    try:
        yield world.asked
    finally:
        for each in patches:
            each.stop()


def decision_read_before_the_head() -> Any:
    def broken(stage: StageKey, op: str, judge: Any, void: Any) -> Steps[Any]:
        while True:
            mine = yield from read_decision(stage, op)
            head = yield from find_head(stage)
            yield from ensure_decision(stage, head.link)
            if mine is not None:
                return Decided(mine, None)
            judged = yield from judge(head)
            if isinstance(judged, Waiting):
                return judged
            end = yield from deciding._committing(stage, head, judged, judge, void)
            if end is not None:
                return end

    return _patched(patch.object(deciding, "deciding", broken))


def decision_read_only_once() -> Any:
    def broken(stage: StageKey, op: str, judge: Any, void: Any) -> Steps[Any]:
        head = yield from find_head(stage)
        yield from ensure_decision(stage, head.link)
        mine = yield from read_decision(stage, op)
        while mine is None:
            judged = yield from judge(head)
            if isinstance(judged, Waiting):
                return judged
            end = yield from deciding._committing(stage, head, judged, judge, void)
            if end is not None:
                return end
            if mine is None:
                head = yield from find_head(stage)
                yield from ensure_decision(stage, head.link)
        return Decided(mine, None)

    return _patched(patch.object(deciding, "deciding", broken))


def no_help() -> Any:
    def broken(_: StageKey, __: Link | None) -> Steps[None]:
        return
        yield

    return _patched(
        patch.object(deciding, "ensure_decision", broken), patch.object(pointing, "ensure_decision", broken)
    )


def help_without_looking_whether_it_arrived() -> Any:
    def broken(stage: StageKey, link: Link | None) -> Steps[None]:
        if link is not None and link.entry.kind is not EntryKind.VOID:
            yield from create(stage.decision(link.entry.op), link.raw)

    return _patched(
        patch.object(deciding, "ensure_decision", broken), patch.object(pointing, "ensure_decision", broken)
    )


def decides(found: Link, judged: Any) -> bool:
    return found.entry.op == judged.entry.op and found.entry.kind is not EntryKind.VOID


def _committing_as(broken: Any) -> Any:
    return _patched(patch.object(deciding, "_committing", broken))


def unclear_taken_as_lost() -> Any:
    def broken(stage: StageKey, head: Head, judged: Any, _: Any, __: Any) -> Steps[Decided[Any] | None]:
        raw = judged.entry.render()
        answer = yield from create(stage.entry(head.number + 1), raw)
        return Decided(Link(judged.entry, raw), judged.seen) if answer is Put.WRITTEN else None

    return _committing_as(broken)


def unclear_taken_as_done() -> Any:
    def broken(stage: StageKey, head: Head, judged: Any, _: Any, __: Any) -> Steps[Decided[Any] | None]:
        raw = judged.entry.render()
        yield from create(stage.entry(head.number + 1), raw)
        return Decided(Link(judged.entry, raw), judged.seen)

    return _committing_as(broken)


def report_what_was_sent() -> Any:
    def broken(stage: StageKey, head: Head, judged: Any, _: Any, __: Any) -> Steps[Decided[Any] | None]:
        raw = judged.entry.render()
        while (yield from create(stage.entry(head.number + 1), raw)) is not Put.WRITTEN:
            found = yield from read_entry(stage, head.number + 1)
            if found is not None:
                return Decided(Link(judged.entry, raw), judged.seen) if found.entry.op == judged.entry.op else None
        return Decided(Link(judged.entry, raw), judged.seen)

    return _committing_as(broken)


def the_same_bytes_without_looking_again() -> Any:
    """No Void: the decision is sent until the number is taken, whatever became of its reason."""

    def broken(stage: StageKey, head: Head, judged: Any, judge: Any, _: Any) -> Steps[Decided[Any] | None]:
        raw = judged.entry.render()
        while (yield from create(stage.entry(head.number + 1), raw)) is not Put.WRITTEN:
            found = yield from read_entry(stage, head.number + 1)
            if found is not None:
                return Decided(found, None) if decides(found, judged) else None
            if isinstance((yield from judge(head)), Waiting):
                return None
        return Decided(Link(judged.entry, raw), judged.seen)

    return _committing_as(broken)


def void_counted_as_an_end() -> Any:
    def broken(stage: StageKey, head: Head, judged: Any, judge: Any, void: Any) -> Steps[Decided[Any] | None]:
        entry = judged.entry
        while True:
            raw = entry.render()
            if (yield from create(stage.entry(head.number + 1), raw)) is Put.WRITTEN:
                return Decided(Link(entry, raw), None)
            found = yield from read_entry(stage, head.number + 1)
            if found is not None:
                return Decided(found, None) if found.entry.op == judged.entry.op else None
            again = yield from judge(head)
            entry = void(head) if isinstance(again, Waiting) else again.entry

    return _committing_as(broken)


def op_from_the_uid() -> Any:
    @contextmanager
    def broken() -> Iterator[Callable[[Any], Asked]]:
        def asked(resource: Any) -> Asked:
            return replace(world.asked(resource), op=world.sha256(resource.metadata.uid.encode()))

        def live(self: world.World, question: Asked) -> Any:
            found = real(self, question)
            return replace(found, op=asked(found.promotion).op) if found.promotion else found

        real = world.World.live
        with patch.object(world.World, "live", live):
            yield asked

    return broken()


def the_pointer_trusted_as_head() -> Any:
    def broken(stage: StageKey) -> Steps[Head]:
        pointer = yield from get(stage.pointer)
        link = yield from lineage._hinted(stage, pointer)
        return Head(link or (yield from lineage._listed(stage)), pointer)

    return _patched(patch.object(deciding, "find_head", broken), patch.object(pointing, "find_head", broken))


def the_pointer_moved_whatever_it_is_by_now() -> Any:
    def broken(stage: StageKey) -> Steps[Any]:
        head = yield from find_head(stage)
        if head.link is None:
            return pointing.Pointed(head)
        wanted = pointing.render_pointer(head.link.raw)
        now = yield from get(stage.pointer)
        if now is None:
            yield from create(stage.pointer, wanted)
        else:
            yield from replace_object(stage.pointer, wanted, now.etag)
        return pointing.Pointed(head)

    return _patched(patch.object(pointing, "pointing", broken))


VARIANTS: dict[str, Variant] = {
    "the own decision is read before the head": decision_read_before_the_head,
    "the own decision is read only once": decision_read_only_once,
    "nobody helps": no_help,
    "help is sent and not looked after": help_without_looking_whether_it_arrived,
    "unclear is taken as lost": unclear_taken_as_lost,
    "unclear is taken as done": unclear_taken_as_done,
    "what was sent is reported": report_what_was_sent,
    "there is no Void": the_same_bytes_without_looking_again,
    "a Void counts as an end": void_counted_as_an_end,
    "the op is made from the uid": op_from_the_uid,
    "the pointer is trusted as head": the_pointer_trusted_as_head,
    "the pointer is moved whatever it is by now": the_pointer_moved_whatever_it_is_by_now,
}
