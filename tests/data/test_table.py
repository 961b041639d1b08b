from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.data.digest import table_digest
from trackrecord.data.table import feature_frame, load_case_table
from trackrecord.errors import CaseError, DataError

from .conftest import Decode, trips


def rewrite(root: Path, old: str, new: str, count: int = 1) -> None:
    path = root / "data" / "trips.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def test_a_case_table_has_ids_truth_and_its_sources(root: Path, decode: Decode) -> None:
    case, _ = decode()
    table = load_case_table(case, root)
    assert table.excluded == {"target missing": 15}
    assert table.frame.height == 585
    assert table.frame["id"].n_unique() == 585
    assert table.truth.dtype == pl.Int8
    assert table.truth.to_list() == [int(delay > 5) for delay in table.frame["delay"]]
    (source,) = table.sources
    assert (source.path, source.rows) == ("data/trips.csv", 600)
    assert source.table == table_digest(root / "data/trips.csv", timezone="Europe/Berlin")


@pytest.mark.parametrize(("missing", "positives"), [("positive", 15), ("negative", 0)])
def test_a_missing_target_counts_as_the_case_says(
    root: Path, decode: Decode, missing: str, positives: int
) -> None:
    excluded = load_case_table(decode()[0], root)
    case, _ = decode(('missing = "exclude"', f'missing = "{missing}"'))
    table = load_case_table(case, root)
    assert table.frame.height == 600
    assert int(table.truth.sum()) - int(excluded.truth.sum()) == positives
    assert table.excluded == {}


def test_a_missing_target_is_an_error_where_the_case_says_so(root: Path, decode: Decode) -> None:
    case, _ = decode(('missing = "exclude"', 'missing = "error"'))
    with pytest.raises(DataError, match="missing in 15 of 600 rows") as caught:
        load_case_table(case, root)
    assert "first rows: 8, 48, 88" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "positive", "expected"),
    [
        ("[true, false, true]", "true", [1, 0, 1]),
        ("[1, 0, 1]", "1", [1, 0, 1]),
        ("[1, 0, 1]", "true", [1, 0, 1]),
        ('["yes", "no", "maybe"]', '"yes"', [1, 0, 0]),
        ('[">50K", "<=50K", ">50K"]', '">50K"', [1, 0, 1]),
        ("[1.5, 2.5, 3.5]", '">= 2.5"', [0, 1, 1]),
        ("[1.5, 2.5, 3.5]", '"< 2"', [1, 0, 0]),
    ],
)
def test_the_rule_for_positives(
    root: Path, decode: Decode, column: str, positive: str, expected: list[int]
) -> None:
    values = eval(column, {"true": True, "false": False})  # noqa: S307 - the table above
    pl.DataFrame(
        {"trip": ["a", "b", "c"], "leaves": ["2024-01-01"] * 3, "delay": values}
    ).write_csv(root / "data/trips.csv")
    case, _ = decode(('positive = "> 5"', f"positive = {positive}"))
    assert load_case_table(case, root, strict=False).truth.to_list() == expected


def test_a_target_with_forty_classes_and_no_positive_lists_them(root: Path, decode: Decode) -> None:
    pl.DataFrame(
        {
            "trip": range(40),
            "leaves": ["2024-01-01"] * 40,
            "delay": [f"class {n:02d}" for n in range(40)],
        }
    ).write_csv(root / "data/trips.csv")
    for positive in ('"late"', '"> 5"', "1"):
        case, _ = decode(('positive = "> 5"', f"positive = {positive}"))
        with pytest.raises(DataError, match="no value of the target") as caught:
            load_case_table(case, root)
        assert "'class 00'" in str(caught.value)
        assert "40 in all" in str(caught.value)


def test_doubled_ids_are_shown_with_their_rows(root: Path, decode: Decode) -> None:
    rewrite(root, "T0003,", "T0001,")
    with pytest.raises(DataError, match="doubled ids: 1 rows") as caught:
        load_case_table(decode()[0], root)
    assert "'T0001' in rows 2, 4" in str(caught.value)


def test_missing_ids_are_an_error(root: Path, decode: Decode) -> None:
    rewrite(root, "T0003,", ",")
    with pytest.raises(DataError, match="missing in 1 rows"):
        load_case_table(decode()[0], root)


def test_whole_number_ids_are_text_without_a_point(root: Path, decode: Decode) -> None:
    frame = pl.read_csv(root / "data/trips.csv").with_columns(
        trip=pl.int_range(600).cast(pl.Float64)
    )
    frame.write_csv(root / "data/trips.csv")
    assert load_case_table(decode()[0], root).frame["id"][0] == "0"


