"""S3 on loopback: one SeaweedFS with Mira's two buckets, and a credential for every role that Mira knows."""

from dev.s3.roles import DATA_BUCKET, REGISTRY_BUCKET, REGISTRY_PREFIX, REGISTRY_URI, Role
from dev.s3.server import SeaweedFS

__all__ = ["DATA_BUCKET", "REGISTRY_BUCKET", "REGISTRY_PREFIX", "REGISTRY_URI", "Role", "SeaweedFS"]
