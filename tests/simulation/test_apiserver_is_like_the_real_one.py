"""The model answers every call, tells every watch and ends every Job as a real control plane does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest

from dev.waiting import wait_until
from mira.adapters.cluster import Cluster, Object
from mira.api.meta import API_VERSION
from mira.api.trainingrun import TrainingRun
from mira.decide.job import Platform, build_job, build_order
from tests.simulation.apiserver import ApiServer
from tests.simulation.defaulting import copied
from tests.simulation.histories import CONTAINER, EVENT, JOB, LABELS, RUN, VERSIONS, Call, calls
from tests.simulation.jobs import JobController
from tests.simulation.likeness import Likeness, Player, likened
from tests.simulation.node import Ending, Node
from tests.simulation.real_apiserver import RealApiServer, real_apiserver
from tests.simulation.watches import Watch

HISTORIES, LENGTH = 40, 25
MOMENT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KINDS = ("TrainingRun", "ModelPromotion", "ModelStage", "Event", "Job", "Lease")
WATCHED = [(kind, labels) for kind in ("TrainingRun", "Job", "Event") for labels in ("", LABELS)]
LAST = "z-last"
IMAGE = str(CONTAINER["image"])


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealApiServer]:
    with real_apiserver(tmp_path_factory.mktemp("controlplane")) as running:
        yield running


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same history from the same seed


@dataclass
class Both:
    """The real API server and the model side by side."""

    real: RealApiServer
    model: ApiServer
    likeness: Likeness

    def namespace(self, name: str) -> str:
        self.real.create_namespace(name)
        self.model.create_namespace(name)
        return name

    def play(self, namespace: str, history: list[Call]) -> None:
        """Plays a history on both; every answer must be the same."""
        players = [
            Player(cluster, lambda kind, where, name, uid, of=of: of.delete(kind, where, name, uid=uid), namespace)  # type: ignore[misc]
            for cluster, of in ((self.real.cluster, self.real), (self.model, self.model))
        ]
        for number, call in enumerate(history):
            said, modelled = (player.play(call) for player in players)
            what = f"call {number} in {namespace}: {call}"
            assert said.in_short() == modelled.in_short(), what
            self.compare(said.objects, modelled.objects, what)

    def compare(self, ones: list[Object], others: list[Object], what: str) -> None:
        assert len(ones) == len(others), what
        for one, other in zip(ones, others, strict=True):
            text, modelled = self.likeness.of(one, other)
            assert text == modelled, what


def test_histories_of_calls_are_answered_and_told_alike(real: RealApiServer) -> None:
    both = Both(real, ApiServer(lambda: MOMENT, chance(1)), Likeness())
    since = {kind: real.version(kind) for kind in KINDS}
    watches = {(kind, labels): Watch(both.model, kind, chance(2), labels) for kind, labels in WATCHED}
    for watch in watches.values():
        watch.connect()

    for seed in range(HISTORIES):
        both.play(both.namespace(f"history-{seed}"), calls(chance(seed), LENGTH))

    for kind in KINDS:
        # Control planes have Leases of their own.
        found = [body for body in real.objects(kind) if body["metadata"]["namespace"] != "kube-system"]
        both.compare(found, both.model.objects(kind), f"all {kind}s")
    _create_last_objects(real)
    for (kind, labels), watch in watches.items():
        told = list(real.told(kind, since[kind], labels, last=LAST))
        modelled = list(iter(watch.deliver, None))
        assert [each.type for each in told] == [each.type for each in modelled if each], (kind, labels)
        both.compare(
            [each.body for each in told], [each.body for each in modelled if each], f"watch of {kind} {labels}"
        )
    assert both.likeness.versions_agree()


def _create_last_objects(real: RealApiServer) -> None:
    """In each watched kind an object that every watch of the kind tells of, and after which nothing comes."""
    real.create_namespace(LAST)
    about = EVENT["involvedObject"] | {"namespace": LAST}
    bodies: dict[str, Object] = {
        "TrainingRun": {"spec": RUN},
        "Job": {"spec": JOB},
        "Event": EVENT | {"involvedObject": about},
    }
    for kind, body in bodies.items():
        metadata = {"name": LAST, "labels": {"team": "a"}}
        version = VERSIONS.get(kind, API_VERSION)
        real.cluster.create(kind, LAST, {"apiVersion": version, "kind": kind, "metadata": metadata, **body})


# By name of the Job: what is particular about it, and how its containers end.
JOBS = {
    "succeeds": ({}, 0),
    "never-again": ({}, 64),
    "fails": ({"backoffLimit": 0}, 1),
    "suspended": ({"suspend": True}, 0),
}


def test_jobs_come_to_the_same_ends(real: RealApiServer) -> None:
    """Under a real Job controller and the model's, with the same node for their pods."""
    model = ApiServer(lambda: MOMENT, chance(1))
    model.create_namespace("jobs")
    real.create_namespace("jobs")
    real.post("/api/v1/namespaces/jobs/serviceaccounts", {"metadata": {"name": "mira-trainer"}})
    for cluster in (real.cluster, model):
        for job in _jobs(cluster):
            cluster.create("Job", "jobs", job)

    controller = JobController(model, lambda: MOMENT, chance(2), Node(model, lambda: MOMENT, ends=_ends))
    while controller.step() is not None:
        pass
    node = Node(real, lambda: datetime.now(UTC), ends=_ends)
    wait_until(lambda: _settled(real, node), timeout=30, what="the Job controller to end the Jobs")

    assert _ends_of(real) == _ends_of(model)


