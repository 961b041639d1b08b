"""Metrics of a number: its prediction, its quantiles, or its forecast in a series."""
