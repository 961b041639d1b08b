"""How far two tables are from one another: per column, in what is missing, and all at once.

Numbers in, numbers out: ``distances.py`` (numbers), ``categories.py``, ``clusters.py`` (what
depends on one another), ``classifier.py``; ``compare.py`` asks them for each column of two tables.
"""
