"""What a reviewer learns from a folder: which claims stand, which fall, and why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.portfolio.mutations_forger import Forger
from tests.portfolio.mutations_small import _do, make_parcels, shared_publication

from trackrecord.cli.main import main
from trackrecord.portfolio.checking.report import Report
from trackrecord.portfolio.claims import read_claims
from trackrecord.portfolio.verify import verify_folder

# The publication that they look at takes some seconds to make.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_publication(tmp_path_factory)


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "parcels"))


def failing(report: Report) -> set[str]:
    return {check.file for check in report.checks if not check.ok}


def about_the_contrast(published: Path) -> list[bool]:
    """For each claim, whether one of its numbers is the contrast's."""
    claims = read_claims(published / "claims.toml").claim
    return [any(n.at.startswith("contrast/") for n in c.numbers.values()) for c in claims]


def evidence_file(folder: Path, kind: str) -> Path:
    return folder / "evidence" / f"{Forger(folder).of_kind(kind)[-1]}.json"


def test_every_number_is_recomputed_and_every_claim_is_l1(folder: Path) -> None:
    report = verify_folder(folder)
    assert report.exit_code == 0
    assert report.numbers > 500
    assert {claim.level for claim in report.claims} == {"L1"}


def test_a_broken_contrast_fells_exactly_the_claims_about_it(published: Path, folder: Path) -> None:
    path = evidence_file(folder, "contrast")
    path.write_bytes(path.read_bytes() + b" ")
    report = verify_folder(folder)
    fallen = [not claim.ok for claim in report.claims]
    assert any(fallen)
    assert fallen == about_the_contrast(published)
    assert [claim.level == "L0" for claim in report.claims] == fallen


def test_broken_contrast_rows_fell_exactly_the_claims_about_them(
    published: Path, folder: Path
) -> None:
    (path,) = folder.rglob("outcomes-contrast-1.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    report = verify_folder(folder)
    assert [not claim.ok for claim in report.claims] == about_the_contrast(published)


def test_broken_validation_rows_fell_no_claim_about_the_test(folder: Path) -> None:
    (path,) = folder.rglob("outcomes-validation.parquet")
    path.write_bytes(b"")
    report = verify_folder(folder)
    assert report.exit_code == 1
    assert all(claim.ok for claim in report.claims)


@pytest.mark.parametrize("kind", ["seal", "run", "look", "evaluation"])
def test_what_the_evaluation_stands_on_fells_every_claim_about_it(folder: Path, kind: str) -> None:
    forger = Forger(folder)
    look = forger.last("evaluation")["look_evidence"]
    digest = look if kind == "look" else forger.of_kind(kind)[-1]
    (folder / "evidence" / f"{digest}.json").unlink()
    report = verify_folder(folder)
    assert report.claims
    assert not any(claim.ok for claim in report.claims)


def test_a_broken_chain_fells_every_claim(folder: Path) -> None:
    chain = folder / "evidence" / "chain.jsonl"
    data = chain.read_bytes()
    chain.write_bytes(data[:200] + b"0" + data[201:])
    report = verify_folder(folder)
    assert report.claims
    assert not any(claim.ok for claim in report.claims)
    assert all("chain.jsonl" in str(claim.reason) for claim in report.claims)


def test_one_claim_edited_on_the_page_falls_alone(folder: Path) -> None:
    forger = Forger(folder)
    text = (folder / "index.html").read_text()
    at = text.index('<li class="claim">') + len('<li class="claim">')
    (folder / "index.html").write_text(text[:at] + "Surely: " + text[at:])
    forger.rebuild()
    report = verify_folder(folder)
    assert failing(report) == {"index.html"}
    assert [claim.ok for claim in report.claims] == [False] + [True] * (len(report.claims) - 1)


def test_findings_name_pointer_expected_and_found(folder: Path) -> None:
    forger = Forger(folder)
    result = forger.last("evaluation")["result"]
    before = result["models"][2]["estimates"][0]["value"]
    result["models"][2]["estimates"][0]["value"] = 0.9
    forger.rebuild()
    check = next(c for c in verify_folder(folder).checks if c.name == "numbers" and not c.ok)
    assert "/predicate/result/models/2/estimates/0/value" in check.what
    assert "outcomes-test.parquet" in check.what
    assert float(str(check.expected)) == pytest.approx(before)
    assert check.found == "0.9"


def test_a_claim_about_seconds_is_only_stated(folder: Path) -> None:
    claims = folder / "claims.toml"
    claims.write_text(
        claims.read_text()
        + '\n[[claim]]\ntext = "Training took {s} seconds."\n'
        + '[claim.numbers]\ns = { at = "run/predicate/seconds", form = "number" }\n'
    )
    report = verify_folder(folder)
    last = report.claims[-1]
    assert last.level == "L0"
    assert "Training took" in last.text


def test_a_complete_rebuild_is_told_by_the_head_alone(folder: Path) -> None:
    honest = verify_folder(folder)
    assert honest.head is not None
    assert verify_folder(folder, head=honest.head).exit_code == 0
    forger = Forger(folder)
    # Another token makes another look, and every digest after it another: a whole new history.
    forger.last("look")["token"] = "0123456789abcdef"
    forger.rebuild()
    assert verify_folder(folder).exit_code == 0
    report = verify_folder(folder, head=honest.head)
    assert report.exit_code == 1
    assert [check.name for check in report.checks if not check.ok] == ["head"]


def test_evidence_that_a_newer_version_made_ends_in_2(folder: Path) -> None:
    forger = Forger(folder)
    digest = forger.of_kind("evaluation")[-1]
    forger.statements[digest]["predicateType"] = "urn:trackrecord:predicate:evaluation:v2"
    forger.rebuild()
    report = verify_folder(folder)
    assert report.exit_code == 2
    assert "newer" in report.checks[0].what


def test_claims_of_a_newer_version_end_in_2(folder: Path) -> None:
    forger = Forger(folder)
    text = (folder / "claims.toml").read_text()
    forger.edit_file("claims.toml", text.replace("claims = 1", "claims = 2").encode())
    forger.rebuild()
    assert verify_folder(folder).exit_code == 2


def test_what_is_no_published_folder_ends_in_2(tmp_path: Path) -> None:
    assert verify_folder(tmp_path).exit_code == 2
    assert verify_folder(tmp_path / "nothing").exit_code == 2
    (tmp_path / "file").write_text("x")
    assert verify_folder(tmp_path / "file").exit_code == 2
    assert verify_folder("\0").exit_code == 2


def test_a_folder_with_nothing_but_a_chain_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "chain.jsonl").write_bytes(b"")
    report = verify_folder(tmp_path)
    assert report.exit_code == 1
    assert {"index.html", "claims.toml", "model-card.md"} <= failing(report)


