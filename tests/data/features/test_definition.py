"""A definition that cannot be meant is refused, with its line and what may stand there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.features.worlds import TEXT, library

from trackrecord.data.features.durations import duration, lag
from trackrecord.data.features.spec import decode_definition, read_definition
from trackrecord.errors import DataError


def refused(text: str) -> DataError:
    with pytest.raises(DataError) as caught:
        decode_definition(text, "features/visits.toml")
    return caught.value


def test_a_definition_is_read() -> None:
    written = decode_definition(TEXT, "features/visits.toml")
    takes = written.plan.takes
    assert [take.name for take in takes] == ["loan_book", "pages_week", "loans_ever"]
    assert takes[1].window == 7 * 86_400_000_000
    assert written.plan.known_by.text == "at the time"


# what is written for what, the line that is named, and a word of the answer
WRONG = {
    "a key nobody knows": ("time = \"at\"", "tme = \"at\"", 6, "did you mean 'time'?"),
    "a way nobody knows": ("sum = \"pages\"", "smu = \"pages\"", 17, "did you mean 'sum'?"),
    "a view's key nobody knows": ('prefix = "loan_"', 'prefx = "loan_"', 14, "'prefix'"),
    "text for a list": ('by = ["reader"]', 'by = "reader"', 11, "a list in [ ]"),
    "a month": ('"7 days"', '"1 month"', 17, "28 to 31 days"),
    "a negative window": ('"7 days"', '"-7 days"', 17, "no sign"),
    "an empty window": ('"7 days"', '"0 days"', 17, "it is empty"),
    "a window without a unit": ('"7 days"', '"7"', 17, "a number and a unit"),
    "two ways": ('{ count = "*" }', '{ count = "*", sum = "pages" }', 18, "one of: latest, last"),
    "no way": ('{ count = "*" }', "{ default = 0 }", 18, "one of: latest, last"),
    "the sum of everything": ('{ count = "*" }', '{ sum = "*" }', 18, "count and hours_since"),
    "a window of the latest": ('{ count = "*" }', '{ latest = "book", window = "1 day" }', 18,
                               "max_age"),
    "the same name twice": ("pages_week =", "loan_book =", 17, ""),
    "a moment nobody can reckon": ('key = ["id"]', 'known_by = "before noon"', 7, "18:00 the day"),
    "a time zone nobody has": ('key = ["id"]', 'timezone = "Newyork"', 7, ""),
    "a table and sql": ('table = "loan"', 'table = "loan"\nsql = "SELECT 1"', 9, "one of them"),
    "sql that does not say what it reads": ('table = "loan"', 'sql = "SELECT 1"', 10, "reads ="),
    "an age of nothing": ('latest = ["book"]\nprefix = "loan_"', 'max_age = "1 day"', 13, "window"),
    "a span that is no span": ('prefix = "loan_"', 'available = "6 months after"', 14, "28 to 31"),
    "another format": ("features = 1", "features = 2", 1, "format 2"),
    "no name": ('name = "visits"', "", None, "at the top of the file"),
    "no time": ('time = "at"\n', "", 4, "in [rows]"),
    "no TOML": ('name = "visits"', "name = visits", 2, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_line(case: str) -> None:
    old, new, line, word = WRONG[case]
    assert old in TEXT
    error = refused(TEXT.replace(old, new, 1))
    assert word in f"{error.what} {error.why} {error.next}"
    assert error.next
    if line:
        assert (error.where or "").startswith(f"features/visits.toml:{line}")


def test_two_views_may_not_make_features_of_one_name() -> None:
    second = TEXT[TEXT.index("[view.loans]") :].replace("view.loans", "view.again")
    error = refused(TEXT + "\n" + second)
    assert "two features are called 'loan_book'" in error.what
    assert "give one view a prefix" in str(error.why)


def test_a_file_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    root = library(tmp_path).root
    with pytest.raises(DataError, match="did you mean 'visits'"):
        read_definition(root, "vists")
    with pytest.raises(DataError, match="cannot be the name"):
        read_definition(root, "../visits")
    (root / "features" / "other.toml").write_text(TEXT)
    with pytest.raises(DataError, match="calls itself 'visits'"):
        read_definition(root, "other")
    (root / "features" / "latin.toml").write_bytes(b"# \xff")
    with pytest.raises(DataError, match="not UTF-8"):
        read_definition(root, "latin")


def test_spans_of_time() -> None:
    assert duration("90 seconds") == duration("1.5 minutes") == 90_000_000
    assert duration("2 weeks") == duration("14 days") == duration("336 hours")
    assert lag("6 hours after") == (duration("6 hours"), "")
    assert lag("1 day after landed") == (duration("1 day"), "landed")
    assert lag("known_at") == (0, "known_at")
    for text in ("", "day", "1 year", "1e3 days", "99999999 weeks", "7 Days"):
        with pytest.raises(DataError, match="no span of time"):
            duration(text)
