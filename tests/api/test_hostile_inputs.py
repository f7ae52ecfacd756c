"""The real API server refuses hostile inputs with words that help, and takes what is right."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import kubernetes
import pytest

from mira.api.kinds import KINDS
from mira.api.meta import GROUP, VERSION
from tests.api.hostile_inputs import REFUSED, REFUSED_CHANGES, VALID, Json, Refused, RefusedChange
from tests.api.welcome_inputs import ACCEPTED, Accepted
from tests.api.worded_inputs import REFUSED_IN_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "default"
PLURALS = {kind.kind: kind.plural for kind in KINDS}


@pytest.fixture(scope="session")
def api(cluster: Any) -> Any:
    return kubernetes.client.CustomObjectsApi(cluster.client("admin"))


@pytest.fixture(scope="session")
def caller(cluster: Any) -> str:
    review = kubernetes.client.AuthenticationV1Api(cluster.client("admin")).create_self_subject_review({})
    return str(review.status.user_info.username)


def merged(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    base = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        else:
            base[key] = merged(base.get(key), value)
    return base


def valid(kind: str, caller: str) -> Json:
    manifest = copy.deepcopy(VALID[kind])
    if "requestedBy" in manifest["spec"]:
        manifest["spec"]["requestedBy"] = caller
    return manifest


def create(api: Any, kind: str, body: Json, **options: Any) -> Json:
    return dict(
        api.create_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURALS[kind], body, field_validation="Strict", _request_timeout=10, **options
        )
    )


def refusal(error: kubernetes.client.ApiException) -> tuple[int, str]:
    return error.status, json.loads(error.body)["message"]


@pytest.mark.parametrize("case", REFUSED + REFUSED_IN_WORDS, ids=lambda case: f"{case.kind}: {case.name}")
def test_refused(api: Any, caller: str, case: Refused) -> None:
    body = merged(valid(case.kind, caller), case.change)
    with pytest.raises(kubernetes.client.ApiException) as caught:
        create(api, case.kind, body, dry_run="All")
    status, message = refusal(caught.value)
    assert status == case.status, message
    assert [fragment for fragment in case.says if fragment not in message] == [], message


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: f"{case.kind}: {case.name}")
def test_accepted(api: Any, caller: str, case: Accepted) -> None:
    assert create(api, case.kind, merged(valid(case.kind, caller), case.change), dry_run="All")["kind"] == case.kind


@pytest.fixture
def existing(api: Any, caller: str, request: pytest.FixtureRequest) -> Iterator[Json]:
    case = request.param
    body = merged(valid(case.kind, caller), case.before)
    created = create(api, case.kind, body)
    yield created
    api.delete_namespaced_custom_object(
        GROUP, VERSION, NAMESPACE, PLURALS[case.kind], body["metadata"]["name"], _request_timeout=10
    )


@pytest.mark.parametrize(
    ("existing", "case"),
    [pytest.param(case, case, id=f"{case.kind}: {case.name}") for case in REFUSED_CHANGES],
    indirect=["existing"],
)
def test_a_change_is_refused(api: Any, existing: Json, case: RefusedChange) -> None:
    with pytest.raises(kubernetes.client.ApiException) as caught:
        api.patch_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURALS[case.kind], existing["metadata"]["name"], case.patch, _request_timeout=10
        )
    status, message = refusal(caught.value)
    assert status == 422, message
    assert [fragment for fragment in case.says if fragment not in message] == [], message
