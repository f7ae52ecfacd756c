"""What a pattern or a calendar refuses, and the words that say what to write instead. Data only."""

from tests.api.hostile_inputs import PROMOTION, RUN, STAGE, Json, Refused, gate, spec, training


def freeze(schedule: str = "0 16 * * 5", zone: str = "UTC") -> Json:
    """A stage with one freeze window."""
    return spec(freezeWindows=[{"schedule": schedule, "durationSeconds": 3600, "timeZone": zone}])


SCHEDULE, ZONE = "spec.freezeWindows[0].schedule", "spec.freezeWindows[0].timeZone"
FIVE = "must be five cron fields: minute 0-59"
FREEZES = (
    Refused("freeze at minute 99 of hour 99", STAGE, freeze("99 99 * * *"), (SCHEDULE, FIVE)),
    Refused("freeze at hour 24", STAGE, freeze("0 24 * * *"), (SCHEDULE, FIVE)),
    Refused("freeze on day 0", STAGE, freeze("0 0 0 * *"), (SCHEDULE, FIVE)),
    Refused("freeze in month 13", STAGE, freeze("0 0 1 13 *"), (SCHEDULE, FIVE)),
    Refused("freeze on Foo", STAGE, freeze("0 0 * * Foo"), (SCHEDULE, FIVE)),
    Refused("freeze in steps of 0", STAGE, freeze("*/0 * * * *"), (SCHEDULE, FIVE)),
    Refused("freeze at random", STAGE, freeze("R * * * *"), (SCHEDULE, FIVE)),
    Refused("freeze on Mars", STAGE, freeze(zone="Mars/Phobos"), (ZONE, "must be the name of a time zone, e.g.")),
    Refused("freeze in a folder of zones", STAGE, freeze(zone="Europe"), (ZONE, "must be the name of a time zone")),
)

IN_WORDS = (
    Refused(
        "model with a space, in words",
        RUN,
        spec(model="My Model"),
        ("spec.model", "must be lower-case letters, digits"),
    ),
    Refused(
        "version with a slash, in words", RUN, spec(version="v1/2"), ("spec.version", "with a letter or digit first")
    ),
    Refused(
        "image by tag, in words",
        RUN,
        spec(image="registry.example.com/x:latest"),
        ("spec.image", "must be an image with its registry and by digest"),
    ),
    Refused(
        "data without s3://, in words",
        RUN,
        training(uri="team-a-data/churn.parquet"),
        ("spec.data.training.uri", "must be s3://bucket/key"),
    ),
    Refused(
        "fraction above 1, in words",
        RUN,
        spec(data={"split": {"fraction": "1.5"}}),
        ("spec.data.split.fraction", "must be a share in quotes, above 0 and below 1"),
    ),
    Refused(
        "features without attribute, in words",
        RUN,
        spec(features="churn.features"),
        ("spec.features", "must be module:attr"),
    ),
    Refused(
        "gate with a comma, in words",
        STAGE,
        gate(minimum="0,75"),
        ("spec.gates[0].minimum", "must be a decimal in quotes"),
    ),
    Refused(
        "approval of a digest that is not there yet",
        PROMOTION,
        spec(approvals=[{"approver": "bob", "decision": "Approved", "digest": ""}]),
        ("spec.approvals[0].digest", "which is there once the version is verified"),
    ),
)

REFUSED_IN_WORDS = FREEZES + IN_WORDS
