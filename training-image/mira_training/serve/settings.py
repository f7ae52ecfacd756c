"""The server's settings, from the environment, checked at start."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mira.registry.document import Digest
from mira.registry.keys import StageKey, VersionKey


class Settings(BaseSettings):
    """Every setting is an environment variable that begins with MIRA_; S3 is reached by the usual AWS variables."""

    # An empty variable is not set: manifests write `value: ""` for that.
    model_config = SettingsConfigDict(env_prefix="MIRA_", frozen=True, env_ignore_empty=True)

    registry: Annotated[
        str, StringConstraints(pattern=r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?|file:///.*)$")
    ] = Field(description="The root of the registry, s3://bucket/root or file:///folder.")
    namespace: str = Field(description="The namespace of the model.")
    model: str = Field(description="The model.")
    stage: str | None = Field(default=None, description="The stage whose current version is served, and followed.")
    version: str | None = Field(default=None, description="Instead of a stage: this version, for ever.")
    digest: Digest | None = Field(default=None, description="The digest that the version must have.")
    refresh_seconds: float = Field(default=10, ge=0.1, le=3600, description="How often the stage's pointer is read.")
    # Not MIRA_PORT: Kubernetes sets that in every pod beside a Service that is called mira.
    listen_port: int = Field(default=8080, ge=1, le=65535, description="The port of the server.")
    listen_host: str = Field(default="0.0.0.0", description="The address of that port.")  # noqa: S104 - a pod's own
    cache: Path | None = Field(
        default=None, description="Where downloaded versions lie; default: the user's cache folder."
    )
    verify_keys: Path | None = Field(
        default=None, description="A folder of public keys (`*.pem`): only what one of them has signed is served."
    )
    threads: int = Field(default=1, ge=1, le=256, description="How many threads one prediction may use.")
    largest_body: int = Field(
        default=8 * 1024 * 1024, ge=1024, le=1024**3, description="The largest request that is read, in bytes."
    )
    drain_seconds: float = Field(
        default=3, ge=0, le=4, description="How long it still answers after SIGTERM, while its address is taken away."
    )

    @model_validator(mode="after")
    def one_thing_is_served(self) -> Self:
        """Refuses names that are none, and anything but either a stage or a version."""
        if (self.stage is None) == (self.version is None):
            raise ValueError("set either MIRA_STAGE, to follow its current version, or MIRA_VERSION")
        if self.stage is not None:
            StageKey(self.namespace, self.model, self.stage)
            if self.digest is not None:
                raise ValueError("MIRA_DIGEST goes with MIRA_VERSION; a stage's digest is in its pointer")
        if self.version is not None:
            VersionKey(self.namespace, self.model, self.version)
        return self
