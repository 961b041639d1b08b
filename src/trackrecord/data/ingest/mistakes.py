"""Where a file of delimited text is wrong: the line and byte that a person can go to.

Called once something is known to be wrong: these read a file from its beginning, at leisure.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO


def pieces(file: BinaryIO, limit: int | None = None) -> Iterator[bytes]:
    """A file in pieces of a megabyte, up to ``limit`` bytes."""
    while limit is None or limit > 0:
        data = file.read(1 << 20 if limit is None else min(limit, 1 << 20))
        if not data:
            return
        limit = None if limit is None else limit - len(data)
        yield data


def first_undecodable(file: BinaryIO, encoding: str) -> tuple[int, int, int, bytes]:
    """(line, byte of the file, byte of the line, bytes) of what the encoding does not have."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done, lines, line_start = 0, 0, 0
    for data in pieces(file):
        held = decoder.getstate()[0]
        try:
            decoder.decode(data)
        except UnicodeDecodeError as error:
            whole = held + data
            at = error.start
            base = done - len(held)
            before = whole[:at]
            lines += before.count(b"\n") - held.count(b"\n")
            if (cut := before.rfind(b"\n")) >= 0:
                line_start = base + cut + 1
            return lines + 1, base + at + 1, base + at - line_start + 1, whole[at : at + 4]
        lines += data.count(b"\n")
        if (cut := data.rfind(b"\n")) >= 0:
            line_start = done + cut + 1
        done += len(data)
    held = decoder.getstate()[0]
    return lines + 1, done - len(held) + 1, done - len(held) - line_start + 1, held


def lost_quote(file: BinaryIO, delimiter: bytes) -> tuple[int, int, str] | None:
    """(line, byte, why) of the first quoted field that does not end where a field can end."""
    token = re.compile(rb'"|\n|' + re.escape(delimiter))
    quoted, closed = False, False
    line, column, at = 1, 0, (0, 0)
    fresh = True  # a field begins here
    last = -1
    position = 0
    for data in pieces(file):
        for found in token.finditer(data):
            mark, here = found.group(), position + found.start()
            adjacent = here == last + 1
            if quoted:
                if closed:  # the byte after a closing quote
                    if adjacent and mark == b'"':
                        closed = False
                        last = here
                        continue
                    if not (adjacent or (here == last + 2 and mark == b"\n")):
                        return (*at, "it closes in the middle of a field, or never")
                    quoted = closed = False
                elif mark == b'"':
                    closed, last = True, here
                    continue
                else:
                    if mark == b"\n":
                        line, column = line + 1, here + 1
                    continue
            elif mark == b'"' and (adjacent or here == 0) and fresh:
                quoted, closed, at = True, False, (line, here - column + 1)
                fresh = False
                continue
            fresh = mark != b'"'
            if mark == b"\n":
                line, column = line + 1, here + 1
            if mark != b'"':
                last = here
        position += len(data)
    if quoted and not closed:
        return (*at, "the file ends inside the field that it opens")
    return None


def first_ragged(
    file: BinaryIO, encoding: str, delimiter: str, wanted: int
) -> tuple[int, int, str]:
    """(line, fields, text) of the first row that has not as many fields as the header."""
    csv.field_size_limit(1 << 30)
    text = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    reader = csv.reader(text, delimiter=delimiter)
    before = 0
    for row in reader:
        if row and len(row) != wanted:
            return before + 1, len(row), delimiter.join(row)
        before = reader.line_num
    return 0, 0, ""
