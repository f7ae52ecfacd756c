"""`python -m dev.controlplane`: makes sure that the control plane's programs are built, and says so if they are not."""

from dev.foreground import run_in_foreground


def main() -> int:
    """0. A CommandError says in one sentence what is missing."""
    from dev.controlplane.binaries import ensure_binaries  # noqa: PLC0415 - Ctrl-C is ours from the first moment
    from dev.processes import CHECKOUT  # noqa: PLC0415

    ensure_binaries(CHECKOUT / ".cache", lambda line: print(line, flush=True))
    return 0


if __name__ == "__main__":
    run_in_foreground(main)
