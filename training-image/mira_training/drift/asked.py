"""Whether a spec asks for Evidently's report, and whether this image could draw one."""

from importlib.util import find_spec

from mira.api.reasons import Reason
from mira.api.trainingrun import DriftMethod, TrainingRunSpec
from mira_training.refusal import Refused

PACKAGE = "evidently"


def asks_for_report(spec: TrainingRunSpec) -> bool:
    """Whether Evidently's report is asked for."""
    return spec.drift is not None and spec.drift.method is DriftMethod.EVIDENTLY


def must_be_able_to_report(spec: TrainingRunSpec) -> None:
    """Raises Refused (`ExtraNotInstalled`) if a report is asked for in an image without Evidently."""
    if asks_for_report(spec) and find_spec(PACKAGE) is None:
        raise Refused(
            Reason.EXTRA_NOT_INSTALLED,
            "drift.method: this image is built without Evidently (variant slim); use the default variant, or Summary",
        )
