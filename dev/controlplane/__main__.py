"""`python -m dev.controlplane`: makes sure that the control plane's programs are built, and says so if they are not."""

import sys

from dev.controlplane.binaries import BuildError, ensure_binaries
from dev.controlplane.toolchain import ToolMissing
from dev.processes import CHECKOUT


def main() -> int:
    """0, or 1 with one sentence that says what is missing."""
    try:
        ensure_binaries(CHECKOUT / ".cache", lambda line: print(line, flush=True))
    except (BuildError, ToolMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
