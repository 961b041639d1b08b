from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from trackrecord.cases.reader import decode_case
from trackrecord.data.check import Finding, check_case
from trackrecord.data.checks.criteria import plainly
from trackrecord.data.checks.decisions import check_decisions
from trackrecord.data.finding import percent
from trackrecord.data.table import load_case_table

from .conftest import CASE, Decode


def check(root: Path, decode: Decode, *changes: tuple[str, str]) -> list[Finding]:
    case, line_of = decode(*changes)
    return check_case(case, root, line_of)


def changed(*changes: tuple[str, str]) -> str:
    text = CASE
    for old, new in changes:
        text = text.replace(old, new, 1)
    return text


def line(text: str, *changes: tuple[str, str]) -> int:
    whole = changed(*changes)
    return whole[: whole.index(text)].count("\n") + 1


def test_a_good_case_has_no_errors(root: Path, decode: Decode) -> None:
    assert [f for f in check(root, decode) if f.severity == "error"] == []


@pytest.mark.parametrize(
    ("code", "severity", "old", "new", "said", "fix"),
    [
        ("TR001", "error", 'path = "data/trips.csv"', 'path = "data/none.csv"', "no file", ""),
        ("TR001", "error", 'path = "data/trips.csv"', 'path = "../trips.csv"', "not inside", ""),
        ("TR001", "error", 'unit = "trip"', 'unit = "bus"', "doubled ids", ""),
        ("TR001", "error", 'unit = "trip"', 'unit = "tripp"', "no column 'tripp'", ""),
        ("TR001", "error", 'time = "leaves"', 'time = "line"', "not times", ""),
        ("TR001", "error", 'timezone = "Europe/Berlin"', 'timezone = "Moon"', "time zone", ""),
        ("TR001", "error", 'positive = "> 5"', 'positive = "late"', "no value of the target", ""),
        ("TR002", "error", 'features = ["line"', 'features = ["lime"', "'lime'", "'line'"),
        ("TR002", "error", 'groups = ["bus"]', 'groups = ["buss"]', "'buss'", "'bus'"),
        (
            "TR002",
            "error",
            'known_later = ["arrived"]',
            'known_later = ["arived"]',
            "",
            "'arrived'",
        ),
        (
            "TR002",
            "error",
            'slices = ["line", "load > 10"]',
            'slices = ["lode > 10"]',
            "",
            "'load'",
        ),
        ("TR002", "error", 'by = ["line"]', 'by = ["lines"]', "'lines'", "'line'"),
        ("TR003", "error", 'features = ["line"', 'features = ["delay"', "is also a feature", ""),
        ("TR004", "doubt", 'features = ["line"', 'features = ["trip"', "id", ""),
        ("TR006", "error", 'features = ["line"', 'features = ["load"', "listed twice", ""),
        (
            "TR010",
            "error",
            'validation = { first = "2024-03-01"',
            'validation = { first = "2024-02-01"',
            "overlap",
            "begin after 2024-02-29",
        ),
        (
            "TR010",
            "error",
            'train = { first = "2024-01-01"',
            'train = { first = "2024-13-01"',
            "not a day",
            "",
        ),
        (
            "TR011",
            "error",
            'test = { first = "2024-04-01", last = "2024-05-31" }',
            'test = { first = "2025-04-01", last = "2025-05-31" }',
            "test part is empty",
            "",
        ),
        (
            "TR013",
            "doubt",
            'train = { first = "2024-01-01", last = "2024-02-29" }',
            'train = { first = "2024-06-01", last = "2024-07-29" }',
            "not in the order",
            "",
        ),
        ("TR014", "error", 'kind = "time"\ntrain', 'kind = "time"\n# no time\ntrain', "", ""),
        (
            "TR020",
            "error",
            'require = "roc_auc difference to table > 0"',
            'require = "roc_auc ~ 1"',
            "",
            "",
        ),
        ("TR021", "error", 'metrics = ["roc_auc"', 'metrics = ["roc_acu"', "'roc_acu'", "roc_auc"),
        (
            "TR021",
            "error",
            'require = "roc_auc difference',
            'require = "roc_acu difference',
            "",
            "roc_auc",
        ),
        (
            "TR022",
            "error",
            'require = "roc_auc difference to table',
            'require = "roc_auc difference to tabel',
            "'tabel'",
            "'table'",
        ),
        ("TR030", "doubt", 'license = "CC0"', 'license = ""', "licence", ""),
        ("TR030", "doubt", 'origin = "made up"', 'origin = ""', "origin", ""),
        (
            "TR031",
            "doubt",
            'estimator = "sklearn.ensemble.HistGradientBoostingClassifier"',
            "",
            "",
            "",
        ),
        (
            "TR032",
            "error",
            'estimator = "sklearn.ensemble.HistGradientBoostingClassifier"',
            'python = "m.py:build"',
            "'m.py'",
            "cases/trips/m.py",
        ),
        (
            "TR032",
            "error",
            'estimator = "sklearn.ensemble.HistGradientBoostingClassifier"',
            'python = "m.py"',
            "",
            "file.py:function",
        ),
        ("TR102", "error", 'features = ["line"', 'features = ["arrived"', "'arrived'", ""),
    ],
)
def test_each_planted_fault_is_found_at_its_line(
    root: Path, decode: Decode, code: str, severity: str, old: str, new: str, said: str, fix: str
) -> None:
    if code == "TR020":  # reading refuses it already: the check sees cases that were made in code
        import msgspec

        case, line_of = decode()
        broken = msgspec.structs.replace(case.criterion[0], require="roc_auc ~ 1")
        found = check_case(msgspec.structs.replace(case, criterion=[broken]), root, line_of)
    else:
        changes = [(old, new)]
        if code == "TR014":
            changes.append(('time = "leaves"\n', ""))
        found = check(root, decode, *changes)
    (finding,) = [f for f in found if f.code == code]
    assert finding.severity == severity
    assert said in finding.what
    assert fix in finding.fix
    assert finding.fix
    assert finding.file == "cases/trips/case.toml"
    key = new.partition(" =")[0].partition("\n")[0] if new and code != "TR020" else ""
    if code in ("TR013", "TR014"):
        assert finding.line is not None
    elif key:
        assert finding.line == line(new.partition("\n")[0], (old, new))


