"""Metrics of any number of labels: a column of 0 and 1 for each."""
