from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.cases.reader import case_document, changed_keys, decode_case, read_case
from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError

from .conftest import CASE, FILE, Decode, changed, line


def test_a_case_decodes_with_its_defaults(decode: Decode) -> None:
    case, _ = decode()
    assert case.candidate_name() == "boosted"
    assert case.data.timezone == "UTC"
    assert case.model[0].parameters == {"max_iter": 50}
    assert case.target.missing == "error"
    assert case.evaluation.level == 0.95


@pytest.mark.parametrize(
    ("key", "piece"),
    [
        ("spec", "spec = 1"),
        ("data.path", "path = "),
        ("data.types", "[data.types]"),
        ("data.asof.0.known_by", "known_by = "),
        ("split.validation", "validation = {"),
        ("split.validation.first", "validation = {"),  # inside an inline table
        ("baseline.1.by", 'by = ["region"]\n\n[[model]]'),
        ("model.0.parameters.max_iter", "max_iter"),
        ("criterion.1.require", "require = \"calibration"),
        ("contrast.0.split.kind", 'kind = "random"'),
        ("contrast", "[[contrast]]"),
        ("features.1", "features = "),
        ("no.such.key", None),
    ],
)  # fmt: skip
def test_each_key_is_found_on_its_line(decode: Decode, key: str, piece: str | None) -> None:
    _, line_of = decode()
    assert line_of(key) == (line(piece) if piece else None)


def test_lines_hold_after_comments_long_strings_long_lists_and_dotted_keys(decode: Decode) -> None:
    text = changed(
        ("[data]\n", "# [data]\n[ data ]  # the rows\n"),
        ('question = "Will this loan be repaid?"',
         'question = """\nWill this\n[data]\nloan be repaid?"""'),
        ('limits = ["One bank.", "One year."]', 'limits = [\n  "A [bank]", # seed = 3\n  "x",\n]'),
        ('[contrast.split]\nkind = "random"', 'split.kind = "random"'),
    )  # fmt: skip
    _, line_of = decode_case(text, FILE)
    assert line_of("data") == line("[ data ]", text)
    assert line_of("data.path") == line("path = ", text)
    assert line_of("seed") is None
    assert line_of("contrast.0.split.kind") == line("split.kind", text)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_endings_and_odd_separators_do_not_shift_lines(end: str) -> None:
    text = changed(("One bank.", "One\u2028bank\u0085.")).replace("\n", end)
    _, line_of = decode_case(text, FILE)
    assert line_of("criterion.1.expect") == line("expect = 1.0")


# Where a fault is told elsewhere than at the words that were changed: a key that is gone is told
# at its table, and a table of free keys at its head.
PLACES = {
    'kind = "time"\n': "[split]",
    'unit = "loan"\n': "[data]",
    '[contrast.split]\nkind = "random"\n': "[[contrast]]",
    'region = "string"': "[data.types]",
    "max_iter = [50]": "[model.parameters]",
    'name = "table"': 'name = "boosted"',
}


