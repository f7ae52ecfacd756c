"""The files that a training of the user's own has written, held against `artifacts`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mira.api.reasons import Reason
from mira.api.trainingrun import Artifact
from mira.registry.keys import InvalidKey, checked_path
from mira.registry.manifest import MOST_FILES
from mira_training.data.examples import Prepared
from mira_training.model.artifacts import CHECKED_ROWS, FILES, must_agree
from mira_training.model.onnx_scorer import OnnxScorer, Unscorable
from mira_training.model.trained import Scorer
from mira_training.refusal import Refused, listed

LONGEST_PATH = 400
"""A file's path in the registry is this one below `attempts/<attempt>/model/`, and has at most 512 bytes."""


def must_be_whole(
    folder: Path, artifacts: Sequence[Artifact], name: str, prepared: Prepared, scorer: Scorer | None
) -> None:
    """Raises Refused (`CodeInvalid`) unless the folder holds what `artifacts` lists and nothing that cannot be kept.

    An ONNX file, listed or not, must load, take columns by name, and say what the scorer says: it is what a later
    version is compared with.
    """
    found = _files(folder, name)
    for artifact in artifacts:
        if artifact in FILES and FILES[artifact] not in found:
            wrote = listed(found) or "nothing"
            raise _wrong(name, f"wrote no {FILES[artifact]} (wrote: {wrote}); write it, or list other artifacts")
    known = [FILES[artifact] for artifact in artifacts if artifact in FILES]
    beside = [path for path in found if path not in known]
    if Artifact.DIRECTORY in artifacts and not beside:
        raise _wrong(name, "wrote no file for artifact Directory; write into folder, or list other artifacts")
    if Artifact.DIRECTORY not in artifacts and beside:
        raise _wrong(name, f"wrote {listed(beside)}, which artifacts does not list; add Directory to artifacts")
    if FILES[Artifact.ONNX] in found:
        _must_answer((folder / FILES[Artifact.ONNX]).read_bytes(), name, prepared, scorer)
    if Artifact.SKOPS in artifacts:
        _must_be_skops(folder / FILES[Artifact.SKOPS], name)


def _files(folder: Path, name: str) -> list[str]:
    """The paths of the files, relative to the folder."""
    found = sorted(each for each in folder.rglob("*") if each.is_symlink() or not each.is_dir())
    paths = [each.relative_to(folder).as_posix() for each in found]
    if len(found) > MOST_FILES // 2:
        raise _wrong(name, f"wrote {len(found)} files, at most {MOST_FILES // 2} are allowed; write an archive")
    for each, path in zip(found, paths, strict=True):
        # Where a link leads to need not be the training's to publish.
        if each.is_symlink() or not each.is_file():
            raise _wrong(name, f"wrote {path!r}, which is no file but a link or a pipe; write a copy")
        try:
            checked_path(path)
        except InvalidKey as error:
            raise _wrong(name, f"wrote a file whose {error}; rename it") from error
        if len(path.encode()) > LONGEST_PATH:
            raise _wrong(name, f"wrote {path[:40]!r}..., whose path is longer than {LONGEST_PATH} bytes; rename it")
    return paths


def _must_answer(content: bytes, name: str, prepared: Prepared, scorer: Scorer | None) -> None:
    rows = prepared.evaluation.inputs.head(CHECKED_ROWS)
    have = [column.name for column in prepared.columns]
    try:
        onnx = OnnxScorer(content, prepared.columns, len(scorer.classes) if scorer else 0)
        unknown = [given for given in onnx.takes if given not in have]
        if unknown:
            raise _wrong(
                name,
                f"wrote a model.onnx that takes {listed(unknown)}; it must take columns by their names, each rows x 1 "
                f"(have: {listed(have)})",
            )
        outputs = onnx.outputs(rows)
    except Unscorable as error:
        raise _wrong(name, f"wrote a model.onnx that cannot be used: {error}; correct it") from error
    if not any(isinstance(each, np.ndarray) and each.shape[:1] == (len(rows),) for each in outputs):
        raise _wrong(name, f"wrote a model.onnx that gives no output with one row for each of {len(rows)} rows")
    if scorer is not None:
        must_agree(scorer, content, rows, f"hooks.train: {name}: model.onnx", "correct it, or write no model.onnx")


def _must_be_skops(path: Path, name: str) -> None:
    import skops.io  # noqa: PLC0415 - only where it is asked for

    try:
        skops.io.get_untrusted_types(file=path)
    except Exception as error:
        raise _wrong(
            name, f"wrote a model.skops that skops cannot read ({type(error).__name__}); use skops.io.dump"
        ) from error


def _wrong(name: str, said: str) -> Refused:
    return Refused(Reason.CODE_INVALID, f"hooks.train: {name} {said}")
