"""The command line of each part of the control plane."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.controlplane.binaries import Binaries
from dev.controlplane.certificates import Certificates
from dev.ports import LOOPBACK, free_ports

SERVICE_RANGE, SERVICE_IP = "10.0.0.0/24", "10.0.0.1"  # the API server takes the first one for itself
ISSUER = "https://kubernetes.default.svc"

# All that Jobs, workloads, policies and garbage collection need. By their long names; an unknown one ends the process.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "deployment-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)

# One line for every request, with who and what but no bodies.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True)
class Ports:
    """Where the servers listen, on loopback."""

    apiserver: int
    etcd: int
    etcd_peers: int


def choose_ports() -> Ports:
    """Three free ones."""
    return Ports(*free_ports(3))


def etcd(binaries: Binaries, folder: Path, ports: Ports) -> list[str]:
    """A single member that does not wait for the disk: what a crash of the machine could lose is not needed."""
    clients, peers = f"http://{LOOPBACK}:{ports.etcd}", f"http://{LOOPBACK}:{ports.etcd_peers}"
    flags = {
        "data-dir": folder / "etcd",
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return _argv(binaries.etcd, flags)


def apiserver(binaries: Binaries, folder: Path, ports: Ports, certificates: Certificates, tokens: Path) -> list[str]:
    """RBAC for everybody; the audit log is `audit.log`, never rotated, because its lines get counted."""
    flags = {
        "etcd-servers": f"http://{LOOPBACK}:{ports.etcd}",
        "bind-address": LOOPBACK,
        # Else it looks for a network card with a default route, and ends where there is none.
        "advertise-address": LOOPBACK,
        "secure-port": ports.apiserver,
        # It refuses to announce a loopback address as the Service's endpoint.
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": SERVICE_RANGE,
        "tls-cert-file": certificates.apiserver.certificate,
        "tls-private-key-file": certificates.apiserver.key,
        "token-auth-file": tokens,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-account-issuer": ISSUER,
        "service-account-key-file": certificates.service_accounts_key,
        "service-account-signing-key-file": certificates.service_accounts_key,
        "kubelet-certificate-authority": certificates.authority,
        "kubelet-client-certificate": certificates.kubelet_client.certificate,
        "kubelet-client-key": certificates.kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": _written(folder / "audit-policy.json", AUDIT_POLICY),
        "audit-log-path": folder / "audit.log",
        "audit-log-maxsize": 0,
    }
    return _argv(binaries.kube_apiserver, flags)


def controller_manager(binaries: Binaries, kubeconfig: Path, certificates: Certificates) -> list[str]:
    """Each controller under its own ServiceAccount; not throttled, so that hundreds of Jobs take seconds."""
    flags = {
        "kubeconfig": kubeconfig,
        "controllers": ",".join(CONTROLLERS),
        "use-service-account-credentials": "true",
        "service-account-private-key-file": certificates.service_accounts_key,
        "root-ca-file": certificates.authority,
        "leader-elect": "false",
        "secure-port": 0,
        "concurrent-job-syncs": 50,
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
    }
    return _argv(binaries.kube_controller_manager, flags)


def scheduler(binaries: Binaries, folder: Path, kubeconfig: Path) -> list[str]:
    """Not throttled either."""
    config = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 500, "burst": 1000},
        "leaderElection": {"leaderElect": False},
    }
    return _argv(binaries.kube_scheduler, {"config": _written(folder / "scheduler.json", config), "secure-port": 0})


def _argv(program: Path, flags: Mapping[str, object]) -> list[str]:
    return [str(program), *(f"--{name}={value}" for name, value in flags.items())]


def _written(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(document, indent=2))
    return path
