"""A step in Python runs in a process of its own: whatever it does, the build says what it was."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from tests.data.build.conftest import Bench

from trackrecord.data.build.build import Limits
from trackrecord.errors import DataError

HEAD = "import polars as pl\n\n\n"


def failure(bench: Bench, text: str, **limits: float) -> DataError:
    """The error that this step leads to; nothing is left of it."""
    bench.step("1_a.py", HEAD + text)
    with pytest.raises(DataError) as caught:
        bench.build(limits=Limits(**limits))  # type: ignore[arg-type]
    assert bench.files() == []
    return caught.value


def test_a_function_makes_a_table_of_what_its_parameters_name(bench: Bench) -> None:
    bench.step(
        "1_towns.py",
        HEAD + "def _town(frame):\n    return frame.drop_nulls('town')\n\n\n"
        "def towns(orders: pl.LazyFrame, shops: pl.DataFrame) -> pl.LazyFrame:\n"
        "    print('joining', type(orders).__name__, type(shops).__name__)\n"
        "    return _town(orders.join(shops.lazy(), on='shop', how='left',\n"
        "                            maintain_order='left')).select('id', 'town')\n",
    )
    (outcome,) = bench.build().values()
    assert bench.built("towns").rows()[0] == (1, "Ulm")
    assert outcome.rows == 5
    assert [one.name for one in outcome.inputs] == ["orders", "shops"]
    assert outcome.printed == "joining LazyFrame DataFrame"
    bench.step("1_towns.py", (bench.root / "pipeline/1_towns.py").read_text() + "# the same\n")
    assert bench.states() == {"towns": "fresh"}


@pytest.mark.parametrize(
    "made",
    [
        "orders.to_pandas()",
        "orders.to_arrow()",
        "orders.lazy()",
        "orders.with_columns(pl.col('shop').cast(pl.Categorical))",
    ],
)
@pytest.mark.slow
def test_other_tables_are_tables_too(bench: Bench, made: str) -> None:
    bench.step("1_a.py", HEAD + f"def a(orders):\n    return {made}\n")
    bench.build()
    assert bench.built("a")["price"].to_list() == [10.0, 20.0, None, 5.0, 1.0, 7.0]
    assert bench.built("a")["shop"].to_list() == ["a", "b", "a", "c", "a", "b"]


def test_an_exception_is_told_with_its_line(bench: Bench) -> None:
    error = failure(bench, "def a(orders):\n    return orders.filter(pl.col('prise') > 3)\n")
    assert error.where == "pipeline/1_a.py:5"
    assert "ColumnNotFoundError" in str(error.why)
    assert "prise" in str(error.why)
    assert "Traceback" in str(error.__cause__)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def a(orders):\n    orders.height\n", "returned None"),
        ("def a(orders):\n    return 3\n", "returned a int"),
        ("def a(orders):\n    return orders['id']\n", "returned a Series"),
        ("def a(orders):\n    return orders.clear()\n", "gave no rows"),
        ("def a(orders):\n    return orders.select(pl.struct('id').alias('s'))\n", "'s' has the"),
        ("def a(orders):\n    import sys\n    sys.exit(0)\n", "it called exit()"),
        ("def a(orders):\n    import os\n    os._exit(3)\n", "with code 3"),
        ("def a(orders):\n    import os, signal\n    os.kill(os.getpid(), 11)\n", "SIGSEGV"),
        ("1 / 0\ndef a(orders):\n    return orders\n", "ZeroDivisionError"),
        ("def a(orders):\n    return orders\na = None\n", "no function once the file has run"),
        ("import nowhere\ndef a(orders):\n    return orders\n", "No module named 'nowhere'"),
        (
            "def a(orders):\n    open('data/orders.parquet', 'ab').write(b'x')\n"
            "    return orders\n",
            "changed while pipeline/1_a.py ran",
        ),
    ],
)
@pytest.mark.slow
def test_a_step_that_gives_no_table_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(bench.root)
    assert said in str(failure(bench, text))


@pytest.mark.slow
def test_a_step_that_never_ends_is_stopped_with_all_that_it_started(bench: Bench) -> None:
    note = bench.root / "pid"
    began = time.monotonic()
    error = failure(
        bench,
        "import subprocess, sys\n\n\ndef a(orders):\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"    open({str(note)!r}, 'w').write(str(child.pid))\n"
        "    while True:\n        print('on and on')\n",
        seconds=3.0,
    )
    assert "stopped after 3 seconds" in str(error)
    assert time.monotonic() - began < 20
    pid = int(note.read_text())
    for _ in range(50):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or ") Z" in stat.read_text():
            break
        time.sleep(0.1)
    else:
        pytest.fail("its child lives on")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
@pytest.mark.slow
def test_a_step_that_needs_too_much_memory_is_told(bench: Bench) -> None:
    error = failure(
        bench,
        "import numpy as np\n\n\ndef a(orders):\n"
        "    return pl.DataFrame({'x': np.ones(1 << 28)})\n",
        memory=1_000_000_000,
    )
    assert "memory" in str(error.why)


@pytest.mark.slow
def test_a_step_that_changes_its_input_changes_its_own_copy(bench: Bench) -> None:
    before = (bench.root / "data/orders.parquet").read_bytes()
    bench.step(
        "1_a.py",
        HEAD + "def a(orders):\n    orders.drop_in_place('price')\n    orders[0, 'id'] = 99\n"
        "    return orders\n",
    )
    bench.step("2_b.sql", "FROM orders")
    bench.build()
    assert bench.built("a")["id"].to_list()[0] == 99
    assert bench.built("b")["id"].to_list()[0] == 1
    assert (bench.root / "data/orders.parquet").read_bytes() == before


@pytest.mark.slow
def test_what_a_step_leaves_running_does_not_keep_the_build(bench: Bench) -> None:
    bench.step(
        "1_a.py",
        "import threading, time\n\n\ndef a(orders):\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n    return orders\n",
    )
    began = time.monotonic()
    bench.build()
    assert time.monotonic() - began < 20
