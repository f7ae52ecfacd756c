"""Who may do what with Mira's objects. Data only: a table of requests and what the API server must answer.

People: alice and dan hold mira-requester, bob mira-approver, erin both, carol mira-stage-owner, frank may write everything
but holds no verb of Mira's own. `argo` is a service account with every right, as Argo CD's default role gives it.
Everything happens in the namespace policies-closed, whose administrator has not opened it for automatic promotion, unless a
request names another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
OPERATOR = "system:serviceaccount:mira-system:mira-operator"
OTHER_OPERATOR = "system:serviceaccount:mira-second:mira-operator"
# An operator that runs outside the cluster; in team-a it has the same rights as frank.
OUTSIDE_OPERATOR = "mira-outside"
ARGO = "system:serviceaccount:policies-closed:argo"
NODE, SCHEDULER, ANONYMOUS = "system:node:local", "system:kube-scheduler", "system:anonymous"
CLOSED, FOR_SERVICE_ACCOUNTS, FOR_ALL, MISLABELLED = "policies-closed", "policies-service-accounts", "policies-all", "policies-mislabelled"
DIGEST, ANOTHER_DIGEST = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"

RUN, STAGE, PROMOTION = "TrainingRun", "ModelStage", "ModelPromotion"
SPECS: Mapping[str, Json] = {
    RUN: {
        "model": "churn",
        "task": "Classification",
        "data": {"training": {"uri": "s3://team-a-data/churn.parquet"}, "target": "churned"},
    },
    STAGE: {"model": "churn"},
    PROMOTION: {"model": "churn", "stage": "production", "version": "churn-1"},
}


@dataclass(frozen=True)
class Request:
    """One request. `change` is merged into the valid or the existing object, or is the patch itself."""

    how: Literal["create", "replace", "json patch", "merge patch", "apply", "status patch", "status replace"]
    change: Any
    kind: str = ""
    namespace: str = CLOSED
    dry_run: bool = False


@dataclass(frozen=True)
class Given:
    """An object that is there before: who created it, with which spec, what the operator reported, who approved."""

    kind: str
    by: str
    spec: Json = field(default_factory=dict)
    status: Json = field(default_factory=dict)
    approvals: tuple[tuple[str, str], ...] = ()
    namespace: str = CLOSED
    ended: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One row: the sentence, who does it, the request, a fragment of the refusal (empty: taken), what was there, what is.

    `then` is a part of the object afterwards.
    """

    name: str
    who: str
    request: Request
    says: str = ""
    given: Given | None = None
    then: Json = field(default_factory=dict)


def create(kind: str, *, namespace: str = CLOSED, dry_run: bool = False, metadata: Json | None = None, **spec: Any) -> Request:
    return Request("create", {"metadata": metadata or {}, "spec": spec}, kind, namespace, dry_run)


def approve(who: str, decision: str = "Approved", digest: str = DIGEST, **more: Any) -> Json:
    return {"approver": who, "decision": decision, "digest": digest, **more}


def add(approval: Json, *, dry_run: bool = False) -> Request:
    """The documented way to approve."""
    return Request("json patch", [{"op": "add", "path": "/spec/approvals/-", "value": approval}], dry_run=dry_run)


def operate(*operations: Json) -> Request:
    return Request("json patch", list(operations))


def merge(**change: Any) -> Request:
    return Request("merge patch", change)


def put(**change: Any) -> Request:
    return Request("replace", change)


def apply(**change: Any) -> Request:
    return Request("apply", change)


def status(**change: Any) -> Request:
    return Request("status patch", {"status": change})


def secret_env(*names: str) -> Json:
    refs = [{"name": f"V{i}", "secretKeyRef": {"name": name, "key": "k"}} for i, name in enumerate(names)]
    return {"env": refs}


def conditions(**statuses: str) -> list[Json]:
    fixed = {"observedGeneration": 1, "lastTransitionTime": "2026-11-25T12:00:00Z", "reason": "Any", "message": "Any."}
    return [{"type": kind, "status": value, **fixed} for kind, value in statuses.items()]


