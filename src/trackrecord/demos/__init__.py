"""Whole cases on real data that a person can install, for ``trackrecord demo``.

Imports the data room and below; the door does the steps with the same verbs that people type.
"""
