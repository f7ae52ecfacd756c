"""The file from which the node agent gives service accounts their S3 credentials, as EKS Pod Identity does."""

import json
from collections.abc import Mapping
from pathlib import Path

from dev.s3.roles import Role
from dev.s3.server import SeaweedFS


def write_credentials(path: Path, s3: SeaweedFS, roles: Mapping[str, Role]) -> Path:
    """`path`, now holding the environment of every service account in `roles`.

    An account is named `<namespace>/<name>`, or `*/<name>` for that name in every namespace.
    """
    path.touch(mode=0o600)
    path.write_text(json.dumps({account: s3.credentials(role) for account, role in roles.items()}, indent=2))
    return path
