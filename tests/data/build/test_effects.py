"""The rows that each part of the SQL lost, checked against counts that were made by hand."""

from __future__ import annotations

import random

import polars as pl
import pytest
from tests.data.build.conftest import Bench

from trackrecord.data.build.effect import Effect


def effects(bench: Bench, sql: str) -> list[Effect]:
    bench.step("1_a.sql", sql)
    (outcome,) = bench.build().values()
    return outcome.effects


def lines(bench: Bench, sql: str) -> list[str]:
    """``part|clause what|in>out|-lost|+added`` of each effect."""
    return [
        f"{one.part}|{one.clause} {one.what}|"
        + (f"{one.rows_in}>{one.rows_out}|-{one.lost}|+{one.added}" if not one.untold else "?")
        for one in effects(bench, sql)
    ]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "SELECT * FROM orders WHERE price IS NOT NULL AND (shop <> 'c' AND price > 1)",
            ["|WHERE price IS NOT NULL|6>5|-1|+0", "|WHERE shop <> 'c'|5>4|-1|+0",
             "|WHERE price > 1|4>3|-1|+0"],
        ),
        ("SELECT * FROM orders WHERE price > 1 OR shop = 'a'",
         ["|WHERE price > 1 OR shop = 'a'|6>6|-0|+0"]),
        ("SELECT *, price > 8 AS dear FROM orders WHERE dear", ["|WHERE dear|6>2|-4|+0"]),
        ("SELECT * FROM orders JOIN shops USING (shop)",
         ["|JOIN shops USING (shop)|6>5|-1|+0"]),
        ("SELECT s.* FROM shops AS s JOIN orders AS o ON o.shop = s.shop",
         ["|JOIN orders AS o ON o.shop = s.shop|2>5|-0|+3"]),
        ("SELECT * FROM orders LEFT JOIN shops USING (shop) WHERE town IS NOT NULL",
         ["|LEFT JOIN shops USING (shop)|6>6|-0|+0", "|WHERE town IS NOT NULL|6>5|-1|+0"]),
        ("SELECT o.* FROM orders o ANTI JOIN shops USING (shop)",
         ["|ANTI JOIN shops USING (shop)|6>1|-5|+0"]),
        (
            "SELECT shop, count(*) AS n FROM orders WHERE id > 1 GROUP BY shop HAVING n > 1 "
            "ORDER BY shop LIMIT 1",
            ["|WHERE id > 1|6>5|-1|+0", "|GROUP BY shop|5>3|-0|+0", "|HAVING n > 1|3>2|-1|+0",
             "|LIMIT 1|2>1|-1|+0"],
        ),
        ("SELECT sum(price) AS s FROM orders", ["|GROUP BY all rows are one group|6>1|-0|+0"]),
        ("SELECT sum(price) OVER () AS s FROM orders WHERE id < 3", ["|WHERE id < 3|6>2|-4|+0"]),
        ("SELECT DISTINCT shop FROM orders", ["|DISTINCT one of each row|6>3|-3|+0"]),
        (
            "SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY shop ORDER BY id) = 1",
            ["|QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) = 1|6>3|-3|+0"],
        ),
        ("SELECT shop FROM orders UNION SELECT shop FROM shops",
         ["|UNION rows that are there twice are one|8>3|-5|+0"]),
        ("SELECT shop FROM orders WHERE id < 3 UNION ALL SELECT shop FROM shops",
         ["|WHERE id < 3|6>2|-4|+0"]),
        (
            "WITH a AS (SELECT * FROM orders WHERE id > 2), b AS (SELECT DISTINCT shop FROM a) "
            "SELECT * FROM b JOIN shops USING (shop)",
            ["a|WHERE id > 2|6>4|-2|+0", "b|DISTINCT one of each row|4>3|-1|+0",
             "|JOIN shops USING (shop)|3>2|-1|+0"],
        ),
        ("WITH orders AS (SELECT * FROM orders WHERE id > 2) SELECT * FROM orders WHERE id < 5",
         ["orders|WHERE id > 2|6>4|-2|+0", "|WHERE id < 5|4>2|-2|+0"]),
        ("SELECT * FROM (SELECT * FROM orders WHERE id > 2) AS late WHERE id < 5",
         ["late|WHERE id > 2|6>4|-2|+0", "|WHERE id < 5|4>2|-2|+0"]),
        ("SELECT * FROM orders WHERE shop IN (SELECT shop FROM shops)",
         ["|WHERE shop IN (SELECT shop FROM shops)|6>5|-1|+0"]),
        ("SELECT id, unnest([1, 2]) AS u FROM orders WHERE id < 3",
         ["|WHERE id < 3|6>2|-4|+0", "|SELECT unnest makes a row of each element|2>4|-0|+2"]),
        ("SELECT id FROM orders ORDER BY id LIMIT 3 OFFSET 2", ["|LIMIT 3|6>3|-3|+0"]),
    ],
)  # fmt: skip
def test_each_part_is_told_with_the_rows_it_lost(bench: Bench, sql: str, told: list[str]) -> None:
    assert lines(bench, sql) == told


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM orders WHERE random() < 2", "random()"),
        ("SELECT o.* FROM orders o, shops s WHERE o.shop = s.shop", "pairs of rows"),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS x UNION SELECT x + 1 FROM r WHERE x < 5) "
            "FROM r WHERE x > 1",
            "it is recursive",
        ),
    ],
)
def test_what_cannot_be_told_says_so(bench: Bench, sql: str, why: str) -> None:
    found = effects(bench, sql)
    assert found
    for one in found:
        assert str(one.untold).startswith(why) or why in str(one.untold)
        assert one.lost is None