def test_names_of_files_cannot_repaint_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "\x1b[2J\x9b31m\u202eevil").write_bytes(b"")
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "evil" in said
    assert not any(c in said for c in "\x1b\x9b\u202e")


def test_the_door_prints_claims_levels_and_the_head(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(published)]) == 0
    said = capsys.readouterr().out
    assert "✓ L1 " in said
    assert str(verify_folder(published).head) in said


def test_the_door_takes_a_head_and_prints_json(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(published), "--head", "0" * 64, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["exit_code"] == 1
    assert [c["name"] for c in report["checks"] if not c["ok"]] == ["head"]


def test_the_door_says_where_to_go_from_what_is_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "next:" in capsys.readouterr().out


def test_no_trainer_and_no_tracker_is_imported(published: Path) -> None:
    code = (
        "import sys\nfrom trackrecord.portfolio.verify import verify_folder\n"
        f"assert verify_folder({str(published)!r}).exit_code == 0\n"
        "print([m for m in ('mlflow', 'sklearn', 'pandas', 'altair', 'sqlalchemy') "
        "if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_folder_that_may_not_be_read_ends_in_a_finding(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    (folder / "index.html").chmod(0)
    assert "index.html" in failing(verify_folder(folder))


def test_an_unsealed_run_is_recomputed_and_yet_only_stated(tmp_path: Path) -> None:
    root = tmp_path / "w"
    make_parcels(root, "parcels")
    there = ("-C", str(root))
    _do("run", "parcels", "--unsealed", *there)
    _do("evaluate", "parcels", "--part", "test", *there)
    _do("publish", "parcels", "--yes", *there)
    report = verify_folder(root / "published" / "parcels")
    assert [check for check in report.checks if not check.ok] == []
    assert report.exit_code == 0
    assert report.claims
    assert {claim.level for claim in report.claims} == {"L0"}


def test_two_clones_that_both_looked_and_were_merged_are_counted_as_they_knew(
    tmp_path: Path,
) -> None:
    root, clone = tmp_path / "w", tmp_path / "clone"
    make_parcels(root, "parcels")
    _do("seal", "parcels", "-C", str(root))
    _do("run", "parcels", "-C", str(root))
    shutil.copytree(root, clone)
    for place in (root, clone):
        _do("evaluate", "parcels", "--part", "test", "-C", str(place))
    chain = root / "evidence" / "chain.jsonl"
    ours, theirs = (p / "evidence" / "chain.jsonl" for p in (root, clone))
    known = set(ours.read_bytes().splitlines(keepends=True))
    added = [line for line in theirs.read_bytes().splitlines(keepends=True) if line not in known]
    chain.write_bytes(ours.read_bytes() + b"".join(added))
    for path in (clone / "evidence").glob("*.json"):
        shutil.copy(path, root / "evidence")
    _do("doctor", "--merge", "-C", str(root))
    _do("evaluate", "parcels", "--part", "test", "-C", str(root))
    _do("publish", "parcels", "--yes", "-C", str(root))
    report = verify_folder(root / "published" / "parcels")
    assert [check for check in report.checks if not check.ok] == []
    order = next(check for check in report.checks if check.name == "order")
    assert "looks at the test: 3" in order.what


def test_evaluating_often_is_computed_once(tmp_path: Path) -> None:
    root = tmp_path / "w"
    make_parcels(root, "parcels")
    there = ("-C", str(root))
    _do("seal", "parcels", *there)
    _do("run", "parcels", *there)
    for _ in range(3):
        _do("evaluate", "parcels", *there)
        _do("evaluate", "parcels", "--part", "test", *there)
    _do("publish", "parcels", "--yes", *there)
    report = verify_folder(root / "published" / "parcels")
    assert report.exit_code == 0
    again = [c for c in report.checks if c.name == "numbers" and "test evaluation" in c.what]
    assert len(again) == 3


def test_a_head_that_cannot_be_one_is_bad_input(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(folder), "--head", "5f0c"]) == 2
    assert "64 digits" in capsys.readouterr().err


def test_what_an_older_version_published_still_verifies(tmp_path: Path) -> None:
    # by 0.1.0: no bands, no decision curve, and a seal that does not say what it reckoned with
    with zipfile.ZipFile(Path(__file__).with_name("published-by-0.1.0.zip")) as archive:
        archive.extractall(tmp_path / "parcels")
    report = verify_folder(tmp_path / "parcels")
    assert [check for check in report.checks if not check.ok] == []
    assert report.exit_code == 0
    assert all(claim.ok and claim.level == "L1" for claim in report.claims)
