"""Which local variables of a suspended function still matter: what is overwritten before it is read does not.

Without this, the variables of the last round of a loop would tell apart local states that act alike. It is a backward
data-flow analysis over the bytecode; what it gets wrong, the automaton's second representatives show.
"""

import dis
from functools import cache
from types import CodeType

READS = {"LOAD_FAST", "DELETE_FAST"}
LEAVES = {"RETURN_VALUE", "RERAISE", "RAISE_VARARGS"}
JUMPS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}


@cache
def live_locals(code: CodeType, last: int) -> frozenset[str]:
    """The variables that may be read after the instruction at offset `last`; cells and free ones always count."""
    return _live(code)[last] | set(code.co_cellvars) | set(code.co_freevars)


@cache
def _live(code: CodeType) -> dict[int, frozenset[str]]:
    """For each instruction, what is live after it."""
    bytecode = dis.Bytecode(code)
    instructions = [each for each in bytecode if each.opname != "CACHE"]
    handlers = [(entry.start, entry.end, entry.target) for entry in bytecode.exception_entries]  # type: ignore[attr-defined]
    following: dict[int, list[int]] = {}
    for each, after in zip(instructions, [*instructions[1:], None], strict=True):
        ways = [target for start, end, target in handlers if start <= each.offset < end]
        if each.opcode in dis.hasjrel or each.opcode in dis.hasjabs:
            ways.append(each.argval)
        if each.opname not in LEAVES | JUMPS and after is not None:
            ways.append(after.offset)
        following[each.offset] = ways
    before: dict[int, frozenset[str]] = {each.offset: frozenset() for each in instructions}
    after_it = dict(before)
    changed = True
    while changed:
        changed = False
        for each in reversed(instructions):
            after_it[each.offset] = frozenset().union(*(before[way] for way in following[each.offset]))
            found = after_it[each.offset]
            if each.opname == "STORE_FAST":
                found -= {each.argval}
            elif each.opname in READS:
                found |= {each.argval}
            if found != before[each.offset]:
                before[each.offset] = found
                changed = True
    return after_it
