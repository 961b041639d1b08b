"""Ingest: raw bytes kept as they are, and a Parquet table made of them in canonical kinds.

May import the rest of ``data`` and the rooms below it.
"""
