"""Data: tables in, one row a unit; what each column is for; parts; leaks.

Imports cases, stats and errors; knows no model. Polars and pyarrow load inside functions.
"""