def test_many_faults_are_all_said_at_once_errors_first(root: Path, decode: Decode) -> None:
    found = check(
        root, decode,
        ('features = ["line"', 'features = ["lime", "arrived", "delay"'),
        ('license = "CC0"', 'license = ""'),
        ('validation = { first = "2024-03-01"', 'validation = { first = "2024-02-01"'),
        ("difference to table", "difference to tabel"),
    )  # fmt: skip
    assert {"TR002", "TR003", "TR010", "TR022", "TR030", "TR102"} <= {f.code for f in found}
    severities = [f.severity for f in found]
    assert severities == sorted(severities, key="error doubt".index)


def test_text_faults_are_said_even_where_no_data_can_be_read(root: Path, decode: Decode) -> None:
    (root / "data/trips.csv").write_text("")
    found = check(root, decode, ('features = ["line"', 'features = ["arrived", "delay"'))
    assert {"TR001", "TR003", "TR102"} <= {f.code for f in found}


def test_one_class_in_the_test_is_an_error(root: Path, decode: Decode) -> None:
    path = root / "data/trips.csv"
    calm = pl.when(pl.col("leaves") >= "2024-04-01").then(0).otherwise(pl.col("delay"))
    pl.read_csv(path).with_columns(delay=calm).write_csv(path)
    (finding,) = [f for f in check(root, decode) if f.code == "TR012"]
    assert finding.what == "the test part has one class only"
    assert finding.line == line("test = { first")


def test_the_tests_truth_changes_nothing_but_the_one_class_check(
    root: Path, decode: Decode
) -> None:
    before = check(root, decode)
    path = root / "data/trips.csv"
    after_april = pl.col("leaves") >= "2024-04-01"
    other = pl.when(after_april).then(10 - pl.col("delay")).otherwise(pl.col("delay"))
    pl.read_csv(path).with_columns(delay=other).write_csv(path)
    assert check(root, decode) == before


def test_a_criterion_that_the_test_cannot_decide_says_how_many_rows_it_takes(
    root: Path, decode: Decode
) -> None:
    found = check(root, decode, ('table > 0"', 'table > 0"\nexpect = 0.001'))
    (finding,) = [f for f in found if f.code == "TR023"]
    assert "'ranks better'" in finding.what
    assert "%" in finding.what
    assert (
        ". Assumed: ROC AUC difference 0.001 as the case expects, models of ROC AUC 0.75 that "
        in (finding.what)
    )
    assert finding.line == line('require = "roc_auc')


def test_a_loaded_table_is_not_read_again(root: Path, decode: Decode) -> None:
    case, line_of = decode()
    table = load_case_table(case, root)
    expected = check_case(case, root, line_of)
    (root / "data/trips.csv").unlink()
    assert check_case(case, root, line_of, table=table) == expected


def test_a_model_file_that_is_there_is_fine(root: Path, decode: Decode) -> None:
    folder = root / "cases" / "trips"
    folder.mkdir(parents=True)
    (folder / "m.py").write_text("def build(seed): ...\n")
    estimator = 'estimator = "sklearn.ensemble.HistGradientBoostingClassifier"'
    assert "TR032" not in {
        f.code for f in check(root, decode, (estimator, 'python = "m.py:build"'))
    }


def test_names_from_the_data_reach_findings_as_they_are(root: Path) -> None:
    case, line_of = decode_case(
        CASE.replace('features = ["line"', 'features = ["<script>alert(1)</script>"'), "c"
    )
    found = [f for f in check_case(case, root, line_of) if f.code == "TR002"]
    assert "<script>alert(1)</script>" in found[0].what  # pages escape; a terminal shows it


