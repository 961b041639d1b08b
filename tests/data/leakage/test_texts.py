from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn import linear_model

from trackrecord.data.leakage import near as near_module
from trackrecord.data.leakage.audit import audit_world
from trackrecord.data.leakage.near import near_classes, near_texts
from trackrecord.data.leakage.shingles import contained, shingled
from trackrecord.data.leakage.world import world_of
from trackrecord.errors import DataError


def texts(count: int, words: int = 30, seed: int = 0) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(f"w{n}" for n in draw.integers(0, 3_000, words)) for _ in range(count)]


def words_in_runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def near_by_hand(texts: list[str], share: float) -> np.ndarray:
    """(n, n): which texts are near, found by comparing each with each."""
    sets = [words_in_runs(text) for text in texts]
    enough = [len(re.findall(r"\w+", text)) >= 5 for text in texts]
    near = np.zeros((len(texts), len(texts)), dtype=bool)
    for i, a in enumerate(sets):
        for j, b in enumerate(sets):
            near[i, j] = enough[i] and enough[j] and len(a & b) >= share * len(a | b)
    return near


# Few words, so that texts are near, repeat runs within themselves, and are equal but for case.
ODD = st.lists(st.sampled_from(["a", "b", "c", "d", "E", "e.", "f"]), max_size=12).map(" ".join)


@settings(max_examples=120, deadline=None)
@given(st.lists(ODD, max_size=12), st.sampled_from([0.2, 0.5, 0.6, 2 / 3, 0.75, 0.99]))
def test_near_texts_are_those_that_comparing_each_with_each_finds(
    made: list[str], share: float
) -> None:
    label = near_classes(pl.Series(made, dtype=pl.String), share)
    near = near_by_hand(made, share)
    closed = connected_components(near, directed=False)[1]
    for i, one in enumerate(made):
        assert (label[i] >= 0) == (len(re.findall(r"\w+", one)) >= 5)
        for j in range(i):
            same = label[i] >= 0 and label[i] == label[j]
            assert same == bool(closed[i] == closed[j])
    half = len(made) // 2
    train, test = made[:half], made[half:]
    found = near_texts(pl.Series(train, dtype=pl.String), pl.Series(test, dtype=pl.String), share)
    assert found.tolist() == near[:half, half:].any(0).tolist()


def test_no_near_pair_of_real_sentences_with_edits_is_missed() -> None:
    draw = np.random.default_rng(3)
    made = [text.split() for text in sentences()]
    for text in made[:150]:
        copy = text.copy()
        for _ in range(draw.integers(1, 4)):
            copy[draw.integers(len(copy))] = "changed"
        made.append(copy)
    whole = [" ".join(text) for text in made]
    label = near_classes(pl.Series(whole))
    pairs = np.argwhere(np.triu(near_by_hand(whole, 0.6), 1))
    assert len(pairs) > 50
    assert all(label[i] == label[j] for i, j in pairs)
    assert len(np.unique(label)) >= len(whole) - len(pairs)


def sentences() -> list[str]:
    """Those of eight words and more in the documentation of scikit-learn's linear models."""
    found: dict[str, None] = {}
    for name in linear_model.__all__:
        for text in re.split(r"[.:]\s", getattr(linear_model, name).__doc__ or ""):
            if len(text.split()) >= 8:
                found[" ".join(text.split())] = None
    return list(found)[:300]


def test_texts_of_one_template_are_refused_before_they_take_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(near_module, "MOST_PAIRS", 50)
    made = pl.Series([f"dear customer number {i} your order has been sent" for i in range(20)])
    with pytest.raises(DataError, match="too alike to compare"):
        near_classes(made, 0.3)


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
