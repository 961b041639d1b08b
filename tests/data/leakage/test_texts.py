from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from trackrecord.data.leakage.audit import audit_world
from trackrecord.data.leakage.shingles import contained, near_texts, shingled, signatures
from trackrecord.data.leakage.world import world_of


def texts(count: int, words: int = 30, seed: int = 0) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(f"w{n}" for n in draw.integers(0, 3_000, words)) for _ in range(count)]


def test_minhash_estimates_the_jaccard_share_of_three_word_runs() -> None:
    base = texts(1, 200)[0].split()
    changed = base.copy()
    changed[20:60] = ["new"] * 40

    def runs(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    true = len(runs(base) & runs(changed)) / len(runs(base) | runs(changed))
    series = pl.Series([" ".join(base), " ".join(changed)])
    a, b = signatures(*shingled(series, 3), 2)
    assert (a == b).mean() == pytest.approx(true, abs=4 * np.sqrt(true * (1 - true) / 64))


def test_texts_with_few_words_changed_are_found_and_others_are_not() -> None:
    train = texts(400)
    near = [" ".join(["other", *text.split()[1:]]) for text in train[:20]]
    found = near_texts(pl.Series(train), pl.Series([*near, *texts(100, seed=1)]))
    assert found[:20].all()
    assert not found[20:].any()


def test_a_passage_inside_a_long_text_is_found_word_for_word() -> None:
    train = texts(50, 300)
    inside = [" ".join(text.split()[100:140]) for text in train[:10]]
    test = pl.Series([*inside, *texts(40, 40, seed=2), "too short to tell", "", None])
    found = contained(pl.Series(train), test, 8)
    assert found[:10].all()
    assert not found[10:].any()


def test_case_and_signs_do_not_count_and_short_texts_are_whole_runs() -> None:
    runs, owner = shingled(pl.Series(["One, two – THREE!", "one two three", "one", "", None]), 3)
    assert owner.tolist() == [0, 1, 2]
    assert runs[0] == runs[1] != runs[2]


def test_an_audit_finds_texts_by_itself() -> None:
    rows = texts(300)
    table = pl.DataFrame({"words": rows, "y": [0, 1] * 150})
    test = pl.DataFrame({"words": texts(100, seed=4), "y": [0, 1] * 50})
    assert audit_world(world_of(table, test, "y")).verdict == "clean"
    leaked = pl.concat([table, test[:6].with_columns(pl.col("words") + " indeed so")])
    found = {f.detector for f in audit_world(world_of(leaked, test, "y")).findings}
    assert {"near-texts-across", "copied-passages"} <= found
