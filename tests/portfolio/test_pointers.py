"""Pointers: where a value stands, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from trackrecord.errors import BadInput
from trackrecord.portfolio.citations import Cited, cite
from trackrecord.portfolio.pointers import FORMATS, resolve, shown

DOCUMENT: dict[str, Any] = {"a/b": {"~": [1, {"": 0.5}]}, "none": None}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", DOCUMENT), ("/a~1b/~0/0", 1), ("/a~1b/~0/1/", 0.5), ("/none", None)],
)
def test_a_pointer_leads_to_its_value(pointer: str, value: Any) -> None:
    assert resolve(DOCUMENT, pointer) == value


@pytest.mark.parametrize("pointer", ["/a", "/a~1b/~0/2", "/a~1b/~0/x", "/none/x"])
def test_a_pointer_that_leads_nowhere_is_an_error(pointer: str) -> None:
    with pytest.raises(BadInput, match="leads nowhere"):
        resolve(DOCUMENT, pointer)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (336776, "integer", "336,776"),
        (0.62849, "number", "0.628"),
        (-0.0584, "number", "−0.058"),
        (0.04512, "signed", "+0.045"),
        (-0.00004, "signed", "0.000"),
        (0.012, "points", "+1.2"),
        (-0.0001, "points", "0.0"),
        (0.2214, "percent", "22.1 %"),
        (0.95, "level", "95 %"),
        (0.999, "level", "99.9 %"),
        ("2013-10-01T04:00:00Z", "date", "2013-10-01"),
        ("2013-10-01T04:00:09Z", "time", "2013-10-01 04:00:09 UTC"),
        ("0123456789abcdef", "short", "0123456789ab"),
        ("<b>", "text", "<b>"),
        ("bias in [-0.02, 0.02]", "condition", "bias in [−0.02, 0.02]"),
        ("x-1 > -.5 until 2013-10-01 or 1e-05", "condition", "x-1 > −.5 until 2013-10-01 or 1e-05"),
        ("AUC \u202e0.9\u2066", "text", "AUC \ufffd0.9\ufffd"),  # it would read 9.0
    ],
)
def test_each_form_shows_a_value_as_people_write_it(value: Any, form: str, text: str) -> None:
    assert shown(value, form) == text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [None, {"a": 1}, [1]])
def test_nothing_and_groups_of_values_are_never_shown(value: Any, form: str) -> None:
    with pytest.raises(BadInput, match="cannot be shown"):
        shown(value, form)


@pytest.mark.parametrize(("value", "form"), [("0.5", "number"), (True, "integer"), (1, "nonsense")])
def test_a_value_is_not_forced_into_a_form(value: Any, form: str) -> None:
    with pytest.raises(BadInput):
        shown(value, form)


def test_a_cited_value_prints_as_the_pointer_it_is() -> None:
    place = Cited("ab" * 32, "", {"a": [{"lo": -0.5}]})["a"][0]["lo"]
    assert cite(place, "signed") == (
        f'<data data-evidence="{"ab" * 32}" data-at="/a/0/lo" data-form="signed" '
        'value="-0.5">−0.500</data>'
    )


def test_a_cited_text_is_escaped_and_points_to_its_entry() -> None:
    place = Cited(7, "", {"time": "<script>"})["time"]
    assert place.__html__() == (
        '<span data-entry="7" data-at="/time" data-form="text">&lt;script&gt;</span>'
    )


def test_keys_of_a_cited_value_are_escaped_as_the_standard_says() -> None:
    place = Cited("d", "", {"a/b~c": 1})["a/b~c"]
    assert resolve({"a/b~c": 1}, place.cited_at) == 1
