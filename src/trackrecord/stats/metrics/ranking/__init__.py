"""Metrics of documents ranked for queries: a value for each query, and their mean."""
