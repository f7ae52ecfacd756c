# ruff: noqa: PLC0415 - imports stand inside, so that Ctrl-C is ours from the first moment
"""`make demo`: starts everything, tells the story, stops everything."""

import sys
import threading
from typing import TYPE_CHECKING

from dev.foreground import run_in_foreground

if TYPE_CHECKING:
    from dev.local import Local

KEPT = """
Everything goes on running until Ctrl-C. In another terminal:

  export KUBECONFIG={kubeconfig}
  {kubectl} get mira -n {namespace}
"""


def demo() -> int:
    """0 if every step came out as told. A CommandError with the step that did not."""
    from dev.demo.registry import Registry
    from dev.demo.story import tell
    from dev.demo.telling import Telling
    from dev.local import CACHE, NAMESPACE, Local
    from mira.registry.keys import StageKey

    with Local("demo", say=lambda line: print(f"    {line}", flush=True)) as local:
        local.start_s3_and_node()
        local.namespace(NAMESPACE)
        operator = local.start_operator()
        print(f"    the operator runs under its own account (its log: {operator.process.log})", flush=True)
        registry = Registry(local.s3, StageKey(NAMESPACE, "flights", "production"))
        tell(Telling(local, NAMESPACE), registry, CACHE / "demo")
        print("\nEvery step came out as told.", flush=True)
        if "--keep" in sys.argv:
            _keep(local, NAMESPACE)
    return 0


def _keep(local: "Local", namespace: str) -> None:
    print(
        KEPT.format(kubeconfig=local.kubeconfig("admin"), kubectl=local.kubectl_path(), namespace=namespace), flush=True
    )
    threading.Event().wait()


if __name__ == "__main__":
    run_in_foreground(demo)
