"""The operator's settings, from the environment, checked at start."""

import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mira.api.scalars import SUBDOMAIN
from mira.decide.job import Platform

List = Annotated[tuple[str, ...], NoDecode]
# What botocore takes for a URL; with anything else it raises, or fails at every call for ever.
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ENDPOINT = rf"^https?://({_LABEL}(\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?(/\S*)?$"


class Settings(BaseSettings):
    """Every setting is an environment variable that begins with MIRA_."""

    model_config = SettingsConfigDict(env_prefix="MIRA_", frozen=True)

    registry: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")] = Field(
        description="The root of the registry, s3://bucket/root."
    )
    cluster_name: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        description="The name of this cluster; it owns the registry's root."
    )
    operator_accounts: List = Field(
        default=("system:serviceaccount:mira-system:mira-operator",),
        min_length=1,
        description="The accounts of every operator of Mira in this cluster, as the admission policies name them.",
    )
    default_image: str | None = Field(default=None, description="The training image of runs that name none.")
    allowed_image_prefixes: List = Field(default=(), description="What a run's image must begin with; empty: anything.")
    trainer_service_account: str = Field(default="mira-trainer", description="The service account of training pods.")
    verify_keys: Path | None = Field(
        default=None,
        description="A folder of public keys (`*.pem`), read at start: only versions that one of them has signed are "
        "promoted. Empty: no signature is asked for.",
    )
    signing_secret: Annotated[str, StringConstraints(pattern=SUBDOMAIN, max_length=253)] | None = Field(
        default=None,
        description="A Secret of each run's namespace whose `key.pem` training pods sign versions with. Empty: none.",
    )
    s3_endpoint: Annotated[str, StringConstraints(pattern=ENDPOINT)] | None = Field(
        default=None, description="The endpoint of an S3 other than AWS's."
    )
    kubeconfig: str | None = Field(default=None, description="A kubeconfig; empty: the pod's own service account.")
    namespace: Annotated[str, StringConstraints(min_length=1, max_length=63)] = Field(
        default="mira-system", description="The operator's own namespace, where its Lease lies."
    )
    lease: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        default="mira-operator", description="The Lease whose holder works; others stand by."
    )
    lease_seconds: int = Field(
        default=10, ge=3, le=60, description="How long a holder that says nothing any more keeps the Lease."
    )
    identity: Annotated[str, StringConstraints(min_length=1, max_length=253)] = Field(
        default_factory=socket.gethostname, description="Who holds the Lease: the pod's name."
    )
    workers: int = Field(default=8, ge=1, le=64, description="How many keys are worked on at once.")
    resync_seconds: float = Field(
        # What nothing tells of, such as a pointer edited by hand, is right again within 30 s: a look, and its work.
        default=25,
        ge=1,
        le=30,
        description="How often an object that has not ended is looked at.",
    )
    relist_seconds: float = Field(default=25, ge=5, le=3600, description="How often every object is listed.")
    probe_port: int = Field(default=8080, ge=0, le=65535, description="The port of /healthz, /readyz and /metrics.")
    probe_host: str = Field(default="0.0.0.0", description="The address of that port.")  # noqa: S104 - the kubelet asks
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What is logged.")

    @field_validator("operator_accounts", "allowed_image_prefixes", mode="before")
    @classmethod
    def from_commas(cls, value: object) -> object:
        """The parts of a comma-separated value, empty ones left out; what is no text stays as it is."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("s3_endpoint", "verify_keys", "signing_secret", mode="before")
    @classmethod
    def none_if_empty(cls, value: object) -> object:
        """None for an empty text: a variable that is set to nothing is not set."""
        return None if value == "" else value

    def platform(self) -> Platform:
        """What the platform team sets for every Job."""
        return Platform(
            registry=self.registry.rstrip("/"),
            default_image=self.default_image or None,
            allowed_images=self.allowed_image_prefixes,
            service_account=self.trainer_service_account,
            signing_secret=self.signing_secret,
        )