def test_only_columns_of_the_data_are_offered_for_one_that_is_not_there(
    root: Path, decode: Decode
) -> None:
    found = check(root, decode, ('features = ["line"', 'features = ["xyzzy", "trut"'))
    unknown, near = (f.fix for f in found if f.code == "TR002")
    listed = unknown.removeprefix("columns: ").split(", ")
    assert {"trip", "line", "delay"} <= set(listed)
    assert not {"id", "truth"} & set(listed)
    assert "'truth'" not in near


ASOF = """[[data.asof]]
table = "data/weather.csv"
by = []
time = "observed"
columns = ["rain"]
known_by = "18:00 the day before"

[target]"""


@pytest.mark.parametrize(
    ("contrast", "asof", "said"),
    [
        ('known_by = "at the time"', False, "no table is joined"),
        ('known_by = "whenever"', True, "'whenever'"),
        ('known_by = "at the time"', True, None),
        ('[contrast.split]\nkind = "group"\nby = "lime"', False, "'lime'"),
        ('[contrast.split]\nkind = "group"\nby = "line"\ntest = 0.001', False, "part is empty"),
        ('[contrast.split]\nkind = "random"', False, None),
    ],
)
def test_a_contrast_that_cannot_be_measured_is_found_before_its_look(
    root: Path, decode: Decode, contrast: str, asof: bool, said: str | None
) -> None:
    (root / "data/weather.csv").write_text("observed,rain\n2024-01-01T00:00:00Z,1.5\n")
    changes = [("[[criterion]]", f'[[contrast]]\nname = "other"\n{contrast}\n\n[[criterion]]')]
    found = check(root, decode, *changes, *([("[target]", ASOF)] if asof else []))
    told = [f for f in found if f.code == "TR015"]
    if said is None:
        assert told == []
    else:
        assert said in told[0].what
        assert told[0].severity == "error"
        assert told[0].line is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("load > many", "compares numbers with 'many'"),
        ("load == nan", "compares numbers with 'nan'"),
        ("line > 3", "asks for an order, and 'line' holds string values"),
        ("line == A", None),
        ("load >= 10", None),
        ("line", None),
    ],
)
def test_a_slice_that_its_column_does_not_admit_is_found(
    root: Path, decode: Decode, text: str, said: str | None
) -> None:
    found = check(root, decode, ('"load > 10"', f'"{text}"'))
    told = [f for f in found if f.code == "TR024"]
    if said is None:
        assert told == []
    else:
        assert said in told[0].what
        assert told[0].line == line("slices = ")


def test_a_column_with_spaces_in_its_name_can_be_a_slice(root: Path, decode: Decode) -> None:
    path = root / "data/trips.csv"
    path.write_text(path.read_text().replace(",load,", ",big load,", 1))
    found = check(root, decode, ('"load > 10"', '"big load > 10"'), ('"load"]', '"big load"]'))
    assert [f for f in found if f.severity == "error"] == []


def test_the_assumptions_of_a_doubt_are_short_and_plain() -> None:
    full = (
        "bias 0, its best value; a calibrated model with ROC AUC 0.75; 0.22 of rows positive; "
        "clusters inflate the variance 98.6-fold"
    )
    assert plainly(full, "day") == (
        "Assumed: bias 0, its best value, a calibrated model of ROC AUC 0.75, and rows that share "
        "a 'day' are alike, which takes 98.6 times as many rows"
    )


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (0.002, "under 1 %"), (0.484, "48 %"), (0.997, "over 99 %"), (1, "100 %")],
)
def test_a_share_is_never_told_as_none_or_all_where_it_is_not(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_mark_inside_a_string_is_the_authors_text_and_a_comment_after_a_value_is_a_mark(
    decode: Decode,
) -> None:
    sentence = '"""Tell\n# decide: a line of ours\npassengers."""'
    changes = [('"Tell passengers."', sentence), ('"binary"', '"binary"  # decide: is it?')]
    text = changed(*changes)
    case, line_of = decode(*changes)
    (finding,) = check_decisions(case, text, "case.toml", line_of)
    assert finding.line == 4
    assert "is it?" in finding.what


def test_a_sentence_of_the_draft_is_found_without_its_mark(decode: Decode) -> None:
    changes = [
        ("Tell passengers.", "Not decided yet: a draft from the data."),
        ("Will the trip be late?", "Will delay be > 5 for this unit?"),
        ('missing = "exclude"', 'missing = "exclude"\nmissing_means = "not decided yet"'),
    ]
    case, line_of = decode(*changes)
    found = list(check_decisions(case, changed(*changes), "case.toml", line_of))
    assert sorted(f.what.partition(" is")[0] for f in found) == [
        "intended_use",
        "question",
        "target.missing_means",
    ]
    assert all(f.line for f in found)
