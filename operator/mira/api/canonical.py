"""Canonical JSON: equal values are equal bytes. Hashes of these bytes are kept in S3 for ever."""

from typing import Any

import rfc8785

MAX_INTEGER = 2**53 - 1


class NotCanonicalError(ValueError):
    """A value has no canonical form: a whole number that no double is, nesting that is too deep, or no JSON."""


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 JSON of any JSON value. Raises NotCanonicalError."""
    try:
        return rfc8785.dumps(_as_doubles(value))
    except (rfc8785.CanonicalizationError, OverflowError) as error:
        raise NotCanonicalError(str(error)) from error
    except UnicodeEncodeError as error:
        raise NotCanonicalError("a string is not Unicode text") from error
    except RecursionError as error:
        raise NotCanonicalError("values are nested too deeply") from error


def _as_doubles(value: Any) -> Any:
    """The value with whole numbers over 2^53-1 as doubles, where they are: the API server writes 1e16 in digits."""
    if isinstance(value, dict):
        return {key: _as_doubles(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_doubles(each) for each in value]
    if isinstance(value, int) and abs(value) > MAX_INTEGER and float(value) == value:
        return float(value)
    return value
