"""Parts of a SELECT in words, and joins in the forms that counting needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

SHOWN = 160


def conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    """What AND joins, in the order written, however it is put into parentheses."""
    from sqlglot import exp

    found: list[exp.Expr] = []
    left = [condition]
    while left:
        one = left.pop()
        if isinstance(one, exp.And):
            left += [one.right, one.left]
        elif isinstance(one, exp.Paren) and isinstance(one.this, exp.And):
            left.append(one.this)
        else:
            found.append(one)
    return found


def words(node: exp.Expr) -> str:
    """A piece of SQL on one line, as people write it, cut where it is long."""
    from sqlglot import exp

    def as_written(one: exp.Expr) -> exp.Expr:
        inner = one.this if isinstance(one, exp.Not) else None
        if isinstance(inner, exp.Is):
            return exp.Is(this=inner.this, expression=exp.Not(this=inner.expression))
        return one

    tree = node.copy().transform(as_written)
    text = " ".join(tree.sql(dialect="duckdb", comments=False).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def join_sql(join: exp.Expr) -> str:
    """The join as it follows what it joins to."""
    text = join.sql(dialect="duckdb").lstrip()
    return text if text.startswith(",") else f" {text}"


def join_words(join: exp.Expr) -> tuple[str, str, str]:
    """The clause, its words, and how to read its numbers."""
    side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
    method = str(join.args.get("method") or "")
    clause = " ".join([*(word.upper() for word in (method, side, kind) if word), "JOIN"])
    comma = not (side or kind or method or join.args.get("on") or join.args.get("using"))
    what = words(join.this)
    if (on := join.args.get("on")) is not None:
        what += f" ON {words(on)}"
    elif using := join.args.get("using"):
        what += f" USING ({', '.join(one.name for one in using)})"
    mode = "net" if semi_join(join) is None else "inner"
    return "CROSS JOIN" if comma else clause, what[: SHOWN * 2], mode


def semi_join(join: exp.Expr) -> str | None:
    """The join that keeps each row with a partner once; None where a join is not of that kind."""
    side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "").upper()
    if side or join.args.get("method") or kind not in ("", "INNER"):
        return None
    if join.args.get("on") is None and not join.args.get("using"):
        return None
    semi = join.copy()
    semi.set("kind", "SEMI")
    return join_sql(semi)


def tail_words(name: str, node: exp.Expr) -> tuple[str, str, str]:
    """The same of what comes after WHERE: DISTINCT, GROUP BY, HAVING, QUALIFY, LIMIT."""
    if name == "distinct":
        on = node.args.get("on")
        return "DISTINCT", f"ON {words(on)}" if on is not None else "one of each row", "lost"
    text = words(node)
    clause = text.partition(" ")[0].upper()
    return clause, text.partition(" ")[2], "lost"