ASKED = Given(PROMOTION, "alice", {"requestedBy": "alice"})
VERIFIED = replace(ASKED, status={"digest": DIGEST, "conditions": conditions(VersionVerified="True", Finished="False")})
ROLLBACK = replace(VERIFIED, by="carol", spec={"requestedBy": "carol", "action": "RollBack"})
ASKED_BY_ERIN = replace(VERIFIED, by="erin", spec={"requestedBy": "erin"})
APPROVED = replace(VERIFIED, approvals=(("bob", "Approved"),))
BOTH_APPROVED = replace(VERIFIED, approvals=(("bob", "Approved"), ("erin", "Approved")))
ENDED = replace(APPROVED, ended={"conditions": conditions(VersionVerified="True", Finished="True")})
TRAINING = Given(RUN, "alice", {"parameters": {"a": 1}, "search": {"trials": 2, "metric": "f1", "space": {"a": [1, 2]}}})
OWNED = Given(STAGE, "carol")
PROMOTING = Given(RUN, "alice", {"requestedBy": "alice", "promotion": {"stage": "production"}, "job": {"serviceAccountName": "gpu", **secret_env("mine")}})
CHOSEN = Given(STAGE, "carol", {"version": "churn-1", "requestedBy": "carol"})
AUTOMATIC = {"mode": "Automatic"}
AUTOMATIC_FOR_ALL = {"mode": "Automatic", "automaticFor": "All"}
WITH_PROMOTION = {"promotion": {"stage": "production"}}
OURS, KOPFS, KOPFS_OTHER = "mira.constellation.dev/x", "kopf.zalando.org/x", "kopf.dev/x"
FOUR_EYES = "the requester of a ModelPromotion cannot approve it: ask somebody else who holds the verb approve"


ASKING = (
    Case("a requester asks in the own name", "alice", create(PROMOTION, requestedBy="alice")),
    Case(
        "nobody asks in the name of another",
        "alice",
        create(PROMOTION, requestedBy="dan"),
        'spec.requestedBy is "dan" and you are "alice": add "requestedBy: alice"',
    ),
    Case(
        "an administrator neither",
        "admin",
        create(PROMOTION, requestedBy="dan"),
        'spec.requestedBy is "dan" and you are "admin": add "requestedBy: admin"',
    ),
    Case(
        "nobody creates by server-side apply in the name of another",
        "alice",
        Request("apply", {"spec": {"requestedBy": "dan"}}, PROMOTION),
        'add "requestedBy: alice"',
    ),
    Case(
        "a dry run is refused like the request itself",
        "alice",
        create(PROMOTION, requestedBy="dan", dry_run=True),
        'add "requestedBy: alice"',
    ),
    Case("a service account asks in its own name", ARGO, create(PROMOTION, requestedBy=ARGO)),
    Case("the operator names the person it acts for", OPERATOR, create(PROMOTION, requestedBy="alice")),
    Case(
        "the operator never asks itself",
        OPERATOR,
        create(PROMOTION, requestedBy=OPERATOR),
        "spec.requestedBy is an operator of Mira, which never asks for a promotion itself",
    ),
    Case(
        "nor in the name of the second operator",
        OPERATOR,
        create(PROMOTION, requestedBy=OTHER_OPERATOR),
        "spec.requestedBy is an operator of Mira",
    ),
    Case("the second operator is an operator", OTHER_OPERATOR, create(PROMOTION, requestedBy="alice")),
    Case(
        "nothing is created approved",
        "alice",
        create(PROMOTION, requestedBy="alice", approvals=[approve("bob")]),
        "spec.approvals must be empty when a ModelPromotion is created",
    ),
    Case(
        "not even by the operator",
        OPERATOR,
        create(PROMOTION, requestedBy="alice", approvals=[approve("bob")]),
        "spec.approvals must be empty when a ModelPromotion is created",
    ),
    Case(
        "a rollback needs its verb",
        "alice",
        create(PROMOTION, requestedBy="alice", action="RollBack"),
        'spec.action RollBack needs the verb rollback on modelpromotions in namespace \"policies-closed\", which "alice" lacks',
    ),
    Case("whoever holds the verb rolls back", "carol", create(PROMOTION, requestedBy="carol", action="RollBack")),
    Case("the operator rolls back for somebody", OPERATOR, create(PROMOTION, requestedBy="alice", action="RollBack")),
    Case(
        "nobody asks without the right to create",
        "bob",
        create(PROMOTION, requestedBy="bob"),
        'cannot create resource "modelpromotions"',
    ),
    Case(
        "who asked cannot be rewritten",
        "alice",
        merge(spec={"requestedBy": "dan"}),
        "a ModelPromotion cannot be changed, apart from approvals",
        ASKED,
    ),
)

