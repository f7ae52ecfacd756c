"""What a Job's podFailurePolicy makes of a pod that failed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from mira.adapters.cluster import Object

Json = dict[str, Any]


class Judged(NamedTuple):
    """The action (Count unless a rule says otherwise), and the sentence that a Job tells of it."""

    action: str = "Count"
    why: str = ""


def judged(job: Object, pod: Object) -> Judged:
    """What the first rule that matches says."""
    if pod["status"]["phase"] != "Failed":
        return Judged()
    rules: list[Json] = (job["spec"].get("podFailurePolicy") or {}).get("rules") or []
    for index, rule in enumerate(rules):
        for said in (*_exits(rule, pod), *_conditions(rule, pod)):
            return Judged(rule["action"], f"{said} matching {rule['action']} rule at index {index}")
    return Judged()


def _exits(rule: Json, pod: Object) -> Iterator[str]:
    """A sentence for each container that ended with an exit code that the rule means."""
    wanted = rule.get("onExitCodes")
    for container in pod["status"].get("containerStatuses") or []:
        code = (container["state"].get("terminated") or {}).get("exitCode")
        if wanted is None or not code or wanted.get("containerName", container["name"]) != container["name"]:
            continue
        if (code in wanted["values"]) == (wanted["operator"] == "In"):
            yield f"Container {container['name']} for pod {_called(pod)} failed with exit code {code}"


def _conditions(rule: Json, pod: Object) -> Iterator[str]:
    """A sentence for each condition of the pod that the rule means."""
    has = {(each["type"], each["status"]) for each in pod["status"].get("conditions") or []}
    for pattern in rule.get("onPodConditions") or []:
        if (pattern["type"], pattern["status"]) in has:
            yield f"Pod {_called(pod)} has condition {pattern['type']}"


def _called(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
