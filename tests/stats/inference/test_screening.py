"""Adjusted p-values: against scipy and statsmodels, and the example of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

from trackrecord.errors import BadInput
from trackrecord.stats.screening import benjamini_hochberg, benjamini_yekutieli

# Benjamini & Hochberg 1995, section 4: 15 end points of Neuhaus et al. (1992)
PAPER = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
    0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip


def test_the_example_of_the_paper_picks_four() -> None:
    assert (benjamini_hochberg(PAPER) <= 0.05).sum() == 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_both_adjustments_are_those_of_scipy_and_statsmodels(p: list[float]) -> None:
    for ours, scipys, theirs in (
        (benjamini_hochberg, "bh", "fdr_bh"),
        (benjamini_yekutieli, "by", "fdr_by"),
    ):
        found = ours(p)
        np.testing.assert_allclose(
            found, false_discovery_control(p, method=scipys), rtol=1e-12, atol=1e-300
        )
        np.testing.assert_allclose(
            found, multipletests(p, method=theirs)[1], rtol=1e-12, atol=1e-300
        )


def test_the_order_of_the_tests_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(15)
    p = np.array(PAPER)
    np.testing.assert_array_equal(benjamini_hochberg(p[order]), benjamini_hochberg(p)[order])


@pytest.mark.parametrize("p", [[], [-0.1], [1.1], [np.nan], ["a"], [[0.1]]])
def test_what_is_no_list_of_p_values_is_refused(p: list[float]) -> None:
    with pytest.raises(BadInput):
        benjamini_hochberg(p)
