"""Recipes that give each unit a part: one small file for each idea, ``recipe.py`` for all.

Imports cases, errors and the data room's kinds; knows no model and no truth but a stratum's.
"""
