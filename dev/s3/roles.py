"""Who may do what in the two buckets, in SeaweedFS's terms.

On AWS these are IAM policies plus a bucket policy that makes keys create-only; SeaweedFS knows only prefixes, and its
`Write` includes overwriting and deleting. So these roles show who may write where, not that what is written stays.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

REGISTRY_BUCKET = "mira"
REGISTRY_PREFIX = "registry"
REGISTRY_URI = f"s3://{REGISTRY_BUCKET}/{REGISTRY_PREFIX}"
DATA_BUCKET = "flights"
REGION = "us-east-1"

_ROOT = f"{REGISTRY_BUCKET}/{REGISTRY_PREFIX}"
# There is no Deny: "everything but models/" has to name what lies beside it. And a name without a star matches nothing.
_BESIDE_MODELS = (
    "registry.json*",
    "probes/*",
    "lineage/*",
    "decisions/*",
    "stages/*",
    "drift/*",
    "tombstones/*",
    "quarantine/*",
)


class Role(StrEnum):
    """Whose credential it is."""

    ADMIN = "admin"
    OPERATOR = "operator"
    TRAINER = "trainer"
    READER = "reader"


ACTIONS: dict[Role, list[str]] = {
    Role.ADMIN: ["Admin"],
    Role.OPERATOR: [
        f"Read:{REGISTRY_BUCKET}",
        f"List:{REGISTRY_BUCKET}",
        *(f"Write:{_ROOT}/{key}" for key in _BESIDE_MODELS),
    ],
    Role.TRAINER: [
        f"Read:{DATA_BUCKET}",
        f"List:{DATA_BUCKET}",
        f"Read:{_ROOT}/models/*",
        # The current version is read from its stage's pointer, to be compared with.
        f"Read:{_ROOT}/stages/*",
        f"List:{REGISTRY_BUCKET}",
        f"Write:{_ROOT}/models/*",
        f"Read:{_ROOT}/drift/*",
        f"Write:{_ROOT}/drift/*",
    ],
    Role.READER: [f"Read:{REGISTRY_BUCKET}", f"List:{REGISTRY_BUCKET}"],
}


@dataclass(frozen=True)
class Credential:
    """The two halves of what a role signs its requests with, made anew for every server."""

    access_key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


def identities(credentials: dict[Role, Credential]) -> dict[str, Any]:
    """The content of SeaweedFS's `-s3.config` file."""
    return {
        "identities": [
            {
                "name": role,
                "credentials": [{"accessKey": credential.access_key, "secretKey": credential.secret_key}],
                "actions": ACTIONS[role],
            }
            for role, credential in credentials.items()
        ],
    }
