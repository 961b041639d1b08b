"""From Outcomes to estimates, comparisons with baselines, slices and verdicts.

Imports stats, cases and the ledger; knows no model and no page.
"""
