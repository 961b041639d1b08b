"""Modeling: baselines and models in, predictions for validation and test out.

Imports data, cases, ledger and workspace; never sees the test's truth. NumPy, Polars,
scikit-learn and MLflow load inside functions.
"""
