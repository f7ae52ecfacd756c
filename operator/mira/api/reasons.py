"""Every reason that a condition, gate or approval can give: public API, one word and when it is said.

A reason is never renamed and never changes its meaning within v1alpha1; new ones may be added.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

RUN = ("TrainingRun",)
PROMOTION = ("ModelPromotion",)
STAGE = ("ModelStage",)
REGISTRY = PROMOTION + STAGE
ALL = RUN + PROMOTION + STAGE


class Reason(StrEnum):
    """A reason, the kinds that give it and the sentence that says when."""

    kinds: tuple[str, ...]
    when: str

    def __new__(cls, value: str, kinds: tuple[str, ...], when: str) -> Self:
        """The member, which is its value and knows when it is said."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.kinds = kinds
        member.when = when
        return member

    @classmethod
    def known(cls, text: str) -> Reason | None:
        """The reason of this name, None if a newer version of Mira made it up."""
        found = cls._value2member_map_.get(text)
        return found if isinstance(found, cls) else None

    # Of any kind
    PENDING = "Pending", ALL, "The operator has seen the object and not yet worked on it."
    SPEC_UNREADABLE = "SpecUnreadable", ALL, "This operator cannot read the spec: a newer version of Mira wrote it."
    NOT_SUPPORTED = "NotSupported", ALL, "The spec asks for something that this version of Mira cannot do yet."
    REGISTRY_UNAVAILABLE = "RegistryUnavailable", ALL, "S3 does not answer or answers with an error; it is tried again."
    REGISTRY_REFUSED = (
        "RegistryRefused",
        ALL,
        "S3 refuses the request (400 or 403): a policy, a role or a key is wrong; tried again, slowly.",
    )
    REGISTRY_UNSAFE = (
        "RegistryUnsafe",
        ALL,
        "The store ignores conditional writes or belongs to another registry; nothing is written.",
    )

    # A run on its way
    SUSPENDED = "Suspended", RUN, "spec.suspend is true: no Job is made, or the Job is suspended without a pod."
    QUEUED = "Queued", RUN, "The Job waits for Kueue to admit it; without Kueue or such a queue it waits for ever."
    STARTING = (
        "Starting",
        RUN,
        "The Job exists and no pod of it runs yet; the message says what the pod waits for, or why there may be none.",
    )
    RUNNING = "Running", RUN, "A pod of the Job runs and has not said yet which step it is at."
    INGESTING = "Ingesting", RUN, "A pod of the Job reads the data."
    VALIDATING = "Validating", RUN, "A pod of the Job checks the data."
    TRAINING = "Training", RUN, "A pod of the Job trains; the data is valid."
    EVALUATING = "Evaluating", RUN, "A pod of the Job measures the model and compares it with the current version."
    PUBLISHING = "Publishing", RUN, "A pod of the Job uploads the version."
    RETRYING = "Retrying", RUN, "An attempt failed and the Job will start another."
    SUCCEEDED = "Succeeded", RUN, "The version is published."
    ADOPTED = (
        "Adopted",
        RUN,
        "The version already existed, made from the same spec: the run takes it and trains nothing.",
    )

    # A run refused before there is a Job
    VERSION_EXISTS = "VersionExists", RUN, "The version exists, made from another spec: use another name."
    IMAGE_NOT_ALLOWED = "ImageNotAllowed", RUN, "The image's registry is not among those that the platform allows."
    DATA_NOT_ALLOWED = "DataNotAllowed", RUN, "A uri lies outside what the namespace may read."
    ORDER_TOO_LARGE = (
        "OrderTooLarge",
        RUN,
        "The order for the training image is over 200 KiB; the message names the largest field.",
    )
    PARAMETERS_NOT_CANONICAL = (
        "ParametersNotCanonical",
        RUN,
        "A value in parameters or search.space cannot be hashed: a whole number too large, or nesting too deep.",
    )
    JOB_NAME_TAKEN = "JobNameTaken", RUN, "A Job of the run's name exists and belongs to somebody else."
    JOB_REFUSED = (
        "JobRefused",
        RUN + PROMOTION,
        "The API server refuses the Job, e.g. for a quota or a limit range; the message says which.",
    )

    # A run that failed
    FAILED = "Failed", RUN, "The run ended without a version and nothing more precise is known."
    JOB_LOST = "JobLost", RUN, "The Job is gone and left no outcome in S3; it is never made a second time."
    OUT_OF_MEMORY = (
        "OutOfMemory",
        RUN,
        "The pod was killed for using more memory than its limit, or asked for more than there is.",
    )
    DISK_FULL = "DiskFull", RUN, "No space was left on the pod's disk; the message says where."
    EVICTED = "Evicted", RUN, "The node evicted the pod and no try was left."
    INTERRUPTED = (
        "Interrupted",
        RUN,
        "The pod was told to stop, e.g. by a node drain, and no try was left, or the Job was deleted.",
    )
    NEVER_STARTED = (
        "NeverStarted",
        RUN,
        "No container ever started: image, secret, user or scheduling; the message says which.",
    )
    DEADLINE_EXCEEDED = "DeadlineExceeded", RUN, "The Job ran longer than job.activeDeadlineSeconds."
    UNEXPECTED = "Unexpected", RUN, "The training image met an error that it does not know."

    # What the training image says about code
    CODE_NOT_FOUND = "CodeNotFound", RUN, "A module:attr of the spec names nothing in the image."
    CODE_IMPORT_FAILED = "CodeImportFailed", RUN, "A module that the spec names raises on import."
    CODE_INVALID = "CodeInvalid", RUN, "A module:attr is there and is not what is needed, e.g. has no fit and predict."
    CODE_FAILED = "CodeFailed", RUN, "User code raised while it worked; the message has its last line."
    INVALID_PARAMETERS = (
        "InvalidParameters",
        RUN,
        "parameters do not fit what the user code declares; the message names each.",
    )
    EXTRA_NOT_INSTALLED = (
        "ExtraNotInstalled",
        RUN,
        "The spec needs a package that this image is built without, e.g. Evidently.",
    )
    SIGNING_KEY_INVALID = (
        "SigningKeyInvalid",
        RUN,
        "The key with which versions are to be signed cannot be read or used; nothing is trained.",
    )
    ORDER_INVALID = (
        "OrderInvalid",
        RUN,
        "The image cannot read its order: operator and image are of different versions.",
    )

    # What the training image says about data
    DATA_VALID = "DataValid", RUN, "The data passed every check."
    DATA_INVALID = "DataInvalid", RUN, "The data failed a check that no more precise reason names."
    DATA_NOT_FOUND = "DataNotFound", RUN, "A uri names no object, or a prefix holds none."
    DATA_UNREADABLE = "DataUnreadable", RUN, "An object is there and is not readable as its format."
    DATA_ACCESS_DENIED = "DataAccessDenied", RUN, "The run's account may not read a uri."
    COLUMNS_MISSING = "ColumnsMissing", RUN, "Columns that the spec names are not in the data."
    CHECKS_FAILED = "ChecksFailed", RUN, "Checks of data.checks failed; status.failedChecks lists the first ten."
    EXPECTATIONS_FAILED = (
        "ExpectationsFailed",
        RUN,
        "The Great Expectations suite failed; status.failedChecks lists the first ten.",
    )
    EXPECTATIONS_INVALID = (
        "ExpectationsInvalid",
        RUN,
        "The Great Expectations suite is not there or cannot be used; the message says where. No data was read.",
    )
    SCHEMA_DRIFT = (
        "SchemaDrift",
        RUN,
        "Columns or types differ from the current version's training data and checks.schemaDrift is Fail.",
    )
    DATA_DRIFT = "DataDrift", RUN, "More columns drifted than drift.maxDriftedShare allows."
    DRIFT_MEASURED = (
        "DriftMeasured",
        RUN,
        "A drift check has its answer; the message says the share of drifted columns and the verdict.",
    )
    DRIFT_NOT_MEASURED = (
        "DriftNotMeasured",
        RUN,
        "A drift check has nothing to compare: no such version, none with a profile, or no rows; the message says it.",
    )
    NOT_ENOUGH_ROWS = (
        "NotEnoughRows",
        RUN,
        "There are fewer rows than checks.minRows, or too few to train and evaluate.",
    )

    # Steps of a run that ended well
    TRAINED = "Trained", RUN, "The model is fitted and evaluated."
    PUBLISHED = "Published", RUN, "The manifest is in the registry."
    PROMOTION_NAME_TAKEN = (
        "PromotionNameTaken",
        RUN + STAGE,
        "The promotion to be made has the name of one that somebody else made.",
    )
    PROMOTION_CREATED = (
        "PromotionCreated",
        STAGE,
        "spec.version differs from the current version and a promotion was made for it.",
    )

    # A promotion that waits
    STAGE_NOT_FOUND = "StageNotFound", PROMOTION, "There is no ModelStage named <model>.<stage> in the namespace."
    AWAITING_APPROVAL = "AwaitingApproval", PROMOTION, "Fewer people approved than the stage asks for."
    INCONCLUSIVE = (
        "Inconclusive",
        PROMOTION,
        "A gate cannot be judged; the message says which and what to do.",
    )
    COMPARED = "Compared", RUN, "The pair has its comparison in the registry: a Compare order has done its work."
    COMPARING = (
        "Comparing",
        PROMOTION,
        "The pair was never compared: a Job of the promotion scores both versions on the same rows, then it goes on.",
    )
    COMPARISON_FAILED = (
        "ComparisonFailed",
        RUN + PROMOTION,
        "The versions could not be compared, and nothing was written; the message says why, and how to try again.",
    )
    NOT_SOAKED = (
        "NotSoaked",
        PROMOTION,
        "The version has not been current in the required stage for requires.soakSeconds.",
    )
    FROZEN_UNTIL = "FrozenUntil", PROMOTION, "A freeze window is open; the message says until when."
    FREEZE_WINDOW_INVALID = (
        "FreezeWindowInvalid",
        REGISTRY,
        "A freeze window has no possible schedule or no known time zone: nothing is promoted until it is put right.",
    )
    ADMISSION_POLICY_MISSING = (
        "AdmissionPolicyMissing",
        RUN + PROMOTION,
        "Mira's admission policies are not in force here, so nobody knows who asked, and no approval counts.",
    )

    # How a promotion ends
    PROMOTED = "Promoted", PROMOTION, "The version is current."
    ROLLED_BACK = "RolledBack", PROMOTION, "The stage went back to the version."
    SUPERSEDED = (
        "Superseded",
        PROMOTION,
        "A promotion that was created later has moved the stage: nothing is left to do, and this one never moves it.",
    )
    ALREADY_CURRENT = "AlreadyCurrent", PROMOTION, "The stage already serves the version."
    REJECTED = "Rejected", PROMOTION, "An approver rejected it."
    GATES_FAILED = "GatesFailed", PROMOTION, "At least one gate failed; status.gates has each."
    CONFLICT = "Conflict", PROMOTION, "The current version is not the one in expectedCurrent."
    NOT_A_ROLLBACK = (
        "NotARollback",
        PROMOTION,
        "The version was never current in this stage with this digest: promote it instead.",
    )
    VERSION_NOT_FOUND = (
        "VersionNotFound",
        PROMOTION,
        "The version has no manifest in the registry: not yet, or its run failed.",
    )
    VERSION_REVOKED = "VersionRevoked", PROMOTION, "The version was revoked or collected; its id is never used again."
    DIGEST_MISMATCH = (
        "DigestMismatch",
        PROMOTION,
        "The manifest has another digest than the promotion or the approval names.",
    )
    MANIFEST_INVALID = (
        "ManifestInvalid",
        PROMOTION,
        "The manifest is not what a Mira manifest must be; the message says where.",
    )
    NOT_SIGNED = (
        "NotSigned",
        PROMOTION,
        "The operator knows keys that must sign, and the version has no signature by any of them.",
    )
    SIGNATURE_INVALID = (
        "SignatureInvalid",
        PROMOTION,
        "What lies where a key's signature should be is not that key's signature over this version's manifest.",
    )
    ARTIFACT_CORRUPT = "ArtifactCorrupt", PROMOTION, "A file of the version is missing, short or has another sha256."
    REFUSED = (
        "Refused",
        PROMOTION,
        "A newer version of Mira refused it for a reason that this one does not know; the message says it.",
    )
    REFRESH_FAILED = "RefreshFailed", REGISTRY, "A target did not come to serve the version."

    # Conditions of a promotion that hold
    VERIFIED = "Verified", PROMOTION, "Manifest and files have the digests they should."
    GATES_PASSED = "GatesPassed", PROMOTION, "Every gate passed."
    NO_GATES = "NoGates", PROMOTION, "The stage has no gates."
    SKIPPED_FOR_ROLLBACK = "SkippedForRollback", PROMOTION, "A rollback skips gates, requirements and freeze windows."
    APPROVED = "Approved", PROMOTION, "As many people approved as the stage asks for."
    AUTOMATIC = "Automatic", PROMOTION, "The stage's mode is Automatic and the namespace allows it for this requester."
    NO_APPROVAL_NEEDED = "NoApprovalNeeded", PROMOTION, "The stage asks for no approval of a rollback."

    # One gate
    PASSED = "Passed", PROMOTION, "The measured value is within the threshold."
    NO_CURRENT_VERSION = "NoCurrentVersion", PROMOTION, "The stage serves nothing yet, so nothing can get worse."
    BELOW_MINIMUM = "BelowMinimum", PROMOTION, "The metric is below the gate's minimum."
    ABOVE_MAXIMUM = "AboveMaximum", PROMOTION, "The metric is above the gate's maximum."
    REGRESSED = "Regressed", PROMOTION, "The metric may be worse than the current version's by more than maxRegression."
    METRIC_NOT_FOUND = (
        "MetricNotFound",
        PROMOTION,
        "The version does not report the metric, or not for the slice; the message names those that it reports.",
    )
    NOT_COMPARED = (
        "NotCompared",
        PROMOTION,
        "The pair was never scored on the same rows: a run with evaluation.against does it as it trains, else a Job.",
    )
    DIRECTION_UNKNOWN = (
        "DirectionUnknown",
        PROMOTION,
        "The manifest does not say whether higher is better, so maxRegression cannot be judged.",
    )
    NOT_COMPARABLE = "NotComparable", PROMOTION, "Candidate and current version cannot be scored on the same rows."

    # One approval
    COUNTED = "Counted", PROMOTION, "The approval counts."
    APPROVAL_UNPROVEN = (
        "ApprovalUnproven",
        PROMOTION,
        "The policies may have been away when it was written: its approver renews it as the promotion's message says.",
    )
    APPROVAL_EXPIRED = (
        "ApprovalExpired",
        PROMOTION,
        "It is older than the stage's validSeconds: its approver renews it as the promotion's message says.",
    )
    REQUESTER_UNPROVEN = (
        "RequesterUnproven",
        PROMOTION,
        "It is older than the admission policies or their last change: create it again under another name.",
    )
    APPROVED_BY_COMPONENT = (
        "ApprovedByComponent",
        PROMOTION,
        "A service account or a component of the cluster cannot approve.",
    )
    APPROVED_BY_REQUESTER = "ApprovedByRequester", PROMOTION, "The requester cannot approve."
    AUTOMATIC_NOT_ALLOWED = (
        "AutomaticNotAllowed",
        REGISTRY,
        "The stage says Automatic and the namespace's label does not: a person must approve.",
    )

    # A stage
    NOTHING_PROMOTED = "NothingPromoted", STAGE, "No version was ever promoted to this stage."
    POINTER_SYNCED = "PointerSynced", STAGE, "The pointer shows the newest lineage entry."
    POINTER_BEHIND = "PointerBehind", STAGE, "The pointer is about to be moved to the newest lineage entry."
    POINTER_REPAIRED = (
        "PointerRepaired",
        STAGE,
        "The pointer had been changed or deleted by hand and was written again.",
    )
    LINEAGE_BROKEN = (
        "LineageBroken",
        REGISTRY,
        "The lineage has a gap or a changed entry; nothing moves until it is repaired.",
    )
    REFRESHED = "Refreshed", STAGE, "Every target serves the current version."
    REFRESHING = "Refreshing", STAGE, "At least one target does not serve the current version yet."
    NO_TARGETS = "NoTargets", STAGE, "The stage has nothing to refresh."
    HELD = (
        "Held",
        REGISTRY,
        "The stage is held after a failed refresh or a roll back; the message says how to release it.",
    )
