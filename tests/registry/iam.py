"""Enough of how AWS evaluates policies for those of docs/aws.md: an explicit Deny, else an Allow, else no."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = Path(__file__).parents[2] / "docs" / "aws.md"
BUCKET = "arn:aws:s3:::my-models"
Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One call: an action on a resource, and what the conditions of policies may look at."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def asked(method: str, target: str, headers: Mapping[str, str]) -> Request:
    """What S3 asks its policies for a request as it was sent, `/<bucket>/<key>?<query>`, the bucket as AWS names it."""
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    context = {
        name: value
        for name, header in (("s3:if-none-match", "if-none-match"), ("s3:if-match", "if-match"))
        if (value := headers.get(header)) is not None
    }
    if not key:
        return Request("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": query.get("prefix", "")})
    action = {
        "GET": "s3:GetObjectVersion" if "versionId" in query else "s3:GetObject",
        "HEAD": "s3:GetObjectVersion" if "versionId" in query else "s3:GetObject",
        "PUT": "s3:PutObject",
        "POST": "s3:PutObject",
        "DELETE": "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject",
    }[method]
    # Neither the beginning of a multipart upload nor a part makes an object.
    creates = "uploads" not in query and "partNumber" not in query
    return Request(
        action, f"arn:aws:s3:::{bucket}/{key}", context | {"s3:ObjectCreationOperation": str(creates).lower()}
    )


def policies() -> dict[str, Policy]:
    """The policies of the page, by the name behind their block's `json`."""
    blocks = re.findall(r"^```json (\S+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return {name: json.loads(body) for name, body in blocks}


def allowed(request: Request, *granted: Policy) -> bool:
    """Whether these policies together allow it."""
    effects = {each["Effect"] for policy in granted for each in policy["Statement"] if _matches(each, request)}
    return effects == {"Allow"}


def _matches(statement: Policy, request: Request) -> bool:
    if request.action not in _many(statement["Action"]) and statement["Action"] != "*":
        return False
    if "NotResource" in statement:
        within = not any(_like(request.resource, each, request) for each in _many(statement["NotResource"]))
    else:
        within = any(_like(request.resource, each, request) for each in _many(statement["Resource"]))
    return within and all(_conditions(statement.get("Condition", {}), request))


def _conditions(conditions: Policy, request: Request) -> Iterator[bool]:
    for operator, keys in conditions.items():
        for key, wanted in keys.items():
            yield _holds(operator, request.context.get(key), _many(wanted), request)


def _holds(operator: str, found: str | None, wanted: list[str], request: Request) -> bool:
    match operator:
        case "Null":
            return (found is None) == (wanted == ["true"])
        case "Bool":
            return found in wanted
        case "ArnNotEquals":
            return found not in wanted
        case "StringLikeIfExists":
            return found is None or any(_like(found, each, request) for each in wanted)
    raise NotImplementedError(operator)


def _like(found: str, pattern: str, request: Request) -> bool:
    """`*` and `?` as IAM has them, across slashes; a variable without a value matches nothing."""
    variables = re.findall(r"\$\{([^}]+)\}", pattern)
    if any(name not in request.context for name in variables):
        return False
    for name in variables:
        pattern = pattern.replace(f"${{{name}}}", request.context[name])
    return fnmatchcase(found, pattern.replace("[", "[[]"))


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
