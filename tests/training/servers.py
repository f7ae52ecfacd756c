"""Sessions on a local S3 server, with the rights of a role."""

import boto3

from dev.s3 import Role, SeaweedFS
from dev.s3.roles import REGION


def session_of(server: SeaweedFS, role: Role) -> boto3.session.Session:
    keys = server.credentials(role)
    return boto3.session.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
