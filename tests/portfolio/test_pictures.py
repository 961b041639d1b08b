"""Pictures: deterministic, in percent, and honest about what does not fit."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from trackrecord.portfolio.pictures import (
    Axis,
    Bin,
    Interval,
    axis_for,
    axis_of_rates,
    axis_row,
    calibration,
    gap_row,
    interval_row,
)

USUAL = [Interval(0.6 + k / 100, 0.59 + k / 100, 0.61 + k / 100) for k in range(5)]


def test_the_same_numbers_give_the_same_bytes() -> None:
    axis = axis_for(USUAL)
    first = [interval_row(axis, i, tone="candidate", reference=0.6) for i in USUAL]
    assert first == [
        interval_row(axis_for(USUAL), i, tone="candidate", reference=0.6) for i in USUAL
    ]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 1.0), (0.61, 0.63), (-0.3, 0.2), (1e-6, 2e-6), (0.336, 1.01), (-5e4, 9e5)],
)
def test_every_scale_has_at_least_two_round_ticks_inside_it(low: float, high: float) -> None:
    axis = axis_for([Interval((low + high) / 2, low, high)], most_ticks=3)
    assert len(axis.ticks) >= 2
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    labels = re.findall(r">([^<>]+)</text>", axis_row(axis))
    assert len(set(labels)) == len(axis.ticks)


def test_a_scale_for_one_value_without_spread_is_still_a_scale() -> None:
    axis = axis_for([Interval(0.0, 0.0, 0.0)])
    assert axis.low < 0 < axis.high
    assert axis_for([]) == Axis(0.0, 1.0, axis_for([]).ticks, axis_for([]).decimals)


def test_a_tiny_group_is_cut_off_with_arrows_and_does_not_squeeze_the_others() -> None:
    wild = Interval(0.6, 0.1, 0.99)
    axis = axis_for([*USUAL, wild])
    assert axis.high - axis.low < 0.3
    row = interval_row(axis, wild, tone="baseline")
    assert row.count("<path") == 2
    assert 'x1="0.00%"' in row
    assert 'x2="100.00%"' in row
    assert interval_row(axis, USUAL[0], tone="baseline").count("<path") == 0


def test_without_an_estimate_a_row_is_an_empty_lane() -> None:
    row = interval_row(axis_for(USUAL), None, tone="baseline")
    assert "circle" not in row


def test_an_interval_that_lies_wholly_beyond_the_scale_is_an_arrow_and_no_dot() -> None:
    row = interval_row(Axis(0.0, 1.0, (), 1), Interval(3.0, 2.0, 4.0), tone="baseline")
    assert 'x1="100.00%" x2="100.00%"' in row
    assert row.count("<path") == 1
    assert "circle" not in row


def test_a_gap_is_drawn_between_what_was_predicted_and_what_came_true() -> None:
    row = gap_row(Axis(0.0, 1.0, (), 1), 0.25, 0.75)
    assert 'class="gap" x1="25.00%" x2="75.00%"' in row


def test_neither_mark_hides_the_other_where_a_prediction_came_true() -> None:
    marks = re.findall(r'cx="([\d.]+%)" cy="(\d+%)"', gap_row(Axis(0.0, 1.0, (), 1), 0.5, 0.5))
    assert marks == [("50.00%", "30%"), ("50.00%", "70%")]


@pytest.mark.parametrize("rates", [[0.2360, 0.2365], [0.0, 0.0], [0.1, 0.9]])
def test_a_scale_of_rates_is_never_so_narrow_that_nothing_looks_like_much(
    rates: list[float],
) -> None:
    axis = axis_of_rates(rates)
    assert axis.high - axis.low >= 0.05 - 1e-12
    assert axis.low < min(rates) <= max(rates) < axis.high


def test_of_many_ticks_every_second_gives_way_on_a_phone_and_zero_stays() -> None:
    labels = axis_row(axis_for([Interval(0.0, -0.1, 0.1)], most_ticks=6))
    assert re.findall(r'minor"[^>]*>([^<]+)', labels) == ["−0.05", "0.05"]
    assert len(re.findall(r"<text x[^>]*>([^<]+)", labels)) == 3


BINS = [Bin(k / 10, k / 12, k / 15, k / 10) for k in range(1, 6)]


def test_the_calibration_curve_has_equal_axes_so_that_its_diagonal_is_honest() -> None:
    picture = calibration(BINS, BINS[:3], label="a curve")
    ET.fromstring(picture)
    labels = re.findall(r">([^<>]+ %)</text>", picture)
    across = [text for text in labels if labels.count(text) == 2]
    assert across  # every tick but zero stands on both axes
    assert '<line class="diagonal" x1="0" y1="100%" x2="100%" y2="0"/>' in picture
    assert picture.count("<polyline") == 2
    assert picture.count("<polygon") == 1


def test_a_model_with_one_bin_is_a_point_with_its_interval() -> None:
    picture = calibration(BINS, [Bin(0.2, 0.25, 0.2, 0.3)], label="a curve")
    assert picture.count("<polyline") == 1
    assert picture.count('class="span baseline"') == 1


def test_a_label_cannot_break_out_of_its_attribute() -> None:
    picture = calibration(BINS, [], label='"><script>alert(1)</script>')
    assert "<script" not in picture
    ET.fromstring(picture)
