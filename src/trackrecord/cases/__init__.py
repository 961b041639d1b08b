"""Cases: what is asked, and what is fixed before the answer is seen.

Imports the ledger; knows no data frame and no model.
"""
