"""The operator is there before Mira's kinds are, and after a namespace is gone with work in progress in it."""

import json
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from kubernetes import client

from dev.install import NAMESPACE, RELEASE
from dev.local import OPERATOR_ACCOUNT, Local, OperatorProcess
from mira.registry.keys import StageKey
from tests.support.team import INSTANT, Team

QUIET = {"MIRA_RESYNC_SECONDS": "3"}


class NotInstalled(Local):
    """A local cluster in which Mira is not installed until a test does."""

    installs = False

    def install(self, values: object = None) -> None:
        if self.installs:
            super().install()


@pytest.fixture(scope="module")
def early() -> Iterator[NotInstalled]:
    with NotInstalled(f"early-{os.getpid()}") as local:
        local.image(INSTANT, "operator", "tests/support/instant_image")
        local.start_s3_and_node()
        yield local


def the_account_alone(local: Local) -> None:
    """What a pod of the operator has before Mira's kinds are served: its account, as Helm will adopt it, and rights."""
    helm = {"meta.helm.sh/release-name": RELEASE, "meta.helm.sh/release-namespace": NAMESPACE}
    metadata = {"annotations": helm, "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    core = client.CoreV1Api(local.client("admin"))
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": OPERATOR_ACCOUNT, **metadata}})
    view = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    account = {"kind": "ServiceAccount", "namespace": NAMESPACE, "name": OPERATOR_ACCOUNT}
    rbac = client.RbacAuthorizationV1Api(local.client("admin"))
    rbac.create_cluster_role_binding({"metadata": {"name": "early"}, "roleRef": view, "subjects": [account]})


def lines(operator: OperatorProcess) -> list[dict[str, str]]:
    """What this operator has logged."""
    log = operator.process.log
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")] if log.exists() else []


def test_an_operator_before_its_kinds_waits_says_so_and_starts_within_seconds_of_the_chart(
    early: NotInstalled,
) -> None:
    the_account_alone(early)
    operator = early.launch_operator("early", **QUIET)

    def waits() -> bool:
        assert operator.answer("/healthz")[0] == 200, "it is well and does not end"
        return len([line for line in lines(operator) if line["message"] == "waiting for the CRDs"]) >= 2

    operator.wait_until(lambda: operator.answer("/healthz")[0] == 200, timeout=30, what="the operator to begin")
    operator.wait_until(waits, timeout=20, what="the operator to list in vain")
    assert operator.answer("/readyz") == (503, "waiting for the API server and the CRDs")
    client.RbacAuthorizationV1Api(early.client("admin")).delete_cluster_role_binding("early")
    early.installs = True
    early.install()
    operator.wait_until(operator.ready, timeout=20, what="the operator to start")
    team = Team(early, early.namespace("early"))
    team.stage()
    # Told by the watch and not by the next list: that comes after minutes.
    team.until("the stage to be seen", lambda: bool(team.condition("mstage", "churn.production")), within=15)
    end(operator)


def end(operator: OperatorProcess) -> None:
    operator.process.terminate()
    operator.process.wait(30)


def in_progress(team: Team) -> None:
    """A stage with a current version, a promotion that waits for approval, and a run that runs."""
    team.stage()
    team.run("v1", promotion={"stage": "production"})
    team.run("v2")
    team.approve("v1.production")
    team.finished("mpromo", "v1.production", "Promoted")
    team.finished("mrun", "v2", "Succeeded")
    team.promote("v2", "v2")
    team.run("v3", parameters={"wait_for": f"models/{team.namespace}/never"})
    team.until("the promotion to wait", lambda: bool(team.status("mpromo", "v2").get("digest")))
    team.until("the run to run", lambda: team.reason("mrun", "v3") == "Running")


def test_a_namespace_deleted_with_work_in_progress_ends_quietly_and_its_stage_still_completes(
    early: NotInstalled,
) -> None:
    operator = early.start_operator("late", **QUIET)
    team = Team(early, early.namespace("late"))
    in_progress(team)
    told = team.told()
    before = len(lines(operator))
    team.kubectl("admin", "delete", "namespace", team.namespace, "--wait=false")
    core = client.CoreV1Api(early.client("admin"))
    team.until(
        "the namespace to be gone",
        lambda: team.namespace not in [each.metadata.name for each in core.list_namespace().items],
    )
    other = Team(early, early.namespace("other"))
    other.stage()
    other.run("v1", promotion={"stage": "production"})
    other.finished("mrun", "v1", "Succeeded")
    loud = [line for line in lines(operator)[before:] if line["level"] in ("warning", "error")]
    times = Counter((line.get("key"), line["message"]) for line in loud)
    assert not [what for what in times if times[what] > 1], loud
    assert team.told() == told == [("Promote", "Promoted", "v1")]
    end(operator)
    key = StageKey(team.namespace, "churn", "production")
    stored = team.store.get(key.pointer, limit=65536)
    assert stored is not None
    # As an operator that died between the entry and the pointer leaves it.
    team.s3_admin.replace(key.pointer, b'{"forged": true}', stored.etag)
    operator = early.start_operator("after", **QUIET)
    team.until("the pointer to be completed", lambda: team.store.get(key.pointer, limit=65536) == stored)
    end(operator)
