"""Bands of slices, the decision curve and the power at the seal: on the page where asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.portfolio.test_page import Reader, rendered

from trackrecord.portfolio.decision_figures import decision
from trackrecord.portfolio.drafts import draft_claims
from trackrecord.portfolio.figures import power
from trackrecord.portfolio.page import render_page
from trackrecord.portfolio.pointers import shown
from trackrecord.portfolio.record import CaseRecord
from trackrecord.portfolio.slice_figures import slices

ASKED = "simultaneous = true\ndecision = { lowest = 0.1, highest = 0.5 }\n"


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseRecord, str]:
    return rendered(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[CaseRecord, str]:
    return rendered(tmp_path_factory.mktemp("plain"), (ASKED, ""))


def pointed(page: str, at: str) -> list[str]:
    """The texts of the pointers to places that match."""
    return [text for a, text in Reader(page).pointers if re.search(at, str(a["data-at"]))]


def test_a_slice_s_interval_and_its_band_are_both_pointers(usual: tuple[CaseRecord, str]) -> None:
    record, page = usual
    parts = record.evidence_of("evaluation")["result"]["slices"].raw
    at = next(index for index, part in enumerate(parts) if part["difference_bands"])
    place = f"/slices/{at}/difference"
    for kind, field in (("s", "differences"), ("_bands", "difference_bands")):
        for end in ("lo", "hi"):
            said = pointed(page, f"{place}{kind}/0/{end}$")
            assert said == [shown(parts[at][field][0][end], "signed")]


def test_the_band_is_drawn_wider_than_the_interval_and_colours_follow_it(
    usual: tuple[CaseRecord, str],
) -> None:
    figure = slices(usual[0].evidence_of("evaluation"))
    assert figure is not None
    rows = [row for group in figure.groups for row in group.rows if row.band is not None]
    assert len(rows) > 5
    for row in rows:
        ends = {
            name: [float(x) for x in re.findall(rf'"{name} \w+" x1="(.+?)%" x2="(.+?)%"',
                                                row.picture)[0]]
            for name in ("reach", "span")
        }  # fmt: skip
        assert ends["reach"][0] <= ends["span"][0] <= ends["span"][1] <= ends["reach"][1]
        assert row.band is not None
        clear = row.band["lo"].raw > 0 or row.band["hi"].raw < 0
        assert (row.tone == "unsure") == (not clear)


def test_a_case_that_asks_for_neither_has_single_intervals_and_no_curve(
    plain: tuple[CaseRecord, str],
) -> None:
    record, page = plain
    visible = Reader(page).visible
    assert "Each interval stands alone" in visible
    assert 'class="reach' not in page
    assert 'id="decision"' not in page
    assert pointed(page, "band|decision") == []
    plan = record.evidence_of("evaluation")["plan"].raw
    assert (plan["simultaneous"], plan["decision"]) == (False, None)


def test_evidence_from_before_there_were_any_is_drawn_as_it_was(
    plain: tuple[CaseRecord, str],
) -> None:
    record, _ = plain
    evaluation = record.evidence_of("evaluation")
    result = evaluation.raw["result"]
    del result["decision"], evaluation.raw["plan"]["decision"]
    for part in result["slices"]:
        del part["bands"], part["difference_bands"]
    seal = record.cited("seal")
    assert seal is not None
    del seal["predicate"].raw["planned_for"]
    figure = slices(evaluation)
    assert figure is not None
    assert figure.each is None
    assert decision(evaluation) is None
    assert power(seal["predicate"]) is None


def test_every_point_of_the_decision_curve_stands_in_its_table(
    usual: tuple[CaseRecord, str],
) -> None:
    record, page = usual
    curves = record.evidence_of("evaluation")["result"]["decision"].raw
    assert [(c["model"], c["minus"]) for c in curves] == [
        ("boosted", None), ("table", None), (None, None), ("boosted", "table"),
    ]  # fmt: skip
    for index, curve in enumerate(curves):
        said = pointed(page, f"/decision/{index}/points/\\d+/value$")
        assert said == [shown(point["value"], "signed") for point in curve["points"]]
    for end in ("lo", "hi"):
        assert len(pointed(page, f"/decision/[03]/points/\\d+/{end}$")) == 2 * 41


def test_few_clusters_leave_a_curve_without_a_band_and_the_figure_says_why(tmp_path: Path) -> None:
    record, _ = rendered(tmp_path)
    curves = record.evidence_of("evaluation")["result"]["decision"].raw
    for curve in curves:
        curve["reason"] = "twelve clusters are few for so skewed a value"
        for point in curve["points"]:
            point["lo"] = point["hi"] = None
    figure = decision(record.evidence_of("evaluation"))
    assert figure is not None
    assert not figure.banded
    assert figure.picture is not None
    assert "polygon" not in figure.picture
    curves[0]["points"] = curves[3]["points"] = []
    bare = decision(record.evidence_of("evaluation"))
    assert bare is not None
    assert bare.picture is None
    assert bare.reason is not None
    assert bare.reason.raw.startswith("twelve clusters")


def test_the_power_stands_at_the_seal_before_the_run(usual: tuple[CaseRecord, str]) -> None:
    record, page = usual
    seal = record.cited("seal")
    assert seal is not None
    plan = seal["predicate"]["plan"].raw
    visible = re.sub(r"\s+", " ", Reader(page).visible)
    told = "how likely a test of 900 rows in 92 clusters, by day, is to decide each criterion"
    assert visible.index("Sealed. Question") < visible.index(told) < visible.index("Run 0001")
    for index, planned in enumerate(plan):
        assert shown(planned["chance"], "percent") in pointed(page, f"/plan/{index}/chance$")
        assert pointed(page, f"/plan/{index}/rows_needed$") == [
            shown(planned["rows_needed"], "integer")
        ]


def test_an_amendment_has_the_power_of_its_own_test(tmp_path: Path) -> None:
    _, page = rendered(tmp_path, amended=True)
    assert page.count('class="power"') == 2


def test_an_unclustered_test_is_told_in_rows_alone(tmp_path: Path) -> None:
    record, _ = rendered(tmp_path)
    seal = record.cited("seal")
    assert seal is not None
    seal["predicate"].raw["planned_for"]["clusters"] = None
    visible = re.sub(r"\s+", " ", Reader(render_page(record, draft_claims(record))).visible)
    assert "how likely a test of 900 rows is to decide each criterion" in visible
