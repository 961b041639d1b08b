"""The sections of a datasheet, drafted from what is known, with blanks for what is not.

Sections and the questions' subjects follow Gebru et al., "Datasheets for Datasets", Communications
of the ACM 64(12), 2021; the words are ours.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from trackrecord.data.card.facts import Facts
from trackrecord.data.ingest.record import toml_text
from trackrecord.errors import DataError, suggest

HEAD = """\
# What only people know of this data. Fill in what you can: whatever stays "" is shown on the card
# as not answered. The program never writes over this file.
card = 1
# In a sentence or two: what is this data?
description = ""
# Who made it, as they want to be named.
creator = ""
# How it is to be cited.
citation = ""
# When it was published: 2024-01-31.
published = ""
"""
TOP = ("description", "creator", "citation", "published")


class Question(NamedTuple):
    """A blank of the datasheet, and what the program can say to it."""

    key: str
    text: str
    known: Callable[[Facts], str | None] = lambda facts: None


class Answer(NamedTuple):
    """A question with what the program knows and what the owner says; either may be None."""

    text: str
    known: str | None
    said: str | None


class Section(NamedTuple):
    """One section of the datasheet."""

    title: str
    answers: list[Answer]


class Sheet(NamedTuple):
    """The whole of it. ``top`` has the owner's description, creator, citation and date."""

    top: dict[str, str]
    sections: list[Section]
    blank: int
    asked: int


def _instances(facts: Facts) -> str:
    kinds: dict[str, int] = {}
    for field in facts.fields:
        kinds[field.kind] = kinds.get(field.kind, 0) + 1
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"{facts.source.rows:,} rows of {len(facts.fields):,} columns: {told}."


def _missing(facts: Facts) -> str:
    gaps = sorted((f for f in facts.fields if f.missing), key=lambda f: -f.missing)
    if not gaps:
        return "Every row has a value in every column."
    told = "; ".join(f"{f.name} in {f.missing:,}" for f in gaps[:8])
    more = f"; and {len(gaps) - 8:,} more columns" if len(gaps) > 8 else ""
    return f"Of {facts.source.rows:,} rows, values are missing from {told}{more}."


def _errors(facts: Facts) -> str:
    notes = facts.source.note
    if not notes:
        return "Reading the file changed and lost no value."
    told = [f"{f'{n.column}: ' if n.column else ''}{n.rows:,} × {n.what}" for n in notes[:8]]
    return f"{'; '.join(told)}{'; and more' if len(notes) > 8 else ''}."


def _span(facts: Facts) -> str | None:
    spans = [f for f in facts.fields if f.kind in ("date", "time") and f.low]
    if not spans:
        return None
    return "; ".join(f"{f.name} runs from {f.low} to {f.high}" for f in spans[:5]) + "."


def _origin(facts: Facts) -> str | None:
    return facts.source.origin or None


def _license(facts: Facts) -> str | None:
    return facts.source.license or None


def _cleaning(facts: Facts) -> str:
    read = facts.source.read
    told = [f"Read as {read.format}"]
    if read.encoding:
        told.append(f"in {read.encoding}")
    if read.types:
        told.append("with " + ", ".join(f"{n} declared {k}" for n, k in read.types.items()))
    if read.missing:
        told.append("with " + ", ".join(map(repr, read.missing)) + " as missing")
    if read.query:
        told.append(f"by the query {read.query!r}")
    if read.skip_bad:
        told.append("leaving out rows that could not be read")
    return f"{' '.join(told)}; types fit every row. Nothing else was done to it here."


def _raw(facts: Facts) -> str:
    source = facts.source
    what = f"{source.bytes:,} bytes"
    if source.files > 1:
        what += f" in {source.files:,} files"
    return f"Yes: {what}, unchanged, in data/raw under the SHA-256 {source.raw}."


def _software(facts: Facts) -> str:
    source = facts.source
    words = ["trackrecord", "data", "add", source.file, "--name", source.name]
    read = source.read
    for option, values in (
        ("--type", [f"{name}={kind}" for name, kind in read.types.items()]),
        ("--missing", read.missing),
        ("--delimiter", [read.delimiter] if read.delimiter and read.format == "csv" else []),
        ("--encoding", [read.encoding] if read.encoding else []),
        ("--table", [read.table] if read.table else []),
        ("--query", [read.query] if read.query else []),
    ):
        words += [word for value in values for word in (option, value)]
    words += ["--skip-bad"] if read.skip_bad else []
    return f"Yes: {shlex.join(words)}."


def _used(facts: Facts) -> str | None:
    return f"In the cases {', '.join(facts.cases)}." if facts.cases else None


def _versions(facts: Facts) -> str | None:
    if not facts.versions:
        return None
    told = [f"{v.time[:10]}: {v.rows:,} rows, SHA-256 {v.raw[:12]}" for v in facts.versions[-5:]]
    return f"{len(facts.versions)} in the ledger. {'; '.join(told)}."