APPROVING = (
    Case("an approver approves", "bob", add(approve("bob", comment="looks right")), given=VERIFIED),
    Case("a second one does too", "erin", add(approve("erin")), given=APPROVED),
    Case("an approver approves by merge patch", "bob", merge(spec={"approvals": [approve("bob")]}), given=VERIFIED),
    Case("by replacing the object", "bob", put(spec={"approvals": [approve("bob")]}), given=VERIFIED),
    Case("by server-side apply", "erin", apply(spec={"approvals": [approve("erin")]}), given=APPROVED),
    Case("an approver rejects", "bob", add(approve("bob", "Rejected")), given=VERIFIED),
    Case("the requester does not approve, holding the verb", "erin", add(approve("erin")), FOUR_EYES, ASKED_BY_ERIN),
    Case("an administrator does not approve what is his own", "admin", add(approve("admin")), FOUR_EYES, replace(ASKED_BY_ERIN, by="admin", spec={"requestedBy": "admin"})),
    Case("not by merge patch", "erin", merge(spec={"approvals": [approve("erin")]}), FOUR_EYES, ASKED_BY_ERIN),
    Case("not by replacing", "erin", put(spec={"approvals": [approve("erin")]}), FOUR_EYES, ASKED_BY_ERIN),
    Case("not by server-side apply", "erin", apply(spec={"approvals": [approve("erin")]}), FOUR_EYES, ASKED_BY_ERIN),
    Case("not in a dry run", "erin", add(approve("erin"), dry_run=True), FOUR_EYES, ASKED_BY_ERIN),
    Case(
        "nobody approves without the verb",
        "dan",
        add(approve("dan")),
        'spec.approvals needs the verb approve on modelpromotions in namespace \"policies-closed\", which "dan" lacks',
        VERIFIED,
    ),
    Case("writing everything is not the verb", "frank", add(approve("frank")), 'which "frank" lacks', VERIFIED),
    Case(
        "nobody approves in the name of another",
        "bob",
        add(approve("erin")),
        'the entry of approver "erin" is not yours: leave it as it was, and in an entry of your own write "approver: bob"',
        VERIFIED,
    ),
    Case("the requester not in the name of an approver", "alice", add(approve("bob")), 'write "approver: alice"', VERIFIED),
    Case(
        "an own entry does not cover another's",
        "bob",
        merge(spec={"approvals": [approve("bob"), approve("erin")]}),
        'the entry of approver "erin" is not yours',
        VERIFIED,
    ),
    Case("a rollback is approved without the verb rollback", "bob", add(approve("bob")), given=ROLLBACK),
    Case("an operator outside the cluster does not approve", OUTSIDE_OPERATOR, add(approve(OUTSIDE_OPERATOR)), "is no person", VERIFIED),
    Case("a service account does not approve, with every right", ARGO, add(approve(ARGO)), "is no person", VERIFIED),
    Case("an operator does not, with every right", OTHER_OPERATOR, add(approve(OTHER_OPERATOR)), "is no person", VERIFIED),
    Case("Mira's own operator may not even try", OPERATOR, add(approve(OPERATOR)), "cannot patch resource", VERIFIED),
    Case("a node does not approve", NODE, add(approve(NODE)), "is no person", VERIFIED),
    Case("a component does not approve", SCHEDULER, add(approve(SCHEDULER)), "is no person", VERIFIED),
    Case("somebody without a name does not approve", ANONYMOUS, add(approve(ANONYMOUS)), "is no person", VERIFIED),
    Case(
        "an approval repeats the digest",
        "bob",
        add(approve("bob", digest=ANOTHER_DIGEST)),
        f'digest is "{ANOTHER_DIGEST}" and the version has another one: look at the version, then write "digest: {DIGEST}"',
        VERIFIED,
    ),
    Case("a rejection too", "bob", add(approve("bob", "Rejected", ANOTHER_DIGEST)), 'then write "digest:', VERIFIED),
    Case(
        "nothing is approved before it is verified",
        "bob",
        add(approve("bob")),
        "the version is not verified yet, so there is no status.digest to approve: wait for the condition VersionVerified",
        ASKED,
    ),
    Case(
        "an approver turns an approval into a rejection",
        "bob",
        operate({"op": "replace", "path": "/spec/approvals/0/decision", "value": "Rejected"}),
        given=APPROVED,
    ),
    Case(
        "an approver renews the own entry with another comment",
        "bob",
        operate({"op": "add", "path": "/spec/approvals/0/comment", "value": "looked again"}),
        given=APPROVED,
    ),
    Case(
        "a renewed entry repeats the digest",
        "bob",
        operate({"op": "replace", "path": "/spec/approvals/0/digest", "value": ANOTHER_DIGEST}),
        'then write "digest:',
        APPROVED,
    ),
    Case("an approver withdraws", "bob", operate({"op": "remove", "path": "/spec/approvals/0"}), given=APPROVED),
    Case(
        "nobody changes another's entry",
        "erin",
        operate({"op": "replace", "path": "/spec/approvals/0/decision", "value": "Rejected"}),
        'the entry of approver "bob" is not yours',
        APPROVED,
    ),
    Case(
        "nobody removes another's entry",
        "erin",
        operate({"op": "remove", "path": "/spec/approvals/0"}),
        'only "bob" may remove the entry of that name',
        APPROVED,
    ),
    Case(
        "an administrator neither",
        "admin",
        operate({"op": "remove", "path": "/spec/approvals/0"}),
        'only "bob" may remove the entry of that name',
        APPROVED,
    ),
    Case(
        "the requester neither",
        "alice",
        merge(spec={"approvals": []}),
        'only "bob" may remove the entry of that name',
        APPROVED,
    ),
    Case(
        "a merge patch that would replace the list is told what to do",
        "erin",
        merge(spec={"approvals": [approve("erin")]}),
        "a JSON patch with op add and path /spec/approvals/-, which keeps the others",
        APPROVED,
    ),
    Case(
        "nobody takes over another's entry",
        "erin",
        operate({"op": "replace", "path": "/spec/approvals/0/approver", "value": "erin"}),
        'only "bob" may remove the entry of that name',
        APPROVED,
    ),
    Case(
        "withdrawing does not cover removing another's",
        "bob",
        merge(spec={"approvals": []}),
        'only "erin" may remove the entry of that name',
        BOTH_APPROVED,
    ),
    Case("nothing is added after the end", "erin", add(approve("erin")), "after the promotion has ended", ENDED),
    Case(
        "nothing is withdrawn after the end",
        "bob",
        operate({"op": "remove", "path": "/spec/approvals/0"}),
        "after the promotion has ended",
        ENDED,
    ),
    Case(
        "nothing is changed after the end",
        "bob",
        operate({"op": "replace", "path": "/spec/approvals/0/decision", "value": "Rejected"}),
        "after the promotion has ended: create a new ModelPromotion under another name",
        ENDED,
    ),
    Case("a finished promotion may still be labelled", "alice", merge(metadata={"labels": {"a": "b"}}), given=ENDED),
    Case("an approved one may be labelled by others", "alice", merge(metadata={"labels": {"a": "b"}}), given=BOTH_APPROVED),
)

