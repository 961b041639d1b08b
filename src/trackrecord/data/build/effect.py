"""What one part of a step's SQL did to rows."""

from __future__ import annotations

import msgspec


class Effect(msgspec.Struct, frozen=True):
    """One part of the SQL, and the rows before and after it.

    ``part`` is the name of the view or common table expression, empty for the last SELECT.
    ``lost`` rows went no further, ``added`` are those that a join made of others. ``untold`` is why
    there are no numbers.
    """

    part: str
    clause: str
    what: str
    rows_in: int | None = None
    rows_out: int | None = None
    lost: int | None = None
    added: int = 0
    untold: str | None = None
