"""What a table holds: kinds, missing, distinct, ranges, shapes, gaps, keys, and what looks wrong.

Imports the data room's sources and kinds, and errors. One column is in memory at a time.
"""
