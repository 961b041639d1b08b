"""A row rule: one SQL condition on one row, as a Polars expression.

The text is taken apart into words before the engine sees it, because the engine would read a file
that a sub-query names while it parses. Words are names of columns, the keywords and functions
listed here, numbers and text: there is nothing in the language that could name a table or a file,
and no function in it that looks at more than one row. What the engine makes of it must read known
columns only, and be true or false. Times are in UTC, without an offset.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

KEYWORDS = frozenset(
    ("AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN", "TRUE", "FALSE", "CASE",
     "WHEN", "THEN", "ELSE", "END", "DATE", "TIMESTAMP", "INTERVAL", "AS", "DISTINCT",
     "FROM", "INTEGER", "BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN")
)  # fmt: skip
FUNCTIONS = frozenset(
    ("ABS", "CEIL", "FLOOR", "ROUND", "SQRT", "EXP", "LN", "LOG10", "MOD", "POW", "POWER", "SIGN",
     "COALESCE", "NULLIF", "GREATEST", "LEAST", "LENGTH", "CHAR_LENGTH", "LOWER", "UPPER", "TRIM",
     "LTRIM", "RTRIM", "LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "REPLACE", "CONCAT", "STARTS_WITH",
     "ENDS_WITH", "REGEXP_LIKE", "STRPOS", "EXTRACT", "DATE_PART", "TRY_CAST")
)  # fmt: skip
# A word that is followed by an opening bracket and calls nothing.
BEFORE_BRACKET = frozenset(("AND", "OR", "NOT", "IN", "WHEN", "THEN", "ELSE", "BETWEEN", "LIKE"))
PARTS = frozenset(
    ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "DOW", "DOY")
)
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")
    |(?P<word>[^\W\d]\w*)|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<sign><=|>=|<>|!=|\|\||[-+*/%<>=(),])""",
    re.VERBOSE,
)
DEEPEST = 60
LONGEST = 4_000


class Token(NamedTuple):
    """A piece of a rule, and where it begins."""

    form: str
    text: str
    at: int


def row_rule(
    sql: str, schema: dict[str, pl.DataType], *, name: str, where: str
) -> tuple[pl.Expr, list[str]]:
    """The rule as an expression that is true, false or null in each row, and the columns it reads.

    Raises DataError, with the column in the rule, for what is no condition on one row.
    """
    import polars as pl

    tokens = _tokens(sql, name, where)
    _check_words(sql, tokens, list(schema), name, where)
    try:
        found = pl.sql_expr(sql)
    except Exception as error:  # Polars' parser has errors of many classes, and may panic
        raise _no_condition(sql, _position(sql, str(error)), str(error), name, where) from None
    read = sorted(set(found.meta.root_names()))
    if found.meta.has_multiple_outputs():
        raise _refused(sql, 0, f"the rule {name!r} reads several columns as one", where,
                       "a name of that form means every name that matches it",
                       "rename the column")  # fmt: skip
    if not read:
        raise _refused(sql, 0, f"the rule {name!r} reads no column", where, None,
                       "write a condition on columns, like arrival >= departure")  # fmt: skip
    try:
        # One empty frame tells types; some mistakes show only when values are there to be cast.
        kind = pl.LazyFrame(schema=schema).select(found.alias("rule")).collect_schema()["rule"]
        pl.DataFrame(schema=schema).select(found.alias("rule"))
    except pl.exceptions.PolarsError as error:
        raise _refused(
            sql, 0, f"the rule {name!r} does not fit the columns' types", where,
            _first_line(str(error)),
            "a date is DATE '2024-01-31', a time TIMESTAMP '2024-01-31 12:00:00' in UTC",
        ) from None  # fmt: skip
    if kind != pl.Boolean:
        raise _refused(sql, 0, f"the rule {name!r} is not a condition", where,
                       f"it gives a value of type {kind}, not true or false",
                       "compare it with something, like … > 0")  # fmt: skip
    return found, read


def _tokens(sql: str, name: str, where: str) -> list[Token]:
    if len(sql) > LONGEST:
        raise _refused("", 0, f"the rule {name!r} has more than {LONGEST:,} characters", where,
                       None, "split it into several rules")  # fmt: skip
    found: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None or _doubtful(sql, match, found):
            bad = sql[at : at + 2].strip()
            raise _refused(sql, at, f"the rule {name!r} has {bad!r}, which no rule has", where,
                           None, "text is in '…', names of columns may be in \"…\"")  # fmt: skip
        if match.lastgroup not in (None, "space"):
            found.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    if not found:
        raise _refused(sql, 0, f"the rule {name!r} is empty", where, None,
                       "write a condition on columns, like arrival >= departure")  # fmt: skip
    return found


