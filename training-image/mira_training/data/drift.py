"""How the columns a model is trained on differ from those of the version in place."""

from collections.abc import Sequence

from mira.api.data import ColumnType
from mira.registry.manifest import Column
from mira.registry.outcome import FailedCheck
from mira_training.refusal import listed


def schema_drift(now: Sequence[Column], then: Sequence[Column], version: str) -> list[FailedCheck]:
    """One finding per kind of difference: columns that are gone, new, or of another type.

    Integer and Number are one family here: a single missing value turns a column of one into the other.
    """
    new, old = {column.name: column.type for column in now}, {column.name: column.type for column in then}
    gone = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    retyped = [
        f"{name} (was {old[name]}, is {new[name]})"
        for name in new
        if name in old and family(new[name]) != family(old[name])
    ]
    current = f"the current version {version}"
    kinds = (
        (gone, f"1 column of {current} is missing", f"columns of {current} are missing"),
        (added, f"1 column is new since {current}", f"columns are new since {current}"),
        (retyped, f"1 column has another type than in {current}", f"columns have another type than in {current}"),
    )
    return [
        FailedCheck(
            check="schemaDrift",
            message=f"{one if len(names) == 1 else f'{len(names)} {more}'}: {listed(names)}"[:1024],
        )
        for names, one, more in kinds
        if names
    ]


def family(kind: str) -> str:
    """The type, with whole numbers among the numbers."""
    return ColumnType.NUMBER if kind == ColumnType.INTEGER else kind
