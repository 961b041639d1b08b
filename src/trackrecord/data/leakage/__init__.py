"""Leakage detectors: one small file each, registered by a decorator.

A detector is a function from a Context to findings. Other packages add theirs by an entry point
in the group ``trackrecord.detectors`` that names the function.
"""
