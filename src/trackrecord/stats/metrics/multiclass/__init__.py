"""Metrics of one class of several: codes, and codes or a probability of each class."""
