"""The registry of kinds: whoever needs all of them starts here."""

from mira.api import modelpromotion, modelstage, trainingrun
from mira.api.meta import Kind

KINDS: tuple[Kind, ...] = (trainingrun.KIND, modelstage.KIND, modelpromotion.KIND)
