"""What was measured: always said, and kept in a page of docs/reliability by the long campaign."""

import os
import sys
from pathlib import Path

LONG = bool(os.environ.get("MIRA_LONG"))
FOLDER = Path(__file__).parents[2] / "docs" / "reliability"


def note(page: str, title: str, about: str, told: str) -> None:
    """Says it; in the long campaign it becomes the page's line about this."""
    sys.stdout.write(f"{about}: {told}\n")
    if not LONG:
        return
    path = FOLDER / f"{page}.md"
    head = [f"# {title}", "", "Written by `make test-long`, on two cores that also ran the control plane.", ""]
    lines = path.read_text().splitlines() if path.exists() else head
    kept = [line for line in lines if not line.startswith(f"* {about}: ")]
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*kept, f"* {about}: {told}"]) + "\n")
