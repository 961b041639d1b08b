"""Lineage: where each table, and each number made of it, is from; and what hangs on it.

May import the rest of ``data`` and the rooms below it.
"""
