"""One SeaweedFS (`weed mini`) on loopback, which can be stopped and started again with its data."""

import contextlib
import json
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dev.ports import LOOPBACK, free_ports
from dev.processes import Process, Supervisor
from dev.s3.roles import DATA_BUCKET, REGION, REGISTRY_BUCKET, Credential, Role, identities
from dev.waiting import wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PARTS = ("master", "volume", "filer", "s3", "admin")
_GRPC_OFFSET = 10_000
_READY_SECONDS = 60.0


class SeaweedFS:
    """S3 with one credential per role. Use it as a context, or call `start` and `stop`."""

    def __init__(self, supervisor: Supervisor, folder: Path) -> None:
        """Everything it writes lies in `folder`; port and secrets stay the same through every stop and start."""
        self._supervisor = supervisor
        self._folder = folder
        self._ports, self._grpc_ports = _choose_ports()
        self._credentials = {role: Credential() for role in Role}
        self._process: Process | None = None

    @property
    def endpoint(self) -> str:
        """The URL of the S3 API."""
        return f"http://{LOOPBACK}:{self._ports['s3']}"

    def credentials(self, role: Role) -> dict[str, str]:
        """The environment that makes an AWS SDK talk to this server in that role."""
        credential = self._credentials[role]
        return {
            "AWS_ACCESS_KEY_ID": credential.access_key,
            "AWS_SECRET_ACCESS_KEY": credential.secret_key,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            # EKS sets both: the newer SDKs read the first, boto3 the second.
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, role: Role) -> "S3Client":
        """A client in that role which neither waits long nor resends: tests must see the first answer."""
        credential = self._credentials[role]
        config = Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        )
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=config,
            aws_access_key_id=credential.access_key,
            aws_secret_access_key=credential.secret_key,
        )

    def start(self) -> None:
        """Returns when both buckets exist, take a write and give it back; an open port is no sign of that."""
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        config = self._folder / "identities.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(identities(self._credentials)))
        process = self._process = self._supervisor.start(
            "seaweedfs",
            [Path(sys.executable).parent / "weed", *self._arguments()],
            log=self._folder / "weed.log",
            cwd=self._folder.absolute(),
            env={"HOME": str(self._folder.absolute()), "TMPDIR": str((self._folder / "tmp").absolute())},
            # These five paths are fixed in its source.
            leaves=[f"/tmp/seaweedfs-{part}-grpc-{port}.sock" for part, port in self._grpc_ports.items()],  # noqa: S108
        )
        wait_until(lambda: self._serves(process), timeout=_READY_SECONDS, what=f"SeaweedFS serves (see {process.log})")

    def stop(self) -> None:
        """Ends the server as a crash would; what it has acknowledged is there after the next `start`."""
        if self._process:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def pause(self) -> None:
        """Makes it silent: connections open and nobody answers."""
        if self._process:
            self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The opposite of `pause`."""
        if self._process:
            self._process.signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _arguments(self) -> list[str]:
        ports = [f"-{part}.port={port}" for part, port in self._ports.items()]
        grpc_ports = [f"-{part}.port.grpc={port}" for part, port in self._grpc_ports.items()]
        return [
            "mini",
            "-dir=data",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            *ports,
            *grpc_ports,
            "-s3.config=identities.json",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            # By default it sends statistics to its makers.
            "-master.telemetry=false",
            "-admin.ui=false",
            "-webdav=false",
            # Relative, because a socket's path holds at most 107 characters.
            "-s3.localSocket=s3.sock",
            "-filer.localSocket=filer.sock",
        ]

    def _serves(self, process: Process) -> bool:
        if process.poll() is not None:
            raise ChildProcessError(f"SeaweedFS ended while it started; {process.last_words()}")
        with contextlib.closing(self.client(Role.ADMIN)) as client:
            try:
                for bucket in (REGISTRY_BUCKET, DATA_BUCKET):
                    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
                        client.create_bucket(Bucket=bucket)
                    # With content: an empty object needs no volume, so it is taken before any other one is.
                    client.put_object(Bucket=bucket, Key=".ready", Body=b"ready")
                    # A read asks where the volume is, which a write is told: it can fail for longer.
                    client.get_object(Bucket=bucket, Key=".ready")["Body"].read()
                    client.delete_object(Bucket=bucket, Key=".ready")
            except (BotoCoreError, ClientError):
                return False
        return True


def _choose_ports() -> tuple[dict[str, int], dict[str, int]]:
    """Every part's port and its gRPC port, none left to a default, which would be fixed."""
    ports = free_ports(2 * len(_PARTS))
    own = dict(zip(_PARTS, ports[: len(_PARTS)], strict=True))
    grpc = dict(zip(_PARTS, ports[len(_PARTS) :], strict=True))
    # Whatever the flags say, admin's own worker looks for it at its port + 10000.
    for port in sorted(free_ports(20)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port + _GRPC_OFFSET))
            return own | {"admin": port}, grpc | {"admin": port + _GRPC_OFFSET}
    raise OSError("no port is free together with the one 10000 above it")
