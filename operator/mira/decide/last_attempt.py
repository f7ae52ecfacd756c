"""What is known of how the last attempt of a Job ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from mira.decide.pods import Diagnosis, diagnose
from mira.registry.keys import attempt_id
from mira.registry.outcome import Outcome


def last_words(
    owner_uid: str, pods: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]
) -> Outcome | Diagnosis | None:
    """What the last attempt says of its end, else what its pod says, else what any earlier one said.

    The outcome of an earlier attempt says nothing of a later one that was killed without a word. `outcomes` are those
    of the owner's own attempts, oldest first.
    """
    newest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
    if newest is not None:
        attempt = attempt_id(owner_uid, newest["metadata"]["uid"])
        own = next((outcome for outcome in outcomes if outcome.attempt == attempt), None)
        if (told := own or diagnose([newest])) is not None:
            return told
    return outcomes[-1] if outcomes else diagnose(pods)
