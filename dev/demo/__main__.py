"""`make demo`: starts everything, tells the story, stops everything."""

import signal
import sys
import threading
from typing import NoReturn

from dev.demo.registry import Registry
from dev.demo.story import tell
from dev.demo.telling import NotAsToldError, Telling
from dev.local import CACHE, NAMESPACE, Local
from mira.registry.keys import StageKey

KEPT = """
Everything goes on running until Ctrl-C. In another terminal:

  export KUBECONFIG={kubeconfig}
  {kubectl} get mira -n {namespace}
"""


def main() -> int:
    """0 if every step came out as told, else 1 with the step that did not."""
    signal.signal(signal.SIGTERM, _interrupt)
    keep = "--keep" in sys.argv
    try:
        with Local("demo", say=lambda line: print(f"    {line}", flush=True)) as local:
            local.start_s3_and_node()
            local.namespace(NAMESPACE)
            operator = local.start_operator()
            print(f"    the operator runs under its own account (its log: {operator.process.log})", flush=True)
            telling = Telling(local, NAMESPACE)
            tell(telling, Registry(local.s3, StageKey(NAMESPACE, "flights", "production")), CACHE / "demo")
            print("\nEvery step came out as told.", flush=True)
            if keep:
                _keep(local)
    except NotAsToldError as error:
        print(f"\nNot as told: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; everything that was started is stopped.", flush=True)
        return 130
    return 0


def _keep(local: Local) -> None:
    print(
        KEPT.format(kubeconfig=local.kubeconfig("admin"), kubectl=local.kubectl_path(), namespace=NAMESPACE), flush=True
    )
    threading.Event().wait()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
