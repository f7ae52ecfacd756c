"""A published version as a scorer, by its files alone: ONNX, or skops with types that may be trusted."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mira.api.trainingrun import Artifact, Task
from mira.registry.manifest import Column, File, Manifest
from mira.registry.reader import Registry, Tampered, VerifiedVersion
from mira_training.data.columns import model_input
from mira_training.exhaustion import exhausted
from mira_training.model.artifacts import BROUGHT, FILES
from mira_training.model.fitted import Fitted
from mira_training.model.onnx_scorer import OnnxScorer, Unscorable
from mira_training.model.trained import Scorer, Scores
from mira_training.refusal import Refused, listed

AS_SERVED = (Artifact.ONNX, Artifact.SKOPS)
"""Needs no code of the version's own."""
AS_TRAINED = (Artifact.SKOPS, Artifact.ONNX)
"""The estimator itself, as it was when the version was evaluated: ONNX computes with 32 bits, the estimator with 64."""
LIBRARIES = ("sklearn", "mira_training", *BROUGHT)


@dataclass(frozen=True)
class Stored:
    """A version's file, asked for the scores of a table that holds its columns; `classes` are as the manifest's."""

    task: Task
    columns: tuple[Column, ...]
    classes: tuple[str, ...]
    asked: Any

    def scores(self, inputs: pd.DataFrame) -> Scores:
        """Probabilities (rows x classes) or predicted numbers (rows). Raises Unscorable."""
        found: Scores = self.asked(inputs)
        return found


def stored_scorer(
    version: VerifiedVersion, registry: Registry, folder: Path, forms: Sequence[Artifact] = AS_SERVED
) -> Scorer:
    """The version by the first of these forms that it has and that can be used. Errors: Unscorable, StoreUnavailable.

    Of task Custom only ONNX is known to Mira: what its skops file holds is the user's own business.
    """
    manifest = version.manifest
    usable = [form for form in forms if form is Artifact.ONNX or manifest.task != Task.CUSTOM]
    problem = Unscorable(f"it was published without {FILES[Artifact.ONNX]}; publish with artifacts: [Skops, ONNX]")
    for form in usable:
        file = version.file(FILES[form])
        if file is None:
            continue
        # A file that was changed is no reason to look at the next one: nothing of such a version is believed.
        path = _downloaded(version, file, registry, folder)
        try:
            return _opened(form, path, manifest)
        except Unscorable as error:
            problem = error
    raise problem


def _downloaded(version: VerifiedVersion, file: File, registry: Registry, folder: Path) -> Path:
    try:
        return registry.download(version.key, file, folder / version.digest[-16:] / Path(file.path).name)
    except Tampered as error:
        raise Unscorable(f"{error}, so it is not used") from error


def _opened(form: Artifact, path: Path, manifest: Manifest) -> Scorer:
    schema, task = manifest.model_schema, Task(manifest.task)
    columns, classes = tuple(schema.columns), tuple(schema.classes)
    if form is Artifact.ONNX:
        return Stored(task, columns, classes, OnnxScorer(path, columns, len(classes)).scores)
    fitted = Fitted(_from_skops(path, manifest), task, columns, classes)
    return Stored(task, columns, classes, lambda table: _scores(fitted, table))


def _scores(fitted: Fitted, table: pd.DataFrame) -> Scores:
    try:
        return fitted.scores(model_input(table, list(fitted.columns)))
    except KeyError as error:
        raise Unscorable(f"it takes column {error.args[0]!r}, which the data does not have") from error
    except ValueError as error:
        raise Unscorable(f"the data does not fit: {error}") from error
    except Refused as error:
        raise Unscorable(error.message) from error


def _from_skops(path: Path, manifest: Manifest) -> Any:
    """The estimator, of types of scikit-learn and of the packages that the version's own code comes from."""
    import skops.io  # noqa: PLC0415 - most versions are asked by their ONNX file

    try:
        own = skops.io.get_untrusted_types(file=path)
        strange = [name for name in own if name.partition(".")[0] not in _trusted(manifest)]
        if not strange:
            return skops.io.load(path, trusted=own)
    except (ImportError, AttributeError) as error:
        raise Unscorable(f"its {path.name} needs code that this image does not have: {error}") from error
    except Exception as error:
        if exhausted(error):
            # Another pod may have the room: no judgement on the pair.
            raise
        said = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise Unscorable(f"its {path.name} cannot be loaded here: {said[0][:300]}") from error
    raise Unscorable(f"its {path.name} holds {listed(strange, most=3)}, which is no type of its own code")


def _trusted(manifest: Manifest) -> set[str]:
    references = (manifest.code.estimator, manifest.code.features or "", *(manifest.code.hooks or {}).values())
    packages = {reference.partition(":")[0].partition(".")[0] for reference in references}
    return {*LIBRARIES, *packages} - sys.stdlib_module_names
