"""Folders made to break the reader: bombs, deep nesting, markup with two meanings."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.portfolio.mutations_forger import Forger
from tests.portfolio.mutations_small import shared_publication

from trackrecord.evaluation.outcomes import write_outcomes
from trackrecord.portfolio.checking import parquet
from trackrecord.portfolio.checking.evidence import read_pieces
from trackrecord.portfolio.checking.folder import Unreadable, list_folder
from trackrecord.portfolio.checking.markup import read_page, style_problems
from trackrecord.portfolio.checking.parquet import read_parquet
from trackrecord.portfolio.checking.report import harmless
from trackrecord.portfolio.verify import verify_folder

PAGE = "<!doctype html>\n<html><body><main>{}</main></body></html>"


def problems(inside: str) -> list[str]:
    return [what for _, what in read_page(PAGE.format(inside)).problems]


# Parquet -----------------------------------------------------------------------------------------


def test_outcomes_are_read_as_they_were_written(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "id": ["a", "ü", "c"],
            "truth": pl.Series([0, 1, 0], dtype=pl.Int8),
            "score.m": [0.1, 0.9, 0.5],
            "cluster": ["x", None, "x"],
            "slice.kind": ["one", "two", None],
        }
    )
    write_outcomes(table, tmp_path / "t.parquet")
    assert read_parquet(tmp_path / "t.parquet").equals(table.sort("id"))


def test_a_page_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MAX_BYTES", 10_000_000)
    path = tmp_path / "bomb.parquet"
    text = pa.table({"id": ["x" * 1000] * 20_000})
    pq.write_table(text, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 100_000
    with pytest.raises(Unreadable, match="would unpack to 20 MB"):
        read_parquet(path)


def test_more_rows_than_fit_are_refused_before_any_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MAX_BYTES", 1_000_000)
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"truth": [0] * 200_000}), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(Unreadable, match="200,000 rows"):
        read_parquet(path)


def test_one_long_text_in_a_dictionary_is_not_written_out_a_million_times(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), ["x" * 100_000])
    pq.write_table(pa.table({"id": text}), path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(Unreadable, match="unpack to too much"):
        read_parquet(path)


def test_columns_of_lists_and_structs_are_refused(tmp_path: Path) -> None:
    for value in ([[1, 2]], [{"a": 1}], [b"bytes"]):
        pq.write_table(pa.table({"id": value}), tmp_path / "t.parquet")
        with pytest.raises(Unreadable, match="outcomes never have"):
            read_parquet(tmp_path / "t.parquet")


def test_broken_parquet_of_every_kind_is_unreadable_and_no_crash(tmp_path: Path) -> None:
    table = pl.DataFrame({"id": ["a", "b"], "truth": [0, 1], "score.m": [0.1, 0.2]})
    write_outcomes(table, tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    for at in range(len(data)):
        path = tmp_path / "broken.parquet"
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            read_parquet(path)
        except Unreadable:
            continue


# Evidence ----------------------------------------------------------------------------------------


def only(tmp_path: Path, data: bytes) -> str:
    """What is said of one piece of evidence that has the right name."""
    (tmp_path / "evidence").mkdir(exist_ok=True)
    path = tmp_path / "evidence" / f"{hashlib.sha256(data).hexdigest()}.json"
    path.write_bytes(data)
    folder, _ = list_folder(tmp_path)
    pieces, findings = read_pieces(folder)
    path.unlink()
    assert not pieces
    (finding,) = findings
    return finding.what


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested too deeply"),
        (b'{"a":"' + b"[" * 500 + b'"}', "no in-toto statement"),
        (b'"' + b'\\"' * 2_000_000, "not JSON"),
        (b"", "not JSON"),
        (b"null", "not a JSON object"),
        (b'{"b":1,"a":2}', "canonical"),
        (b'{"a":1,"a":1}', "canonical"),
        (b'{"a":1.0}', "canonical"),
        (b'{"a":1e999}', ""),
        (b'{"a":"\\ud800"}', ""),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"_type":"https://in-toto.io/Statement/v1","predicateType":"x"}', "type is unknown"),
    ],
)
def test_evidence_that_is_no_statement_is_named_for_what_it_is(
    tmp_path: Path, data: bytes, said: str
) -> None:
    began = time.monotonic()
    assert said in only(tmp_path, data)
    assert time.monotonic() - began < 5


# Pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    [
        "<" * 300_000,
        "<!--" * 200_000,
        "<a " * 200_000,
        "<a href=" + '"' * 300_001,
        "<div>" * 100_000,
        "<style>" * 100_000,
        "</div>" * 100_000,
        '<p title="' + "&" * 1_000_000 + '"></p>',
        "&#" * 500_000,
        "<p a" + " a" * 300_000 + ">",
    ],
)
def test_pages_made_to_be_slow_are_refused_quickly(inside: str) -> None:
    began = time.monotonic()
    read_page(PAGE.format(inside))
    assert time.monotonic() - began < 10


def test_plain_markup_has_no_problem() -> None:
    assert problems('<p class="x">A &amp; b <em>c</em><br></p>') == []
    assert problems('<svg width="1"><path d="M0 0"/><use href="#ok"/></svg>') == []
    assert problems('<p><a href="evidence/abc.json">e</a> <a href="#x">f</a></p>') == []


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>1</script>", "a script"),
        ("<SCRIPT>1</SCRIPT>", "a script"),
        ('<p ONCLICK="x()">a</p>', "event handler"),
        ('<svg onload="x()"></svg>', "event handler"),
        ("<p style=\"background:url('//x')\">a</p>", "elsewhere"),
        ('<a href="java&#115;cript:x()">a</a>', "elsewhere"),
        ('<a href="data:text/html,x">a</a>', "elsewhere"),
        ('<svg><use href="https://x/#a"/></svg>', "elsewhere"),
        ('<svg><path fill="url(https://x)"/></svg>', "elsewhere"),
        ("<svg><image/></svg>", "an image"),
        ("<p>a</div>", "closes"),
        ("<p/>", "open for a browser"),
        ("<!-- a -->", "two ways"),
        ("<![CDATA[a]]>", "two ways"),
        ("<?php ?>", "two ways"),
        ("<p a='1'>b</p>", "two ways"),
        ("<p a=1>b</p>", "two ways"),
        ("<math><mi>x</mi></math>", "no published page needs"),
        ("<style></styl", "never closed"),
        ("<style><!--</style>", "markup inside"),
        ('<p title="9">a</p>', "a number in its title"),
        ('<p a="1" a="2">b</p>', "twice"),
    ],
)
def test_what_a_page_may_not_have_is_named(inside: str, said: str) -> None:
    assert any(said in what for what in problems(inside)), problems(inside)


@pytest.mark.parametrize(
    "style",
    [
        '@import "x"',
        "p { background: URL (x) }",
        "p { background: u\\72l(x) }",
        'p::before { content: "9" }',
        "p::before { content: attr(data-x) }",
        "p { background: image-set('x') }",
        "p::before { c\\6fntent: '1' }",
        "p::before { content/**/: '1' }",
        "p::before { content: ';9' }",
        "a { x: '/*' } p::before { content: '9' } b { x: '*/' }",
        "q { quotes: '9' '' }",
        "@counter-style x { symbols: a }",
        "p::before { content: '9",
    ],
)
def test_a_style_sheet_may_not_fetch_or_write(style: str) -> None:
    assert style_problems(style)


def test_a_style_sheet_may_draw() -> None:
    style = "li::before { content: '' } /* don't 9 */ p { margin: 1px; color: #123 } /* '9' */"
    assert style_problems(style) == []


# Text and folders --------------------------------------------------------------------------------


def test_text_of_a_stranger_is_made_fit_for_a_terminal() -> None:
    assert (
        harmless("a\x1b[31mb\x9bc\u202ed\u2066e\ufefff\x7fg\n")
        == "a\ufffd[31mb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg "
    )
    assert harmless("ordinary – text, ünïcode 数") == "ordinary – text, ünïcode 数"
    assert len(harmless("x" * 10_000)) <= 400
    assert harmless("\udcff\ud800").encode()


def test_a_link_out_of_the_folder_is_named_and_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "index.html").write_text("secret")
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "evidence").symlink_to(tmp_path / "secret")
    (folder / "index.html").symlink_to(tmp_path / "secret" / "index.html")
    (folder / "claims.toml").write_text("claims = 1")
    report = verify_folder(folder)
    assert report.exit_code == 1
    named = {check.file for check in report.checks if "link" in check.what}
    assert named == {"evidence", "index.html"}
    assert "secret" not in json.dumps([check.found for check in report.checks])


@pytest.mark.slow
def test_subjects_that_point_out_of_the_folder_are_missing_files(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(shutil.copytree(shared_publication(tmp_path_factory), tmp_path / "parcels"))
    forger = Forger(folder)
    statement = forger.statements[forger.of_kind("publication")[-1]]
    for name in ("../../../etc/passwd", "/etc/passwd", "runs/../../x", "\0", "x" * 5000):
        statement["subject"].append({"name": name, "digest": {"sha256": "a" * 64}})
    forger.rebuild()
    report = verify_folder(folder)
    missing = [check for check in report.checks if check.what == "the file is missing"]
    assert len(missing) == 5


def test_thousands_of_files_and_deep_folders_are_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "x").write_text("x")
    (tmp_path / "index.html").write_text("x")
    report = verify_folder(tmp_path)
    assert any("nested too deeply" in check.what for check in report.checks)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "claims.toml").open("wb") as file:
        file.truncate(50_000_000_000)
    (tmp_path / "evidence").mkdir()
    with (tmp_path / "evidence" / f"{'a' * 64}.json").open("wb") as file:
        file.truncate(50_000_000_000)
    began = time.monotonic()
    report = verify_folder(tmp_path)
    assert time.monotonic() - began < 5
    assert sum("larger than" in check.what for check in report.checks) >= 2


def test_an_empty_folder_that_nobody_published_is_named(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shared_publication(tmp_path_factory), tmp_path / "parcels"))
    (folder / "runs" / "notes").mkdir()
    report = verify_folder(folder)
    assert report.exit_code == 1
    assert [check.file for check in report.checks if not check.ok] == ["runs/notes"]


def test_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("x")
    report = verify_folder(tmp_path / "index.html")
    assert report.exit_code == 2
    assert report.checks[0].what == "it is a file, not a folder"