def _jobs(cluster: Cluster) -> Iterator[Object]:
    """Jobs as the operator makes them, of a run that is there."""
    metadata = {"name": "run", "labels": {"team": "a"}}
    body = {"apiVersion": API_VERSION, "kind": "TrainingRun", "metadata": metadata, "spec": RUN | {"job": {}}}
    run = TrainingRun.model_validate(cluster.create("TrainingRun", "jobs", body))
    platform = Platform(registry="s3://registry-1/mira", default_image=IMAGE)
    made = build_job(run, build_order(run, "sha256:" + "1" * 64, platform), platform)
    for name, (spec, _) in JOBS.items():
        yield made | {"metadata": made["metadata"] | {"name": name}, "spec": made["spec"] | spec}


def _ends(pod: Object) -> Ending:
    return Ending(JOBS[pod["metadata"]["labels"]["job-name"]][1])


def _settled(real: RealApiServer, node: Node) -> bool:
    """Whether every Job has come to its end and is done with its pods; lets the node go on otherwise."""
    for step in node.steps():
        step.act()
    jobs, pods = _in_namespace(real, "Job"), _in_namespace(real, "Pod")
    ended = [
        any(each["type"] in ("Complete", "Failed", "Suspended") for each in job["status"].get("conditions", []))
        for job in jobs
    ]
    return all(ended) and not any(pod["metadata"].get("finalizers") for pod in pods)


def _ends_of(server: RealApiServer | ApiServer) -> dict[str, str]:
    """The Jobs in full, and of each pod what the operator reads."""
    jobs, pods = _in_namespace(server, "Job"), _in_namespace(server, "Pod")
    run = server.get("TrainingRun", "jobs", "run")
    names = {body["metadata"]["uid"]: "uid" for body in (*jobs, run) if body}
    names |= {pod["metadata"]["name"]: "pod" for pod in pods}
    ends = {}
    for job in jobs:
        for key in ("managedFields", "resourceVersion"):
            job["metadata"].pop(key, None)
        job["status"]["conditions"] = sorted(job["status"]["conditions"], key=lambda each: str(each["type"]))
        ends[job["metadata"]["name"]] = likened(job, names)
    for pod in pods:
        metadata, status = pod["metadata"], pod["status"]
        seen = {
            key: metadata.get(key) for key in ("labels", "annotations", "ownerReferences", "finalizers", "generation")
        }
        states = [each["state"]["terminated"]["exitCode"] for each in status["containerStatuses"]]
        seen |= {"phase": status["phase"], "exitCodes": states}
        ends[f"pod of {metadata['labels']['job-name']}"] = likened(seen, names)
    return ends


def _in_namespace(server: RealApiServer | ApiServer, kind: str) -> list[Object]:
    return [copied(body) for body in server.objects(kind) if body["metadata"]["namespace"] == "jobs"]