SECTIONS: dict[str, tuple[str, list[Question]]] = {
    "motivation": ("Motivation", [
        Question("purpose", "What was the data made for, and which gap was it to fill?"),
        Question("creators", "Who made it, and for whom?"),
        Question("funding", "Who paid for it?"),
    ]),
    "composition": ("Composition", [
        Question("instances", "What is one row, and how many are there?", _instances),
        Question("sample", "Is it everything there is, or a sample – and of what, drawn how?"),
        Question("missing", "What is missing from rows, and why?", _missing),
        Question("labels", "Which column is a label or a target, and who assigned it?"),
        Question("relations", "How do rows belong together – same person, same place, same day?"),
        Question("splits", "Are there splits that should be kept to?"),
        Question("errors", "Which errors, noise or repetitions are known?", _errors),
        Question("people", "Is it about people? Could one of them be found by it?"),
        Question("sensitive", "Does it hold what is confidential, or could offend or harm?"),
    ]),
    "collection": ("Collection process", [
        Question("origin", "Where was this copy of it taken from?", _origin),
        Question("acquired", "How did each row come about: measured, reported, derived?"),
        Question("instruments", "With which instruments, people or software, and how validated?"),
        Question("collectors", "Who collected it, and how were they paid?"),
        Question("period", "Over which time was it collected?", _span),
        Question("ethics", "Was there an ethical review? With what outcome?"),
        Question("consent", "Did the people in it know and agree? Can they withdraw?"),
    ]),
    "preprocessing": ("Preprocessing, cleaning, labelling", [
        Question("done", "What was done to the data to make this table, and before?", _cleaning),
        Question("raw", "Are the bytes as they came still there?", _raw),
        Question("software", "Can the same be done again, with which software?", _software),
    ]),
    "uses": ("Uses", [
        Question("used", "What has it been used for already?", _used),
        Question("fit", "What else could it be used for?"),
        Question("limits", "What about it could mislead later uses, or harm a group?"),
        Question("unfit", "What should it not be used for?"),
    ]),
    "distribution": ("Distribution", [
        Question("license", "Under which licence or terms may it be used?", _license),
        Question("recipients", "Who gets it, how, and since when?"),
        Question("restrictions", "Do third parties or laws restrict it?"),
    ]),
    "maintenance": ("Maintenance", [
        Question("owner", "Who looks after it, and how are they reached?"),
        Question("updates", "Will it be corrected or extended? How is that told?"),
        Question("versions", "Which versions are there?", _versions),
        Question("retention", "Is there a limit to how long it may be kept?"),
        Question("contribute", "How can others correct or add to it?"),
    ]),
}  # fmt: skip


def blank_sheet() -> str:
    """The owner's file with every answer empty."""
    lines = [HEAD.rstrip()]
    for key, (title, questions) in SECTIONS.items():
        lines += ["", f"[{key}]  # {title}"]
        for question in questions:
            lines += [f"# {question.text}", f"{question.key} = {toml_text('')}"]
    return "\n".join(lines) + "\n"


def read_sheet(text: str, where: str, facts: Facts) -> Sheet:
    """The owner's answers beside what is known.

    Raises DataError, with the key, for a file that does not read as one.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{where} is not TOML", where=where, why=str(error)) from None
    if found.pop("card", None) != 1:
        raise DataError(f"{where} does not say card = 1", where=where, next="write card = 1 first")
    known = {key: [question.key for question in SECTIONS[key][1]] for key in SECTIONS}
    top = {key: _text(found.pop(key, ""), key, where) for key in TOP}
    said: dict[str, dict[str, str]] = {}
    for key, table in found.items():
        if key not in known or not isinstance(table, dict):
            raise _unknown(key, [*TOP, *known], where)
        for name in table:
            if name not in known[key]:
                raise _unknown(f"{key}.{name}", [f"{key}.{each}" for each in known[key]], where)
        said[key] = {name: _text(text, f"{key}.{name}", where) for name, text in table.items()}
    sections = [
        Section(title, [
            Answer(q.text, q.known(facts), said.get(key, {}).get(q.key) or None) for q in questions
        ])
        for key, (title, questions) in SECTIONS.items()
    ]  # fmt: skip
    answers = [answer for section in sections for answer in section.answers]
    blank = sum(answer.known is None and answer.said is None for answer in answers)
    return Sheet(top, sections, blank, len(answers))


def owners_file(root: Path, name: str) -> Path:
    """Where the owner's answers are."""
    return root / "data" / f"{name}.card.toml"


def _text(value: object, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{key} in {where} is no text", where=f"{where}: {key}", next='write "…"')
    return value.strip()


def _unknown(key: str, known: list[str], where: str) -> DataError:
    near = suggest(key, known)
    return DataError(
        f"{where} has the unknown key {key!r}",
        where=where,
        why=f"did you mean {near!r}?" if near else None,
        next="correct or remove that line",
    )
