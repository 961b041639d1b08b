"""How often a confidence sequence ever misses, looked at after each of 5,000 rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tests.simulation.inference_tables import Rate

from trackrecord.stats.betting import betting
from trackrecord.stats.sequential import (
    Sequence,
    difference_of,
    empirical_bernstein,
    normal_mixture,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def rates(samples: int, seed: int, rows: int = 5_000) -> list[Rate]:
    found = []
    for name, true, draw in streams():
        kinds: dict[str, Callable[[np.ndarray], Sequence]] = {
            "normal mixture": lambda x: normal_mixture(x, sigma=0.5, best_at=1000),
            "empirical Bernstein": lambda x: empirical_bernstein(x, low=0, high=1),
            "betting": lambda x: betting(x, low=0, high=1),
        }
        count = np.arange(1, rows + 1)
        ever, widths, plain = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0.0), 0
        rng = np.random.default_rng(seed)
        for _ in range(samples):
            x = draw(rng, rows)
            for kind, make in kinds.items():
                one = make(x)
                ever[kind] += bool(((one.lo > true) | (one.hi < true)).any())
                widths[kind] += (one.hi[-1] - one.lo[-1]) / samples
            mean = np.cumsum(x) / count
            error = np.sqrt(np.maximum(np.cumsum(x * x) / count - mean**2, 0) / count)
            plain += bool((np.abs(mean - true) > 1.96 * error)[99:].any())
        for kind in kinds:
            note = f"width at the end {widths[kind]:.4f}"
            if kind == "normal mixture":
                note += f"; plain 95 % intervals from row 100 on: {100 * plain / samples:.0f} %"
            found.append(
                Rate(f"{name}, {kind}", "ever missed", ever[kind], samples, "at most 5", note)
            )
    found.append(differences(samples, seed, rows))
    return found


def streams() -> list[tuple[str, float, Callable[[np.random.Generator, int], np.ndarray]]]:
    return [
        ("coins of 0.5", 0.5, lambda rng, n: (rng.random(n) < 0.5).astype(float)),
        ("coins of 0.02", 0.02, lambda rng, n: (rng.random(n) < 0.02).astype(float)),
        ("beta(10, 30) rows", 0.25, lambda rng, n: rng.beta(10, 30, n)),
    ]


def differences(samples: int, seed: int, rows: int) -> Rate:
    """Two arms with rates of 0.10 and 0.12."""
    rng, ever = np.random.default_rng(seed), 0
    for _ in range(samples):
        arms = [
            betting((rng.random(rows) < p).astype(float), low=0, high=1, level=0.975)
            for p in (0.10, 0.12)
        ]
        gap = difference_of(*arms)
        ever += bool(((gap.lo > -0.02) | (gap.hi < -0.02)).any())
    return Rate("arms of 0.10 and 0.12, betting", "ever missed", ever, samples, "at most 5")
