"""Doors: one file for each group of verbs. They parse, call, and print; no logic.

Imports every room below. Only this room prints and exits.
"""
