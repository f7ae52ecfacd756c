"""What came of each plan, in a line each, so that a campaign of hours can be ended and resumed."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.campaign import Run
from tests.faults.faults import Fault


@dataclass(frozen=True)
class Result:
    """How one plan ended: `same` as undisturbed, `other`, or `missed` if its call was not made in that run.

    Times are in seconds: of the whole, from the end of the fault to what was wanted, of each start of the operator.
    """

    plan: str
    call: str
    fault: str
    outcome: str
    seconds: float
    recovered: float | None
    starts: tuple[float, ...]

    @property
    def hit(self) -> bool:
        """Whether the fault struck."""
        return self.outcome != "missed"

    def __str__(self) -> str:
        recovered = "" if self.recovered is None else f", {self.recovered:.1f} s after it was over"
        starts = " ".join(f"{start:.1f}" for start in self.starts)
        return f"{self.outcome:6} {self.plan} ({self.seconds:.0f} s{recovered}; started in {starts} s)"


def result_of(run: Run, reference: Run) -> Result:
    """What is kept of a run that had a plan."""
    if run.plan is None:
        raise ValueError("an undisturbed run is no result")
    outcome = "other" if run.difference(reference) else "same" if run.hit else "missed"
    call, fault = str(run.plan.name.identity), Fault(run.plan.fault)
    return Result(str(run.plan), call, str(fault), outcome, run.seconds, run.recovered, run.starts)


def kept_in(path: Path) -> list[Result]:
    """The results in the file, none if there is no file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Result(**fields | {"starts": tuple(fields["starts"])}) for fields in map(json.loads, lines)]


def keep(result: Result, path: Path) -> None:
    """Appends the result to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{json.dumps(asdict(result))}\n")
