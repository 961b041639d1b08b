"""The slow way through a chain: every line by itself, every branch, every fault named.

A chain is a graph: each entry follows one entry (``prev``), and a merge follows several (``prev``
and ``also``). A head is an entry that no other follows; a whole chain has one, in its last line.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left

import msgspec

from trackrecord.ledger.lines import LINE, ZEROS, is_day, own_digest

MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
# Bounds that no honest chain comes near; they keep a hostile one from costing hours.
_MOST = 1000  # problems that are told; reading stops there
_MOST_HEADS = 20  # heads whose branches are told apart
_MOST_STEPS = 2_000_000  # rows that are walked to count what merges stand upon


class ChainProblem(msgspec.Struct, frozen=True):
    """What is wrong at a line (1 for the first; 0 for the file itself), and what it should be."""

    line: int
    what: str
    expected: str | None = None
    found: str | None = None
    code: str = "broken-line"


class Row(msgspec.Struct, frozen=True):
    """A line that has the form of an entry. ``holds``: whether its own digest does."""

    line: int
    raw: bytes
    digest: str
    computed: str
    prev: str
    also: list[str]
    seq: int
    time: str
    kind: str
    case: str | None
    evidence: str | None

    @property
    def holds(self) -> bool:
        return self.digest == self.computed

    @property
    def follows(self) -> list[str]:
        return [self.prev, *self.also]


class Branches(msgspec.Struct, frozen=True):
    """All that a chain's bytes say: the rows, the heads in the file's order, and the problems."""

    rows: list[Row]
    heads: list[Row]
    problems: list[ChainProblem]


def read_row(text: bytes, line: int) -> Row | None:
    """The entry in a line (without its newline), or None where it has not exactly that form."""
    match = LINE.fullmatch(text)
    if match is None or not is_day(match["time"][:10]):
        return None
    said = {
        key: None if value is None else value.decode("ascii")
        for key, value in match.groupdict().items()
    }
    also = said["also"]
    return Row(
        line=line,
        raw=text + b"\n",
        digest=said["digest"] or "",
        computed=own_digest(match),
        prev=said["prev"] or "",
        also=also.strip('"').split('","') if also else [],
        seq=int(said["seq"] or 0),
        time=said["time"] or "",
        kind=said["kind"] or "",
        case=said["case"],
        evidence=said["evidence"],
    )


def read_branches(data: bytes) -> Branches:
    """Read a chain's bytes line by line. Never raises for what they say."""
    rows: list[Row] = []
    problems: list[ChainProblem] = []
    unread: list[int] = []  # lines that may have been entries
    *lines, rest = data.split(b"\n")
    for number, text in enumerate(lines, 1):
        if len(problems) >= _MOST:
            break
        row = read_row(text, number)
        if row is None:
            problems.append(_not_an_entry(text, number))
            if problems[-1].code == "broken-line":
                unread.append(number)
        elif not row.holds:
            problems.append(
                ChainProblem(
                    number,
                    "this line was changed: its digest does not hold",
                    expected=row.digest,
                    found=row.computed,
                    code="changed-line",
                )
            )
        if row is not None:
            rows.append(row)
    if rest:
        problems.append(_torn(rest, len(lines) + 1))
    problems += _places(rows, unread)
    problems.sort(key=lambda problem: problem.line)
    return Branches(rows, heads_of(rows), problems[:_MOST])


def heads_of(rows: list[Row]) -> list[Row]:
    """The entries that no entry follows, each once, in the file's order."""
    followed = {digest for row in rows for digest in row.follows}
    heads = {
        row.digest: row
        for row in reversed(rows)
        if row.digest not in followed and row.computed not in followed
    }
    return list(reversed(heads.values()))


def in_order(rows: list[Row]) -> list[Row]:
    """The rows, each once, in the one order that a chain of just these entries has.

    An entry stands below those that it follows, as soon as it can. Where several could come next,
    the one with the earlier time does, then the one with the smaller digest. So two people who
    merge the same branches get the same file, and entries that come later never change the order
    of those that were there. Rows whose predecessors are not there are left out.
    """
    children: dict[str, list[Row]] = {}
    for row in {row.digest: row for row in reversed(rows)}.values():
        for digest in dict.fromkeys(row.follows):
            children.setdefault(digest, []).append(row)
    placed = {ZEROS}
    ordered: list[Row] = []
    ready = _latest_first(children.get(ZEROS, []))
    while ready:
        row = ready.pop()
        if row.digest not in placed and placed.issuperset(row.follows):
            ordered.append(row)
            placed.add(row.digest)
            ready += _latest_first(children.get(row.digest, []))
    return ordered


def before(heads: list[Row], at: dict[str, Row]) -> set[str]:
    """The digests of ``heads`` and of every row, by digest in ``at``, that they stand upon."""
    found: set[str] = set()
    todo = [head.digest for head in heads]
    while todo:
        digest = todo.pop()
        if digest in at and digest not in found:
            found.add(digest)
            todo += at[digest].follows
    return found


def _latest_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.time, row.digest), reverse=True)


