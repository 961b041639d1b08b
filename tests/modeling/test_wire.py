from __future__ import annotations

import io
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trackrecord.modeling.wire import MAGIC, columns_of, frame_of, receive, send

FRAME = pl.DataFrame(
    {
        "number": [1.5, None, float("nan"), -0.0],
        "count": [1, None, -(2**62), 4],
        "text": ["a\0b", None, "", "ü" * 1000],
        "yes": [True, None, False, True],
        "day": [date(2024, 2, 29), None, date(1, 1, 1), date(9999, 12, 31)],
        "moment": [datetime(2024, 1, 1, tzinfo=UTC), None, None, None],
    }
)


@pytest.mark.parametrize("frame", [FRAME, FRAME.head(1), FRAME.clear(), pl.concat([FRAME] * 3)])
def test_a_frame_arrives_as_it_was_and_in_one_piece(frame: pl.DataFrame) -> None:
    pipe = io.BytesIO()
    send(pipe, {"order": "fit"}, columns_of(frame), frame.width)
    pipe.seek(0)
    answer = receive(pipe)
    assert isinstance(answer, tuple)
    header, blobs = answer
    assert header == {"order": "fit", "blobs": 6}
    arrived = frame_of(blobs)
    assert_frame_equal(arrived, frame)
    assert arrived.n_chunks("all") == [1] * 6


def test_messages_follow_each_other_and_then_comes_nothing() -> None:
    pipe = io.BytesIO()
    send(pipe, {"first": 1}, [b"", b"xy"], 2)
    send(pipe, {"second": [float("inf"), None]})
    pipe.seek(0)
    assert receive(pipe) == ({"first": 1, "blobs": 2}, [b"", b"xy"])
    assert receive(pipe) == ({"second": [float("inf"), None], "blobs": 0}, [])
    assert receive(pipe) == b""


def test_a_message_that_was_cut_off_is_none() -> None:
    pipe = io.BytesIO()
    send(pipe, {"order": "fit"}, [b"0123456789"], 1)
    whole = pipe.getvalue()
    for length in range(len(MAGIC), len(whole)):
        assert receive(io.BytesIO(whole[:length])) == b""


def test_what_came_in_place_of_a_message_is_kept() -> None:
    said = b"Fatal Python error: Segmentation fault\n"
    assert receive(io.BytesIO(said)) == said
