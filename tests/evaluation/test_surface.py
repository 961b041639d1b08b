"""The library's public face."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trackrecord


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, trackrecord; trackrecord.Workspace; "
        "print(sorted({'numpy', 'polars', 'msgspec', 'pyarrow', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", trackrecord.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(trackrecord, name) is not None
    assert name in dir(trackrecord)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        trackrecord.evaluat  # noqa: B018
