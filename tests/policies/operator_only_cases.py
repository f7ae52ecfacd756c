"""What belongs to the operator."""

from dataclasses import replace

from tests.policies.language import (
    ANOTHER_DIGEST,
    ASKED,
    DIGEST,
    KOPFS,
    KOPFS_OTHER,
    OPERATOR,
    OTHER_OPERATOR,
    OURS,
    OWNED,
    PROMOTION,
    RUN,
    STAGE,
    TRAINING,
    Case,
    Request,
    create,
    merge,
    status,
)

OPERATOR_ONLY = (
    Case("the operator writes the status of a promotion", OPERATOR, status(digest=DIGEST), given=ASKED),
    Case("so does the second operator", OTHER_OPERATOR, status(digest=DIGEST), given=ASKED),
    *(
        Case(
            f"nobody else writes the status of a {given.kind}",
            "admin",
            status(observedGeneration=9),
            "status belongs to the operator of Mira",
            given,
        )
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
            create(kind, metadata={"annotations": {OURS: "1"}}, requestedBy="admin"),
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
    Case(
        "a finalizer is not added",
        "alice",
        merge(metadata={"finalizers": [OURS]}),
        f'metadata.finalizers: "{OURS}"',
        ASKED,
    ),
    Case(
        "nor removed",
        "alice",
        merge(metadata={"finalizers": []}),
        f'metadata.finalizers: "{OURS}"',
        replace(ASKED, by=OPERATOR, metadata={"finalizers": [OURS]}),
    ),
    Case("other finalizers are free", "alice", merge(metadata={"finalizers": ["example.com/x"]}), given=ASKED),
)
