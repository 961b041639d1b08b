"""Features that respect time: views over events, one definition for one row and for millions.

An event counts for a row only if it was known by the moment at which the row's question was asked.
May import data, cases, ledger, stats and what lies below them.
"""
