"""Contracts: what a table promises its readers, in TOML beside the data, checked in one pass.

Imports the data room, the ledger, stats and errors.
"""
