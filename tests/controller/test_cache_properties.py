"""The cache against the truth: an API server's history, of which it learns late, twice, in any order or never.

What it promises, and no more: it never goes back; what it knows to be gone stays gone until something newer comes, or
until a list that began after has ended; and a list that shows the truth makes it true, save for a name of which an old
event came during that list (the next list mends that).
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mira.controller.cache import Cache

KIND = "TrainingRun"
NAMES = st.sampled_from(["a", "b", "c"])
Versions = dict[str, int]


@dataclass(frozen=True)
class Change:
    """One change on the server; the deletion of an object has a version of its own, as the watch event shows."""

    name: str
    version: int
    deleted: bool

    def body(self) -> dict[str, Any]:
        return {"metadata": {"namespace": "ns", "name": self.name, "resourceVersion": str(self.version)}}


@dataclass
class OpenList:
    """A list under way: what the server had changed, and what the cache had heard, when it began."""

    mark: int
    changes: int
    heard: int


class InOrder(RuleBasedStateMachine):
    """A watch that is late but complete: when all has been told the cache is the truth, wherever lists came between."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Cache()
        self.history: list[Change] = []
        self.version = 7
        self.told = 0
        # What told the cache something; a stale deletion and what is known to be gone do not.
        self.heard: list[Change] = []
        self.open: OpenList | None = None
        # What the cache must not bring back: the newest version known to be gone, and how much was heard by then.
        self.gone: dict[str, tuple[int, int]] = {}

    def truth(self, changes: int | None = None) -> Versions:
        """What the server holds after so many of its changes."""
        held: Versions = {}
        for change in self.history[:changes]:
            held.pop(change.name, None)
            if not change.deleted:
                held[change.name] = change.version
        return held

    def known(self) -> Versions:
        return {body["metadata"]["name"]: int(body["metadata"]["resourceVersion"]) for body in self.cache.all(KIND)}

    @rule(name=NAMES, step=st.integers(1, 5))
    def write(self, name: str, step: int) -> None:
        self.version += step
        self.history.append(Change(name, self.version, deleted=False))

    @precondition(lambda self: self.truth())
    @rule(data=st.data(), step=st.integers(1, 5))
    def delete(self, data: st.DataObject, step: int) -> None:
        self.version += step
        self.history.append(Change(data.draw(st.sampled_from(sorted(self.truth()))), self.version, deleted=True))

    @precondition(lambda self: self.told < len(self.history))
    @rule()
    def tell_the_next(self) -> None:
        self.tell(self.history[self.told])
        self.told += 1

    def tell(self, change: Change) -> None:
        """One event reaches the cache; what it must say and hold after it follows from what it knew."""
        before = self.known()
        known, gone = before.get(change.name, 0), self.gone.get(change.name, (0, 0))[0]
        if change.version >= known if change.deleted else change.version > gone:
            self.heard.append(change)
        if change.deleted:
            news = change.name in before and known <= change.version
            assert self.cache.remove(KIND, change.body()) is news
            after = {name: version for name, version in before.items() if not (news and name == change.name)}
            if known <= change.version:
                self.gone[change.name] = (max(gone, change.version), len(self.heard))
        else:
            news = change.version > max(known, gone)
            assert self.cache.put(KIND, change.body()) is news
            after = before | ({change.name: change.version} if news else {})
        assert self.known() == after

    @precondition(lambda self: self.open is None)
    @rule()
    def begin_a_list(self) -> None:
        self.open = OpenList(self.cache.begin_list(), len(self.history), len(self.heard))

    @precondition(lambda self: self.open is not None)
    @rule(data=st.data())
    def finish_the_list(self, data: st.DataObject) -> None:
        """It shows the server as it was at any moment since the list began."""
        assert self.open is not None
        began, self.open = self.open, None
        moment = data.draw(st.integers(began.changes, len(self.history)) | st.just(len(self.history)))
        content, before = self.truth(moment), self.known()
        bodies = [Change(name, version, deleted=False).body() for name, version in content.items()]
        names = self.cache.finish_list(KIND, began.mark, bodies)
        after = self.known()
        assert names == {("ns", name) for name in before | after if before.get(name) != after.get(name)}
        self.check_list(began, content, before)
        self.gone = {name: gone for name, gone in self.gone.items() if gone[1] > began.heard}
        for name in before.keys() - after.keys():
            self.gone[name] = (before[name], len(self.heard))
        assert len(self.cache._gone.get(KIND, {})) == len(self.gone), "only these deletions are remembered"

    def check_list(self, began: OpenList, content: Versions, before: Versions) -> None:
        after, during = self.known(), {change.name for change in self.heard[began.heard :]}
        for name in content.keys() | before.keys():
            if name not in during:
                # Of what nobody told anything meanwhile the list is the newest word.
                assert after.get(name) == content.get(name)
            elif name in content and self.gone.get(name, (0, 0))[0] < content[name]:
                assert after[name] == max(content[name], before.get(name, 0))
            else:
                assert after.get(name) == before.get(name)
        if content == self.truth():
            assert {name: after[name] for name in content} == content
            assert after.keys() - content.keys() <= during

    @invariant()
    def nothing_is_made_up(self) -> None:
        written = {(change.name, change.version) for change in self.history if not change.deleted}
        assert self.known().items() <= written

    def teardown(self) -> None:
        for change in self.history[self.told :]:
            self.tell(change)
        assert self.known() == self.truth()


class Chaos(InOrder):
    """Events are told late, again, in any order or never: one list that nothing disturbs brings back the truth."""

    @precondition(lambda self: self.history)
    @rule(data=st.data(), times=st.integers(1, 2))
    def tell_any(self, data: st.DataObject, times: int) -> None:
        for _ in range(times):
            self.tell(data.draw(st.sampled_from(self.history)))

    def teardown(self) -> None:
        mark = self.cache.begin_list()
        bodies = [Change(name, version, deleted=False).body() for name, version in self.truth().items()]
        self.cache.finish_list(KIND, mark, bodies)
        assert self.known() == self.truth()
        self.cache.finish_list(KIND, self.cache.begin_list(), bodies)
        assert self.cache._gone[KIND] == {}, "no deletion is remembered for ever"


for machine in (InOrder, Chaos):
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, derandomize=True, deadline=None)
TestInOrder = InOrder.TestCase
TestChaos = Chaos.TestCase
