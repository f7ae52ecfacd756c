"""The key with which this attempt signs the version."""

from pathlib import Path
from typing import TYPE_CHECKING

from mira.api.reasons import Reason
from mira_training.refusal import Refused

if TYPE_CHECKING:
    from mira.registry.signing import SigningKey


def signing_key(path: Path | None) -> "SigningKey | None":
    """The key in this file, None if none is named. Raises Refused (`SigningKeyInvalid`), before anything is trained."""
    if path is None:
        return None
    from mira.registry.signing import KeyInvalid, SigningKey  # noqa: PLC0415 - only who signs waits for cryptography

    try:
        return SigningKey.in_file(path)
    except KeyInvalid as error:
        said = f"MIRA_SIGNING_KEY: {error}; the platform team corrects the Secret, then create the run again"
        raise Refused(Reason.SIGNING_KEY_INVALID, said) from error
