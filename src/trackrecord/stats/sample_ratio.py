"""Whether units were assigned to arms in the shares that were asked for, looked at as one likes.

A/B tests with a sample ratio other than the one asked for are broken, whatever they show (Fabijan
et al. 2019). The counts are bet on by a Dirichlet gambler who is centred on the shares asked for:
his fortune is a martingale while they are true, so it exceeds 1 / alpha with a chance of at most
alpha, ever (Lindon & Malek 2022, "Anytime-valid inference for multinomial count data", theorem 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trackrecord.errors import BadInput

# How firmly the gambler believes in the shares asked for; 100 rows' worth.
CONCENTRATION = 100.0


def ratio_evidence(
    counts: Sequence[int], shares: Sequence[float], *, concentration: float = CONCENTRATION
) -> float:
    """The e-value against ``counts`` having come in ``shares``; at most exp(700).

    ``shares`` are scaled to a sum of one; each must be above 0. Raises BadInput for unequal
    lengths, a share not above 0, or a negative count.
    """
    if len(counts) != len(shares) or len(counts) < 2:
        raise BadInput(f"{len(counts)} counts and {len(shares)} shares; both need two or more")
    if any(not share > 0 for share in shares) or any(count < 0 for count in counts):
        raise BadInput("shares are above 0, and counts at least 0")
    whole = math.fsum(shares)
    asked = [share / whole for share in shares]
    prior = [concentration * share for share in asked]
    total = sum(counts)
    log = math.lgamma(concentration) - math.lgamma(concentration + total)
    for count, share, alpha in zip(counts, asked, prior, strict=True):
        log += math.lgamma(alpha + count) - math.lgamma(alpha) - count * math.log(share)
    return math.exp(min(log, 700.0))
