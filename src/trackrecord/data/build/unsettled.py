"""What in a step's SQL can give another table from the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

# Functions whose value is not settled by their arguments, as they are written in DuckDB.
RANDOM = frozenset({"random", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval"})
CLOCK = frozenset({
    "now", "current_timestamp", "current_date", "current_time", "today", "get_current_time",
    "get_current_timestamp", "transaction_timestamp", "localtime", "localtimestamp",
    "current_localtime", "current_localtimestamp",
})  # fmt: skip

# What sqlglot calls otherwise than DuckDB.
_WRITTEN = {"rand": "random", "randn": "random", "current_datetime": "current_timestamp"}


def unsettled(trees: list[exp.Expr]) -> list[str]:
    """In words: what makes the result depend on more than the step and its tables."""
    from sqlglot import exp

    found: dict[str, None] = {}
    for tree in trees:
        for name in sorted(_functions(tree)):
            if name in RANDOM:
                found[f"{name}() gives other values each time"] = None
            elif name in CLOCK:
                found[f"{name}() depends on when it runs, which nothing here notices"] = None
        for sample in tree.find_all(exp.TableSample):
            if sample.args.get("seed") is None:
                found["a sample without REPEATABLE (SEED) takes other rows each time"] = None
        for limit in tree.find_all(exp.Limit, exp.Fetch, exp.Offset):
            owner = limit.parent
            if isinstance(owner, exp.Query) and owner.args.get("order") is None:
                name = "OFFSET" if isinstance(limit, exp.Offset) else "LIMIT"
                found[f"{name} without ORDER BY takes whichever rows come first"] = None
    return list(found)


def _functions(tree: exp.Expr) -> set[str]:
    """Names of the functions that are called, as DuckDB writes them."""
    from sqlglot import exp

    found = set()
    for function in tree.find_all(exp.Func):
        if isinstance(function, exp.Anonymous):
            found.add(str(function.name).lower())
        else:
            name = function.sql_name().lower()
            found.add(_WRITTEN.get(name, name))
    # Without parentheses they are told from columns by being none.
    for column in tree.find_all(exp.Column):
        if column.name.lower() in CLOCK and not column.table:
            found.add(column.name.lower())
    return found