def test_counting_stops_where_it_takes_longer_than_the_step(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackrecord.data.build import run_sql
    from trackrecord.data.build.effects import effects_of

    def hurried(trees: list[object], database: object, rows: int, seconds: float) -> list[Effect]:
        return effects_of(trees, database, rows, 0.2)  # type: ignore[arg-type]

    monkeypatch.setattr(run_sql, "effects_of", hurried)
    sql = (
        "SELECT count(*) AS n FROM range(200000) AS a(x) JOIN range(60000) AS b(y) "
        "ON a.x % 7 = b.y % 11 AND a.x + b.y > 3 LIMIT 1"
    )
    sql = sql.replace("SELECT count(*) AS n FROM", "SELECT x FROM")
    found = effects(bench, sql)
    assert [one.untold for one in found] == [
        "counting would have taken longer than the step itself"
    ] * len(found)


def test_of_very_many_conditions_the_last_are_told_as_one(bench: Bench) -> None:
    many = " AND ".join(f"id <> {n}" for n in range(6, 606))
    found = effects(bench, f"SELECT * FROM orders WHERE {many}")
    assert len(found) == 40
    assert found[0].lost == 1
    assert len(found[-1].what) <= 160


@pytest.mark.parametrize("seed", range(6))
def test_conditions_in_any_order_lose_what_polars_says_they_lose(bench: Bench, seed: int) -> None:
    """Random tables and conditions with missing values, against another engine."""
    dice = random.Random(seed)
    n = 400
    frame = pl.DataFrame({
        "x": [dice.choice([None, *range(10)]) for _ in range(n)],
        "y": [dice.choice([None, *"abc"]) for _ in range(n)],
        "z": [dice.choice([None, dice.random()]) for _ in range(n)],
    })  # fmt: skip
    frame.write_parquet(bench.root / "data/dice.parquet")
    known = {
        "x > 3": pl.col("x") > 3,
        "NOT (x = 5)": ~(pl.col("x") == 5),
        "y IS NOT NULL": pl.col("y").is_not_null(),
        "y IN ('a', 'b')": pl.col("y").is_in(["a", "b"]),
        "z < 0.9 OR x < 8": (pl.col("z") < 0.9) | (pl.col("x") < 8),
    }
    chosen = dice.sample(sorted(known), 4)
    found = effects(bench, f"SELECT * FROM dice WHERE {' AND '.join(f'({c})' for c in chosen)}")
    left = frame
    for one, condition in zip(found, chosen, strict=True):
        after = left.filter(known[condition])
        assert (one.rows_in, one.rows_out) == (left.height, after.height), condition
        left = after