OPERATOR_ONLY = (
    Case("the operator writes the status of a promotion", OPERATOR, status(digest=DIGEST), given=ASKED),
    Case("so does the second operator", OTHER_OPERATOR, status(digest=DIGEST), given=ASKED),
    *(
        Case(f"nobody else writes the status of a {given.kind}", "admin", status(observedGeneration=9), "status belongs to the operator of Mira", given)
        for given in (ASKED, TRAINING, OWNED)
    ),
    Case(
        "nor replaces it",
        "admin",
        Request("status replace", {"status": {"digest": ANOTHER_DIGEST}}),
        "status belongs to the operator of Mira",
        ASKED,
    ),
    Case(
        "a status in a create is not taken over, so it needs no refusal",
        "alice",
        Request("create", {"spec": {"requestedBy": "alice"}, "status": {"digest": DIGEST}}, PROMOTION),
        then={"status": None},
    ),
    *(
        Case(
            f"nobody else annotates with {key}",
            "alice",
            merge(metadata={"annotations": {key: "1"}}),
            f'metadata.annotations: "{key}" belongs to the operator of Mira',
            ASKED,
        )
        for key in (OURS, KOPFS, KOPFS_OTHER)
    ),
    *(
        Case(
            f"nothing is created with an annotation: {kind}",
            "admin",
            create(kind, metadata={"annotations": {OURS: "1"}}, **({"requestedBy": "admin"} if kind == PROMOTION else {})),
            f'metadata.annotations: "{OURS}" belongs to the operator of Mira',
        )
        for kind in (RUN, STAGE, PROMOTION)
    ),
    Case(
        "an annotation of the operator is not changed",
        "alice",
        merge(metadata={"annotations": {OURS: "2"}}),
        "belongs to the operator of Mira",
        replace(ASKED, by=OPERATOR, metadata={"annotations": {OURS: "1"}}),
    ),
    Case(
        "nor removed",
        "alice",
        merge(metadata={"annotations": {OURS: None}}),
        "belongs to the operator of Mira",
        replace(ASKED, by=OPERATOR, metadata={"annotations": {OURS: "1"}}),
    ),
    Case(
        "beside it other annotations are free",
        "alice",
        merge(metadata={"annotations": {"example.com/x": "2"}}),
        given=replace(ASKED, by=OPERATOR, metadata={"annotations": {OURS: "1"}}),
    ),
    Case("a finalizer is not added", "alice", merge(metadata={"finalizers": [OURS]}), f'metadata.finalizers: "{OURS}"', ASKED),
    Case(
        "nor removed",
        "alice",
        merge(metadata={"finalizers": []}),
        f'metadata.finalizers: "{OURS}"',
        replace(ASKED, by=OPERATOR, metadata={"finalizers": [OURS]}),
    ),
    Case("other finalizers are free", "alice", merge(metadata={"finalizers": ["example.com/x"]}), given=ASKED),
)

