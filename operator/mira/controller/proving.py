"""How often the admission policies are proven to be in force: anew for every decision, remembered for mere display."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from mira.decide.approvals import Proof

REMEMBERED = 20.0


@dataclass
class Prover:
    """Proves per namespace. A decision never rests on a remembered proof."""

    prove_now: Callable[[str], Proof]
    clock: Callable[[], float]
    _proofs: dict[str, tuple[float, Proof]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prove(self, namespace: str, *, anew: bool) -> Proof:
        """The proof for this namespace, made anew if something may be decided on it."""
        with self._lock:
            made_at, proof = self._proofs.get(namespace, (float("-inf"), Proof("not proven yet")))
        if not anew and self.clock() - made_at < REMEMBERED:
            return proof
        proof = self.prove_now(namespace)
        with self._lock:
            self._proofs[namespace] = (self.clock(), proof)
        return proof
