"""The cluster that all plans share."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dev.local import Local
from tests.support.team import INSTANT


@contextmanager
def campaign_cluster(say: Callable[[str], None] = lambda _: None) -> Iterator[Local]:
    """A control plane, a node whose image trains in an instant, and S3; no operator."""
    with Local(f"faults-{os.getpid()}", say=say) as local:
        local.image(INSTANT, "operator", "tests/support/instant_image")
        local.start_s3_and_node()
        yield local