TRAINING_RUNS = (
    Case("a run needs no name of who asks", "alice", create(RUN)),
    Case("a run in the own name", "alice", create(RUN, requestedBy="alice")),
    Case(
        "not in the name of another",
        "alice",
        create(RUN, requestedBy="dan"),
        'spec.requestedBy is "dan" and you are "alice": write "requestedBy: alice"',
    ),
    Case("an operator creates a run for somebody", OTHER_OPERATOR, create(RUN, requestedBy="alice", **WITH_PROMOTION)),
    Case(
        "an operator never asks for a run itself",
        OTHER_OPERATOR,
        create(RUN, requestedBy=OTHER_OPERATOR),
        "spec.requestedBy is an operator of Mira, which never asks for a run itself",
    ),
    Case("a run that promotes names who asks", "alice", create(RUN, requestedBy="alice", **WITH_PROMOTION)),
    Case(
        "promotion needs the right to create promotions",
        "frank",
        create(RUN, requestedBy="frank", **WITH_PROMOTION),
        'spec.promotion needs the verb create on modelpromotions in namespace \"policies-closed\", which "frank" lacks',
    ),
    Case("without promotion no such right is needed", "frank", create(RUN)),
    Case("nor by an operator, which acts for somebody who has it", OUTSIDE_OPERATOR, create(RUN, requestedBy="alice", **WITH_PROMOTION)),
    Case("the default service account is everybody's", "alice", create(RUN, job={"serviceAccountName": "mira-trainer"})),
    Case(
        "another one needs the verb use",
        "alice",
        create(RUN, job={"serviceAccountName": "argo"}),
        '"alice" lacks the verb use on service account "argo" in namespace \"policies-closed\"',
    ),
    Case("whoever holds it uses it", "alice", create(RUN, job={"serviceAccountName": "gpu"})),
    Case("an operator is not asked again", OTHER_OPERATOR, create(RUN, requestedBy="alice", job={"serviceAccountName": "argo", **secret_env("theirs")})),
    Case("a Secret that the caller may get", "alice", create(RUN, job=secret_env(*["mine"] * 16))),
    *(
        Case(
            f"one that the caller may not get, as variable {place + 1} of 16",
            "alice",
            create(RUN, job=secret_env(*["mine"] * place, "theirs", *["mine"] * (15 - place))),
            '"alice" may not get the Secret "theirs" in namespace \"policies-closed\"',
        )
        for place in range(16)
    ),
    Case("more than 16 are refused", "alice", create(RUN, job=secret_env(*["mine"] * 17)), "at most 16 variables"),
    Case("plain variables need no right", "alice", create(RUN, job={"env": [{"name": "A", "value": "1"}]})),
    Case("a run is suspended", "dan", merge(spec={"suspend": True}), given=TRAINING),
    Case("so is one without parameters and search", "dan", merge(spec={"suspend": True}), given=Given(RUN, "alice")),
    Case("what a run was allowed is not asked again", "frank", merge(spec={"suspend": True}), given=PROMOTING),
    Case(
        "parameters are not renamed",
        "alice",
        merge(spec={"parameters": {"a": None, "b": 1}}),
        "spec.parameters: a TrainingRun cannot be changed",
        TRAINING,
    ),
    Case("nor removed", "alice", operate({"op": "remove", "path": "/spec/parameters"}), "cannot be changed", TRAINING),
    Case(
        "the search space is not renamed",
        "alice",
        merge(spec={"search": {"space": {"a": None, "b": [1, 2]}}}),
        "spec.search.space: a TrainingRun cannot be changed",
        TRAINING,
    ),
)

