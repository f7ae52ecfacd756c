"""What the operator asked of S3 in a run, against what docs/aws.md allows it."""

from dataclasses import replace

from dev.s3.roles import REGISTRY_BUCKET
from tests.faults.campaign import Run
from tests.registry.iam import allowed, asked, policies

OPERATOR = {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/mira-operator"}


def beyond_its_rights(run: Run) -> set[tuple[str, str]]:
    """Each action and resource that the policies of the page refuse to the operator."""
    granted = policies()
    (root,) = {path.partition("/registry.json")[0] for path in paths(run) if path.endswith("/registry.json")}
    refused = set()
    for request in run.asked_of_s3:
        target = request.target.replace(root, f"/{REGISTRY_BUCKET}/mira").replace(
            f"/{REGISTRY_BUCKET}", "/my-models", 1
        )
        sent = asked(request.method, target, {name.lower(): value for name, value in request.headers})
        by_operator = replace(sent, context={**sent.context, **OPERATOR})
        if not allowed(by_operator, granted["operator"], granted["bucket-policy"]):
            refused.add((sent.action, sent.resource))
    return refused


def paths(run: Run) -> set[str]:
    """Which keys, with their bucket, it asked for."""
    return {request.path for request in run.asked_of_s3}
