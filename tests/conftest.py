"""What every test process starts with."""

from __future__ import annotations

import os

import pytest
from hypothesis import is_hypothesis_test, settings

# Many workers share few cores: threads of OpenMP that spin while they wait would starve the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Examples of a property in the inner loop: one in so many, and never fewer than this.
ONE_IN, LEAST = 4, 10


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick", action="store_true", help="try a quarter of each property's examples"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    found = [getattr(item, "obj", None) for item in items]
    properties = {getattr(test, "__func__", test) for test in found if is_hypothesis_test(test)}
    for test in properties:
        # what `@settings` leaves on a test, and `@given` reads when it runs
        asked: settings = test._hypothesis_internal_use_settings
        fewer = min(asked.max_examples, max(LEAST, asked.max_examples // ONE_IN))
        test._hypothesis_internal_use_settings = settings(asked, max_examples=fewer)
