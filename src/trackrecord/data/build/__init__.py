"""The pipeline: steps in SQL and Python, their graph, and a build that runs what is stale.

May import the rest of ``data`` and the rooms below it.
"""
