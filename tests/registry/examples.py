"""One document of each schema, with every field set."""

from datetime import UTC, datetime
from typing import Any

from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.document import Document, sha256
from mira.registry.drift import (
    ColumnDrift,
    ColumnVerdict,
    Drift,
    NullShares,
    Reference,
    RowCounts,
)
from mira.registry.entry import (
    GENESIS,
    Approval,
    Asker,
    Decision,
    Entry,
    EntryKind,
    Gate,
    GateResult,
    MovedBy,
    Pointer,
    Version,
    render_pointer,
)
from mira.registry.inputs import Inputs, Listed, Listing
from mira.registry.manifest import (
    Code,
    Column,
    ComparedWith,
    Direction,
    DriftVerdict,
    File,
    Manifest,
    Metric,
    Rows,
    Run,
    Schema,
    Source,
    Validation,
)
from mira.registry.order import Order, OrderedRun, OrderKind
from mira.registry.outcome import FailedCheck, Outcome, Result, Termination
from mira.registry.probe import RegistryInfo
from mira.registry.profile import Profile, ProfiledColumn

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
DIGEST, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ATTEMPT = "01234567-89abcdef"
OWN = f"attempts/{ATTEMPT}/model/"


def a_file(path: str = f"{OWN}model.onnx") -> File:
    return File(path=path, size=5, sha256=sha256(b"model"))


CHECK = FailedCheck(check="maxNullShare", column="age", message="3 of 100")
A_SOURCE = Source(name="training", uri="s3://b/k", sha256="0" * 64, size=1, rows=2, version_id="3", etag='"e"')


def a_drift(**fields: Any) -> Drift:
    nulls = NullShares(reference="0.1", current="0.25")
    given: dict[str, Any] = {
        "namespace": "team-a",
        "model": "churn",
        "reference": Reference(version="v0", digest=OTHER),
        "verdict": DriftVerdict.DRIFTED,
        "reason": "r",
        "rows": RowCounts(reference=80, current=20),
        "limit": "0.3",
        "drifted_share": "0.75",
        "columns": [
            ColumnDrift(
                name="age", type="Integer", verdict=ColumnVerdict.DRIFTED, psi="1.5", threshold="0.4", ks="0.3",
                null_share=nulls,
            ),
            ColumnDrift(name="plan", type="String", verdict=ColumnVerdict.STABLE, psi="0.1", threshold="0.4"),
            ColumnDrift(
                name="spend", type="Number", current_type="String", verdict=ColumnVerdict.RETYPED, null_share=nulls
            ),
            ColumnDrift(name="active", type="Boolean", verdict=ColumnVerdict.MISSING),
            ColumnDrift(name="country", type="String", verdict=ColumnVerdict.EXTRA),
        ],
        "sources": [A_SOURCE],
        "created_at": NOW,
    }  # fmt: skip
    return Drift(**given | fields)


def a_profile(**fields: Any) -> Profile:
    given: dict[str, Any] = {
        "rows": 80,
        "columns": [
            ProfiledColumn(
                name="age", type="Integer", missing=8, edges=["-1.5e-07", "18.0", "1e+22"], counts=[1, 2, 3, 66]
            ),
            ProfiledColumn(name="plan", type="String", missing=0, categories=["0123456789abcdef"], counts=[70, 10]),
            ProfiledColumn(name="since", type="Timestamp", missing=80, counts=[0]),
        ],
        "left_out": 1,
    }
    return Profile(**given | fields)


