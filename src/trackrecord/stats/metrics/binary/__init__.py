"""Metrics of a yes or no: truth 0 or 1, and a score that ranks or is a probability."""
