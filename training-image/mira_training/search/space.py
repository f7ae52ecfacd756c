"""`spec.search.space`: which sets of parameters are tried. Drawn and checked before any data is read."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from pydantic import ValidationError

from mira.api.reasons import Reason
from mira.api.trainingrun import Search
from mira_training.model.constraints import Allowed
from mira_training.model.parameters import GIVEN, Declared, Share, filled, must_fit
from mira_training.model.wording import shown
from mira_training.refusal import Refused, listed

DIGITS = 6
DRAWS_FOR_EACH = 50
"""How often a set is drawn anew that was drawn before: a small space has fewer different ones than trials."""
GOLDEN = 0.6180339887
PLAIN = (str, int, float, bool, list, dict)
RANGE = "low and high, with log: true for a logarithmic scale"
Draw = Callable[[Random], Any]
Dimension = Draw | list[Any]


@dataclass(frozen=True)
class Trial:
    """One set to try: `values` are those of the space, `parameters` all that the estimator is made with."""

    number: int
    values: Mapping[str, Any]
    parameters: Mapping[str, Any]


def trials_of(search: Search, own: Mapping[str, Any], wanted: Declared, field: str, seed: int) -> tuple[Trial, ...]:
    """The sets to try, at most `search.trials`, all different, the same for the same seed.

    The first is what would be trained without a search, if that is complete without the space. Lists alone that have
    fewer combinations than trials are tried whole. `own` are the spec's parameters; a parameter of both is the
    search's. Raises Refused (`InvalidParameters`).
    """
    taken = _Taken(search.space, own, wanted, field)
    space = {name: taken.dimension(name, given) for name, given in search.space.items()}
    found: list[Trial] = []
    seen: set[str] = set()
    for values in (*([{}] if taken.is_complete() else []), *_drawn(search, space, Random(seed))):  # noqa: S311
        parameters = {**own, **values}
        whole = filled(wanted, parameters).model_dump(by_alias=True)
        effective = json.dumps(whole, sort_keys=True, default=str)
        if effective not in seen and len(found) < search.trials:
            seen.add(effective)
            shown_values = values or {name: whole[name] for name in space if isinstance(whole.get(name), PLAIN)}
            found.append(Trial(len(found) + 1, shown_values, parameters))
    return tuple(found)


def _drawn(search: Search, space: Mapping[str, Dimension], random: Random) -> Iterator[dict[str, Any]]:
    lists = {name: each for name, each in space.items() if isinstance(each, list)}
    if len(lists) == len(space) and math.prod(map(len, lists.values())) <= search.trials:
        yield from (dict(zip(lists, chosen, strict=True)) for chosen in product(*lists.values()))
        return
    for _ in range(search.trials * DRAWS_FOR_EACH):
        yield {
            name: each[int(random.random() * len(each))] if isinstance(each, list) else each(random)
            for name, each in space.items()
        }


@dataclass(frozen=True)
class _Taken:
    """What the estimator takes of the space."""

    space: Mapping[str, Any]
    own: Mapping[str, Any]
    wanted: Declared
    field: str

    def dimension(self, name: str, given: Any) -> Dimension:
        """What is tried for one parameter: the values of its list, or a way to draw one from its range."""
        if not self.wanted.open_ended and name not in self.wanted.names:
            allowed = listed(sorted(self.wanted.names - set(GIVEN)), most=40) or "none"
            raise _wrong(f"{name}: is unknown to {self.field}; allowed: {allowed}")
        if isinstance(given, list) and given:
            for value in given:
                self._must_take(name, value)
            return list(given)
        if not (isinstance(given, dict) and {"low", "high"} <= set(given) <= {"low", "high", "log"}):
            raise _wrong(f"{name}: {shown(given)} is not allowed; write a list of values, or {RANGE}")
        low, high, log = _range(name, given)
        for end in ("low", "high"):
            self._must_take(name, given[end])
        if isinstance(low, int) and isinstance(high, int) and not self._takes_fractions(name, low, high):
            return _whole(low, high, log=log)
        return _fraction(low, high, log=log)

    def is_complete(self) -> bool:
        """Whether the estimator can be made without the space."""
        try:
            filled(self.wanted, self.own)
        except ValidationError:
            return False
        return True

    def _takes_fractions(self, name: str, low: int, high: int) -> bool:
        """Whether a range between whole numbers is meant to be of fractions: 1.0 is stored as 1, so the type tells."""
        known = self.wanted.model.model_fields.get(name)
        if known is None:
            return False
        constrained = any(isinstance(each, Allowed) for each in known.metadata)
        typed = known.annotation is not Any or constrained
        return typed and self._takes(name, low + (high - low) * GOLDEN)

    def _takes(self, name: str, value: Any) -> bool:
        try:
            filled(self.wanted, self._beside(name, value))
        except ValidationError as error:
            return all(each["loc"][:1] != (name,) for each in error.errors(include_url=False))
        return True

    def _must_take(self, name: str, value: Any) -> None:
        if self._takes(name, value):
            return
        try:
            must_fit([Share(self.wanted, self._beside(name, value), "")])
        except Refused as error:
            parts = error.message.removeprefix("parameters.").split("; parameters.")
            said = next(each for each in parts if each.startswith(f"{name}:"))
            raise _wrong(said.partition(" (declared by ")[0]) from error

    def _beside(self, name: str, value: Any) -> dict[str, Any]:
        """A whole set of parameters with this value: the others as they are, or the first that is tried."""
        firsts = {other: each[0] for other, each in self.space.items() if isinstance(each, list) and each}
        return {**firsts, **self.own, name: value}


def _range(name: str, given: Mapping[str, Any]) -> tuple[int | float, int | float, bool]:
    log = given.get("log", False)
    low, high = (_number(f"{name}.{end}", given[end]) for end in ("low", "high"))
    if not isinstance(log, bool):
        raise _wrong(f"{name}.log: {shown(log)} is not allowed; write true or false")
    if not low < high:
        raise _wrong(f"{name}: low {low} is not below high {high}")
    if log and low <= 0:
        raise _wrong(f"{name}.low: {low} is not allowed with log: true; it must be above 0")
    return low, high, log


def _number(place: str, value: Any) -> int | float:
    """An end of a range: a number, or one in quotes, which is a fraction however it is written."""
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise _wrong(f"{place}: {shown(value)} is not allowed; it must be a number")
    return number


def _whole(low: int, high: int, *, log: bool) -> Draw:
    def draw(random: Random) -> int:
        if log:
            return min(high, int(low * math.exp(random.random() * math.log((high + 1) / low))))
        return low + int(random.random() * (high - low + 1))

    return draw


def _fraction(low: float, high: float, *, log: bool) -> Draw:
    def draw(random: Random) -> float:
        drawn = random.random()
        value = low * math.exp(drawn * math.log(high / low)) if log else low + drawn * (high - low)
        return min(max(float(f"{value:.{DIGITS}g}"), float(low)), float(high))

    return draw


def _wrong(message: str) -> Refused:
    return Refused(Reason.INVALID_PARAMETERS, f"search.space.{message}")
