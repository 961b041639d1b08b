"""Canonical JSON against RFC 8785: its own examples, then anything at all."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import msgspec
import numpy as np
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.errors import LedgerError
from trackrecord.ledger import canonical
from trackrecord.ledger.jcs import as_doubles

# RFC 8785, appendix B: the bits of a double, and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_a_number_is_written_as_the_rfc_writes_it(bits: str, written: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(value) == written.encode()


def test_the_rfcs_first_example_comes_out_byte_for_byte() -> None:
    document = json.loads(r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }""")
    assert (
        canonical(document)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_are_sorted_by_utf_16_as_in_the_rfcs_second_example() -> None:
    document = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = list(json.loads(canonical(document)).values())
    # By code point the emoji would come last; its UTF-16 begins with d83d, before fb33.
    assert [text.split()[0] for text in order] == [
        "Carriage",
        "One",
        "Control",
        "Latin",
        "Euro",
        "Emoji:",
        "Hebrew",
    ]


class Point(msgspec.Struct, frozen=True):
    x: float
    label: str | None = None


def test_structs_are_written_like_the_objects_that_they_are() -> None:
    assert canonical([Point(1.0), Point(0.5, "é")]) == canonical(
        [{"x": 1, "label": None}, {"label": "é", "x": 0.5}]
    )


@pytest.mark.parametrize(
    ("value", "where", "why"),
    [
        ({"a": [0.5, math.nan]}, "/a/1", "nan is not a JSON number"),
        ({"a": {"b": -math.inf}}, "/a/b", "-inf is not a JSON number"),
        ({"a/b": {"c~": math.inf}}, "/a~1b/c~0", "inf"),
        ([Point(math.nan)], "/0/x", "nan"),
        ({"big": 2**53}, "/big", "write it as text"),
        ({"big": -(2**53)}, "/big", "write it as text"),
        ({"big": 10**400}, "/big", "write it as text"),
        ({"s": "\ud800"}, "/s", "surrogate"),
        ({"k": {"\udfff": 1}}, "/k", "surrogate"),
        ({"o": [object()]}, "/o/0", "object has no JSON form"),
        ({"n": np.int64(3)}, "/n", "int64 has no JSON form"),
        ({"n": np.float64(3)}, "/n", "float64 has no JSON form"),
        ({"a": np.zeros(2)}, "/a", "ndarray has no JSON form"),
    ],
)
def test_what_has_no_canonical_form_is_refused_where_it_stands(
    value: Any, where: str, why: str
) -> None:
    with pytest.raises(LedgerError) as caught:
        canonical(value)
    assert caught.value.where == where
    assert why in (caught.value.why or "")


def test_the_largest_exact_integers_are_written() -> None:
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_a_key_that_is_not_text_never_becomes_another_key() -> None:
    with pytest.raises(LedgerError) as caught:
        canonical({"a": {1: "a", "1": "b"}})
    assert (caught.value.where, caught.value.why) == ("/a", "the key 1 is not text")


def test_nesting_too_deep_is_an_error_and_not_a_crash() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(LedgerError) as caught:
        canonical(value)
    assert "deep" in (caught.value.why or "")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(json_values)
@settings(deadline=None)
def test_anything_that_json_can_say_comes_back_and_is_written_the_same_again(value: Any) -> None:
    written = canonical(value)
    again = as_doubles(json.loads(written))
    assert again == value
    assert canonical(again) == written


simple = st.text(st.characters(max_codepoint=0x7F))
ordinary = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(1e-5, 1e17)
    | simple,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(simple, inner, max_size=5),
    max_leaves=30,
)


@given(ordinary | json_values)
@settings(deadline=None, max_examples=500)
def test_the_bytes_are_those_of_rfc8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_every_character_of_ascii_is_written_as_rfc8785_writes_it() -> None:
    for code in range(0x80):
        value = {chr(code): [chr(code), 0.5]}
        assert canonical(value) == rfc8785.dumps(value), code


def test_every_size_of_a_number_is_written_as_rfc8785_writes_it() -> None:
    for power in range(-330, 308):
        for digits in (1.0, -1.5, 9.999999999999998, 1 / 3):
            value = float(f"{digits!r}e{power}")
            assert canonical([value]) == rfc8785.dumps([value]), value


@given(st.dictionaries(st.text(), st.integers(0, 9), max_size=8))
def test_the_order_in_which_keys_were_put_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)