STAGES = (
    Case("a stage owner creates a stage", "carol", create(STAGE)),
    Case("a requester does not", "alice", create(STAGE), 'cannot create resource "modelstages"'),
    Case("a requester does not change one", "alice", merge(spec={"gates": []}), 'cannot patch resource "modelstages"', OWNED),
    Case(
        "Automatic needs the namespace's label",
        "carol",
        create(STAGE, approvalPolicy=AUTOMATIC),
        'spec.approvalPolicy.mode Automatic needs the label mira.constellation.dev/automatic-promotion (it is "") on namespace \"policies-closed\"',
    ),
    Case("also for an administrator", "admin", create(STAGE, approvalPolicy=AUTOMATIC), "needs the label"),
    Case("also for a service account with every right", ARGO, create(STAGE, approvalPolicy=AUTOMATIC), "needs the label"),
    Case("also on a change", "carol", merge(spec={"approvalPolicy": AUTOMATIC}), "needs the label", OWNED),
    Case(
        "another value is no label",
        "admin",
        create(STAGE, namespace=MISLABELLED, approvalPolicy=AUTOMATIC),
        'it is "yes"',
    ),
    Case("with it a stage may be Automatic", "carol", create(STAGE, namespace=FOR_SERVICE_ACCOUNTS, approvalPolicy=AUTOMATIC)),
    Case(
        "the label bounds for whom",
        "carol",
        create(STAGE, namespace=FOR_SERVICE_ACCOUNTS, approvalPolicy=AUTOMATIC_FOR_ALL),
        "spec.approvalPolicy.automaticFor All needs the label mira.constellation.dev/automatic-promotion: All",
    ),
    Case(
        "also on a change",
        "carol",
        merge(spec={"approvalPolicy": {"automaticFor": "All"}}),
        "spec.approvalPolicy.automaticFor All needs the label",
        Given(STAGE, "carol", {"approvalPolicy": AUTOMATIC}, namespace=FOR_SERVICE_ACCOUNTS),
    ),
    Case("a Manual stage may say for whom it would be", "carol", create(STAGE, approvalPolicy={"mode": "Manual", "automaticFor": "All"})),
    Case("All allows all", "carol", create(STAGE, namespace=FOR_ALL, approvalPolicy=AUTOMATIC_FOR_ALL)),
    Case("All includes service accounts", "carol", create(STAGE, namespace=FOR_ALL, approvalPolicy=AUTOMATIC)),
    Case("who sets the version says so", "carol", create(STAGE, version="churn-1", requestedBy="carol")),
    Case(
        "not in the name of another",
        "carol",
        create(STAGE, version="churn-1", requestedBy="dan"),
        'spec.version is set and spec.requestedBy is "dan", but you are "carol": add "requestedBy: carol"',
    ),
    Case("who changes it says so", "admin", merge(spec={"version": "churn-2", "requestedBy": "admin"}), given=CHOSEN),
    Case(
        "and not in the name of another",
        "admin",
        merge(spec={"version": "churn-2", "requestedBy": "bob"}),
        'spec.requestedBy is "bob", but you are "admin": add "requestedBy: admin"',
        CHOSEN,
    ),
    Case("an operator sets it for somebody", OTHER_OPERATOR, create(STAGE, version="churn-1", requestedBy="carol")),
    Case(
        "so does one that may not promote by itself",
        OUTSIDE_OPERATOR,
        create(STAGE, version="churn-1", requestedBy="carol"),
    ),
    Case("others change other fields", "frank", merge(spec={"onRefreshFailure": "RollBack"}), given=CHOSEN),
    Case(
        "but not who asked",
        "admin",
        merge(spec={"requestedBy": "bob"}),
        'spec.requestedBy is "bob" and you are "admin": leave it as it was, or write "requestedBy: admin"',
        CHOSEN,
    ),
    Case(
        "nobody is named before there is a version",
        "carol",
        create(STAGE, requestedBy="dan"),
        'spec.requestedBy is "dan" and you are "carol"',
    ),
    Case("a version is taken back by anybody who may", "admin", merge(spec={"version": None}), given=CHOSEN),
    Case("and the name with it", "frank", merge(spec={"version": None, "requestedBy": None}), given=CHOSEN),
    Case(
        "a version needs the right to create promotions",
        "frank",
        create(STAGE, version="churn-1", requestedBy="frank"),
        'spec.version makes a promotion and so needs the verb create on modelpromotions in namespace \"policies-closed\", which "frank" lacks',
    ),
    Case(
        "and the right to roll back",
        "dan",
        create(STAGE, namespace=FOR_ALL, version="churn-1", requestedBy="dan"),
        'spec.version can go back and so needs the verb rollback on modelpromotions in namespace "policies-all", which "dan" lacks',
    ),
)

