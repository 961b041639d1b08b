"""Every verb is documented from the program, with examples that it understands."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator

import pytest
from scripts.write_cli_reference import PAGE, page
from tests.promises.pages import sections

from trackrecord.cli.main import VERBS, help_text, main
from trackrecord.cli.parsing import leaves, make_parser


def all_leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for verb, (door, _) in VERBS.items():
        parser, _ = make_parser(verb, door)
        for leaf in leaves(parser):
            yield leaf.prog, leaf


LEAVES = dict(all_leaves())


def examples(epilog: str) -> list[list[str]]:
    """The commands of an epilog: indented lines; what stands two spaces after one explains it."""
    lines = [line.strip() for line in epilog.splitlines() if line.startswith("  ")]
    commands = [part.partition("   ")[0].strip() for line in lines for part in line.split(" && ")]
    return [shlex.split(command) for command in commands if command.startswith("trackrecord ")]


def test_the_reference_is_what_the_program_says() -> None:
    stale = "docs/reference/cli.md is stale; run: python scripts/write_cli_reference.py"
    assert PAGE.read_text("utf-8") == page(), stale


def test_the_reference_has_every_verb_and_only_those() -> None:
    assert set(sections(PAGE.read_text("utf-8"), "## ")) == set(LEAVES)


@pytest.mark.parametrize("prog", LEAVES)
def test_every_verb_says_what_it_does_and_shows_an_example_of_itself(prog: str) -> None:
    parser = LEAVES[prog]
    assert parser.description
    shown = examples(parser.epilog or "")
    own = prog.split()
    assert any(words[: len(own)] == own for words in shown)


@pytest.mark.parametrize("prog", LEAVES)
def test_the_program_understands_its_own_examples(prog: str) -> None:
    for _, verb, *rest in examples(LEAVES[prog].epilog or ""):
        parser, _ = make_parser(verb, VERBS[verb][0])
        parser.parse_args(rest)


@pytest.mark.parametrize("prog", LEAVES)
def test_every_argument_has_a_meaning(prog: str) -> None:
    for action in LEAVES[prog]._actions:
        assert action.help or action.choices, action.dest


@pytest.mark.parametrize("prog", LEAVES)
def test_help_fits_a_terminal(prog: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*prog.split()[1:], "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100


def test_the_front_page_has_one_line_a_verb() -> None:
    lines = help_text().splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")][: len(VERBS)] == [*VERBS]
    assert max(map(len, lines)) <= 100
