"""A published folder is changed in hundreds of ways; verify tells each, and names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.portfolio.mutations import (
    Mutation,
    byte_mutations,
    chain_mutations,
    file_mutations,
)
from tests.portfolio.mutations_forged import forged_mutations
from tests.portfolio.mutations_page import page_mutations
from tests.portfolio.mutations_small import shared_publication

from trackrecord.portfolio.verify import verify_folder

pytestmark = pytest.mark.slow

FAMILIES: dict[str, tuple[int, Callable[[Path], Iterator[Mutation]]]] = {
    "bytes": (110, byte_mutations),
    "files": (20, file_mutations),
    "chain": (50, chain_mutations),
    "forged": (120, forged_mutations),
    "page": (55, lambda _: page_mutations()),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_publication(tmp_path_factory)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_mutation_is_caught_and_the_right_file_named(
    family: str, published: Path, tmp_path: Path
) -> None:
    least, mutations = FAMILIES[family]
    tried, missed = 0, []
    for mutation in mutations(published):
        tried += 1
        place = tmp_path / str(tried)
        copy = place / "parcels"
        shutil.copytree(published, copy)
        files = mutation.apply(copy)
        report = verify_folder(copy)
        findings = [check for check in report.checks if not check.ok]
        if report.exit_code != 1 or not {check.file for check in findings} & files:
            found = "; ".join(f"{check.file}: {check.what}" for check in findings[:3])
            missed.append(f"{mutation.name} → exit {report.exit_code}, {found or 'nothing'}")
        shutil.rmtree(place)
    print(f"\n{family}: {tried} mutations tried, {tried - len(missed)} caught")
    assert not missed, "\n".join(missed)
    assert tried >= least, f"only {tried} mutations were made"


def test_the_untouched_folder_passes(published: Path) -> None:
    report = verify_folder(published)
    assert [check for check in report.checks if not check.ok] == []
    assert report.exit_code == 0
    assert report.claims
    assert all(claim.ok and claim.level == "L1" for claim in report.claims)
