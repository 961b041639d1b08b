"""Only what is stale runs; what comes out the same does not make others run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.data.build.conftest import Bench

from trackrecord.data.build.build import plan
from trackrecord.data.build.state import read_built
from trackrecord.data.digest import table_digest
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import read_chain, read_evidence


@pytest.fixture
def chained(bench: Bench) -> Bench:
    """orders → priced → totals, and shops beside them."""
    bench.step("10_priced.sql", "SELECT * FROM orders WHERE price IS NOT NULL")
    bench.step("20_totals.sql", "SELECT shop, sum(price) AS total FROM priced GROUP BY shop")
    bench.step("30_towns.sql", "SELECT town FROM shops")
    return bench


def why(bench: Bench) -> dict[str, list[str]]:
    """What a dry run says of the steps that are not fresh."""
    planned = plan(bench.root, [], tool="1")
    return {one.step: one.why for one in planned if one.state != "fresh"}


def test_a_first_build_runs_all_and_a_second_nothing(chained: Bench) -> None:
    assert chained.states() == {"priced": "built", "totals": "built", "towns": "built"}
    assert chained.built("totals").rows() == [("a", 11.0), ("b", 27.0), ("c", 5.0)]
    files = {path: path.stat().st_mtime_ns for path in (chained.root / "data").rglob("*.*")}
    entries = len(read_chain(chained.root / "evidence"))
    assert set(chained.states().values()) == {"fresh"}
    assert {p: p.stat().st_mtime_ns for p in (chained.root / "data").rglob("*.*")} == files
    assert len(read_chain(chained.root / "evidence")) == entries == 3


def test_a_comment_does_not_rebuild_and_another_condition_does(chained: Bench) -> None:
    chained.build()
    chained.step(
        "10_priced.sql", "-- all that\n-- have one\nSELECT *\nFROM orders\nWHERE price IS NOT NULL;"
    )
    assert why(chained) == {}
    chained.step("10_priced.sql", "SELECT * FROM orders WHERE price > 5")
    assert why(chained) == {
        "priced": ["the SQL changed"],
        "totals": ["if its input priced comes out otherwise"],
    }
    outcomes = chained.build()
    assert outcomes["totals"].why == ["its input priced was rebuilt and differs"]
    assert outcomes["towns"].state == "fresh"
    assert chained.built("totals").rows() == [("a", 10.0), ("b", 27.0)]


def test_what_comes_out_the_same_cuts_the_build_off(chained: Bench) -> None:
    chained.build()
    chained.step("10_priced.sql", "SELECT * FROM orders WHERE NOT (price IS NULL)")
    assert chained.states() == {"priced": "same", "totals": "fresh", "towns": "fresh"}


def test_other_rows_in_a_source_rebuild_and_the_same_rows_in_another_file_do_not(
    chained: Bench,
) -> None:
    chained.build()
    path = chained.root / "data/orders.parquet"
    frame = pl.read_parquet(path)
    frame.write_parquet(path, compression="uncompressed", row_group_size=2)
    assert why(chained) == {}
    frame.with_columns(price=pl.col("price") + 1).write_parquet(path)
    assert why(chained)["priced"] == ["orders changed"]
    assert chained.states() == {"priced": "built", "totals": "built", "towns": "fresh"}


def test_an_output_that_was_edited_or_lost_is_made_again(chained: Bench) -> None:
    chained.build()
    content = table_digest(chained.root / "data/built/totals.parquet")
    chained.built("totals").with_columns(total=pl.lit(0.0)).write_parquet(
        chained.root / "data/built/totals.parquet"
    )
    (chained.root / "data/built/priced.parquet").unlink()
    (chained.root / "data/built/towns.build.toml").unlink()
    assert why(chained)["priced"] == ["its output is missing"]
    assert why(chained)["towns"] == ["nothing is known of its output"]
    outcomes = chained.build()
    assert outcomes["totals"].why == ["its output was changed by hand"]
    assert [one.state for one in outcomes.values()] == ["same", "same", "built"]
    assert table_digest(chained.root / "data/built/totals.parquet") == content


def test_an_edit_of_the_same_size_and_time_is_seen(chained: Bench) -> None:
    chained.build()
    path = chained.root / "data/orders.parquet"
    before = path.stat()
    data = bytearray(path.read_bytes())
    at = data.index(b"Polars") if b"Polars" in data else len(data) // 2
    data[at] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    from trackrecord.data.build.state import Digests
    from trackrecord.ledger.store import file_sha256

    assert Digests(chained.root).parquet(path) == file_sha256(path)


def test_named_steps_run_with_what_they_rest_on_and_nothing_else(chained: Bench) -> None:
    assert chained.states("totals") == {"priced": "built", "totals": "built"}
    assert chained.states("totals", force=True) == {"priced": "fresh", "totals": "same"}
    with pytest.raises(BadInput, match="did you mean 'totals'"):
        chained.build("total")


def test_another_engine_or_tool_runs_it_again(chained: Bench) -> None:
    chained.build()
    path = chained.root / "data/built/towns.build.toml"
    path.write_text(path.read_text().replace("DuckDB ", "DuckDB 0."))
    (reason,) = why(chained)["towns"]
    assert reason.startswith("DuckDB 0.")
    assert plan(chained.root, ["priced"], tool="2")[0].why == ["trackrecord 1 is 2 now"]


def test_a_dry_run_changes_nothing(chained: Bench) -> None:
    before = sorted(path for path in chained.root.rglob("*"))
    assert [one.state for one in plan(chained.root, [], tool="1")] == ["would", "would", "would"]
    after = sorted(path for path in chained.root.rglob("*"))
    assert [path for path in after if ".trackrecord" not in path.parts] == before


def test_a_run_is_evidence_of_what_was_read_and_what_became_of_the_rows(chained: Bench) -> None:
    outcomes = chained.build("totals")
    evidence = chained.root / "evidence"
    statement = read_evidence(evidence, str(outcomes["priced"].evidence))
    said = statement.predicate
    assert [subject.name for subject in statement.subject] == [
        "data/built/priced.parquet", "pipeline/10_priced.sql", "data/orders.parquet",
    ]  # fmt: skip
    assert said["inputs"][0]["rows"] == 6
    assert said["rows"] == 5
    (effect,) = said["effects"]
    assert (effect["clause"], effect["what"], effect["lost"]) == ("WHERE", "price IS NOT NULL", 1)
    built = chained.root / "data/built/priced.parquet"
    assert said["content"] == table_digest(built).digest
    known = read_built(chained.root, "priced")
    assert known is not None
    assert known.evidence == outcomes["priced"].evidence
    assert [entry.kind for entry in read_chain(evidence)] == ["build", "build"]
    assert json.dumps(said).count("Ulm") == 0


def test_the_same_rows_come_out_in_the_same_order_with_the_same_last_digits(bench: Bench) -> None:
    keys = pl.int_range(0, 300_000, eager=True).hash(7) % 50_000
    bench.source("big", k=keys, v=(keys % 97) / 7)
    bench.step("1_g.sql", "SELECT k % 1000 AS g, sum(v) AS s, avg(v) AS m FROM big GROUP BY g")
    bench.step("2_j.sql", "SELECT b.k, g.s FROM big AS b JOIN g ON g.g = b.k % 1000")
    bench.step("3_w.sql", "SELECT k, row_number() OVER (PARTITION BY k) AS r FROM big")
    bench.step("4_d.sql", "SELECT DISTINCT k FROM big")
    bench.build()
    assert set(bench.states(force=True).values()) == {"same"}


def test_rows_of_one_table_keep_their_order(bench: Bench) -> None:
    bench.source("mixed", x=[3, 1, 2, 5, 4])
    bench.step("1_a.sql", "SELECT x FROM mixed WHERE x < 5")
    bench.step("2_b.sql", "SELECT x FROM mixed ORDER BY x DESC")
    bench.build()
    assert bench.built("a")["x"].to_list() == [3, 1, 2, 4]
    assert bench.built("b")["x"].to_list() == [5, 4, 3, 2, 1]


def test_columns_are_kept_in_canonical_kinds(bench: Bench) -> None:
    bench.step(
        "1_kinds.sql",
        """SELECT 1::TINYINT AS i, sum(id) AS wide, 0.1::DECIMAL(5, 2) AS d, 'nan'::DOUBLE AS n,
                  '' AS e, 'x'::ENUM ('x', 'y') AS en, DATE '2024-02-29' AS day,
                  TIMESTAMP '2024-01-01 12:00' AS t, TIMESTAMPTZ '2024-01-01 12:00+02' AS tz,
                  true AS b, NULL AS nothing, uuid_extract_version(NULL) AS u
           FROM orders""",
    )
    bench.build()
    (row,) = bench.built("kinds").rows(named=True)
    assert (row["i"], row["wide"], row["d"], row["n"], row["e"]) == (1, 21, 0.1, None, None)
    assert str(row["tz"]) == "2024-01-01 10:00:00+00:00"
    known = read_built(bench.root, "kinds")
    assert known is not None
    kinds = {column.name: column.kind for column in known.column}
    assert kinds["day"] == "date"
    assert kinds["n"] == kinds["nothing"] == "missing"
    assert kinds["en"] == "string"


def test_a_table_that_a_file_makes_for_itself_is_its_own(bench: Bench) -> None:
    bench.step(
        "1_a.sql",
        "CREATE MACRO double(x) AS 2 * x;\n"
        "CREATE TEMP VIEW dear AS FROM orders WHERE price > 6;\n"
        "CREATE TABLE t (x DOUBLE); INSERT INTO t SELECT double(price) FROM dear;\n"
        "DELETE FROM t WHERE x > 30;\n"
        "FROM t ORDER BY x -- and no more\n",
    )
    (outcome,) = bench.build().values()
    assert bench.built("a")["x"].to_list() == [14.0, 20.0]
    (effect,) = outcome.effects
    assert (effect.part, effect.clause, effect.lost) == ("dear", "WHERE", 3)


def test_a_contract_that_is_broken_keeps_the_earlier_table(bench: Bench) -> None:
    step = bench.step("1_priced.sql", "SELECT * FROM orders WHERE price IS NOT NULL")
    bench.step("2_last.sql", "SELECT max(price) AS m FROM priced")
    contract = bench.root / "data/built/priced.contract.toml"
    contract.parent.mkdir()
    contract.write_text(
        'contract = 1\nname = "priced"\nversion = "1.0.0"\nother_columns = "allow"\n'
        '[columns."price"]\ntype = "number"\nrequired = true\nmax = 50\n'
    )
    assert bench.states() == {"priced": "built", "last": "built"}
    held = read_evidence(bench.root / "evidence", str(bench.said[0].outcome.evidence)).predicate
    assert held["contract"]["name"] == "priced"
    before = (bench.root / "data/built/priced.parquet").read_bytes()
    step.write_text("SELECT * REPLACE (price * 3 AS price) FROM orders")
    assert bench.states() == {"priced": "refused"}
    refused = bench.said[-1].refused
    assert refused is not None
    assert {o.name for o in refused.checked.outcomes if o.status == "failed"} == {
        "price.required", "price.range",
    }  # fmt: skip
    assert (bench.root / "data/built/priced.parquet").read_bytes() == before
    assert "priced-price.range.parquet" in bench.files()
    assert read_chain(bench.root / "evidence")[-1].kind == "contract"
    step.write_text("SELECT * FROM orders WHERE price IS NOT NULL")
    assert bench.states() == {"priced": "fresh", "last": "fresh"}
    contract.write_text(contract.read_text().replace("50", "15"))
    assert why(bench)["priced"] == ["its contract changed"]
    (bench.root / "data/priced.contract.toml").write_text(contract.read_text())
    with pytest.raises(DataError, match="two contracts"):
        bench.build()


def test_files_of_a_dead_build_are_removed(chained: Bench) -> None:
    chained.build()
    left = chained.root / "data/built/.totals.parquet.999999-abcd.new"
    left.write_bytes(b"half")
    spill = chained.root / ".trackrecord/spill.999999"
    spill.mkdir()
    chained.build()
    assert not left.exists()
    assert not spill.exists()


def test_the_memory_of_digests_may_be_lost_or_torn(chained: Bench) -> None:
    chained.build()
    for name in ("tables.json", "steps.json"):
        (chained.root / ".trackrecord" / name).write_bytes(b"{ torn")
    assert set(chained.states().values()) == {"fresh"}


def test_a_workspace_without_steps_says_how_to_begin(bench: Bench) -> None:
    with pytest.raises(BadInput, match=r"pipeline/10_clean\.sql"):
        bench.build()


def test_a_source_that_went_missing_is_named(chained: Bench) -> None:
    chained.build()
    Path(chained.root / "data/shops.parquet").unlink()
    with pytest.raises(DataError, match="reads the table 'shops', which nobody makes"):
        chained.build()


WIDE = """
import sys
from pathlib import Path
import pyarrow as pa
from trackrecord.data.build.build import build

build(Path(sys.argv[1]), [], tool="1")
print(pa.default_memory_pool().max_memory())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows_of_a_table(bench: Bench) -> None:
    """Twice the rows, 130 MB more in the file: what Arrow holds at a time stays what it was."""
    bench.step("1_a.sql", "SELECT * FROM wide WHERE a <> b")
    path = bench.root / "data/wide.parquet"
    peaks = []
    for rows in (4_000_000, 8_000_000):
        a = pl.int_range(0, rows, eager=True).hash(1).alias("a")
        more = [a.hash(seed).alias(name) for seed, name in enumerate("bcd", 2)]
        pl.DataFrame([a, *more]).write_parquet(path, row_group_size=1 << 17)
        words = [sys.executable, "-c", WIDE, str(bench.root)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
        assert bench.built("a").height == rows
    assert path.stat().st_size > 250e6
    assert peaks[1] < peaks[0] + 60e6
