"""What a run may ask for."""

from tests.policies.language import (
    OTHER_OPERATOR,
    OUTSIDE_OPERATOR,
    PROMOTING,
    RUN,
    TO_PRODUCTION,
    TRAINING,
    Case,
    Given,
    create,
    merge,
    operate,
    secret_env,
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
    Case(
        "an operator creates a run for somebody",
        OTHER_OPERATOR,
        create(RUN, requestedBy="alice", promotion=TO_PRODUCTION),
    ),
    Case(
        "an operator never asks for a run itself",
        OTHER_OPERATOR,
        create(RUN, requestedBy=OTHER_OPERATOR),
        "spec.requestedBy is an operator of Mira, which never asks for a run itself",
    ),
    Case("a run that promotes names who asks", "alice", create(RUN, requestedBy="alice", promotion=TO_PRODUCTION)),
    Case(
        "promotion needs the right to create promotions",
        "frank",
        create(RUN, requestedBy="frank", promotion=TO_PRODUCTION),
        'spec.promotion needs the verb create on modelpromotions in namespace "policies-closed", which "frank" lacks',
    ),
    Case("without promotion no such right is needed", "frank", create(RUN)),
    Case(
        "nor by an operator, which acts for somebody who has it",
        OUTSIDE_OPERATOR,
        create(RUN, requestedBy="alice", promotion=TO_PRODUCTION),
    ),
    Case(
        "the default service account is everybody's", "alice", create(RUN, job={"serviceAccountName": "mira-trainer"})
    ),
    Case(
        "another one needs the verb use",
        "alice",
        create(RUN, job={"serviceAccountName": "argo"}),
        '"alice" lacks the verb use on service account "argo" in namespace "policies-closed"',
    ),
    Case("whoever holds it uses it", "alice", create(RUN, job={"serviceAccountName": "gpu"})),
    Case(
        "an operator is not asked again",
        OTHER_OPERATOR,
        create(RUN, requestedBy="alice", job={"serviceAccountName": "argo", **secret_env("theirs")}),
    ),
    Case("a Secret that the caller may get", "alice", create(RUN, job=secret_env(*["mine"] * 16))),
    *(
        Case(
            f"one that the caller may not get, as variable {place + 1} of 16",
            "alice",
            create(RUN, job=secret_env(*["mine"] * place, "theirs", *["mine"] * (15 - place))),
            '"alice" may not get the Secret "theirs" in namespace "policies-closed"',
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
