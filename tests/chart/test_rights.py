"""Who gets which rights by the chart: the whole list, so that no other comes in unseen."""

from typing import Any

from mira.adapters.policies import shipped
from mira.api.kinds import KINDS
from tests.chart.conftest import Objects, Render, of_kind

GROUP = "mira.constellation.dev"
ALL = "modelpromotions modelstages trainingruns"
STATUSES = "modelpromotions/status modelstages/status trainingruns/status"
READ = "get list watch"
CHANGE = "create delete patch update"
Rights = dict[str, str]

OPERATOR: Rights = {
    f"{GROUP} {ALL}": READ,
    f"{GROUP} {STATUSES}": "patch",
    f"{GROUP} modelpromotions": "create",
    "batch jobs": "create get list patch watch",
    " pods": READ,
    " events": "create patch",
    " namespaces": "get",
    "admissionregistration.k8s.io validatingadmissionpolicies validatingadmissionpolicybindings"
    " [mira-operator-only mira-promotions mira-runs mira-stages]": READ,
}
PEOPLE: dict[str, Rights] = {
    "mira-viewer": {f"{GROUP} {ALL}": READ},
    "mira-requester": {f"{GROUP} {ALL}": READ, f"{GROUP} modelpromotions trainingruns": CHANGE},
    "mira-approver": {f"{GROUP} {ALL}": READ, f"{GROUP} modelpromotions": "approve patch update"},
    "mira-rollbacker": {f"{GROUP} {ALL}": READ, f"{GROUP} modelpromotions": "create rollback"},
    "mira-stage-owner": {
        f"{GROUP} {ALL}": READ,
        f"{GROUP} modelstages": CHANGE,
        f"{GROUP} modelpromotions": "create rollback",
    },
}


def rights(role: dict[str, Any]) -> Rights:
    """The rights of a role, one line for each rule."""
    found: Rights = {}
    for rule in role["rules"]:
        assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
        (group,) = rule["apiGroups"]
        names = f" [{' '.join(sorted(rule['resourceNames']))}]" if "resourceNames" in rule else ""
        line = f"{group} {' '.join(sorted(rule['resources']))}{names}"
        assert line not in found
        found[line] = " ".join(sorted(rule["verbs"]))
    return found


def roles(objects: Objects) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in of_kind(objects, "ClusterRole")}


def test_the_operator_has_these_rights_and_no_others(render: Render) -> None:
    objects = render()
    assert rights(roles(objects)["mira-operator-mira-system"]) == OPERATOR
    bindings = of_kind(objects, "ClusterRoleBinding")
    assert [(each["roleRef"]["name"], each["subjects"]) for each in bindings] == [
        (
            "mira-operator-mira-system",
            [{"kind": "ServiceAccount", "name": "mira-operator", "namespace": "mira-system"}],
        )
    ]


def test_in_its_own_namespace_the_operator_may_hold_its_lease(render: Render) -> None:
    objects = render()
    (role,) = of_kind(objects, "Role")
    (binding,) = of_kind(objects, "RoleBinding")
    assert rights(role) == {
        "coordination.k8s.io leases [mira-operator]": "get patch",
        "coordination.k8s.io leases": "create",
    }
    assert {each["metadata"]["namespace"] for each in (role, binding)} == {"mira-system"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "mira-operator", "namespace": "mira-system"}]


def test_people_have_these_roles_to_be_bound(render: Render) -> None:
    found = roles(render())
    assert {name: rights(each) for name, each in found.items() if not name.startswith("mira-operator")} == PEOPLE


def test_only_reading_is_added_to_a_built_in_role(render: Render) -> None:
    def aggregated(objects: Objects) -> dict[str, list[str]]:
        labels = {name: each["metadata"]["labels"] for name, each in roles(objects).items()}
        return {name: [key for key in found if "aggregate" in key] for name, found in labels.items()}

    added = {name: keys for name, keys in aggregated(render()).items() if keys}
    assert added == {"mira-viewer": ["rbac.authorization.k8s.io/aggregate-to-view"]}
    assert not any(aggregated(render(roles={"aggregateToView": False})).values())


def test_no_right_is_a_wildcard_or_reaches_a_secret(render: Render) -> None:
    for role in roles(render()).values():
        for line, verbs in rights(role).items():
            assert "*" not in line + verbs
            assert not {"secrets", "pods/exec", "serviceaccounts/token"} & set(line.split())


def test_the_operator_may_read_what_it_compares(render: Render) -> None:
    names = {each["metadata"]["name"] for each in shipped(["any"])}
    rule = roles(render())["mira-operator-mira-system"]["rules"][-1]
    assert set(rule["resourceNames"]) == names


def test_every_kind_has_its_rights(render: Render) -> None:
    assert ALL.split() == sorted(kind.plural for kind in KINDS)
    viewer = roles(render())["mira-viewer"]["rules"][0]["resources"]
    assert sorted(viewer) == ALL.split()
