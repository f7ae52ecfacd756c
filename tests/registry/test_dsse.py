"""DSSE envelopes and in-toto statements: as others write them in, and nothing hostile."""

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mira.registry.document import DocumentInvalid
from mira.registry.dsse import ENVELOPE_LIMIT, Envelope, Statement, decoded, encoded, pae

A_STATEMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "manifest.json", "digest": {"sha256": "0" * 64}}],
    "predicateType": "https://example.com/says/v1",
    "predicate": {"a": 1},
}
AN_ENVELOPE: dict[str, Any] = {
    "payload": encoded(b"{}"),
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [{"keyid": "k", "sig": encoded(b"signature")}],
}


def raw(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_what_is_signed_is_encoded_as_in_the_specifications_own_example() -> None:
    # github.com/secure-systems-lab/dsse/blob/master/protocol.md
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_are_of_bytes_and_an_empty_body_has_one() -> None:
    assert pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.text(" 0123456789", max_size=8), st.binary(max_size=8), st.text(" 0123456789", max_size=8), st.binary(max_size=8)
)
def test_no_two_payloads_are_signed_as_the_same_bytes(kind: str, body: bytes, other: str, another: bytes) -> None:
    assert (pae(kind, body) == pae(other, another)) is ((kind, body) == (other, another))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=100))
def test_both_alphabets_of_base64_are_read(body: bytes) -> None:
    assert decoded(encoded(body), "sig") == body
    assert decoded(base64.urlsafe_b64encode(body).decode(), "sig") == body


@pytest.mark.parametrize("text", ["a", "ab", "abc", "ab=", "a===", "=", "a=bc", "+_==", "YWJj\n", "YWJj=", "é==="])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(DocumentInvalid):
        Envelope.parse(raw(AN_ENVELOPE | {"payload": text}))
    with pytest.raises(DocumentInvalid):
        Envelope.parse(raw(AN_ENVELOPE | {"signatures": [{"keyid": "k", "sig": text}]}))


REFUSED: dict[str, Any] = {
    "a list": [],
    "nothing in it": {},
    "no signature": AN_ENVELOPE | {"signatures": []},
    "more signatures than anybody needs": AN_ENVELOPE | {"signatures": AN_ENVELOPE["signatures"] * 17},
    "a signature that is a text": AN_ENVELOPE | {"signatures": ["x"]},
    "no payload": {key: value for key, value in AN_ENVELOPE.items() if key != "payload"},
    "a payload that is an object": AN_ENVELOPE | {"payload": {}},
    "no type of payload": AN_ENVELOPE | {"payloadType": ""},
    "our own spelling of a field": {"payload": "", "payload_type": "x", "signatures": AN_ENVELOPE["signatures"]},
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_an_envelope_is_refused_with(content: Any) -> None:
    with pytest.raises(DocumentInvalid):
        Envelope.parse(raw(content))


def test_an_envelope_beyond_its_limit_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="bytes are more"):
        Envelope.parse(raw(AN_ENVELOPE).ljust(ENVELOPE_LIMIT + 1))


def test_an_envelope_is_read_with_fields_that_others_add_and_without_a_key_id() -> None:
    content = AN_ENVELOPE | {"verificationMaterial": {}, "signatures": [{"sig": "YQ=="}]}
    assert Envelope.parse(raw(content)).signatures[0].raw == b"a"


def test_a_statement_reads_back_equal_and_is_the_same_bytes() -> None:
    once = Statement.parse(raw(A_STATEMENT))
    assert json.loads(once.render()) == A_STATEMENT
    assert Statement.parse(once.render()).render() == once.render()


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"type_": "https://in-toto.io/Statement/v1", "_type": None},
        {"subject": []},
        {"subject": [{"name": "x", "digest": {"sha512": "0"}}]},
        {"subject": [{"name": "x", "digest": {"sha256": "0" * 63 + "G"}}]},
        {"subject": [{"name": "", "digest": {"sha256": "0" * 64}}]},
        {"predicateType": "not a url"},
        {"predicate": []},
    ],
)
def test_a_statement_is_refused_with(change: dict[str, Any]) -> None:
    with pytest.raises(DocumentInvalid):
        Statement.parse(raw(A_STATEMENT | change))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda one: st.lists(one) | st.dictionaries(st.text(max_size=8), one),
    max_leaves=6,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["payload", "payloadType", "signatures", "_type", "subject", "predicate"]), JSON)
)
def test_whatever_the_fields_it_is_a_document_or_refused(content: dict[str, Any]) -> None:
    for kind, given_ in ((Envelope, AN_ENVELOPE), (Statement, A_STATEMENT)):
        with contextlib.suppress(DocumentInvalid):
            kind.parse(raw(given_ | content))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_the_bytes_they_are_a_document_or_refused(content: bytes) -> None:
    for kind in (Envelope, Statement):
        with contextlib.suppress(DocumentInvalid):
            kind.parse(content)