CASES = (*ASKING, *APPROVING, *OPERATOR_ONLY, *TRAINING_RUNS, *STAGES)

FILLED = (
    Case("who asks is filled in", "alice", create(PROMOTION), then={"spec": {"requestedBy": "alice"}}),
    Case("for a run too", "alice", create(RUN), then={"spec": {"requestedBy": "alice"}}),
    Case("for a run that promotes", "alice", create(RUN, **WITH_PROMOTION), then={"spec": {"requestedBy": "alice"}}),
    Case(
        "in a dry run", "alice", create(PROMOTION, dry_run=True), then={"spec": {"requestedBy": "alice"}}
    ),
    Case(
        "with server-side apply", "alice", Request("apply", {}, PROMOTION), then={"spec": {"requestedBy": "alice"}}
    ),
    Case("not for an operator, who has to know", OPERATOR, create(PROMOTION), "spec.requestedBy: Required value"),
    Case(
        "replacing a promotion without the name keeps it",
        "dan",
        put(spec={"requestedBy": None}, metadata={"labels": {"a": "b"}}),
        given=ASKED,
        then={"spec": {"requestedBy": "alice"}, "metadata": {"labels": {"a": "b"}}},
    ),
    Case(
        "replacing a run without the name keeps it",
        "dan",
        put(spec={"requestedBy": None, "suspend": True}),
        given=replace(TRAINING, spec={"requestedBy": "alice"}),
        then={"spec": {"requestedBy": "alice", "suspend": True}},
    ),
    Case(
        "replacing after an approval removes it, which is refused",
        "alice",
        put(spec={"requestedBy": None, "approvals": None}),
        'only "bob" may remove the entry of that name',
        APPROVED,
    ),
    Case(
        "the approver is filled in, so that approving is one short patch",
        "bob",
        add({"decision": "Approved", "digest": DIGEST}),
        given=VERIFIED,
        then={"spec": {"approvals": [approve("bob")]}},
    ),
    Case(
        "beside another's entry",
        "erin",
        add({"decision": "Approved", "digest": DIGEST}),
        given=APPROVED,
        then={"spec": {"approvals": [approve("bob"), approve("erin")]}},
    ),
    Case(
        "by merge patch",
        "bob",
        merge(spec={"approvals": [{"decision": "Rejected", "digest": DIGEST}]}),
        given=VERIFIED,
        then={"spec": {"approvals": [approve("bob", "Rejected")]}},
    ),
    Case(
        "by replacing",
        "bob",
        put(spec={"approvals": [{"decision": "Rejected", "digest": DIGEST}]}),
        given=VERIFIED,
        then={"spec": {"approvals": [approve("bob", "Rejected")]}},
    ),
    Case(
        "with server-side apply the approver is written",
        "bob",
        apply(spec={"approvals": [{"decision": "Approved", "digest": DIGEST}]}),
        "approver",
        VERIFIED,
    ),
    Case("the requester gains nothing by it", "erin", add({"decision": "Approved", "digest": DIGEST}), FOUR_EYES, ASKED_BY_ERIN),
    Case(
        "who sets a stage's version is filled in",
        "carol",
        create(STAGE, version="churn-1"),
        then={"spec": {"requestedBy": "carol"}},
    ),
    Case(
        "later too",
        "admin",
        merge(spec={"version": "churn-1"}),
        given=OWNED,
        then={"spec": {"requestedBy": "admin"}},
    ),
    Case(
        "whoever changes it takes the place of who did before",
        "admin",
        merge(spec={"version": "churn-2"}),
        given=CHOSEN,
        then={"spec": {"requestedBy": "admin"}},
    ),
    Case(
        "who changes something else does not",
        "admin",
        put(spec={"requestedBy": None, "onRefreshFailure": "RollBack"}),
        given=CHOSEN,
        then={"spec": {"requestedBy": "carol", "onRefreshFailure": "RollBack"}},
    ),
    Case("a stage without a version names nobody", "carol", create(STAGE), then={"spec": {"requestedBy": None}}),
)

