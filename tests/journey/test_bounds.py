"""How much the operator bears: thousands of resources at its start, and a thousand that cannot be helped."""

import statistics
import time
from pathlib import Path

from dev.local import Local, OperatorProcess
from tests.support.audit import Audit
from tests.support.crowd import promotions
from tests.support.reporting import LONG, note
from tests.support.team import Team

MANY = 10_000 if LONG else 400
POISON = 1_000 if LONG else 150
PAGE = ("bounds", "Bounds")
EACH = 8 if LONG else 2


def resident(operator: OperatorProcess) -> int:
    """The process's resident memory in KiB."""
    status = Path(f"/proc/{operator.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def at_rest(operator: OperatorProcess) -> bool:
    return operator.metric("mira_leads") == 1 and operator.metric("mira_queue_depth") == 0


def test_a_thousand_that_cannot_be_helped_delay_others_by_at_most_twice(mira: Local, team: Team) -> None:
    operator = mira.start_operator("crowded")
    for number in range(2 * EACH):
        team.stage(f"m{number}")
        team.run("r" + str(number), model=f"m{number}", promotion={"stage": "production"})
    for number in range(2 * EACH):
        team.finished("mrun", f"r{number}", "Succeeded")
        shown = f"r{number}.production"
        team.until("the digest", lambda shown=shown: bool(team.status("mpromo", shown).get("digest")))  # type: ignore[misc]
    alone = [seconds_to_promote(team, number) for number in range(EACH)]

    # A lineage with a gap: nobody can decide on it, and everybody who asks is told so, again and again.
    poisoned = Team(mira, mira.namespace(f"{team.namespace}-poisoned"))
    poisoned.stage()
    poisoned.s3_admin.create(f"lineage/{poisoned.namespace}/churn/production/{2:012d}.json", b"{}")
    promotions(mira, poisoned.namespace, POISON, ended=False)
    poisoned.until("the last to be told", lambda: poisoned.reason("mpromo", f"p{POISON - 1}") == "LineageBroken")
    beside = [seconds_to_promote(team, number) for number in range(EACH, 2 * EACH)]
    assert operator.process.poll() is None
    operator.process.terminate()
    operator.process.wait(30)
    told = (
        f"From approval to the moved pointer: {statistics.median(alone):.2f} s alone, "
        f"{statistics.median(beside):.2f} s beside {POISON} promotions on a broken lineage."
    )
    note(*PAGE, "poison", told)
    # Times are of fractions of a second; half of one is what another track of tests beside may cost.
    assert statistics.median(beside) <= 2 * statistics.median(alone) + 0.5, told


def test_with_thousands_of_ended_resources_it_starts_within_10_s_and_writes_nothing(mira: Local, team: Team) -> None:
    empty = mira.start_operator("crowded")
    team.until("the empty one to be at rest", lambda: at_rest(empty))
    before = resident(empty)
    empty.process.terminate()
    empty.process.wait(30)

    promotions(mira, team.namespace, MANY, ended=True)
    audit = Audit(mira.control_plane.audit_log)
    began = time.monotonic()
    operator = mira.start_operator("crowded")
    team.until("it to lead", lambda: operator.metric("mira_leads") == 1)
    assert operator.metric("mira_cached_objects", kind="ModelPromotion") >= MANY
    team.until("it to be at rest", lambda: at_rest(operator))
    took = time.monotonic() - began
    after = resident(operator)
    operator.process.terminate()
    operator.process.wait(30)
    assert not audit.writes(team.namespace)
    told = f"{MANY} ended promotions: at rest {took:.1f} s after its start, {(after - before) / MANY:.1f} KiB for each."
    note(*PAGE, "start-up", told)
    assert took <= 10.0, told


def seconds_to_promote(team: Team, number: int) -> float:
    """From an approval until readers see the version."""
    team.approve(f"r{number}.production")
    began = time.monotonic()
    team.until("the pointer", lambda: team.current(f"m{number}") == f"r{number}")
    return time.monotonic() - began
