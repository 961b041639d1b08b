"""Alarms that may be asked after every window, for ever, and cry wolf as seldom as they say.

A p-value read each day against 5 % is wrong once a month. An e-value is a bet on a change, fair or
worse while there is none: its expectation, given all before, is at most one. The Shiryaev–Roberts
detector adds up the bets begun at every moment, M_t = e_t (M_{t-1} + 1). While nothing changes M_t
grows by one a window at most in expectation, so the mean time until it reaches ``length`` is at
least ``length`` windows, whatever the windows look like (Shin, Ramdas & Rinaldo 2023,
"E-detectors", theorem 2.4). The mean of several signals' e-values is an e-value too, however they
depend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from trackrecord.errors import BadInput

# what one window may say at most: an e-value cut off is an e-value still
LARGEST = 1e12


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """The state after ``windows``: ``evidence`` is M_t, and an alarm is when it reaches ``length``.

    ``length`` is the mean number of windows without a change until a false alarm, at least.
    ``alarmed`` says whether the last window raised one; evidence then begins anew.
    """

    length: float = 1000.0
    windows: int = 0
    evidence: float = 0.0
    alarms: int = 0
    alarmed: bool = False


def observe(detector: Detector, values: Sequence[float]) -> Detector:
    """The state after one more window, whose signals have these e-values.

    A window without a signal changes nothing but the count. Raises BadInput for an e-value that is
    none: below 0, or not a number.
    """
    if any(not value >= 0 for value in values):
        raise BadInput("an e-value is at least 0")
    evidence = detector.evidence
    if values:
        bet = math.fsum(min(value, LARGEST) for value in values) / len(values)
        evidence = bet * (evidence + 1)
    alarmed = evidence >= detector.length
    return Detector(
        length=detector.length,
        windows=detector.windows + 1,
        evidence=0.0 if alarmed else evidence,
        alarms=detector.alarms + alarmed,
        alarmed=alarmed,
    )


def e_of_p(p: float) -> float:
    """An e-value from a p-value: (1 - p + p log p) / (p log² p), the mean of κ p^(κ - 1) over κ
    (Vovk & Wang 2021, equation 2). Raises BadInput for a p outside [0, 1]."""
    if not 0 <= p <= 1:
        raise BadInput(f"a p-value is from 0 to 1, not {p:g}")
    if p == 0:
        return LARGEST
    log = math.log(p)
    if log > -1e-4:  # the limit at 1; the formula would lose its digits
        return 0.5
    return min((1 - p + p * log) / (p * log * log), LARGEST)


def p_beyond(effect: float, band: float, tolerance: float) -> float:
    """A p-value of "the distance is at most ``tolerance``".

    A measured distance is at most the true one plus chance; ``band`` is what chance stays within in
    95 of 100 samples, and beyond it falls as a Gaussian's tail does, 2 · 40^-(x / band)², as that
    of a Kolmogorov–Smirnov distance (Dvoretzky, Kiefer & Wolfowitz 1956; Massart 1990).
    """
    beyond = effect - tolerance
    if beyond <= 0:
        return 1.0
    if band <= 0:
        return 0.0
    return min(1.0, 2.0 * math.exp(-math.log(40.0) * (beyond / band) ** 2))
