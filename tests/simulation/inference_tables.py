"""Error rates of the comparisons, measured: ``python -m tests.simulation.inference_tables``.

Prints a Markdown table for each group, and with ``--into`` also puts it into a page between the
group's two markers. Samples are drawn from populations whose true values are known.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS = ("joint", "picks", "pairs", "time", "folds", "streams")
SEED = 20260101


@dataclass
class Rate:
    """How often something happened in ``tried`` samples, and how often it should (``goal``)."""

    design: str
    what: str
    happened: int
    tried: int
    goal: str
    note: str = ""

    @property
    def share(self) -> float:
        return self.happened / self.tried if self.tried else float("nan")

    @property
    def error(self) -> float:
        return (self.share * (1 - self.share) / self.tried) ** 0.5 if self.tried else float("nan")


def table(rates: Iterable[Rate]) -> str:
    """A Markdown table, shares in percent with their Monte Carlo standard errors."""
    lines = [
        "| design | what | goal | measured | samples | |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for one in rates:
        measured = f"{100 * one.share:.1f} ± {100 * one.error:.1f}" if one.tried else "none offered"
        cells = [one.design, one.what, one.goal, measured, f"{one.tried:,}", one.note]
        lines.append("| " + " | ".join(cells).rstrip() + " |")
    return "\n".join(lines)


def pasted(page: str, group: str, text: str) -> str:
    """The page with ``text`` between the two markers of ``group``, in place of what was there."""
    opens, closes = f"<!-- {group}:", f"<!-- /{group} -->"
    head, rest = page.split(opens, 1)
    marker, rest = rest.split("-->", 1)
    return f"{head}{opens}{marker}-->\n{text}\n{closes}{rest.split(closes, 1)[1]}"


def rates_of(group: str, samples: int, seed: int = SEED) -> list[Rate]:
    found: list[Rate] = importlib.import_module(f"tests.simulation.inference_{group}").rates(
        samples, seed
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("--samples", type=int, default=1000, help="samples of each design")
    parser.add_argument("--into", type=Path, help="also put the tables into this page")
    chosen = parser.parse_args()
    for group in chosen.groups or GROUPS:
        began = time.process_time()
        text = table(rates_of(group, chosen.samples))
        print(f"{group}: {time.process_time() - began:.0f} s of processor time", file=sys.stderr)
        print(text, flush=True)
        if chosen.into:
            chosen.into.write_text(pasted(chosen.into.read_text(), group, text))


if __name__ == "__main__":
    main()
