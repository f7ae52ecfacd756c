"""What the environment says: where the order lies, who we are, where to leave a last message, who tracks."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INPUT_DIR = "/mira/input"
TERMINATION_LOG = "/dev/termination-log"


@dataclass(frozen=True)
class Settings:
    """The surroundings of one attempt; credentials and endpoint of S3 are left to the usual AWS variables.

    `on_laptop`: a person started it and may read the machine's files. `against`: the version that they compare with.
    `signing_key`: a file with the private key that signs versions. `revision`: the commit of the code in the image.
    `suite_file`: where the ConfigMap with the Great Expectations suite is mounted.
    """

    order_file: Path
    termination_log: Path | None
    pod_uid: str
    tracking_url: str | None = None
    tracking_auth: str | None = None
    on_laptop: bool = False
    against: str | None = None
    signing_key: Path | None = None
    revision: str | None = None
    suite_file: Path | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], order_file: Path | None = None) -> "Settings":
        """The settings in a pod, or on a laptop, where a file is named and nothing else has to be set."""
        wanted = environment.get("MIRA_TERMINATION_LOG")
        log = Path(wanted or TERMINATION_LOG)
        signing, suite = environment.get("MIRA_SIGNING_KEY"), environment.get("MIRA_SUITE_FILE")
        key, basic = environment.get("PREFECT_API_KEY"), environment.get("PREFECT_API_AUTH_STRING")
        return cls(
            order_file=order_file or Path(environment.get("MIRA_INPUT_DIR") or INPUT_DIR) / "order.json",
            # Kubernetes puts the file there; where it is not, nobody reads it.
            termination_log=log if wanted or log.exists() else None,
            pod_uid=environment.get("MIRA_POD_UID") or str(uuid.uuid4()),
            signing_key=Path(signing) if signing else None,
            revision=environment.get("MIRA_CODE_REVISION") or None,
            suite_file=Path(suite) if suite else None,
            tracking_url=environment.get("PREFECT_API_URL") or None,
            tracking_auth=f"Bearer {key}" if key else basic and f"Basic {_base64(basic)}",
        )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