def a_manifest(**fields: Any) -> Manifest:
    given: dict[str, Any] = {
        "namespace": "team-a",
        "model": "churn",
        "version": "v1",
        "description": "Churn within 30 days",
        "task": "Classification",
        "attempt": ATTEMPT,
        "run": Run(name="v1", uid="uid", spec_hash=DIGEST, requested_by="alice"),
        "code": Code(image="i", revision="c", estimator="default", features="m:f", libraries={"numpy": "2.4.6"}),
        "parameters": {"depth": 3, "rate": 0.1, "none": None},
        "seed": 7,
        "sources": [A_SOURCE],
        "rows": Rows(training=80, evaluation=20),
        "model_schema": Schema(
            columns=[Column(name="age", type="int64")],
            target="churned",
            classes=["0", "1"],
            sample={"age": 40, "spend": 1.5, "plan": "free", "active": True},
        ),
        "metrics": [Metric(name="roc_auc", value="0.8", direction=Direction.HIGHER, slice="plan=pro")],
        "compared_with": ComparedWith(
            stage="production", version="v0", digest=OTHER, verdict=Verdict.COMPARED, reason="r"
        ),
        "validation": Validation(passed=3, warnings=[CHECK]),
        "drift": a_drift().summary,
        "files": [a_file()],
        "created_at": NOW,
    }
    return Manifest(**given | fields)


def an_entry(**fields: Any) -> Entry:
    given: dict[str, Any] = {
        "number": 1,
        "prev_sha256": GENESIS,
        "op": "a" * 64,
        "kind": EntryKind.PROMOTE,
        "reason": "Promoted",
        "message": "m",
        "namespace": "team-a",
        "model": "churn",
        "stage": "production",
        "current": Version(version="v1", digest=DIGEST),
        "moved_by": MovedBy(number=fields.get("number", 1), name="first", creation_timestamp=NOW),
        "previous": Version(version="v0", digest=OTHER),
        "candidate": "v1",
        "resource": Asker(namespace="team-a", name="first", uid="uid", creation_timestamp=NOW),
        "requested_by": "alice",
        "approvals": [Approval(approver="bob", decision=Decision.APPROVED, digest=DIGEST, comment="ok", seen_at=NOW)],
        "gates": [
            Gate(
                metric="roc_auc",
                slice="plan=pro",
                measured="0.8",
                current="0.7",
                lower="0.01",
                threshold="minimum 0.75",
                result=GateResult.PASS,
                reason="Passed",
            )
        ],
        "policy_digest": OTHER,
        "signed_by": "c" * 64,
        "justification": "CHG-1",
        "decided_at": NOW,
        "operator_version": "0.1.0",
    }
    return Entry(**given | fields)


def an_order(**fields: Any) -> Order:
    given: dict[str, Any] = {
        "kind": OrderKind.TRAIN,
        "registry": "s3://mira/registry",
        "namespace": "team-a",
        "model": "churn",
        "version": "v1",
        "run": OrderedRun(name="v1", uid="uid", spec_hash=DIGEST, requested_by="alice"),
        "image": "i",
        "description": "d",
        "against": "production",
        "digest": DIGEST,
        "spec": {"parameters": {"a": 1}},
    }
    return Order(**given | fields)


def a_comparison(**fields: Any) -> Comparison:
    given: dict[str, Any] = {
        "candidate": DIGEST,
        "current": OTHER,
        "current_version": "v0",
        "verdict": Verdict.COMPARED,
        "reason": "r",
        "rows": 20,
        "differences": [
            Difference(
                metric="roc_auc",
                slice="plan=pro",
                direction=Direction.HIGHER,
                candidate="0.8",
                current="0.7",
                lower="0.05",
                upper="0.15",
            )
        ],
        "created_at": NOW,
    }
    return Comparison(**given | fields)


DOCUMENTS: list[Document] = [
    a_manifest(),
    an_entry(),
    Pointer.parse(render_pointer(an_entry().render())),
    an_order(),
    a_comparison(),
    a_drift(),
    a_profile(),
    Outcome(
        attempt=ATTEMPT,
        result=Result.FAILED,
        reason="ChecksFailed",
        message="m",
        retryable=False,
        step="validate",
        digest=DIGEST,
        failed_checks=[CHECK],
        drift=a_drift().summary,
        started_at=NOW,
        finished_at=NOW,
    ),
    Termination(result=Result.FAILED, reason="ChecksFailed", message="m", step="validate", failed_checks=[CHECK]),
    Inputs(listings=[Listing(name="training", objects=[Listed(uri="s3://b/k", size=1, etag='"e"', version_id="3")])]),
    RegistryInfo(layout_version=1, registry_id="id", owner="cluster"),
]
