"""What a pod's spec refers to instead of saying it: fields of the pod, Secrets, ConfigMaps."""

import base64
import json
import re

from dev.node.api import ApiServer, Json

HOST_IP = "127.0.0.1"

_KEYED_FIELD = re.compile(r"metadata\.(labels|annotations)\['(.+)']")


class NotReadyError(Exception):
    """Something that the container needs is missing and may yet come; `reason` is the waiting state's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def config_error(message: str) -> NotReadyError:
    """What a kubelet says when it cannot make a container's configuration."""
    return NotReadyError("CreateContainerConfigError", message)


def field(pod: Json, path: str) -> str:
    """The value of a `fieldRef`."""
    metadata, spec = pod["metadata"], pod["spec"]
    if keyed := _KEYED_FIELD.fullmatch(path):
        kind, key = keyed.groups()
        return str(metadata.get(kind, {}).get(key, ""))
    match path:
        case "metadata.name" | "metadata.namespace" | "metadata.uid":
            return str(metadata[path.removeprefix("metadata.")])
        case "metadata.labels" | "metadata.annotations":
            entries: dict[str, str] = metadata.get(path.removeprefix("metadata."), {})
            return "".join(f"{key}={json.dumps(value)}\n" for key, value in sorted(entries.items()))
        case "spec.nodeName" | "spec.serviceAccountName":
            return str(spec[path.removeprefix("spec.")])
        case "status.hostIP" | "status.podIP":
            return HOST_IP
        case _:
            raise config_error(f"fieldPath {path} is not supported by this node")


class Objects:
    """The Secrets and ConfigMaps of one namespace."""

    def __init__(self, api: ApiServer, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def secret(self, name: str, *, optional: bool) -> dict[str, bytes] | None:
        """What the Secret holds; None if it is missing and may be."""
        found = self._find("secrets", name, optional=optional)
        return found and {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

    def config_map(self, name: str, *, optional: bool) -> dict[str, bytes] | None:
        """What the ConfigMap holds; None if it is missing and may be."""
        found = self._find("configmaps", name, optional=optional)
        if found is None:
            return None
        text = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        return text | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}

    def _find(self, resource: str, name: str, *, optional: bool) -> Json | None:
        found = self._api.get(f"/api/v1/namespaces/{self._namespace}/{resource}/{name}")
        if found is None and not optional:
            raise config_error(f'{resource.removesuffix("s")} "{name}" not found')
        return found