def _doubtful(sql: str, match: re.Match[str], before: list[Token]) -> bool:
    """What engines read differently: comments, a backslash before a quote, E'…' and its like."""
    if match.lastgroup == "text":
        joined = bool(before) and before[-1].form in ("word", "quoted", "text", "number")
        return "\\'" in match.group() or (
            joined and before[-1].at + len(before[-1].text) == match.start()
        )
    return sql.startswith(("--", "/*"), match.start())


def _check_words(sql: str, tokens: list[Token], columns: list[str], name: str, where: str) -> None:
    """Raise DataError for a word that is no column, and for a call of what is not a function."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")") if token.form == "sign" else 0
        if depth > DEEPEST:
            raise _refused(sql, token.at, f"the rule {name!r} has too many brackets", where, None,
                           f"{DEEPEST} within each other are enough")  # fmt: skip
        if token.form not in ("word", "quoted"):
            continue
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        called = after is not None and after.text == "(" and after.form == "sign"
        upper = token.text.upper()
        column = token.text if token.form == "word" else token.text[1:-1].replace('""', '"')
        if called and (token.form == "quoted" or upper not in FUNCTIONS | BEFORE_BRACKET):
            near = suggest(upper, sorted(FUNCTIONS))
            raise _refused(
                sql, token.at, f"the rule {name!r} calls {column!r}", where,
                f"did you mean {near}?" if near else "a rule calls only functions of values: "
                "nothing that opens a file, a table or the network",
                "the functions are listed in docs/reference/contract.md",
            )  # fmt: skip
        if called or column in columns or (token.form == "word" and upper in KEYWORDS):
            if token.form == "word" and upper == "FROM" and not _within_call(tokens, number):
                raise _refused(sql, token.at, f"the rule {name!r} has a query in it", where,
                               "a rule is about one row of one table")  # fmt: skip
            continue
        if token.form == "word" and upper in PARTS and _within_call(tokens, number):
            continue
        raise _unknown(sql, token, column, columns, name, where)


def _unknown(
    sql: str, token: Token, column: str, columns: list[str], name: str, where: str
) -> DataError:
    if token.form == "word" and token.text.upper() in ("SELECT", "WITH", "VALUES", "TABLE"):
        return _refused(
            sql, token.at, f"the rule {name!r} has a query in it", where,
            "a rule is about one row of one table",
            "compare with another source by [[foreign_key]]",
        )  # fmt: skip
    near = suggest(column, columns)
    return _refused(
        sql, token.at, f"the rule {name!r} names {column!r}, which is no column", where,
        f"did you mean {near!r}?" if near else f"columns: {', '.join(columns[:40])}",
        "correct the name; text is in single quotes",
    )  # fmt: skip


def _within_call(tokens: list[Token], number: int) -> bool:
    """Whether the word stands directly in the brackets of EXTRACT, TRIM or SUBSTRING."""
    depth = 0
    for back in range(number - 1, 0, -1):
        text = tokens[back].text if tokens[back].form == "sign" else ""
        depth += (text == ")") - (text == "(")
        if depth < 0:
            word = tokens[back - 1]
            calls = ("EXTRACT", "TRIM", "SUBSTRING", "DATE_PART")
            return back < number - 1 + (tokens[number].text.upper() != "FROM") and (
                word.form == "word" and word.text.upper() in calls
            )
    return False


def _position(sql: str, message: str) -> int:
    """Where the parser says that it stopped: a place, or a word that it did not expect."""
    if found := re.search(r"Line: 1, Column:? ?(\d+)", message):
        return min(int(found.group(1)) - 1, len(sql))
    if found := re.search(r"unexpected token '(.+?)'", message):
        at = sql.find(found.group(1))
        return max(at, 0)
    return len(sql)


def _no_condition(sql: str, at: int, message: str, name: str, where: str) -> DataError:
    return _refused(
        sql, at, f"the rule {name!r} is not SQL that can be read", where, _first_line(message),
        "look at the mark: something is missing or too much there",
    )  # fmt: skip


def _refused(
    sql: str, at: int, what: str, where: str, why: str | None, next: str | None = None
) -> DataError:
    """An error that shows the rule, and marks the column in it."""
    start = max(0, at - 40)
    piece = sql[start : at + 40].replace("\n", " ")
    mark = f", column {at + 1}: {piece[: at - start]}▸{piece[at - start :]}" if sql else ""
    return DataError(what, where=where + mark, why=why, next=next)


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[0][:200] if lines else "it cannot be parsed"
