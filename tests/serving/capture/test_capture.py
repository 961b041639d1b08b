"""What was answered is on disk within a second, survives a kill, and meets its truth later."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.errors import DataError
from trackrecord.modeling.export.bundle import (
    Bundle,
    Codes,
    Feature,
    Number,
    Parity,
    Probe,
    write_bundle,
)
from trackrecord.serving.capture.read import read_captures
from trackrecord.serving.capture.rotate import read_segment, rotate_left_over
from trackrecord.serving.capture.segments import (
    OPEN,
    CaptureSettings,
    Segments,
    capture_hooks,
    kept_columns,
)
from trackrecord.serving.capture.truth import add_truth, read_truth
from trackrecord.serving.hooks import Answered

ASKED = pl.Series(["u1", "u2", "u3"], dtype=pl.String)


def bundle() -> Bundle:
    ids = {f"id {number}": float(number) for number in range(60)}
    return Bundle(
        case="churn",
        question="Will they leave?",
        model="boosted",
        estimator="none",
        run="0001",
        seal=None,
        evidence="0" * 64,
        format="onnx",
        file="model.onnx",
        sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        features=[
            Feature(name="plan", kind="string"),
            Feature(name="months", kind="number"),
            Feature(name="customer", kind="string"),
        ],
        encoding=[Codes("plan", {"a": 0.0}), Number("months"), Codes("customer", ids)],
        width=3,
        positive="left yes",
        parity=Parity(rows=1, largest=0, mean=0, flips=0, threshold=0.5),
        probe=Probe([], []),
        made="2026-01-01T00:00:00Z",
        tool="test",
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "1"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"")
    write_bundle(folder, bundle())
    return tmp_path / "models"


def answer(unit: str, probability: float = 0.25, at: float | None = None, **other: Any) -> Answered:
    told = Answered(
        request_id=f"r-{unit}",
        unit=unit,
        time=time.time() if at is None else at,
        version=1,
        role="answer",
        seconds=0.002,
        rows=[("a", 3.0, "id 7")],
        probability=[probability],
    )
    return told._replace(**other)


def test_an_answer_is_on_disk_when_write_returns(tmp_path: Path, models: Path) -> None:
    Segments(tmp_path / "c", models, CaptureSettings()).write([answer("u1"), answer("u2", 0.75)])
    found = read_captures(tmp_path / "c")
    assert found["unit"].to_list() == ["u1", "u2"]
    assert found["probability"].to_list() == [0.25, 0.75]
    assert found["x.months"].to_list() == [3.0, 3.0]


def test_texts_of_many_values_stay_out_unless_named(tmp_path: Path, models: Path) -> None:
    assert kept_columns(bundle()) == ["plan", "months"]
    named = CaptureSettings(columns=["customer"])
    Segments(tmp_path / "c", models, named).write([answer("u1")])
    names = read_captures(tmp_path / "c").columns
    assert [name for name in names if name.startswith("x.")] == ["x.customer"]


def test_equal_rows_have_equal_digests(tmp_path: Path, models: Path) -> None:
    other = answer("u3", rows=[("a", 4.0, "id 7")], at=time.time() + 9)
    Segments(tmp_path / "c", models, CaptureSettings(columns=[])).write(
        [answer("u1"), answer("u2"), other]
    )
    one, two, three = read_captures(tmp_path / "c")["digest"]
    assert one == two != three


def test_rows_of_one_request_are_told_apart(tmp_path: Path, models: Path) -> None:
    both = answer("u1", rows=[("a", 1.0, "id 1"), ("a", 2.0, "id 2")])
    both = both._replace(probability=[0.1, float("nan")])
    Segments(tmp_path / "c", models, CaptureSettings()).write([both])
    found = read_captures(tmp_path / "c")
    assert found["unit"].to_list() == ["u1#0", "u1#1"]
    assert found["probability"].to_list() == [0.1, None]


def test_a_share_of_the_units_is_always_the_same_units(tmp_path: Path, models: Path) -> None:
    units = [f"u{number}" for number in range(2000)]
    for name in ("one", "two"):
        Segments(tmp_path / name, models, CaptureSettings(share=0.25)).write(
            [answer(unit) for unit in units]
        )
    one, two = (read_captures(tmp_path / name)["unit"].to_list() for name in ("one", "two"))
    assert one == two
    assert 400 < len(one) < 600


def test_a_full_segment_becomes_parquet(tmp_path: Path, models: Path) -> None:
    hooks = capture_hooks(tmp_path / "c", models, CaptureSettings(rows=2))
    assert hooks.capture is not None
    assert hooks.close is not None
    hooks.capture([answer("u1", at=1_700_000_000.0), answer("u2", at=1_700_000_001.0)])
    hooks.capture([answer("u3", at=1_700_000_002.0)])
    hooks.close()
    assert len(list((tmp_path / "c" / "2023-11-14").glob("*.parquet"))) == 2
    assert not list((tmp_path / "c" / OPEN).iterdir())
    assert read_captures(tmp_path / "c")["unit"].to_list() == ["u1", "u2", "u3"]


def test_a_torn_line_is_the_only_one_lost(tmp_path: Path, models: Path) -> None:
    Segments(tmp_path / "c", models, CaptureSettings()).write([answer("u1"), answer("u2")])
    (segment,) = (tmp_path / "c" / OPEN).iterdir()
    segment.write_bytes(segment.read_bytes()[:-9])
    assert [row.unit for row in read_segment(segment)] == ["u1"]


WRITER = """
import sys, time
from pathlib import Path
from trackrecord.serving.capture.segments import CaptureSettings, Segments
from trackrecord.serving.hooks import Answered
segments = Segments(Path(sys.argv[1]), Path(sys.argv[2]), CaptureSettings())
number = 0
while True:
    for unit in range(number, number + 50):
        told = Answered("r", f"u{unit}", time.time(), 1, "answer", 0.001, None, [0.5])
        segments.write([told])
    number += 50
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path, models: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "c"), str(models)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(20)][-1]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    told = int(rest[-1]) if rest else told
    units = set(read_captures(tmp_path / "c")["unit"])
    assert {f"u{number}" for number in range(told)} <= units
    assert rotate_left_over(tmp_path / "c") == 1
    assert set(read_captures(tmp_path / "c")["unit"]) == units


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, models: Path) -> None:
    segments = Segments(tmp_path / "c", models, CaptureSettings())
    segments.write([answer("u1")])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400, hard))
        with pytest.raises(OSError, match="File too large"):
            segments.write([answer(f"v{number}") for number in range(50)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    segments.write([answer("u2")])
    assert read_captures(tmp_path / "c")["unit"].to_list() == ["u1", "u2"]


def test_truth_may_come_late_twice_and_change(tmp_path: Path) -> None:
    folder = tmp_path / "c"

    def add(rows: dict[str, list[str]]) -> Any:
        return add_truth(folder, pl.DataFrame(rows), unit="unit", truth="late", asked=ASKED)

    first = add({"unit": ["u1", "u2", "u9"], "late": ["1", "no", "True"]})
    assert (first.new, first.repeated, first.changed, first.unasked) == (3, 0, 0, 1)
    second = add({"unit": ["u1", "u2", "u3"], "late": ["1", "yes", "0"]})
    assert (second.new, second.repeated, second.changed) == (1, 1, 1)
    truth = dict(read_truth(folder).select("unit", "truth").iter_rows())
    assert truth == {"u1": 1, "u2": 1, "u9": 1, "u3": 0}


def test_what_is_no_truth_is_left_out_and_shown(tmp_path: Path) -> None:
    rows = {"unit": ["u1", "", None, "u2", "u3"], "truth": ["1", "1", "0", "perhaps", None]}
    added = add_truth(tmp_path / "c", pl.DataFrame(rows), unit="unit", truth="truth", asked=ASKED)
    assert (added.rows, added.new, added.rejected) == (5, 1, 4)
    assert added.first[2] == "row 4: unit 'u2', truth 'perhaps'"


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'unit'"):
        add_truth(
            tmp_path / "c", pl.DataFrame({"units": ["a"]}), unit="unit", truth="truth", asked=ASKED
        )


def test_the_server_side_loads_no_frames() -> None:
    code = (
        "import sys, trackrecord.serving.capture.segments\n"
        "print(bool({'polars', 'pyarrow'} & sys.modules.keys()))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
