"""What must start quickly stays light."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trackrecord.ledger


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_index_starts_without_msgspec_and_numpy() -> None:
    loaded = loaded_by("import trackrecord.ledger.index")
    assert not loaded & {"msgspec", "numpy", "rfc8785", "filelock", "json", "hashlib", "subprocess"}


def test_reading_a_chain_loads_no_numpy() -> None:
    loaded = loaded_by("from trackrecord.ledger import *; from trackrecord.ledger import doctor")
    assert not loaded & {"numpy", "polars", "pyarrow", "sklearn", "filelock"}


@pytest.mark.parametrize("name", trackrecord.ledger.__all__)
def test_every_name_of_the_surface_is_there(name: str) -> None:
    assert getattr(trackrecord.ledger, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = trackrecord.ledger.nothing  # type: ignore[attr-defined]
