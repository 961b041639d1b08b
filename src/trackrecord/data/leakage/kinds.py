"""The eight kinds of leakage of Kapoor & Narayanan (2023), in words.

Kapoor, S. & Narayanan, A.: Leakage and the reproducibility crisis in machine-learning-based
science. Patterns 4(9), 2023, table 1.
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "L1.1": "there is no separate test set",
    "L1.2": "preprocessing saw the test rows",
    "L1.3": "features were selected on the test rows",
    "L1.4": "the same rows are in train and test",
    "L2": "a feature is not legitimate: it would not be there when the question is asked",
    "L3.1": "training rows are later than test rows",
    "L3.2": "train and test rows are not independent",
    "L3.3": "the test rows are not drawn from the population of interest",
}
