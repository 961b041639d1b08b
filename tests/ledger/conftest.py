from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A folder for evidence that does not exist yet, in a workspace of its own."""
    return tmp_path / "evidence"
