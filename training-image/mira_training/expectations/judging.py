# ruff: noqa: PLC0415 - Great Expectations takes seconds to import, and the slim image is without it
"""A table held against a suite by Great Expectations. What is told of it is counts: never a value of a cell."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from numbers import Integral, Real
from typing import Any

import pandas as pd

from mira.api.reasons import Reason
from mira.registry.manifest import FailedCheck
from mira_training.exhaustion import exhausted
from mira_training.expectations.suite import FIELD, Suite, Wanted
from mira_training.refusal import Refused

PACKAGE = "great_expectations"
LONGEST_ARGUMENTS = 200
# What these observe says something of all rows together. Others observe cells: the largest one, or all that are new.
TELL_WHAT_THEY_SAW = (
    "expect_column_mean_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
)


class Judge:
    """A suite that Great Expectations has taken whole."""

    def __init__(self, suite: Suite) -> None:
        """Raises Refused: `ExtraNotInstalled`, or `ExpectationsInvalid` naming the first expectation that is wrong."""
        if find_spec(PACKAGE) is None:
            raise Refused(
                Reason.EXTRA_NOT_INSTALLED,
                f"{FIELD}: this image is built without Great Expectations (variant slim); use the default variant, or "
                "data.checks.columns",
            )
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        self.suite = suite
        with _silence():
            import great_expectations as gx

            self._taken = gx.ExpectationSuite(
                name="suite", expectations=[_built(wanted, number) for number, wanted in enumerate(suite.expectations)]
            )
        # It logs what it cannot add, leaves it out and goes on; and of two that are equal it keeps one.
        if len(self._taken.expectations) != len(suite.expectations):
            raise AssertionError(f"of {len(suite.expectations)} expectations {len(self._taken.expectations)} were kept")

    def judged(self, table: pd.DataFrame) -> tuple[list[FailedCheck], list[FailedCheck]]:
        """What failed and is critical, and what failed and is less; in the order of the suite.

        Raises Refused (`ExpectationsInvalid`) if Great Expectations itself fails at it.
        """
        failed: dict[int, FailedCheck] = {}
        for result in self._results(table):
            if not result.success:
                number = result.expectation_config.meta["number"]
                failed[number] = _failed(self.suite.expectations[number], result, table)
        told = sorted(failed)
        critical = [number for number in told if self.suite.expectations[number].severity == "critical"]
        return [failed[number] for number in critical], [failed[n] for n in told if n not in critical]

    def _results(self, table: pd.DataFrame) -> Any:
        try:
            with _silence():
                return _batch(table).validate(self._taken, result_format="BASIC").results
        except Exception as error:
            if exhausted(error):
                raise
            # Of which kind and no more: its words may hold values of cells.
            raise Refused(
                Reason.EXPECTATIONS_INVALID,
                f"{FIELD}: {self.suite.place}: Great Expectations failed with {type(error).__name__} on this data",
            ) from None


def _built(wanted: Wanted, number: int) -> Any:
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    try:
        kind = get_expectation_impl(wanted.type)
    except ExpectationNotFoundError as error:
        like = get_close_matches(wanted.type, list_registered_expectation_implementations(), n=1)
        more = f"did you mean {like[0]}?" if like else "write one of Great Expectations 1.x"
        raise _invalid(wanted, f"type: there is no expectation {wanted.type[:100]!r}; {more}") from error
    try:
        # The number alone: what else a file may hold in meta, ids and notes means nothing here.
        return kind(**wanted.kwargs, severity=FailureSeverity(wanted.severity), meta={"number": number})
    except Exception as error:
        raise _invalid(wanted, f"kwargs: {wanted.type}: {_first_problem(error)}") from error


def _invalid(wanted: Wanted, said: str) -> Refused:
    return Refused(Reason.EXPECTATIONS_INVALID, f"{FIELD}: {wanted.place}.{said}")


def _first_problem(error: Exception) -> str:
    """In a line what pydantic, or a check of the expectation's own, has against the arguments."""
    problems = getattr(error, "errors", None)
    if not callable(problems):
        return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    first = problems()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "__root__")
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def _batch(table: pd.DataFrame) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # In memory: nothing is looked for on the disk, and nothing is left there.
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("mira").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": table})


def _failed(wanted: Wanted, result: Any, table: pd.DataFrame) -> FailedCheck:
    columns = _columns(wanted)
    where = f"{listed_columns(columns)}: " if columns else ""
    said = f"{where}{wanted.type}{_arguments(wanted)} {_what_is_wrong(wanted, result, columns, table)}"
    return FailedCheck(check=wanted.type, column=columns[0][:253] if len(columns) == 1 else "", message=said[:1024])


def _what_is_wrong(wanted: Wanted, result: Any, columns: list[str], table: pd.DataFrame) -> str:
    """From the numbers that are chosen here. The rest of a result, also the text of an exception, may hold cells."""
    if missing := [name for name in columns if name not in table.columns]:
        return f"cannot be looked at: {listed_columns(missing)} is missing"
    if _raised(result.exception_info or {}):
        types = ", ".join(sorted({str(table[name].dtype) for name in columns}))
        return f"cannot be looked at: an argument does not fit{f' values of type {types}' if types else ' the data'}"
    seen = result.result
    count, rows = seen.get("unexpected_count"), seen.get("element_count")
    if isinstance(count, Integral) and isinstance(rows, Integral):
        return f"is not met by {count} of {int(rows) - int(seen.get('missing_count') or 0)} values"
    observed = seen.get("observed_value")
    if wanted.type in TELL_WHAT_THEY_SAW and isinstance(observed, Real):
        return f"is not met: it is {float(observed):.6g}"
    return "is not met"


def _raised(said: dict[str, Any]) -> bool:
    """Whether it could not be evaluated; it is told for the whole expectation, or for each metric that it needs."""
    return bool(said.get("raised_exception")) or any(
        isinstance(each, dict) and each.get("raised_exception") for each in said.values()
    )


def _columns(wanted: Wanted) -> list[str]:
    kwargs = wanted.kwargs
    named = [kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B"), *(kwargs.get("column_list") or ())]
    return [name for name in named if isinstance(name, str)]


def listed_columns(names: list[str]) -> str:
    """`column 'a'`, or `columns 'a', 'b'`."""
    return f"column{'s' if len(names) > 1 else ''} {', '.join(repr(name) for name in names)}"


def _arguments(wanted: Wanted) -> str:
    columns = ("column", "column_A", "column_B", "column_list")
    said = ", ".join(f"{name}={value!r}" for name, value in wanted.kwargs.items() if name not in columns)
    return f"({said if len(said) <= LONGEST_ARGUMENTS else said[:LONGEST_ARGUMENTS] + '...'})"


@contextmanager
def _silence() -> Iterator[None]:
    """Great Expectations logs what it meets, with values of cells in it; all that matters comes back as a result."""
    logger = logging.getLogger(PACKAGE)
    before = logger.level
    # Children that have no level of their own take this one.
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
