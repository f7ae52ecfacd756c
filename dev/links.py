"""Checks that every relative link in the documentation leads to a file; `python -m dev.links`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def broken(root: Path) -> Iterator[str]:
    """A line for each link that leads nowhere."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split():
        document = root / name
        for target in LINK.findall(FENCE.sub("", document.read_text())):
            path = target.split("#")[0]
            if path and "://" not in path and not (document.parent / path).exists():
                yield f"{name}: {target} leads nowhere"


def main() -> int:
    """The number of broken links, each printed."""
    found = list(broken(Path(__file__).parents[1]))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
