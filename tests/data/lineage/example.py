"""A small shop: two sources, a contract, three steps of both kinds, features; all of it real."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from trackrecord.data.build.build import build
from trackrecord.data.contract.check import check_file
from trackrecord.data.contract.record import record_check
from trackrecord.data.contract.spec import read_contract
from trackrecord.data.ingest.add import add
from trackrecord.data.ingest.record import Read
from trackrecord.version import __version__
from trackrecord.workspace import make_workspace

HOSTILE = "<script>alert(1)</script>"

ORDERS = f"""\
id,customer,day,amount,{HOSTILE}
1,10,2024-01-01,12.5,x
2,11,2024-01-02,7,y
3,10,2024-01-02,99,
4,12,2024-01-03,-1,z
"""
CUSTOMERS = "customer,city\n10,Oslo\n11,Rome\n12,Oslo\n"

CLEAN = """\
-- What was paid, and where.
SELECT o.*, c.city, amount > 10 AS large
FROM orders o JOIN customers c USING (customer)
WHERE amount > 0
"""
CITIES = """\
SELECT city, sum(amount) AS total, avg(large::INT) AS share_large
FROM clean GROUP BY city ORDER BY city
"""
DAILY = """\
def daily(clean):
    return clean.group_by("day").len().sort("day")
"""

CONTRACT = """\
contract = 1
name = "orders"
version = "1.0.0"
other_columns = "allow"

[columns.id]
type = "integer"
required = true

[columns.amount]
type = "number"
min = 0
"""


def shop(root: Path, *, contract: bool = True, built: bool = True) -> Path:
    """The shop's root."""
    make_workspace(root)
    files = root.parent / "files"
    files.mkdir(exist_ok=True)
    for name, text, license, origin in (
        ("orders", ORDERS, "CC0-1.0", "https://example.org/orders"),
        ("customers", CUSTOMERS, None, None),
    ):
        given = files / f"{name}.csv"
        given.write_text(text, "utf-8")
        add(
            root, given, name, Read(format=""), license=license, origin=origin, replace=False,
            tool=__version__, now="2024-05-01T10:00:00Z",
        )  # fmt: skip
    (root / "pipeline").mkdir()
    write_step(root, "10_clean.sql", CLEAN)
    write_step(root, "20_cities.sql", CITIES)
    write_step(root, "30_daily.py", DAILY)
    if contract:
        (root / "data" / "orders.contract.toml").write_text(CONTRACT, "utf-8")
        check_orders(root)
    if built:
        build(root, [], tool=__version__)
    return root


def write_step(root: Path, name: str, text: str) -> None:
    (root / "pipeline" / name).write_text(text, "utf-8")


def check_orders(root: Path) -> None:
    """Hold the orders to their contract, and put that on the record."""
    path, table = root / "data" / "orders.contract.toml", root / "data" / "orders.parquet"
    contract, line_of = read_contract(path, "data/orders.contract.toml")
    checked = check_file(
        contract, table, line_of=line_of, shown_as="data/orders.contract.toml",
        sources=root / "data", quarantine=root / "data" / "quarantine",
    )  # fmt: skip
    record_check(
        root / "evidence", contract, checked, contract_file=path, data_file=table, since=[],
        root=root,
    )  # fmt: skip


_KEPT: dict[str, Path] = {}


def copy_of_shop(folder: Path) -> Path:
    """A shop of one's own to change; it is made once for each process."""
    if "shop" not in _KEPT:
        kept = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, kept, True)
        _KEPT["shop"] = shop(kept / "shop")
    shutil.copytree(_KEPT["shop"], folder / "shop")
    return folder / "shop"
