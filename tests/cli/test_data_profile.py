"""``trackrecord data profile``: what it prints, the page it writes, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from trackrecord.cli.main import main
from trackrecord.data.profile.profile import profile_file
from trackrecord.portfolio import profile_page
from trackrecord.workspace import make_workspace


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "trips.csv"
    rows = "".join(f"{n},{'NY' if n % 3 else 'N.Y.'},{n / 7:.2f}\n" for n in range(40))
    path.write_text("id,city,delay\n" + rows)
    return path


def test_a_file_is_told_without_a_workspace(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "profile", "trips.csv", "-C", str(table.parent)]) == 0
    out = capsys.readouterr().out
    assert "40 rows, 3 columns" in out
    assert "keys: id" in out
    assert "'NY' = 'N.Y.'" in out


def test_a_source_is_found_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_workspace(tmp_path).root
    (root / "data").mkdir(exist_ok=True)
    pl.DataFrame({"a": [1, 2]}).write_parquet(root / "data" / "trips.parquet")
    assert main(["data", "profile", "trips", "--json", "-C", str(root)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["rows"], found["columns"][0]["kind"]) == ("trips", 2, "number")
    assert main(["data", "profile", "trip", "-C", str(root)]) == 2
    assert "did you mean 'trips'" in capsys.readouterr().err


def test_the_page_stands_alone_and_is_the_same_again(table: Path, tmp_path: Path) -> None:
    words = ["data", "profile", str(table), "--out", str(tmp_path / "p.html")]
    assert main(words) == 0
    first = (tmp_path / "p.html").read_text("utf-8")
    assert main(words) == 0
    assert (tmp_path / "p.html").read_text("utf-8") == first
    assert "<script" not in first
    assert "http://" not in first
    assert "spellings" in first


@pytest.mark.parametrize("out", ["p.txt", "nowhere/p.html", "."])
def test_a_page_that_cannot_be_written_is_said_before_the_work(
    out: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "profile", "trips.csv", "--out", out, "-C", str(table.parent)]) == 2
    assert "cannot write the page" in capsys.readouterr().err


def test_hostile_names_and_values_are_escaped_on_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\u202e"
    pl.DataFrame({evil: [evil, "a"] * 10, "{{ 7 * 7 }}": [1, 2] * 10}).write_parquet(
        tmp_path / "t.parquet"
    )
    page = profile_page.render_profile(profile_file(tmp_path / "t.parquet"), tool="0")
    assert "<script" not in page
    assert "\u202e" not in page
    assert "{{ 7 * 7 }}" in page


def test_of_very_many_columns_only_the_doubtful_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_page, "MOST_DRAWN", 2)
    pl.DataFrame({"good": [1, 2, 2], "also": [3, 1, 1], "same": [1, 1, 1]}).write_parquet(
        tmp_path / "t.parquet"
    )
    page = profile_page.render_profile(profile_file(tmp_path / "t.parquet"), tool="0")
    assert page.count("<article") == 1
    assert "only" not in page.split("<article")[0]
