"""What kstatus, Argo CD and `kubectl wait` need of a status, checked."""

from typing import Any

from mira.api.conditions import ConditionType, condition
from mira.api.meta import Kind, Resource
from mira.api.reasons import Reason


def waits_for_a_person(status: Any) -> bool:
    """Whether it is stalled and not finished: it goes on by itself once somebody has put things right."""
    said = {each.type: each for each in status.conditions}
    return said["Finished"].status == "False" and said["Stalled"].reason == Reason.COMPARISON_FAILED


def check_status(kind: Kind, resource: Resource[Any, Any], status: Any) -> None:
    """The conditions agree with each other, are of this generation, and the API takes the whole status."""
    said = {each.type: each.status for each in status.conditions}
    assert len(said) == len(status.conditions), "one condition of each type"
    assert set(said) <= set(kind.conditions)
    ready, reconciling, stalled = (said[name] for name in ("Ready", "Reconciling", "Stalled"))
    # kstatus: Current, InProgress or Failed, and never two of them at once.
    assert (ready, reconciling, stalled) in {
        ("True", "False", "False"),
        ("False", "True", "False"),
        ("False", "False", "True"),
    }
    if ConditionType.FINISHED in kind.conditions and not waits_for_a_person(status):
        assert (said["Finished"] == "True") is (reconciling == "False")
    assert status.observed_generation == resource.metadata.generation
    for each in status.conditions:
        assert each.observed_generation == resource.metadata.generation
        known = Reason.known(each.reason)
        assert known is not None, each.reason
        assert kind.kind in known.kinds, f"{each.reason} is no reason of a {kind.kind}"
    main = condition(status.conditions, ConditionType.READY)
    assert main is not None
    assert main.message, "people read it first"
    assert type(status).strictly(status.wire()) == status, "what is written reads back equal"
