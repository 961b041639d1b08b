"""Two units in one column of numbers: two clouds of values, apart by a known factor.

Seen only where the clouds do not touch: grams among kilograms, metres among centimetres. Pounds
among kilograms (a factor of 2.2) overlap, and no test of one column can tell them.
"""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.profile.measure import Measured, shown
from trackrecord.data.profile.result import Suspicion

FACTORS = {
    10.0: "millimetres and centimetres",
    39.37: "metres and inches",
    60.0: "seconds and minutes, or minutes and hours",
    100.0: "metres and centimetres, or a share and percent",
    1000.0: "thousandths: grams and kilograms, metres and kilometres, units and thousands",
    3600.0: "seconds and hours",
    86_400.0: "seconds and days",
    1_000_000.0: "units and millions",
}
# No value for at least this factor, and each cloud narrower than what lies between them.
LEAST_FACTOR = 4.0
LEAST_SHARE = 0.01
TOLERANCE = 0.25


def mixed_magnitudes(found: Measured) -> Iterator[Suspicion]:
    """A doubt where positive numbers fall into two clouds a known factor apart."""
    import numpy as np

    ordered = found.ordered
    if found.column.kind != "number" or ordered is None or len(ordered) < 50:
        return
    values = ordered.to_numpy().astype(np.float64)
    if values[0] <= 0 or not np.isfinite(values[-1]):
        return
    # Ten thousand of the sorted values show every gap with one in a hundred on each side.
    logs = np.log10(values[np.linspace(0, len(values) - 1, min(len(values), 10_000)).astype(int)])
    steps = np.diff(logs)
    at = int(np.argmax(steps))
    share = (at + 1) / len(logs)
    if steps[at] < np.log10(LEAST_FACTOR) or not LEAST_SHARE <= share <= 1 - LEAST_SHARE:
        return
    low, high = logs[: at + 1], logs[at + 1 :]
    spread = max(_middle(low), _middle(high))
    if spread > steps[at] / 2 or min(len(np.unique(low)), len(np.unique(high))) < 5:
        return
    factor = float(10 ** (np.median(high) - np.median(low)))
    named = [text for known, text in FACTORS.items() if abs(factor / known - 1) <= TOLERANCE]
    if not named:
        return
    edge = np.searchsorted(values, (10 ** logs[at] * 10 ** logs[at + 1]) ** 0.5)
    few = min(int(edge), len(values) - int(edge)) * found.column.sampled
    yield Suspicion(
        "mixed-units",
        f"two groups of values, about {factor:,.0f} times apart, with none between "
        f"{shown(float(10 ** logs[at]))} and {shown(float(10 ** logs[at + 1]))}: {named[0]}?",
        "find out which rows are in which unit, and write all in one, named in the column",
        few,
    )


def _middle(logs: object) -> float:
    import numpy as np

    low, high = np.quantile(np.asarray(logs), [0.05, 0.95])
    return float(high - low)
