"""Documents: hostile bytes in, canonical bytes out."""

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mira.registry.document import DEEPEST, DecimalText, DocumentInvalid, Time, decimal_text, parse_json
from mira.registry.outcome import Outcome, Result
from tests.registry.examples import DOCUMENTS, an_order

LIMIT = 4096


def nested(levels: int, opening: str = "[", closing: str = "]") -> bytes:
    return f"{opening * levels}1{closing * levels}".encode()


TAKEN = {
    "the deepest arrays allowed": (nested(DEEPEST), None),
    "the deepest objects allowed": (nested(DEEPEST, '{"a":', "}"), None),
    "brackets in a string": (json.dumps("[{" * 500).encode(), "[{" * 500),
    "brackets behind an escaped quote": (b'"\\"[[[[[[[[[[[[[[[[[[[[[[[["', '"' + "[" * 24),
    "brackets in a key": (json.dumps({"[" * 30: 1}).encode(), {"[" * 30: 1}),
    "a backslash at a string's end": (b'["\\\\", [1]]', ["\\", [1]]),
    "many siblings": (b"[" + b"[],{}," * 300 + b"1]", None),
    "blanks around": (b" \n\t{} \r\n", {}),
    "exactly as long as the limit": (b'"' + b"a" * (LIMIT - 2) + b'"', "a" * (LIMIT - 2)),
    "the same key in two objects": (b'[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    "keys that differ by case": (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    "the largest double": (b"1.7976931348623157e308", 1.7976931348623157e308),
    "a number that is next to nothing": (b"1e-400", 0.0),
    "any Unicode": ('"ä\u202e\U0001f600"'.encode(), "ä\u202e\U0001f600"),
}
REFUSED = {
    "one array too deep": (nested(DEEPEST + 1), "deeper than 20"),
    "one object too deep": (nested(DEEPEST + 1, '{"a":', "}"), "deeper than 20"),
    "arrays and objects in turn": (nested(DEEPEST // 2 + 1, '[{"a":', "}]"), "deeper than 20"),
    "a thousand opening brackets": (b"[" * 1000, "deeper than 20"),
    "as deep after closing more than was open": (b"]" * 500 + b"[" * 500, "not JSON"),
    "deep behind a string with an escaped quote": (b'["\\"",' + b"[" * 30, "deeper than 20"),
    "deep behind an escaped backslash": (b'["\\\\",' + b"[" * 30, "deeper than 20"),
    "an unterminated string": (b'{"a": "b', "not JSON"),
    "an unterminated string of brackets": (b'["' + b"[" * 100, "not JSON"),
    "an unterminated escape": (b'"\\', "not JSON"),
    "a newline in a string": (b'"a\nb"', "not JSON"),
    "NUL in a string": (b'"a\0b"', "not JSON"),
    "one byte over the limit": (b'"' + b"a" * (LIMIT - 1) + b'"', f"{LIMIT + 1} bytes"),
    "blanks over the limit": (b" " * (LIMIT + 1), f"{LIMIT + 1} bytes"),
    "a duplicate key": (b'{"a":1,"b":2,"a":1}', "same key twice"),
    "a duplicate key deep inside": (b'[[{"x":{"a":1,"a":2}}]]', "same key twice"),
    "a duplicate key spelled by an escape": (b'{"a":1,"\\u0061":2}', "same key twice"),
    "NaN": (b'{"a":NaN}', "NaN is not"),
    "Infinity": (b"[Infinity]", "Infinity is not"),
    "-Infinity": (b"[-Infinity]", "Infinity is not"),
    "a number that no double holds": (b'{"a":1e400}', "1e400 is not"),
    "a negative number that no double holds": (b'{"a":-1e400}', "-1e400 is not"),
    "bytes that are no UTF-8": (b'"\xff"', "not JSON"),
    "an overlong encoding": (b'"\xc0\xaf"', "not JSON"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "not JSON"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "nothing": (b"", "not JSON"),
    "blanks": (b"  ", "not JSON"),
    "two values": (b"{} {}", "not JSON"),
    "a comment": (b"{} // x", "not JSON"),
    "a trailing comma": (b"[1,]", "not JSON"),
    "single quotes": (b"{'a':1}", "not JSON"),
    "a leading zero": (b"01", "not JSON"),
    "YAML": (b"a: 1", "not JSON"),
}


@pytest.mark.parametrize(("raw", "value"), TAKEN.values(), ids=TAKEN.keys())
def test_json_is_read_with(raw: bytes, value: Any) -> None:
    found = parse_json(raw, limit=LIMIT)
    assert value is None or found == value


@pytest.mark.parametrize(("raw", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_json_is_refused_with(raw: bytes, why: str) -> None:
    with pytest.raises(DocumentInvalid, match=why) as refusal:
        parse_json(raw, limit=LIMIT)
    assert len(str(refusal.value)) <= 300, "what is hostile must not fill logs and statuses"


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.binary(max_size=200) | st.text('[]{}",:\\ 1a\ud800', max_size=60).map(lambda t: t.encode(errors="surrogatepass"))
)
def test_whatever_the_bytes_they_are_a_value_or_refused(raw: bytes) -> None:
    with contextlib.suppress(DocumentInvalid):
        parse_json(raw, limit=LIMIT)


def test_a_whole_number_of_5000_digits_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="not JSON"):
        parse_json(b"9" * 5000, limit=5000)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.SCHEMA)
class TestEveryDocument:
    def test_reads_back_equal(self, document: Any) -> None:
        assert type(document).parse(document.render()) == document

    def test_is_the_same_bytes_however_often_it_is_read_and_written(self, document: Any) -> None:
        once = document.render()
        assert type(document).parse(once).render() == once

    def test_is_the_same_bytes_whatever_the_order_and_blanks_of_what_was_read(self, document: Any) -> None:
        content = json.loads(document.render())
        shuffled = json.dumps(dict(reversed(content.items())), indent=1, ensure_ascii=True).encode()
        assert type(document).parse(shuffled).render() == document.render()

    def test_survives_fields_of_a_newer_writer(self, document: Any) -> None:
        content = json.loads(document.render()) | {"ofTheFuture": {"a": [1, None]}}
        assert type(document).parse(json.dumps(content).encode()) == document

    @pytest.mark.parametrize("schema", ["", "mira.other/v1", None, 1, [], {"a": 1}, "mira.entry/v2", "\ud800"])
    def test_is_not_read_from_another_schema(self, document: Any, schema: Any) -> None:
        content = json.loads(document.render()) | {"schema": schema}
        with pytest.raises(DocumentInvalid, match="schema is"):
            type(document).parse(json.dumps(content).encode())

    @pytest.mark.parametrize("raw", [b"[]", b"null", b'"mira"', b"1", b"{}", b'{"schema":null}'])
    def test_is_not_read_from_what_is_no_document(self, document: Any, raw: bytes) -> None:
        with pytest.raises(DocumentInvalid, match="schema is"):
            type(document).parse(raw)

    def test_is_not_read_beyond_its_limit(self, document: Any) -> None:
        raw = document.render()
        padded = raw + b" " * (type(document).LIMIT + 1 - len(raw))
        with pytest.raises(DocumentInvalid, match="bytes are more"):
            type(document).parse(padded)

    def test_is_not_read_without_a_field_it_needs_and_says_which(self, document: Any) -> None:
        content = json.loads(document.render())
        for name in type(document).model_fields:
            field = type(document).model_fields[name]
            if field.is_required():
                without = {key: value for key, value in content.items() if key != field.alias}
                with pytest.raises(DocumentInvalid, match=f"^{field.alias}: "):
                    type(document).parse(json.dumps(without).encode())

    def test_is_not_read_with_any_field_of_another_type(self, document: Any) -> None:
        content = json.loads(document.render())
        for key in content.keys() - {"schema"}:
            for wrong in ([[[]]], {"\ud800": {"\0": []}}, -1.5, "\ud800"):
                with contextlib.suppress(DocumentInvalid):  # some fields are free-form
                    type(document).parse(json.dumps(content | {key: wrong}).encode())

    def test_knows_each_field_by_one_name(self, document: Any) -> None:
        """Two spellings of one field would let two readers see two values in the same bytes."""
        content = json.loads(document.render())
        for name, field in type(document).model_fields.items():
            if field.is_required() and field.alias != name:
                renamed = {name if key == field.alias else key: value for key, value in content.items()}
                with pytest.raises(DocumentInvalid, match=f"^{field.alias}: "):
                    type(document).parse(json.dumps(renamed).encode())


def an_outcome(**fields: Any) -> bytes:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    outcome = Outcome(
        attempt="01234567-89abcdef", result=Result.FAILED, reason="DataInvalid", message="", retryable=False,
        step="validate", started_at=moment, finished_at=moment,
    )  # fmt: skip
    return json.dumps(json.loads(outcome.render()) | fields).encode()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z"),
        ("2026-11-25T13:00:00+01:00", "2026-11-25T12:00:00Z"),
        ("2026-11-25T12:00:00.999999Z", "2026-11-25T12:00:00Z"),
        ("2026-11-25T00:30:00+14:00", "2026-11-24T10:30:00Z"),
    ],
)
def test_a_time_is_written_in_utc_and_whole_seconds_and_reads_back_equal(text: str, written: str) -> None:
    outcome = Outcome.parse(an_outcome(startedAt=text))
    assert json.loads(outcome.render())["startedAt"] == written
    assert Outcome.parse(outcome.render()) == outcome


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-11-25", "2026-11-25T12:00:00", "2026-13-01T00:00:00Z",
        "2026-11-25T12:00:00+25:00", "NaN", 1e300,
        "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "0999-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_time_is_refused(text: Any) -> None:
    with pytest.raises(DocumentInvalid, match=r"^startedAt: "):
        Outcome.parse(an_outcome(startedAt=text))


@given(
    st.datetimes(datetime(1001, 1, 2), datetime(9998, 12, 30)),  # noqa: DTZ001 - zones come below
    st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_every_moment_reads_back_as_it_was_written(moment: datetime, offset: int) -> None:
    times = TypeAdapter(Time)
    written = times.validate_python(moment.replace(tzinfo=timezone(timedelta(minutes=offset))))
    assert times.validate_json(times.dump_json(written)) == written


DECIMALS = [
    (0.0, "0.0"),
    (-0.0, "0.0"),
    (-1e-9, "0.0"),
    (1.0, "1.0"),
    (-1.5, "-1.5"),
    (0.1 + 0.2, "0.3"),
    (1e-6, "0.000001"),
    (-1e-6, "-0.000001"),
    (1e-7, "0.0"),
    (1.5e-6, "0.000002"),
    (0.9999999, "1.0"),
    (123456789.123456789, "123456789.123457"),
    (1e15, "1000000000000000.0"),
    (1e16, "10000000000000000"),
    (1.5e18, "1500000000000000000"),
    (9.9e19, "99000000000000000000"),
    (-9.9e19, "-99000000000000000000"),
]


@pytest.mark.parametrize(("value", "text"), DECIMALS)
def test_a_number_is_told_as_decimal_text(value: float, text: str) -> None:
    assert decimal_text(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e20, -1e20, 1e22, 1.7e308])
def test_a_number_without_decimal_text_is_refused_and_named(value: float) -> None:
    with pytest.raises(ValueError, match=str(value).replace("+", r"\+")):
        decimal_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e19, max_value=1e19))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_decimal_text_is_what_documents_take_and_close_to_the_number(value: float) -> None:
    text = TypeAdapter(DecimalText).validate_python(decimal_text(value))
    assert abs(Decimal(text) - Decimal(value)) <= Decimal("0.000001") + abs(Decimal(value)) * Decimal("1e-15")
    assert decimal_text(float(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "5.",
        "+1",
        "1e5",
        "1,5",
        "0x1",
        "NaN",
        "inf",
        " 1",
        "1 ",
        "1\n",
        "--1",
        "1.2.3",
        "\u0663",
        "9" * 21,
        "1" * 16 + "." + "1" * 16,
    ],
)
def test_text_that_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(DecimalText).validate_python(text)


FREE = {
    "null": {"a": None, "b": [None]},
    "an empty object": {"a": {}},
    "floats": {"a": 0.1, "b": 1e21, "c": 1e-7, "d": -0.5},
    "the largest whole number that every reader holds": {"a": 2**53 - 1},
    "a larger one that a double holds": {"a": 10**16, "b": -(2**53 + 2)},
    "any text": {"ä\u202e": "\U0001f600\0\n"},
    "truth": {"a": True, "b": [False]},
}


@pytest.mark.parametrize("parameters", FREE.values(), ids=FREE.keys())
def test_free_parameters_reach_the_image_as_they_are(parameters: dict[str, Any]) -> None:
    order = an_order(spec={"parameters": parameters})
    assert type(order).parse(order.render()).spec == {"parameters": parameters}


@pytest.mark.parametrize("value", [2**53 + 1, 10**400, float("nan"), float("inf"), "\ud800"])
def test_a_value_that_json_does_not_hold_is_refused_where_it_is_written(value: Any) -> None:
    with pytest.raises(DocumentInvalid):
        an_order(spec={"parameters": {"a": value}}).render()
