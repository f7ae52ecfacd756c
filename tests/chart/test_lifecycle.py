"""The chart on a real API server by the real Helm: installed, changed by hand, upgraded, uninstalled, put back."""

import json
from typing import Any

import pytest

from dev.install import InstallError, allowed, forbidden, install
from dev.local import Local
from mira.adapters.admission import differences
from mira.adapters.kubernetes import KubernetesCluster
from tests.chart.conftest import CHART, Render, of_kind
from tests.chart.test_rendered import OWN, RUNNING, RunHelm

SYSTEM = "mira-system"
POLICY = "validatingadmissionpolicy/mira-promotions"


def dry_run(cluster: Local, *objects: dict[str, Any], namespace: str = SYSTEM) -> str:
    """What the API server says against creating these; empty: nothing."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    arguments = ("create", "--dry-run=server", "--namespace", namespace, "--filename", "-")
    return cluster.kubectl("admin", *arguments, stdin=given).stderr


def test_once_installed_every_kind_is_served_and_guarded(cluster: Local) -> None:
    assert dry_run(cluster, *allowed("admin")) == ""
    for policy, document in forbidden("admin").items():
        assert f"ValidatingAdmissionPolicy '{policy}'" in dry_run(cluster, document)


def test_an_install_that_helm_refuses_says_why(cluster: Local) -> None:
    with pytest.raises(InstallError, match="additional properties 'replica' not allowed"):
        install(cluster.binaries.helm, cluster.kubeconfig("admin"), values={"replica": 1})


def test_the_operators_pod_keeps_pod_security_restricted(cluster: Local, render: Render) -> None:
    (deployment,) = of_kind(render(**RUNNING), "Deployment")
    name = "chart-restricted"
    level = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("admin", "create", "namespace", name)
    cluster.kubectl("admin", "label", "namespace", name, level)
    cluster.kubectl("admin", "create", "serviceaccount", "mira-operator", "--namespace", name)
    try:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator"}}
        assert dry_run(cluster, pod | {"spec": deployment["spec"]["template"]["spec"]}, namespace=name) == ""
        careless = {"containers": [{"name": "a", "image": "a"}]}
        assert "violates PodSecurity" in dry_run(cluster, pod | {"spec": careless}, namespace=name)
    finally:
        cluster.kubectl("admin", "delete", "namespace", name, "--wait=false")


def test_an_upgrade_puts_right_what_was_changed_by_hand(cluster: Local, run_helm: RunHelm) -> None:
    admin = KubernetesCluster(kubeconfig=str(cluster.kubeconfig("admin")), pool=1)
    patch = '{"spec":{"failurePolicy":"Ignore"}}'
    assert cluster.kubectl("admin", "patch", POLICY, "--type=merge", "--patch", patch).returncode == 0
    assert len(differences(admin, [OWN])) == 1
    upgrade = ("upgrade", "mira", CHART, "--namespace", SYSTEM, "--kubeconfig", cluster.kubeconfig("admin"))
    # Helm applies on the server, and what somebody else has set it does not take away unasked.
    assert "conflict" in run_helm(*upgrade, values={"replicas": 0}).stderr
    done = run_helm(*upgrade, "--force-conflicts", values={"replicas": 0})
    assert done.returncode == 0, done.stderr
    assert differences(admin, [OWN]) == []


def test_an_uninstall_leaves_what_guards_what_it_leaves(cluster: Local, run_helm: RunHelm) -> None:
    run, stage, _ = allowed("admin")
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": [run, stage]})
    made = cluster.kubectl("admin", "create", "--namespace", "default", "--filename", "-", stdin=given)
    assert made.returncode == 0, made.stderr
    try:
        where = ("--namespace", SYSTEM, "--kubeconfig", cluster.kubeconfig("admin"))
        assert run_helm("uninstall", "mira", *where).returncode == 0
        assert cluster.kubectl("admin", "get", "serviceaccount/mira-operator", "--namespace", SYSTEM).returncode != 0
        kept = cluster.kubectl("admin", "get", "mira", "--namespace", "default", "--output", "name").stdout.split()
        assert kept == [
            "modelstage.mira.constellation.dev/mira-installed.stage",
            "trainingrun.mira.constellation.dev/mira-installed",
        ]
        admin = KubernetesCluster(kubeconfig=str(cluster.kubeconfig("admin")), pool=1)
        assert differences(admin, [OWN]) == []
        said = dry_run(cluster, *forbidden("admin").values())
        assert all(f"ValidatingAdmissionPolicy '{policy}'" in said for policy in forbidden("admin"))
    finally:
        cluster.install()
        cluster.kubectl("admin", "delete", "--namespace", "default", "--filename", "-", stdin=given)
