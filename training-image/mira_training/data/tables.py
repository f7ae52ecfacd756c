"""Objects as tables: CSV and Parquet, one object or many."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mira.api.data import Format
from mira.api.reasons import Reason
from mira_training.refusal import Refused, listed

CSV_IS = "it must be UTF-8 text with a header line and commas between the columns (or Parquet)"
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def format_of(uri: str, given: Format | None) -> Format | None:
    """The format of the rows: as given, else by the uri's suffix, None if neither says it."""
    by_suffix = {".csv": Format.CSV, ".csv.gz": Format.CSV, ".parquet": Format.PARQUET}
    return given or next((form for suffix, form in by_suffix.items() if uri.endswith(suffix)), None)


def read_table(path: Path, uri: str, form: Format, texts: Sequence[str] = ()) -> pd.DataFrame:
    """The rows of one object. `texts` names columns that are text also where they look like numbers, e.g. 007.

    Raises Refused (`DataUnreadable`) with the uri, what is wrong and how it must be.
    """
    try:
        frame = _csv(path, uri, texts) if form is Format.CSV else _parquet(path)
    except (ValueError, OSError, EOFError) as error:  # pandas and pyarrow raise their own kinds of both
        must_be = f"; {CSV_IS}" if form is Format.CSV and isinstance(error, ValueError) else ""
        raise _unreadable(uri, f"cannot be read as {form}: {_said(error)}{must_be}") from error
    names = [str(name) for name in frame.columns]
    _must_be_unique(names, uri)
    return frame.set_axis(names, axis=1)


def joined(tables: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """All rows of objects with the same columns. Raises Refused (`DataInvalid`) naming the first that differs."""
    first_uri, first = tables[0]
    for uri, table in tables[1:]:
        for uri_without, without, other, uri_with in ((uri, table, first, first_uri), (first_uri, first, table, uri)):
            missing = [name for name in other.columns if name not in set(without.columns)]
            if missing:
                raise Refused(
                    Reason.DATA_INVALID,
                    f"{uri_without}: has no column {listed(missing)}, which {uri_with} has; "
                    "all objects of a prefix must have the same columns",
                )
    return first if len(tables) == 1 else pd.concat([table for _, table in tables], ignore_index=True)


def _csv(path: Path, uri: str, texts: Sequence[str]) -> pd.DataFrame:
    compression: Literal["gzip"] | None = "gzip" if uri.endswith(".gz") else None
    # As a row of its own: as a header pandas renames what stands there twice, and a copy of the target is a feature.
    first = pd.read_csv(path, compression=compression, header=None, nrows=1, dtype="str", keep_default_na=False)
    header = [str(name) for name in first.iloc[0]]
    other = next((mark for mark in OTHER_SEPARATORS if len(header) == 1 and mark in header[0]), None)
    if other:
        raise _unreadable(uri, f"its header looks as if {OTHER_SEPARATORS[other]} separated its columns; {CSV_IS}")
    _must_be_unique([name for name in header if name], uri)
    frame = pd.read_csv(path, compression=compression, low_memory=False, dtype=dict.fromkeys(texts, "str"))
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas has taken the first column for names of rows: every value would stand under its neighbour's name.
        raise _unreadable(
            uri,
            f"its rows have more values than its header has names ({len(header)}); name every "
            "column, or remove commas at the ends of lines",
        )
    return frame


def _must_be_unique(names: Sequence[str], uri: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _unreadable(uri, f"has more than one column named {listed(twice)}; rename them")


def _unreadable(uri: str, said: str) -> Refused:
    return Refused(Reason.DATA_UNREADABLE, f"{uri}: {said}")


def _said(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{error.object[error.start]:02x} is not UTF-8"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _parquet(path: Path) -> pd.DataFrame:
    # Arrow's own allocator keeps 20 MB that nobody uses, and much of what a table has had.
    pa.set_memory_pool(pa.system_memory_pool())
    # ParquetFile and not read_table: that one imports all of pyarrow.dataset.
    with pq.ParquetFile(path) as file:
        table = file.read()
    for index, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.float64()))
    # Column by column, each given back once it is taken: at no time are the rows there twice.
    frame: pd.DataFrame = table.to_pandas(
        date_as_object=False, ignore_metadata=True, split_blocks=True, self_destruct=True
    )
    return frame
