"""`mira-operator`: reads settings, opens the registry, runs until SIGTERM."""

import logging
import os
import signal
import sys
import threading
import uuid

import kopf
from kubernetes import client, config
from pydantic import ValidationError

from mira.adapters.kubernetes import KubernetesCluster
from mira.adapters.metrics import Metrics
from mira.controller.logs import configure_logs
from mira.controller.operator import Operator, Outside
from mira.controller.probes import Probes
from mira.controller.settings import Settings
from mira.controller.watching import Watching
from mira.registry.probe import open_registry
from mira.registry.s3 import S3Store
from mira.registry.signatures import Verifier, keys_in
from mira.registry.store import ObjectStore, StoreRefused, StoreUnavailable

log = logging.getLogger(__name__)
LEASE_TIMEOUT = (1.0, 2.0)
CANNOT_WORK = 78
"""sysexits' EX_CONFIG: starting again will not help."""


def main() -> int:
    """The exit code: 0 after SIGTERM, 78 with one sentence for a configuration that can never work."""
    try:
        settings = Settings()
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            sys.stderr.write(f"MIRA_{str(wrong['loc'][0]).upper()}: {wrong['msg']}\n")
        return CANNOT_WORK
    try:
        keys = keys_in(settings.verify_keys)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_WORK
    configure_logs(settings.log_level)
    _allow_deep_objects()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    metrics = Metrics()
    store = S3Store(settings.registry, pool=settings.workers * 2, endpoint=settings.s3_endpoint)
    problem = _open(store, settings, stopping)
    if problem:
        sys.stderr.write(f"MIRA_REGISTRY {settings.registry}: {problem}\n")
        return CANNOT_WORK
    return _run(settings, store, metrics, stopping, keys)


def _run(
    settings: Settings, store: ObjectStore, metrics: Metrics, stopping: threading.Event, keys: Verifier | None
) -> int:
    kubeconfig, saw = settings.kubeconfig, metrics.saw_request
    outside = Outside(
        cluster=KubernetesCluster(kubeconfig=kubeconfig, pool=settings.workers * 2, watcher=saw),
        store=store,
        watch=lambda tell, restarted: Watching(tell, lambda: _login(settings), restarted=restarted),
        # A renewal must not wait for other calls, and one that hangs must leave time for another.
        leases=KubernetesCluster(kubeconfig=kubeconfig, pool=1, watcher=saw, timeout=LEASE_TIMEOUT),
        keys=keys,
    )
    operator = Operator(settings, outside, metrics)
    probes = Probes(
        settings.probe_host,
        settings.probe_port,
        healthy=operator.healthy,
        ready=operator.ready,
        registry=metrics.registry,
    )
    probes.start()
    log.info("probes are served", extra={"port": probes.port})
    starting = threading.Thread(target=operator.start, name="start", daemon=True)
    starting.start()
    stopping.wait()
    operator.stop()
    probes.stop()
    return 0


def _open(store: ObjectStore, settings: Settings, stopping: threading.Event) -> str:
    """Empty once the registry is open, or why it never can be. A store that is away is waited for."""
    delay = 0.5
    while not stopping.is_set():
        try:
            opened = open_registry(store, owner=settings.cluster_name, new_id=str(uuid.uuid4()))
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("the registry cannot be opened; trying again", extra={"error": str(error)})
        else:
            return opened if isinstance(opened, str) else ""
        stopping.wait(delay)
        delay = min(delay * 2, 15.0)
    return ""


def _allow_deep_objects() -> None:
    """Lets every thread read what the API server stores: JSON of up to 10,000 levels, in anybody's parameters.

    With Python's defaults one such object would make every list fail.
    """
    sys.setrecursionlimit(60_000)
    threading.stack_size(64 * 1024 * 1024)


def _login(settings: Settings) -> kopf.ConnectionInfo:
    """How kopf reaches the API server: the same way as everything else here."""
    configuration = client.Configuration()
    if settings.kubeconfig:
        config.load_kube_config(settings.kubeconfig, client_configuration=configuration)
    else:
        config.load_incluster_config(client_configuration=configuration)
    bearer = configuration.auth_settings().get("BearerToken", {}).get("value") or ""
    scheme, _, token = bearer.partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # kopf's thread may still be closing its connections; nothing is left to be saved.
    os._exit(code)
