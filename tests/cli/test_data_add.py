"""``data add`` at the terminal, and what ``doctor`` says of sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import digests, trackrecord


@pytest.fixture
def root(tmp_path: Path) -> Path:
    trackrecord("init", tmp_path / "w")
    return tmp_path / "w"


def write(path: Path, text: str = "id,x\n1,2\n3,oops\n") -> Path:
    path.write_text(text, "utf-8")
    return path


def codes(root: Path) -> list[str]:
    return [found["code"] for found in trackrecord("doctor", "--json", at=root).json["findings"]]


def test_a_refused_file_leaves_nothing_not_even_its_bytes(root: Path, tmp_path: Path) -> None:
    before = digests(root)
    told = trackrecord(
        "data", "add", write(tmp_path / "t.csv", "a,a\n1,2\n"), "--name", "t", at=root
    )
    assert told.code == 2
    assert digests(root) == before
    assert not (root / "data/raw").exists()


def test_the_doctor_names_a_table_that_is_not_what_was_added(root: Path, tmp_path: Path) -> None:
    given = write(tmp_path / "t.csv")
    trackrecord("data", "add", given, "--name", "t", at=root)
    assert codes(root) == []
    (root / "data/t.parquet").write_bytes(b"PAR1 other")
    told = trackrecord("doctor", at=root)
    assert told.code == 1
    assert "source-table-changed data/t.parquet" in told.out
    assert "trackrecord data add t.csv --name t" in told.out
    (root / "data/t.parquet").unlink()
    assert codes(root) == ["source-table-gone"]
    assert trackrecord("data", "add", given, "--name", "t", at=root).code == 0
    assert codes(root) == []


def test_the_doctor_names_what_a_dead_process_left_and_the_next_add_removes_it(
    root: Path, tmp_path: Path
) -> None:
    given = write(tmp_path / "t.csv")
    trackrecord("data", "add", given, "--name", "t", at=root)
    left = root / "data/.t.parquet.999999999-0a0b0c0d.new"
    left.touch()
    (root / "data/.u.source.toml.next").write_text("source = 1")
    assert sorted(codes(root)) == ["unfinished-file", "unfinished-source"]
    assert trackrecord("doctor", at=root).code == 0
    assert trackrecord("data", "add", given, "--name", "t", at=root).code == 0
    assert codes(root) == []


def test_the_doctor_names_bytes_that_are_gone_and_a_file_that_says_nothing(
    root: Path, tmp_path: Path
) -> None:
    trackrecord("data", "add", write(tmp_path / "t.csv"), "--name", "t", at=root)
    (raw,) = (root / "data/raw").iterdir()
    raw.unlink()
    write(root / "data/u.source.toml", "source = 'x'")
    assert sorted(codes(root)) == ["raw-gone", "source-unreadable"]


def test_what_to_type_again_has_no_password(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trackrecord.data.ingest.add.add", full)
    url = "postgresql://ada:s3cret@host/shop?password=0ther&connect_timeout=2"
    told = trackrecord("data", "add", url, "--name", "t", "--query", "SELECT 1", at=root)
    assert told.code == 2
    assert "postgresql://host/shop?password=&connect_timeout=2" in "".join(told.err.split())
    assert "s3cret" not in told.err
    assert "0ther" not in told.err
