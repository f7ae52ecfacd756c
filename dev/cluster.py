"""`make cluster`: everything of the demo but its story, left running until Ctrl-C."""

import signal
import sys
import threading

from dev.controlplane.users import in_namespace
from dev.local import NAMESPACE, ROLES, Local
from dev.s3.roles import DATA_BUCKET, Role

TOLD = """
Mira runs; namespace {namespace} is yours, and what every kubeconfig below means by default. In another terminal:

  export KUBECONFIG={kubeconfig}
  {kubectl} get mira

As somebody else (alice, dan: data scientists; bob, erin: approvers; carol: platform team): the files beside it.
S3, to bring data to s3://{bucket} (write that bucket into the manifests' uri) and to read the registry: . {s3}

Ctrl-C ends everything.
"""


def _told(local: Local) -> str:
    """What somebody needs to go on by hand; the files that it names are written."""
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


def main() -> int:
    """0 after Ctrl-C or SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with Local("cluster", say=lambda line: print(line, flush=True)) as local:
        local.start_s3_and_node()
        local.namespace(NAMESPACE)
        local.start_operator()
        print(_told(local), flush=True)
        stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
