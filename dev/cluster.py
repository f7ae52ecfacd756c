# ruff: noqa: PLC0415 - imports stand inside, so that Ctrl-C is ours from the first moment
"""`make cluster`: everything of the demo but its story, left running until Ctrl-C."""

import threading
from typing import TYPE_CHECKING

from dev.foreground import run_in_foreground

if TYPE_CHECKING:
    from dev.local import Local

TOLD = """
Mira runs; namespace {namespace} is yours, and what every kubeconfig below means by default. In another terminal:

  export KUBECONFIG={kubeconfig}
  {kubectl} get mira

As somebody else (alice, dan: data scientists; bob, erin: approvers; carol: platform team): the files beside it.
S3, to bring data to s3://{bucket} (write that bucket into the manifests' uri) and to read the registry: . {s3}

Ctrl-C ends everything.
"""


def _told(local: "Local") -> str:
    """What somebody needs to go on by hand; the files that it names are written."""
    from dev.controlplane.users import in_namespace
    from dev.local import NAMESPACE, ROLES
    from dev.s3.roles import DATA_BUCKET, Role

    for user in ROLES:
        in_namespace(local.kubeconfig(user), NAMESPACE)
    variables = local.folder / "s3.sh"
    variables.touch(mode=0o600)
    variables.write_text(
        "".join(f"export {name}={value}\n" for name, value in local.s3.credentials(Role.ADMIN).items())
    )
    return TOLD.format(
        namespace=NAMESPACE,
        kubeconfig=in_namespace(local.kubeconfig("admin"), NAMESPACE),
        kubectl=local.kubectl_path(),
        bucket=DATA_BUCKET,
        s3=variables,
    )


def cluster() -> int:
    """Never ends by itself."""
    from dev.local import NAMESPACE, Local

    with Local("cluster", say=lambda line: print(line, flush=True)) as local:
        local.start_s3_and_node()
        local.namespace(NAMESPACE)
        local.start_operator()
        print(_told(local), flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    run_in_foreground(cluster)
