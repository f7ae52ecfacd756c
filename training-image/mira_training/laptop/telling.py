"""What a person sees of a run: a line for each step, then what came out and where it lies."""

import logging
import shutil
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO

from typing_extensions import override

from mira.api.reasons import Reason
from mira.registry.comparison import Comparison, Difference, Verdict
from mira.registry.document import DocumentInvalid, digest
from mira.registry.keys import VersionKey
from mira.registry.manifest import MANIFEST_LIMIT, Manifest
from mira.registry.outcome import FailedCheck
from mira.registry.store import ObjectStore
from mira_training.logs import BEFORE_ANY_STEP, current_step

CARD = "report/model-card.html"
AWAY = "\r\x1b[2K"
FIRST_SAYS_IT = ("evaluate",)
"""Steps whose first message sums them up; of the others it is the last one."""


class StepLines(logging.Handler):
    """Prints one line when a step ends; warnings and errors at once, errors where errors belong."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        super().__init__(logging.INFO)
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._said = ""
        self._live = False

    @override
    def emit(self, record: logging.LogRecord) -> None:
        step, message = current_step(), record.getMessage()
        if record.levelno >= logging.ERROR:
            where = "before any step" if step == BEFORE_ANY_STEP else f"in {step}"
            interrupted = message.startswith(f"{Reason.INTERRUPTED}:")
            said = f"interrupted {where}; nothing is published" if interrupted else f"failed {where}: {message}"
            self._print(self._err, said)
            if record.exc_info and record.exc_info[1] is not None:
                self._print(self._err, "".join(traceback.format_exception(record.exc_info[1])).rstrip())
        elif record.levelno >= logging.WARNING:
            self._print(self._err, f"warning: {_first_line(message)}")
        elif (took := getattr(record, "took", None)) is not None:
            self._print(self._out, f"{step:<9}{took:>7.1f} s  {self._said}")
            self._said = ""
        elif (live := getattr(record, "live", None)) is not None:
            self._show(f"{step:<9} {live}")
        elif not (self._said and step in FIRST_SAYS_IT):
            self._said = message

    def _show(self, line: str) -> None:
        """A line that the next one takes the place of, where somebody looks on."""
        if self._out.isatty():
            self._out.write(f"{AWAY}{line[: shutil.get_terminal_size().columns - 1]}")
            self._out.flush()
            self._live = True

    def _print(self, stream: TextIO, line: str) -> None:
        if self._live:
            self._out.write(AWAY)
            self._out.flush()
            self._live = False
        stream.write(f"{line}\n")
        stream.flush()


def result(store: ObjectStore, key: VersionKey, place: str) -> Iterator[str]:
    """The lines about a published version: metrics, comparison, card. `place` is where the registry lies."""
    stored = store.get(key.manifest, limit=MANIFEST_LIMIT)
    if stored is None:
        return
    manifest = Manifest.parse(stored.body)
    compared = _comparison(store, manifest, stored.body)
    rows = f"{manifest.rows.evaluation} rows that it was not trained on"
    yield ""
    yield f"{manifest.model} {manifest.version} on {rows}:"
    yield from _metrics(manifest)
    if compared is not None:
        yield ""
        yield from _against(compared)
    yield ""
    card = next((file.path for file in manifest.files if file.path.endswith(CARD)), None)
    if card is not None:
        yield f"model card  {place}/{key.file(card)}"
    yield f"model files {place}/{key.attempt(manifest.attempt)}model/"


def checks(failed: tuple[FailedCheck, ...]) -> Iterator[str]:
    """A line for each check that the data failed, where it is more than the one that the failure names."""
    if len(failed) > 1:
        yield from (f"  {check.check}: {check.message}" for check in failed)


def _metrics(manifest: Manifest) -> Iterator[str]:
    overall = [metric for metric in manifest.metrics if not metric.slice]
    width = max((len(metric.name) for metric in overall), default=0)
    for metric in overall:
        better = f"  {str(metric.direction).lower()} is better" if metric.direction else ""
        yield f"  {metric.name:<{width}}  {metric.value:>10}{better}"
    if sliced := len(manifest.metrics) - len(overall):
        yield f"  and {sliced} more per slice, in the model card"


def _comparison(store: ObjectStore, manifest: Manifest, body: bytes) -> Comparison | None:
    if manifest.compared_with is None:
        return None
    key = manifest.key.comparison(digest(body), manifest.compared_with.digest)
    stored = store.get(key, limit=Comparison.LIMIT)
    try:
        return None if stored is None else Comparison.parse(stored.body)
    except DocumentInvalid:
        return None


def _against(compared: Comparison) -> Iterator[str]:
    if compared.verdict is Verdict.NOT_COMPARABLE:
        yield f"not compared with {compared.current_version}: {compared.reason}"
        return
    yield f"against {compared.current_version} on the same rows (95% interval of the gain; above 0 is better):"
    overall = [one for one in compared.differences if not one.slice]
    width = max((len(one.metric) for one in overall), default=0)
    for one in overall:
        interval = f"[{float(one.lower):+.4f}, {float(one.upper):+.4f}]"
        yield f"  {one.metric:<{width}}  {one.candidate:>10} against {one.current:>10}  {interval}  {_verdict(one)}"


def _verdict(one: Difference) -> str:
    if float(one.lower) > 0:
        return "better"
    return "worse" if float(one.upper) < 0 else "no clear difference"


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else message
