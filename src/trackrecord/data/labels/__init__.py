"""Doubt about what a table says: labels that may be wrong, values that are written in two ways.

``confident.py`` (which labels to doubt), ``crossfitted.py`` (probabilities to doubt by),
``categories.py``, ``outliers.py``; ``doubt.py`` asks them all. Doubts are for a person to decide.
"""
