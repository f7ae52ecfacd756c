"""`make cluster`: everything of the demo but its story, left running until Ctrl-C."""

import signal
import sys
import threading

from dev.local import NAMESPACE, Local


def main() -> int:
    """0 after Ctrl-C or SIGTERM."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with Local("cluster", say=lambda line: print(line, flush=True)) as local:
        local.start_s3_and_node()
        local.namespace(NAMESPACE)
        local.start_operator()
        print(
            f"\nMira runs; namespace {NAMESPACE} is yours. In another terminal:\n\n"
            f"  export KUBECONFIG={local.kubeconfig('admin')}\n"
            f"  kubectl get mira -A\n\n"
            f"Other users (alice, dan: data scientists; bob, erin: approvers; carol: platform team):\n"
            f"  {local.kubeconfig('admin').parent}/\n"
            "Ctrl-C ends everything.",
            flush=True,
        )
        stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