def _places(rows: list[Row], unread: list[int]) -> list[ChainProblem]:
    """What is wrong with the lines' places, for lines that are entries.

    Where a line is changed or could not be read, only what is wrong in any case is told.
    """
    sure = not unread and all(row.holds for row in rows)
    at: dict[str, Row] = {}
    for row in rows:
        at.setdefault(row.digest, row)
        at.setdefault(row.computed, row)
    problems: list[ChainProblem] = []
    above = ZEROS
    ends: set[str] = set()  # heads of what stands above
    lost: set[str] = set()
    seen = steps = 0
    for row in rows:
        if (original := at[row.digest]).line < row.line:
            what = f"this line is a copy of line {original.line}"
            problems.append(ChainProblem(row.line, what, code="copied-line"))
            continue
        if row.holds:
            problem = _parent_problem(row, at, above, bisect_left(unread, row.line), lost)
            if problem is None and row.also and sure and ends != {*row.follows}:
                upon = len(before([row], at)) - 1
                steps += upon
                if steps > _MOST_STEPS:
                    what = "the chain has more merges within merges than can be checked"
                    return [*problems, ChainProblem(row.line, what, code="too-many-merges")]
                problem = _number_problem(row, at, upon)
            elif problem is None and (sure or not row.also):
                problem = _number_problem(row, at, seen)
            if problem is not None:
                problems.append(problem)
        above = row.digest
        ends = (ends - {*row.follows}) | {row.digest}
        seen += 1
    if sure:
        problems += _forks(rows, at)
    if sure and not problems:
        for row, right in zip(rows, in_order(rows), strict=False):
            if row.digest != right.digest:
                what = f"this line is out of order: the entry on line {right.line} comes first"
                return [
                    ChainProblem(
                        row.line,
                        what,
                        expected=right.digest,
                        found=row.digest,
                        code="out-of-order",
                    )
                ]
    return problems


def _forks(rows: list[Row], at: dict[str, Row]) -> list[ChainProblem]:
    """A problem for each branch that no merge joins, at its first line."""
    problems = []
    heads = heads_of(rows)
    joined = before(heads[:1], at)
    for head in heads[1:_MOST_HEADS]:
        branch = before([head], at) - joined
        joined |= branch
        start = min((at[digest] for digest in branch), key=lambda row: row.line)
        if not all(digest in at or digest == ZEROS for digest in start.follows):
            continue  # told already: an entry before it is missing
        twin = next(
            (row for row in rows if row.prev == start.prev and row.digest not in branch), None
        )
        if twin is None:
            continue
        problems.append(
            ChainProblem(
                start.line,
                f"the chain forks: this entry and the one on line {twin.line} follow the same "
                "entry, and no merge joins them",
                expected="one head",
                found=f"{len(heads)} heads",
                code="forked-chain",
            )
        )
    return problems


def _parent_problem(
    row: Row, at: dict[str, Row], above: str, unread: int, lost: set[str]
) -> ChainProblem | None:
    """What is wrong with the entries that a row follows.

    Of the lines above, ``unread`` could not be read. That many digests that are not there may be
    theirs; they go into ``lost``, and the problem is told at those lines alone.
    """
    for digest in row.follows:
        if digest == ZEROS and not row.also:
            continue
        parent = at.get(digest)
        if parent is not None and parent.line < row.line:
            continue
        if parent is not None:
            return ChainProblem(
                row.line,
                f"this line is out of order: it follows the entry on line {parent.line}",
                expected=above,
                found=digest,
                code="out-of-order",
            )
        if digest in lost or len(lost) < unread:
            lost.add(digest)
            continue
        where = "at the beginning of the chain" if above == ZEROS else "before this line"
        return ChainProblem(
            row.line,
            f"an entry is missing {where}",
            expected=above,
            found=digest,
            code="missing-entry",
        )
    return None


def _number_problem(row: Row, at: dict[str, Row], merged: int) -> ChainProblem | None:
    """An entry's number counts the entries that it stands upon: for a merge, ``merged``."""
    if (row.kind == "merge") != bool(row.also):
        what = "only a merge follows several entries, and a merge always does"
        return ChainProblem(row.line, what, found=row.kind)
    if row.also and row.evidence is not None:
        return ChainProblem(row.line, "a merge has no evidence", found=row.evidence)
    if not row.also and row.evidence is None:
        return ChainProblem(row.line, "only a merge has no evidence", found=row.kind)
    if row.also:
        expected = merged
    elif row.prev == ZEROS:
        expected = 0
    elif row.prev in at and at[row.prev].holds:
        expected = at[row.prev].seq + 1
    else:
        return None
    if row.seq == expected:
        return None
    return ChainProblem(
        row.line,
        f"this entry has the number {row.seq}, and it should be {expected}",
        expected=str(expected),
        found=str(row.seq),
        code="wrong-number",
    )


def _not_an_entry(text: bytes, line: int) -> ChainProblem:
    shown = _shown(text)
    if text.startswith(MARKERS):
        what = "git left a conflict marker here: two clones both wrote to the chain"
        return ChainProblem(line, what, found=shown, code="conflict-marker")
    if text.endswith(b"\r") and read_row(text[:-1], line) is not None:
        what = "this line ends with CR LF: a program changed the line endings"
        return ChainProblem(line, what, expected="LF", found="CR LF", code="line-ending")
    if not text:
        return ChainProblem(line, "this line is empty", expected="an entry", found="nothing")
    return ChainProblem(line, "this line is not an entry", expected="an entry", found=shown)


def _torn(rest: bytes, line: int) -> ChainProblem:
    row = read_row(rest, line)
    if row is not None and row.holds:
        what = "the last line is a whole entry, but its newline is missing"
        return ChainProblem(line, what, expected="a newline", code="missing-newline")
    what = "the last line is torn: it ends before its newline"
    return ChainProblem(line, what, expected="an entry", found=_shown(rest), code="torn-tail")


def _shown(text: bytes) -> str:
    """The beginning of a line, safe to print; long ones end in their length and digest."""
    short = text[:60].decode("utf-8", "backslashreplace")
    short = "".join(c if c.isprintable() else repr(c)[1:-1] for c in short)
    if len(text) <= 60:
        return short
    return f"{short}… ({len(text)} bytes, SHA-256 {hashlib.sha256(text).hexdigest()[:12]}…)"
