"""The page: nothing typed, nothing executed, nothing hidden."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.portfolio.example import example_workspace

from trackrecord.portfolio.drafts import draft_claims
from trackrecord.portfolio.page import render_page
from trackrecord.portfolio.pointers import resolve, shown
from trackrecord.portfolio.record import CaseRecord, read_record

VOID = {"meta", "br", "col", "link", "img", "input"}
EXEMPT = {"svg", "code", "pre", "title", "style"}


class Reader(HTMLParser):
    """Visible text that stands in no pointer, and every pointer with its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.tags: list[str] = []
        self.loose: list[str] = []
        self.pointers: list[tuple[dict[str, str | None], str]] = []
        self.visible = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self.open}
        pointer = next((a for _, a in self.open if "data-at" in a), None)
        if not tags & {"style", "title"}:
            self.visible += data
        if pointer is not None:
            self.pointers.append((pointer, data))
        elif not tags & EXEMPT:
            self.loose.append(data)


def rendered(root: Path, *changes: tuple[str, str], **options: bool) -> tuple[CaseRecord, str]:
    workspace = example_workspace(root / "w", *changes, rows=900, **options)  # type: ignore[arg-type]
    record = read_record(workspace.evidence, "flights")
    return record, render_page(record, draft_claims(record))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseRecord, str]:
    return rendered(tmp_path_factory.mktemp("page"))


def test_the_same_record_gives_the_same_bytes(usual: tuple[CaseRecord, str]) -> None:
    record, page = usual
    assert render_page(record, draft_claims(record)) == page


def test_no_digit_stands_outside_a_pointer(usual: tuple[CaseRecord, str]) -> None:
    loose = [text for text in Reader(usual[1]).loose if any(c.isnumeric() for c in text)]
    assert loose == []


def test_every_pointer_shows_what_stands_in_the_evidence(usual: tuple[CaseRecord, str]) -> None:
    record, page = usual
    entries = {entry.seq: entry for entry in record.entries}
    pointers = Reader(page).pointers
    assert len(pointers) > 400
    for attributes, text in pointers:
        at, form = str(attributes["data-at"]), str(attributes["data-form"])
        if "data-entry" in attributes:
            entry = entries[int(str(attributes["data-entry"]))]
            value = getattr(entry, at.removeprefix("/"))
        else:
            value = resolve(record.statements[str(attributes["data-evidence"])], at)
        assert text == shown(value, form)


def test_question_verdicts_looks_limits_and_command_are_on_it(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    visible = Reader(page).visible
    spec = record.spec()
    for text in (spec["question"], spec["intended_use"], *spec["limits"]):
        assert text.raw in visible
    for verdict in record.evidence_of("evaluation")["result"]["verdicts"]:
        assert verdict["criterion"].raw in visible
        assert verdict["require"].raw in visible
        assert verdict["verdict"].raw in visible
    assert visible.count("Looked at the sealed test") == 2
    assert "trackrecord verify ." in visible
    assert "Unsealed" not in visible
    assert "Amended" not in visible


def test_there_is_no_script_no_outside_address_and_a_policy_that_forbids_both(
    usual: tuple[CaseRecord, str],
) -> None:
    page = usual[1]
    assert not set(Reader(page).tags) & {"script", "link", "img", "iframe", "form", "use"}
    assert re.findall(r'(?:href|src)="(?!#|evidence/[0-9a-f]{64}\.json")', page) == []
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page.replace("&#39;", "'")
    assert "url(" not in style.group(1)
    assert "@import" not in style.group(1)


def test_a_slice_with_too_few_rows_says_so_and_shows_no_number(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    result = record.evidence_of("evaluation")["result"]
    few = [part for part in result["slices"] if part["rows"].raw < 30]
    assert few
    assert few[0]["absent"][0]["reason"].raw in Reader(page).visible


def test_an_unsealed_case_says_it_loudly_and_first(tmp_path: Path) -> None:
    _, page = rendered(tmp_path, sealed=False)
    visible = Reader(page).visible
    assert "Unsealed. Nothing was fixed before training" in re.sub(r"\s+", " ", visible)
    assert visible.index("Unsealed.") < visible.index("Answered by")
    assert "What was fixed before training" not in visible
    assert "These criteria were not sealed" in visible
    assert 'class="run loud"' in page


def test_an_amended_case_says_when_and_why(tmp_path: Path) -> None:
    record, page = rendered(tmp_path, amended=True)
    visible = re.sub(r"\s+", " ", Reader(page).visible)
    assert "Amended. The case was changed after it was sealed. Changes: 1;" in visible
    assert "the limits said too little of the airports" in visible
    assert "Amended, after 1 looks at the test" in visible
    assert record.evidence_of("evaluation")["look"].raw == 2


def test_without_a_contrast_there_is_no_section_for_it(tmp_path: Path) -> None:
    _, page = rendered(tmp_path, contrasts=False, validation=False)
    assert 'id="contrast"' not in page


HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(2)>"


def test_hostile_words_are_shown_and_do_nothing(tmp_path: Path) -> None:
    quotes = "\\\"' onmouseover=alert(3) {{7*7}} {% raw %}"
    _, page = rendered(
        tmp_path,
        ("Will this flight arrive", f"{HOSTILE} Will this flight arrive"),
        ("One year, 3 airports.", f"{HOSTILE}{quotes}"),
        ("ranks better than the table", HOSTILE),
        ('"tailnum"', f'"tailnum", "{HOSTILE}"'),
        ('"dep_time"', f'"dep_time", "{HOSTILE}"'),
        ('name = "random split"', f'name = "{HOSTILE}"'),
        ('missing_means = "', f'missing_means = "{HOSTILE}'),
        ('by = ["origin"]\ntime = "observed"', f'by = ["origin"]\ntime = "{HOSTILE}"'),
    )
    reader = Reader(page)
    assert not set(reader.tags) & {"script", "img"}
    assert not any(a.startswith("on") for pointer, _ in reader.pointers for a in pointer)
    assert reader.visible.count("<script>alert(1)</script>") > 5
    assert "{{7*7}}" in reader.visible
    assert page.count("<style>") == page.count("</style>") == page.count("</title>") == 1


def test_the_parts_are_dated_as_the_case_asks_and_not_in_another_time_zone(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    assert "from 2013-10-01 to 2013-12-31" in Reader(page).visible
    seal = record.cited("seal")
    assert seal is not None
    assert resolve(seal.raw, "/predicate/case/spec/split/test/last") == "2013-12-31"


def test_it_stays_small_enough_to_be_sent(usual: tuple[CaseRecord, str]) -> None:
    assert len(usual[1].encode()) < 400_000
