"""What may follow ``@`` in a metric's name: read once, with its bounds and default."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from trackrecord.errors import BadInput

_NUMBER = re.compile(r"\d+(\.\d+)?\Z")
JOINED = "-"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One number or more, each above ``low`` and below ``high``; ``whole`` allows no fraction.

    ``keyword`` is the argument of the metric's function that gets it; ``default`` what the bare
    name stands for; ``means`` says in words what it is. Several numbers are joined by ``-``.
    Where ``alone`` says what the bare name stands for, it sets nothing, and ``default`` is only an
    example.
    """

    keyword: str
    means: str
    default: tuple[float, ...]
    low: float
    high: float
    whole: bool = False
    alone: str = ""

    def bound(
        self, compute: Callable[..., Any], value: tuple[float, ...] | None = None
    ) -> Callable[..., Any]:
        """``compute`` with this parameter set, to its default if there is no ``value``."""
        if value is None and self.alone:
            return compute
        numbers = self.default if value is None else value
        given = tuple(int(number) if self.whole else number for number in numbers)
        return partial(compute, **{self.keyword: given if len(given) > 1 else given[0]})

    def read(self, family: str, text: str) -> tuple[float, ...]:
        """The number or numbers in ``text``. Raises BadInput that says what is allowed.

        A metric has one name, so ``0.30`` and ``.3`` are refused in favour of ``0.3``.
        """
        asked, usual = f"{family}@{text}", f"{family}@{self._written(self.default)}"
        many = "numbers" if len(self.default) > 1 else "a number"
        kind = "a whole number" if self.whole else many
        allowed = (
            f"{family} takes {self.means}: {kind} above {self.low:g} and below {self.high:g}"
            f"; {family} alone is {self.alone or usual}"
        )
        parts = [part.strip() for part in text.split(JOINED)]
        try:
            numbers = tuple(float(part) for part in parts)
        except ValueError:
            numbers = ()
        inside = all(self.low < number < self.high for number in numbers)
        fits = inside and not (self.whole and any(number % 1 for number in numbers))
        if len(numbers) != len(self.default) or not fits:
            raise BadInput(f"cannot read the metric {asked!r}", why=allowed, next=f"write {usual}")
        if text != self._written(numbers) or not all(map(_NUMBER.match, parts)):
            one_name = f"{family}@{self._written(numbers)}"
            raise BadInput(
                f"cannot read the metric {asked!r}",
                why="a metric has one name, with its number in plain digits",
                next=f"write {one_name}",
            )
        return numbers

    @staticmethod
    def _written(numbers: tuple[float, ...]) -> str:
        plain = (format(Decimal(repr(float(number))), "f") for number in numbers)
        return JOINED.join(text.removesuffix(".0") for text in plain)


THRESHOLD = Parameter(
    keyword="threshold",
    means="the score above which a row is called positive",
    default=(0.5,),
    low=0.0,
    high=1.0,
)
TOP = Parameter(
    keyword="top",
    means="the share of rows that is taken from the top",
    default=(0.1,),
    low=0.0,
    high=1.0,
)
CUT = Parameter(
    keyword="k",
    means="how many documents are taken from the top",
    default=(10.0,),
    low=0.0,
    high=1e9,
    whole=True,
)
WHOLE = msgspec.structs.replace(CUT, alone="the whole list")
BINS = Parameter(
    keyword="bins",
    means="the number of bins of equal width",
    default=(10.0,),
    low=0.0,
    high=1001.0,
    whole=True,
)
