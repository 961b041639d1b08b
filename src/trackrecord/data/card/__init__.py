"""The data card: what the program knows of a source, and what only its owner can say.

May import the rest of ``data`` and the rooms below it.
"""