WRITTEN = (
    Case("a promotion without the name of who asks", "alice", create(PROMOTION), "spec.requestedBy: Required value"),
    Case("a run does not need it", "alice", create(RUN), then={"spec": {"requestedBy": None}}),
    Case(
        "a run that promotes does",
        "alice",
        create(RUN, **WITH_PROMOTION),
        'spec.promotion needs to know who asks: add "requestedBy: alice"',
    ),
    Case(
        "so it does when an operator creates it",
        OTHER_OPERATOR,
        create(RUN, **WITH_PROMOTION),
        "spec.promotion needs to know who asks",
    ),
    Case(
        "an approval without the approver",
        "bob",
        add({"decision": "Approved", "digest": DIGEST}),
        "spec.approvals[0].approver: Required value",
        VERIFIED,
    ),
    Case(
        "a stage with a version",
        "carol",
        create(STAGE, version="churn-1"),
        'spec.version is set and spec.requestedBy is "", but you are "carol": add "requestedBy: carol"',
    ),
    Case(
        "a changed version with the name of who set it before",
        "admin",
        merge(spec={"version": "churn-2"}),
        'spec.requestedBy is "carol", but you are "admin": add "requestedBy: admin"',
        CHOSEN,
    ),
    Case(
        "the name removed while the version stays",
        "carol",
        merge(spec={"requestedBy": None}),
        'spec.requestedBy cannot be removed while spec.version is set: add "requestedBy: carol"',
        CHOSEN,
    ),
)
