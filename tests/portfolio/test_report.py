"""The report of a file of predictions: what is on it, and what it never does."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from trackrecord.evaluation.library import result_of
from trackrecord.evaluation.reading import Asked, interpret
from trackrecord.portfolio.report import render_report

EVIL = '<script>alert("1")</script>'


def table(rows: int = 400, seed: int = 2) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    score = draw.random(rows)
    return pl.DataFrame(
        {
            "id": [f"u{n:04d}" for n in range(rows)],
            "truth": (draw.random(rows) < score).astype(int),
            "score.old": np.round(score, 1),
            "score.new": score,
            "cluster": np.arange(rows) // 4,
            "slice.site": draw.choice(["north", "south", EVIL], rows),
        }
    )


def report(frame: pl.DataFrame, *, asked: Asked | None = None, **options: object) -> str:
    read = interpret(frame, "p.csv", asked)
    criteria = options.pop("criteria", ["roc_auc >= 0.6"])
    found = result_of(read, criteria=criteria)  # type: ignore[arg-type]
    return render_report(found, read.frame, name="p.csv", tool="test", **options)  # type: ignore[arg-type]


class Tags(HTMLParser):
    """Tags that are left open, and every tag and address there is."""

    VOID = frozenset({"meta", "col", "br", "path", "line", "circle", "rect", "polyline", "polygon"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action", "style")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_report_has_every_part_and_asks_nothing_of_the_network() -> None:
    page = report(table())
    for heading in (
        "The numbers", "Do the probabilities come true?", "How well it ranks",
        "Where to put the threshold", "Where it helps, and where not", "Most confident errors",
        "How the intervals were made",
    ):  # fmt: skip
        assert heading in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "link", "iframe", "form"}
    assert tags.addresses == []
    assert "default-src 'none'" in page


def test_the_same_table_in_any_order_gives_the_same_bytes() -> None:
    frame = table()
    assert report(frame) == report(frame.sample(fraction=1, shuffle=True, seed=1))


def test_hostile_names_are_escaped_everywhere() -> None:
    frame = table().rename({"score.new": f"score.{EVIL}"})
    page = report(frame.with_columns(id=pl.lit(EVIL) + pl.col("id")))
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_names_cannot_turn_the_direction_of_writing() -> None:
    turned = pl.col("slice.site").str.replace("north", "\u202e000.1")
    assert "\u202e" not in report(table().with_columns(turned))


def test_slices_are_set_against_each_other_as_the_terminal_does() -> None:
    read = interpret(table().with_columns(
        pl.when(pl.col("slice.site") == "south").then(1 - pl.col("score.new"))
        .otherwise(pl.col("score.new"))
        .alias("score.new")), "p.csv")  # fmt: skip
    found = result_of(read, metrics=["brier", "bias"])
    page = render_report(found, read.frame, name="p.csv", tool="test")
    gap = next(g for g in found.evaluation.gaps if g.metric == "brier")
    assert '<h2 id="groups">Between groups</h2>' in page
    pair = f"{html.escape(gap.least)} to {html.escape(gap.most)}"
    assert f"<td>{pair}</td>" in page.replace("&#34;", "&quot;")
    bounds = f'<span class="bounds">[{gap.lo:.3f}, {gap.hi:.3f}]</span>'
    assert f"<data>{gap.value:.3f}</data> {bounds}" in page
    assert "<em>Brier score</em>: site: south (p\N{NO-BREAK SPACE}" in page
    alone = report(table().drop("slice.site"))
    assert "Between groups" not in alone


def test_the_most_confident_errors_are_named_with_their_ids() -> None:
    frame = table().with_columns(
        pl.when(pl.col("id") == "u0007").then(0.9999).otherwise(pl.col("score.new"))
        .alias("score.new"),
        pl.when(pl.col("id") == "u0007").then(0).otherwise(pl.col("truth")).alias("truth"),
    )  # fmt: skip
    page = report(frame)
    assert re.search(r"did not come true.*?<tbody>\s*<tr><td class=\"id\"><code>u0007<", page, re.S)


def test_the_threshold_table_is_that_of_an_independent_count() -> None:
    frame = table()
    page = report(frame)
    flagged = frame.filter(pl.col("score.new") >= 0.5)
    caught = flagged["truth"].sum()
    share = 100 * flagged.height / frame.height
    cells = (
        rf'"right">0\.500</td><td class="right">{share:.1f} %</td><td class="right">{caught}</td>'
    )
    assert re.search(cells, page)


def test_the_reader_s_own_cost_is_marked() -> None:
    page = report(table(), ratio=3.0)
    assert re.search(r'<tr class="chosen"><td class="right">3 ×</td>', page)
    assert 'class="chosen"' not in report(table())


@pytest.mark.parametrize(
    "frame",
    [
        table().drop("score.old", "cluster", "slice.site"),
        table().with_columns(pl.col("score.new") * 8 - 4),
        table().with_columns(pl.col("score.old").mul(0).add(0.5).alias("score.new")),
        table().with_columns(pl.col("score.new").mul(1e-6)),
        table(12),
        table().with_columns(weight=pl.int_range(pl.len()) % 3),
        table().with_columns(pl.lit(None, pl.String).alias("slice.site")),
        table().with_columns((pl.col("truth")).cast(pl.Float64).alias("score.new")),
    ],
    ids=["alone", "log odds", "constant", "tiny", "few", "weighted", "missing", "perfect"],
)
def test_unusual_scores_still_give_a_page_without_nan(frame: pl.DataFrame) -> None:
    page = report(frame, criteria=[])
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not re.search(r"\b(nan|inf|None)\b", page.split("</style>")[1].replace("&#34;", ""))
