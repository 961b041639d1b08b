"""The format of a chain's line, and the quick way through a chain that is straight and whole.

A line is the canonical JSON of one entry and a newline. Its ``digest`` is the SHA-256 of the
canonical JSON of the entry without ``digest``; since keys are sorted and no value needs escapes,
that is the line with ``"digest":"…",`` cut out, so nothing has to be parsed or written again.

The quick way looks at thousands of lines at once, and only says "straight and whole" or "not".
What is wrong, and where, is found by `trackrecord.ledger.branches`. Imports neither msgspec nor
numpy: the index stands on this module.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import IO, NamedTuple

ZEROS = "0" * 64
CHAIN = "chain.jsonl"

_HEX = r"[0-9a-f]{64}"
_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = _DAY + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"

# Every line has exactly this form; a line that has not is no entry.
LINE = re.compile(
    (
        rf'(?P<before>\{{(?:"also":\[(?P<also>"{_HEX}"(?:,"{_HEX}")*)\],)?'
        rf'"case":(?:null|"(?P<case>{_HEX})"),)'
        rf'"digest":"(?P<digest>{_HEX})",'
        rf'(?P<after>"evidence":(?:null|"(?P<evidence>{_HEX})"),'
        r'"kind":"(?P<kind>[a-z]+(?:-[a-z]+)*)",'
        rf'"prev":"(?P<prev>{_HEX})",'
        r'"seq":(?P<seq>0|[1-9][0-9]{0,14}),'
        rf'"time":"(?P<time>{_TIME})"\}})'
    ).encode()
)

# The same form with a dot for each hexadecimal digit: ten times as quick, because the matcher jumps
# over 64 dots at once. That they are hexadecimal is asked of whole columns, below.
_LOOSE = re.compile(
    rb'(\{"case":(null|".{64}"),)"digest":"(.{64})",'
    rb'("evidence":"(.{64})","kind":"([a-z]+(?:-[a-z]+)*)","prev":"(.{64})","seq":([0-9]+),'
    rb'"time":"(.{20})"\})\n',
    re.DOTALL,
)
_CUT = len(b'"digest":"",\n') + 64  # what a line has beside the two groups that are hashed
_CASE = re.compile(rf'(?:null|"{_HEX}")\Z'.encode())
_TIMES = re.compile(rf"(?:{_TIME})*\Z".encode())
_HEX_DIGITS = b"0123456789abcdef"
_BLOCK = 1 << 16  # the columns of a block stay in the processor's cache
_LONGEST = 1 << 20  # far longer than any line of a straight chain


class NotStraight(Exception):
    """The chain has a line that is torn, changed, out of place, or a merge."""


class Columns(NamedTuple):
    """Some lines that follow each other, each column as bytes; ``case`` has its quotes, or null.

    ``seq`` is the number of the first.
    """

    seq: int
    case: tuple[bytes, ...]
    digest: tuple[bytes, ...]
    evidence: tuple[bytes, ...]
    kind: tuple[bytes, ...]
    prev: tuple[bytes, ...]
    time: tuple[bytes, ...]

    def cases(self) -> Iterator[str | None]:
        """The column ``case`` as text; None for null."""
        texts = {raw: None if raw == b"null" else raw[1:-1].decode() for raw in set(self.case)}
        return map(texts.__getitem__, self.case)


def texts(column: tuple[bytes, ...]) -> list[str]:
    """A column of digests, kinds or times as text."""
    return b" ".join(column).decode("ascii").split(" ")


def straight(file: IO[bytes], *, head: str = ZEROS, seq: int = 0) -> Iterator[Columns]:
    """The lines from the file's position to its end, checked, in blocks.

    ``head`` is the digest of the line before, ``seq`` the number that the next line must have.
    Raises NotStraight at the first block where any line is not whole or not in its place, and for
    every merge: those take the slow way.
    """
    before, rest = head.encode(), b""
    days: set[bytes] = set()
    cases: set[bytes] = set()
    while block := file.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if not end:
            rest += block
            if len(rest) > _LONGEST:
                raise NotStraight
            continue
        lines, rest = rest + block[:end], block[end:]
        rows = _LOOSE.findall(lines)
        if not rows:
            raise NotStraight
        first, case, digest, second, evidence, kind, prev, number, time = zip(*rows, strict=True)
        count = len(rows)
        # findall skips what does not match; then the matches are shorter than the lines.
        if sum(map(len, first)) + sum(map(len, second)) + _CUT * count != len(lines):
            raise NotStraight
        sha256 = hashlib.sha256
        hashed = b"".join([sha256(a + b).digest() for a, b in zip(first, second, strict=True)])
        if hashed.hex().encode() != b"".join(digest):
            raise NotStraight
        if prev[0] != before or prev[1:] != digest[:-1] or b"merge" in kind:
            raise NotStraight
        if number != tuple(map(b"%d".__mod__, range(seq, seq + count))):
            raise NotStraight
        if b"".join(evidence).translate(None, _HEX_DIGITS) or not _TIMES.match(b"".join(time)):
            raise NotStraight
        new_days = {moment[:10] for moment in time} - days
        new_cases = set(case) - cases
        if not all(map(is_day, new_days)) or not all(map(_CASE.match, new_cases)):
            raise NotStraight
        days |= new_days
        cases |= new_cases
        yield Columns(seq, case, digest, evidence, kind, prev, time)
        before, seq = digest[-1], seq + count
    if rest:
        raise NotStraight


def own_digest(match: re.Match[bytes]) -> str:
    """The digest that a line must have, from its match with LINE."""
    return hashlib.sha256(match["before"] + match["after"]).hexdigest()


def is_day(text: bytes) -> bool:
    """Whether ``YYYY-MM-DD`` is in the calendar."""
    from datetime import date

    try:
        date.fromisoformat(text.decode("ascii"))
    except ValueError:
        return False
    return True
