from __future__ import annotations

import json

import pytest

from trackrecord.cli import printing
from trackrecord.cli.measured import interval
from trackrecord.cli.printing import counted, print_json, safe, say, table, wrapped
from trackrecord.cli.run import time_spent
from trackrecord.cli.verify import summary_of, tell_findings
from trackrecord.portfolio.checking.report import ClaimCheck, Report, bad


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ✓\nnext line", "plain – ✓\nnext line"),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("a\rb\tc\x7f", "a\ufffdb\ufffdc\ufffd"),
        ("\x9b31m", "\ufffd31m"),  # the same escape in one byte
        ("gnp.\u202eexe", "gnp.\ufffdexe"),  # read from right to left
        ("\udcff", "?"),  # a file name that is not UTF-8
    ],
)
def test_nothing_said_can_repaint_the_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_table_shows_hostile_cells_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    printing.quiet(False)
    table(["name", "[bold]value"], [["\x1b[2J", "[red]7[/red]"]], right={1})
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]value" in out
    assert "[red]7[/red]" in out


def test_a_quiet_command_says_nothing_but_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    printing.quiet(True)
    try:
        say("for people")
        table(["a"], [["1"]])
        with printing.progress("working") as step:
            step("reading", 0.5)
        print_json({"b": 1, "a": "é"})
    finally:
        printing.quiet(False)
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": "é", "b": 1}
    assert "é" in out


def test_numbers_are_said_with_their_interval_and_their_noun() -> None:
    assert interval(0.7421, 0.7312, 0.7533) == "0.742 [0.731, 0.753]"
    assert interval(0.118, 0.1, 0.13, signed=True) == "+0.118 [+0.100, +0.130]"
    assert counted(1, "look") == "1 look"
    assert counted(2, "look") == "2 looks"
    assert counted(0, "doubt") == "0 doubts"


def test_long_words_for_a_person_go_on_below_indented_and_a_command_stays_whole() -> None:
    long = "  ✗ " + "a sentence that goes on " * 8
    lines = wrapped(long, 4, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("  ✗ a sentence")
    assert all(line.startswith("    ") and line[4] != " " for line in lines[1:])
    command = "trackrecord amend churn --reason " + "x" * 50
    assert wrapped(f"  next: {command}", 8, 60) == f"  next: {command}"
    assert wrapped(f"undo the change that you made, or: {command}", 4, 60).splitlines() == [
        "undo the change that you made, or:",
        f"    {command}",
    ]
    path = "/a/very/long/path" * 6
    assert path in wrapped(f"  outcomes: {path}", 4, 60)
    assert wrapped("as  it   is", 4, 60) == "as  it   is"
    assert "48 %" in wrapped(f"{'x' * 57} 48 % of", 4, 60)


def test_mlflows_seconds_are_told_apart_from_those_of_the_training() -> None:
    assert time_spent(21.4, 9.2) == "12 s, and 9 s for MLflow"
    assert time_spent(21.4, 0.01) == "21 s"


def broken_page() -> Report:
    page = "index.html"
    place = "line 7, /predicate/result/models/0/estimates/"
    checks = [
        bad("files", "it is not the file that was published", page),
        *(bad("page", f"{place}{n}: the value is not the evidence's", page) for n in range(7)),
        *(bad("page", f"{place}{n}: the text is not the evidence's", page) for n in range(7)),
        bad("files", "it is no part of the publication", "extra.txt"),
    ]
    falls = ClaimCheck(ok=False, level="L0", text="It ranks.", reason=f"{page} says it otherwise")
    return Report(
        case="c", head="0", entries=3, numbers=9, checks=checks, claims=[falls] * 4, exit_code=1
    )


def test_findings_are_summed_up_by_file_and_only_a_few_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = broken_page()
    assert summary_of(report) == [
        "index.html: it is not the file that was published; 7 numbers are not the evidence's; "
        "4 claims fall",
        "extra.txt: it is no part of the publication",
    ]
    printing.quiet(False)
    tell_findings(report)
    said = capsys.readouterr().out
    assert said.startswith("✗ index.html: it is not")
    assert "11 more in index.html: --json has them all" in said
    assert said.count("the value is not the evidence's") <= 3
