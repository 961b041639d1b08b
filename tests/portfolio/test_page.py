"""The page: nothing typed, nothing executed, nothing hidden."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from tests.portfolio.example import example_workspace

from trackrecord.portfolio.citations import Cited
from trackrecord.portfolio.claims import Claims, render_claim
from trackrecord.portfolio.drafts import draft_claims
from trackrecord.portfolio.page import render_page
from trackrecord.portfolio.pointers import resolve, shown
from trackrecord.portfolio.record import CaseRecord, read_record
from trackrecord.portfolio.slice_figures import slices

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
        assert shown(verdict["require"].raw, "condition") in visible
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


def test_the_answer_stands_under_the_question_before_the_verdicts(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    claims = draft_claims(record).claim
    answer = render_claim(claims[0], record.words())
    visible = re.sub(r"\s+", " ", Reader(page).visible)
    places = [record.spec()["question"].raw, answer, "Sealed 20", "accepted", "Also claimed"]
    places.append(render_claim(claims[1], record.words()))
    found = [visible.index(text) for text in places]
    assert found == sorted(found)
    assert visible.count(answer) == 1


def test_without_claims_a_page_has_no_answer_and_all_its_verdicts(
    usual: tuple[CaseRecord, str],
) -> None:
    page = render_page(usual[0], Claims(claims=1))
    assert 'class="claims' not in page
    assert page.count('class="mark ') == page_verdicts(usual[0])


def page_verdicts(record: CaseRecord) -> int:
    return len(record.evidence_of("evaluation")["result"]["verdicts"])


def test_every_verdict_stands_on_the_page_once(usual: tuple[CaseRecord, str]) -> None:
    record, page = usual
    assert page.count('class="mark ') == page_verdicts(record)
    for index in range(page_verdicts(record)):
        for what in ("verdict", "require", "value", "lo", "hi", "reason"):
            assert page.count(f'data-at="/predicate/result/verdicts/{index}/{what}"') == 1


def test_the_bias_has_one_name_one_explanation_and_a_sign_wherever_it_stands(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    assert Reader(page).visible.count("mean prediction minus the rate that came true") == 1
    model = record.evidence_of("evaluation")["result"]["models"][3]
    index = [e["metric"].raw for e in model["estimates"]].index("bias")
    at = f"/predicate/result/models/3/estimates/{index}/value"
    forms = {a["data-form"] for a, _ in Reader(page).pointers if a["data-at"] == at}
    assert forms == {"signed", "points"}


def test_the_bounds_of_a_condition_have_a_minus_like_all_other_numbers(
    usual: tuple[CaseRecord, str],
) -> None:
    visible = Reader(usual[1]).visible
    assert "bias in [−0.02, 0.02]" in visible
    assert not re.search(r"[\s\[]-\d", visible)


def test_a_slices_bare_number_stands_with_its_column(tmp_path: Path) -> None:
    record, page = rendered(tmp_path)
    statement = record.statements[record.evaluation]
    part = statement["predicate"]["result"]["slices"][0]
    part["slice"], part["value"] = "weekday", "1"
    visible = Reader(render_page(record, draft_claims(record))).visible
    assert "weekday = 1 " in visible
    assert "weekday = " not in Reader(page).visible
    assert "carrier = " not in visible


def test_a_tiny_slice_does_not_set_the_scale_of_the_others(
    usual: tuple[CaseRecord, str],
) -> None:
    record, _ = usual
    evaluation = record.evidence_of("evaluation")
    before = slices(evaluation)
    statement = msgspec.json.decode(msgspec.json.encode(record.statements[record.evaluation]))
    part = next(p for p in statement["predicate"]["result"]["slices"] if p["differences"])
    part["rows"] = 5
    for difference in part["differences"]:
        difference["value"], difference["lo"], difference["hi"] = -8.0, -9.0, -7.0
    for band in part["difference_bands"]:
        band["lo"], band["hi"] = -10.0, -6.0
    after = slices(Cited(record.evaluation, "", statement)["predicate"])
    assert before is not None
    assert after is not None
    ticks = [re.findall(r">([^<>]+)</text>", figure.scale) for figure in (before, after)]
    assert max(len(tick) for tick in ticks[1]) <= max(len(tick) for tick in ticks[0])
    assert "−8" not in after.scale
    assert after.groups[0].rows[0].picture.count("<path") == 1


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
