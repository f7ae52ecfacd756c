"""From a pod's spec to a process: its command, its environment and its folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.node import volumes
from dev.node.api import Json
from dev.node.folder import PodFolder
from dev.node.provided import Environment, Provided, bare_environment
from dev.node.references import Objects, config_error, field

_VARIABLE = re.compile(r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)")


@dataclass(frozen=True)
class Launch:
    """All it takes to start a container's process."""

    argv: list[str]
    env: Environment
    cwd: Path


def refusal(pod: Json) -> str | None:
    """Why this node will not run the pod, None if it will."""
    spec = pod["spec"]
    container = spec["containers"][0]
    kinds = {
        volumes.kind(volume)
        for volume in spec.get("volumes", [])
        if not volume["name"].startswith(volumes.TOKEN_PREFIX)
    }
    reasons = {
        "a pod here has exactly one container": len(spec["containers"]) > 1 or "initContainers" in spec,
        f"restartPolicy {spec['restartPolicy']}: only Never is supported": spec["restartPolicy"] != "Never",
        "the container has no command; what its image would run is not known here": not container.get("command"),
        "envFrom is not supported": "envFrom" in container,
        f"volumes of kind {', '.join(sorted(kinds))} are not supported": not kinds <= volumes.SUPPORTED,
    }
    return "; ".join(reason for reason, applies in reasons.items() if applies) or None


def prepare(pod: Json, folder: PodFolder, objects: Objects, provided: Provided) -> Launch:
    """The launch of the pod's container, its volumes made; a `NotReadyError` while something is missing."""
    container = pod["spec"]["containers"][0]
    metadata = pod["metadata"]
    image = provided.image(container["image"])
    identity = provided.identity(metadata["namespace"], pod["spec"]["serviceAccountName"])
    own = _environment(pod, container, objects)
    folder.build()
    volumes.make_volumes(pod, folder, objects)
    volumes.mount_volumes(container, folder)
    last_words = termination_log(container, folder)
    last_words.parent.mkdir(parents=True, exist_ok=True)
    last_words.touch()
    place = _Rewriting(container, folder)
    cwd = folder.real(container["workingDir"]) if container.get("workingDir") else folder.path
    cwd.mkdir(parents=True, exist_ok=True)
    return Launch(
        argv=[place(_expand(word, own)) for word in (*container["command"], *container.get("args", []))],
        env=bare_environment(folder) | image | identity | {name: place(value) for name, value in own.items()},
        cwd=cwd,
    )


def termination_log(container: Json, folder: PodFolder) -> Path:
    """Where on this host the container leaves its last words."""
    return folder.real(container["terminationMessagePath"])


class _Rewriting:
    """Turns a path of the container's into the real one, and leaves every other text as it is."""

    def __init__(self, container: Json, folder: PodFolder) -> None:
        mounts = [mount["mountPath"].rstrip("/") for mount in container.get("volumeMounts", [])]
        self._paths = (*mounts, container["terminationMessagePath"])
        self._folder = folder

    def __call__(self, text: str) -> str:
        ours = any(text == path or text.startswith(f"{path}/") for path in self._paths)
        return str(self._folder.real(text)) if ours else text


def _environment(pod: Json, container: Json, objects: Objects) -> Environment:
    environment: Environment = {}
    for variable in container.get("env", []):
        if "valueFrom" in variable:
            value = _referred(pod, variable["valueFrom"], objects)
        else:
            value = _expand(variable.get("value", ""), environment)
        if value is not None:
            environment[variable["name"]] = value
    return environment


def _referred(pod: Json, source: Json, objects: Objects) -> str | None:
    match source:
        case {"fieldRef": {"fieldPath": path}}:
            return field(pod, path)
        case {"secretKeyRef": reference}:
            optional = reference.get("optional", False)
            content = objects.secret(reference["name"], optional=optional)
        case {"configMapKeyRef": reference}:
            optional = reference.get("optional", False)
            content = objects.config_map(reference["name"], optional=optional)
        case _:
            raise config_error(f"{', '.join(source)} is not supported by this node")
    key = reference["key"]
    if content and key in content:
        return content[key].decode()
    if optional:
        return None
    raise config_error(f"couldn't find key {key} in {pod['metadata']['namespace']}/{reference['name']}")


def _expand(text: str, variables: Mapping[str, str]) -> str:
    """`text` with each $(NAME) replaced, as Kubernetes does: an unknown one stays, $$ is a dollar."""

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        return "$" if name is None else variables.get(name, found.group())

    return _VARIABLE.sub(replace, text)