@pytest.mark.parametrize(
    ("old", "new", "what", "why"),
    [
        ('task = "binary"', 'task = "binry"', "task cannot be 'binry'", "did you mean 'binary'?"),
        ('kind = "time"', 'kind = "tme"', "split.kind cannot be 'tme'", "time, random, group"),
        ('kind = "time"\n', "", "the key 'kind' is missing", "[split]"),
        ('kind = "table"', 'kind = "tabel"', "cannot be 'tabel'", "did you mean 'table'?"),
        ('by = ["region"]\n\n', 'by = "region"\n\n', "is text in quotes", "a list in [ ]"),
        ('by = ["region"]\n\n', 'byy = ["region"]\n\n', "no key 'byy'", "did you mean 'by'?"),
        ("max_iter = 50", "max_iter = [50]", "is a list in [ ]", "expected"),
        ('last = "2020-06-30"', 'lst = "2020-06-30"', "no key 'lst'", "did you mean 'last'?"),
        ('"2020-06-30"', "2020-06-30", "is a bare date", "text in quotes"),
        ('"2020-06-30"', '"30.6.2020"', "not written as it must be", "a day in quotes"),
        ('unit = "loan"\n', "", "the key 'unit' is missing", "[data]"),
        ("question =", "questoin =", "no key 'questoin'", "did you mean 'question'?"),
        ('"Will this loan be repaid?"', '""', "question is empty", ""),
        ('positive = "yes"', 'positive = "yes"\nmissing = "drop"', "'drop'", "allowed: error"),
        ('metrics = ["roc_auc", "brier"]', "metrics = []", "evaluation.metrics is empty", ""),
        ('cluster = "region"', "level = nan", "evaluation.level is out of range", "> 0.5"),
        ('cluster = "region"', "level = 95", "evaluation.level is out of range", "< 1"),
        ('cluster = "region"', 'clusters = "region"', "no key 'clusters'", "'cluster'?"),
        ("[[model]]", "[[modl]]", "no key 'modl'", "did you mean 'model'?"),
        ("[evaluation]", "[evalution]", "no key 'evalution'", "did you mean 'evaluation'?"),
        ('name = "loans"', 'name = "../../etc"', "not written as it must be", "lower-case"),
        ('region = "string"', 'region = "text"', "cannot be 'text'", "allowed: boolean, date"),
        ("[target]", "[[target]]", "target is a list", "a table"),
        ('"One bank."', "7", "limits.0 is a whole number", "text in quotes"),
        ("expect = 1.0", "expect = inf", "'criterion.1.expect' cannot be sealed", "inf or nan"),
        ("max_iter = 50", "max_iter = 9007199254740993", "cannot be sealed", "below 2^53"),
        ("max_iter = 50", "max_iter = 99999999999999999999999", "cannot be sealed", "2^53"),
        ('name = "table"', 'name = "boosted"', "the name 'boosted' is used twice", ""),
        ('name = "well calibrated"', 'name = "ranks better"', "two criteria are called", ""),
        ('[contrast.split]\nkind = "random"\n', "", "does not say what is different", "a split"),
        ('task = "binary"', 'task = "binary"\ncandidate = "bosted"', "'bosted'", "'boosted'?"),
        ("difference to table > 0", "~ 3", "cannot read the criterion", "expected"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_a_way_out(
    old: str, new: str, what: str, why: str
) -> None:
    text = changed((old, new))
    with pytest.raises(CaseError) as caught:
        decode_case(text, FILE)
    error = caught.value
    assert what in error.what
    assert why in (error.why or "")
    assert error.next
    place = PLACES.get(old) or PLACES.get(new)
    at = line(place) if place else line(old) + new.rstrip().count("\n")
    assert f"{FILE}:{at}" in (error.where or "")


@pytest.mark.parametrize("name", ["model", "baseline", "criterion"])
def test_a_case_without_models_baselines_or_criteria_is_refused(name: str) -> None:
    text = CASE[: CASE.index("[[baseline]]")].replace("spec = 1", f"spec = 1\n{name} = []")
    for other in {"model", "baseline", "criterion"} - {name}:
        item = {"model": 'name = "m"', "baseline": 'name = "b"\nkind = "base_rate"',
                "criterion": 'name = "c"\nrequire = "brier < 1"'}[other]  # fmt: skip
        text += f"\n[[{other}]]\n{item}\n"
    with pytest.raises(CaseError) as caught:
        decode_case(text, FILE)
    assert caught.value.what == f"the case has no [[{name}]]"
    assert f"{FILE}:2" in (caught.value.where or "")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("[target]", "[target", ":{line}:"),
        ('unit = "loan"', "unit = loan", ":{line}:"),
        ('unit = "loan"', 'unit = "loan"\nunit = "x"', ":"),
        ('kind = "random"\n', 'kind = "random', ":"),
    ],
)
def test_a_syntax_error_says_line_and_column(old: str, new: str, place: str) -> None:
    text = changed((old, new))
    with pytest.raises(CaseError) as caught:
        decode_case(text, FILE)
    assert caught.value.what == f"{FILE} is not valid TOML"
    assert FILE + place.format(line=line(new.partition("\n")[0], text)) in (
        caught.value.where or ""
    )


def test_a_file_that_stops_in_the_middle_names_its_last_line() -> None:
    text = changed()[: CASE.index('first = "2020-07')]
    with pytest.raises(CaseError, match="not valid TOML") as caught:
        decode_case(text, FILE)
    assert caught.value.where is not None
    assert caught.value.where.startswith(f"{FILE}:{text.count(chr(10)) + 1}")


@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff"])
def test_an_empty_file_says_how_to_make_one(text: str, tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(CaseError) as caught:
        read_case(path, shown=FILE)
    assert caught.value.what == f"{FILE} is empty"
    assert caught.value.next == "trackrecord case new NAME --from DATA"


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    with pytest.raises(CaseError, match="there is no case file"):
        read_case(path)
    path.write_bytes(b"spec = 1\nname = '\xff'")
    with pytest.raises(CaseError, match="not UTF-8") as caught:
        read_case(path, shown=FILE)
    assert caught.value.where == f"{FILE}, byte 17"
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(CaseError, match="larger than 1 MB"):
        read_case(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(CaseError, match="cannot read"):
        read_case(path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(CaseError, match="cannot read"):
        read_case(path)


def test_nesting_without_end_is_an_error_not_a_crash() -> None:
    with pytest.raises(CaseError):
        decode_case("spec = 1\nx = " + "[" * 100_000, FILE)


def test_a_byte_order_mark_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_text("\ufeff" + CASE, "utf-8")
    assert read_case(path)[0].name == "loans"


def test_a_case_survives_json(decode: Decode) -> None:
    case, _ = decode()
    document = case_document(case)
    assert msgspec.convert(json.loads(json.dumps(document)), Case) == case
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case


@pytest.mark.parametrize(("lowest", "highest"), [(0.5, 0.5), (0.6, 0.2)])
def test_a_decision_curve_that_goes_nowhere_is_refused(
    decode: Decode, lowest: float, highest: float
) -> None:
    asked = f"[evaluation]\ndecision = {{ lowest = {lowest}, highest = {highest} }}"
    with pytest.raises(CaseError, match="the decision curve would go") as caught:
        decode(("[evaluation]", asked))
    assert caught.value.where


def test_asking_for_no_bands_is_the_same_case_as_not_asking(decode: Decode) -> None:
    said = decode(("[evaluation]", "[evaluation]\nsimultaneous = false"))[0]
    assert case_document(said) == case_document(decode()[0])
    asked = decode(("[evaluation]", "[evaluation]\nsimultaneous = true"))[0]
    assert list(changed_keys(case_document(said), case_document(asked))) == [
        "evaluation.simultaneous"
    ]


def test_changed_keys_names_each_place_that_differs(decode: Decode) -> None:
    before = case_document(decode()[0])
    after = case_document(
        decode(
            ("[0.8, 1.25]", "[0.9, 1.1]"),
            ('unit = "loan"', 'unit = "number"'),
            ("max_iter = 50", "max_iter = 60"),
            ('features = ["amount", "region"]', 'features = ["amount"]'),
        )[0]
    )
    assert list(changed_keys(before, after)) == [
        "criterion.1.require",
        "data.unit",
        "features",
        "model.0.parameters.max_iter",
    ]
    assert list(changed_keys(before, before)) == []


def read(text: str) -> Case | CaseError:
    """What comes of a text; any other exception is a failure."""
    try:
        return decode_case(text, FILE)[0]
    except CaseError as error:
        return error


@given(st.lists(st.sampled_from(CASE.splitlines()), max_size=60))
def test_lines_in_any_order_are_a_case_or_a_case_error(lines: list[str]) -> None:
    found = read("\n".join(["spec = 1", *lines]))
    assert isinstance(found, Case) or FILE in (found.where or "")


@given(st.integers(0, len(CASE) - 1), st.text(max_size=3))
def test_a_slip_anywhere_is_a_case_or_a_case_error(at: int, slip: str) -> None:
    found = read(CASE[:at] + slip + CASE[at + 1 :])
    assert isinstance(found, Case) or found.next