def test_a_time_column_that_is_text_says_how_a_time_is_written(root: Path, decode: Decode) -> None:
    rewrite(root, "2024-01-01T06:30:00", "1 January")
    with pytest.raises(DataError, match="the time column 'leaves' holds string values") as caught:
        load_case_table(decode()[0], root)
    assert "'1 January'" in str(caught.value)


def test_a_date_is_midnight_in_the_cases_time_zone(root: Path, decode: Decode) -> None:
    path = root / "data/trips.csv"
    frame = pl.read_csv(path).with_columns(leaves=pl.col("leaves").str.slice(0, 10))
    frame.write_csv(path)
    times = load_case_table(decode()[0], root).frame["leaves"]
    assert times[0].isoformat() == "2023-12-31T23:00:00+00:00"


@pytest.mark.parametrize(
    ("old", "new", "name", "near"),
    [
        ('unit = "trip"', 'unit = "tripp"', "tripp", "trip"),
        ('time = "leaves"', 'time = "leafs"', "leafs", "leaves"),
        ('column = "delay"', 'column = "delais"', "delais", "delay"),
        ('"stop", "load"', '"stopp", "load"', "stopp", "stop"),
        ('slices = ["line"', 'slices = ["lines"', "lines", "line"),
    ],
)
def test_an_unknown_column_is_named_with_the_nearest(
    root: Path, decode: Decode, old: str, new: str, name: str, near: str
) -> None:
    with pytest.raises(DataError, match=f"no column '{name}'") as caught:
        load_case_table(decode((old, new))[0], root)
    assert caught.value.why == f"did you mean {near!r}?"


def test_a_column_called_id_that_the_case_uses_otherwise_is_refused(
    root: Path, decode: Decode
) -> None:
    rewrite(root, "stop,load", "id,load")
    with pytest.raises(DataError, match="its name is taken"):
        load_case_table(decode(('"stop"', '"id"'))[0], root)


def test_features_are_only_what_a_model_may_see(root: Path, decode: Decode) -> None:
    case, _ = decode()
    table = load_case_table(case, root)
    assert feature_frame(case, table).columns == ["line", "stop", "load"]
    assert feature_frame(case, table, ["load"]).columns == ["load"]
    for hidden in ("delay", "truth", "arrived"):
        with pytest.raises(CaseError, match="is not known when the question is asked"):
            feature_frame(case, table, [hidden])


def test_joined_tables_are_sources_and_a_contrast_can_change_what_was_known(
    root: Path, decode: Decode
) -> None:
    (root / "data/rain.csv").write_text(
        "line,at,rain\nA,2024-01-01T04:00:00,1\nA,2024-01-02T05:00:00,2\n"
    )
    join = (
        '[target]', '[[data.asof]]\ntable = "data/rain.csv"\nby = ["line"]\ntime = "at"\n'
        'columns = ["rain"]\nknown_by = "18:00 the day before"\nmax_age_hours = 48\n[target]',
    )  # fmt: skip
    case, _ = decode(join)
    honest = load_case_table(case, root)
    ahead = load_case_table(case, root, known_by="at the time")
    assert [source.path for source in honest.sources] == ["data/trips.csv", "data/rain.csv"]
    assert honest.joins[0].known_by == "18:00 the day before"
    assert honest.frame["rain"].count() != ahead.frame["rain"].count()


def test_a_joined_table_outside_the_workspace_is_refused(root: Path, decode: Decode) -> None:
    asof = (
        '[target]', '[[data.asof]]\ntable = "../rain.csv"\nby = ["line"]\ntime = "at"\n'
        'columns = ["rain"]\nknown_by = "18:00 the day before"\n\n[target]',
    )  # fmt: skip
    case, _ = decode(asof)
    with pytest.raises(DataError, match="not inside the workspace"):
        load_case_table(case, root)


def test_a_table_whose_every_target_is_missing_has_no_rows_left(root: Path, decode: Decode) -> None:
    lines = trips(20).splitlines()
    emptied = [",".join([*line.split(",")[:6], "", "1"]) for line in lines[1:]]
    (root / "data/trips.csv").write_text("\n".join([lines[0], *emptied]))
    with pytest.raises(DataError, match="no row is left"):
        load_case_table(decode()[0], root)


def test_a_time_that_is_none_is_named_with_its_row(root: Path, decode: Decode) -> None:
    frame = pl.read_csv(root / "data/trips.csv", infer_schema=False)
    soon = pl.when(pl.int_range(pl.len()) == 6).then(pl.lit("soon")).otherwise("leaves")
    frame.with_columns(soon.alias("leaves")).write_csv(root / "data/trips.csv")
    with pytest.raises(DataError, match="not times") as caught:
        load_case_table(decode()[0], root)
    assert caught.value.where == "data/trips.csv, row 7: 'soon'"
