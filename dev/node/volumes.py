"""Volumes: folders with the content that a pod's spec asks for, linked to where the container looks for them."""

from collections.abc import Mapping
from pathlib import Path

from dev.node.api import Json
from dev.node.folder import PodFolder
from dev.node.references import Objects, config_error, field

SUPPORTED = {"emptyDir", "configMap", "secret", "downwardAPI"}
# Kubernetes adds this one to every pod that does not refuse it; nothing is written into it.
TOKEN_PREFIX = "kube-api-access-"  # noqa: S105

_PRIVATE = 0o600


def kind(volume: Json) -> str:
    """The kind of volume that it is, as its field is called."""
    return next(key for key in volume if key != "name")


def make_volumes(pod: Json, folder: PodFolder, objects: Objects) -> None:
    """Fills every volume of the pod; a `NotReadyError` if what it takes its content from is missing."""
    for volume in pod["spec"].get("volumes", []):
        target = folder.volume(volume["name"])
        target.mkdir(parents=True)
        source = volume[kind(volume)]
        optional = source.get("optional", False)
        match kind(volume):
            case "downwardAPI":
                for item in source.get("items", []):
                    _write(target, item["path"], field(pod, item["fieldRef"]["fieldPath"]).encode())
            case "configMap":
                _fill(target, source, objects.config_map(source["name"], optional=optional))
            case "secret":
                _fill(target, source, objects.secret(source["secretName"], optional=optional), mode=_PRIVATE)
            case _:  # they begin empty
                pass


def mount_volumes(container: Json, folder: PodFolder) -> None:
    """Links every mount path, below the folder that stands for the container's root, to its volume."""
    for mount in sorted(container.get("volumeMounts", []), key=lambda mount: str(mount["mountPath"])):
        link = folder.real(mount["mountPath"].rstrip("/"))
        link.parent.mkdir(parents=True, exist_ok=True)
        target = folder.volume(mount["name"]) / mount.get("subPath", "")
        if not target.exists():
            target.mkdir(parents=True)
        link.symlink_to(target)


def _fill(target: Path, source: Json, content: Mapping[str, bytes] | None, mode: int = 0o644) -> None:
    if content is None:
        return
    paths = {item["key"]: item["path"] for item in source.get("items", [])} or {key: key for key in content}
    for key, path in paths.items():
        if key in content:
            _write(target, path, content[key], mode)
        elif not source.get("optional", False):
            raise config_error(f"references non-existent key: {key}")


def _write(target: Path, path: str, content: bytes, mode: int = 0o644) -> None:
    file = target / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode)
    file.write_bytes(content)
