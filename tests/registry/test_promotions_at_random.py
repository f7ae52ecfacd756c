"""Three promotions, two operators, everything that may go wrong, at random: what the registry promises holds."""

from collections import Counter
from collections.abc import Iterator

import pytest

from mira.registry.lineage import BrokenChain
from tests.registry.simulation import Simulation, Violation
from tests.registry.variants import VARIANTS, Variant
from tests.support.world import documents_read_once

EACH = 20


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with documents_read_once():
        yield


@pytest.mark.parametrize("part", range(8))
def test_every_promise_holds_in_every_history(part: int) -> None:
    for seed in range(part * EACH, (part + 1) * EACH):
        try:
            Simulation(seed).run()
        except (Violation, BrokenChain) as error:
            pytest.fail(f"seed {seed}: {error}")


def test_the_histories_meet_what_they_are_about() -> None:
    met: Counter[str] = Counter()
    for seed in range(3 * EACH):
        met += Simulation(seed).run().met
    for trouble in ("crash", "never arrived", "answer lost", "late write", "deleted", "withdrawn", "created again"):
        assert met[trouble] >= 10, trouble
    for end in ("Promoted", "RolledBack", "Superseded", "AlreadyCurrent", "Void", "waiting", "pointer edited"):
        assert met[end] >= 5, end


@pytest.mark.parametrize("broken", VARIANTS.values(), ids=VARIANTS.keys())
def test_the_histories_find_it_if(broken: Variant) -> None:
    with broken() as asked:
        for seed in range(24 * EACH):
            try:
                Simulation(seed, asked).run()
            except (Violation, BrokenChain):
                return
    pytest.fail("no history shows it")
