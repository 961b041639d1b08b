"""The leaks that the benchmark plants, each in four strengths: faint, weak, medium, strong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from benchmarks.leakage.sets import Split

Draw = np.random.Generator
Plant = Callable[[Split, Any, Draw], Split | None]
STRENGTHS = ("faint", "weak", "medium", "strong")


class Kind(NamedTuple):
    """A kind of leak: what is planted, the four strengths in words and values, the function."""

    said: str
    strengths: tuple[Any, Any, Any, Any]
    plant: Plant


def standing(split: Split) -> np.ndarray:
    """The target as numbers of deviation one; 0 and 1 for two classes."""
    truth = split.truth.astype(float)
    if np.unique(truth).size == 2:
        return (truth == truth.max()).astype(float)
    return (truth - truth.mean()) / truth.std()


def positive(split: Split) -> np.ndarray:
    truth = standing(split)
    return truth > np.median(truth) if np.unique(truth).size > 2 else truth == 1


def numbers(split: Split) -> list[str]:
    kept = {split.target, *split.roles.get("group", []), split.roles.get("time")}
    found = [name for name, kind in split.train.schema.items() if kind.is_numeric()]
    return [name for name in found if name not in kept]


def near_perfect(split: Split, noise: float, draw: Draw) -> Split:
    base = positive(split).astype(float)
    return split.with_columns(score_at_close=base + noise * draw.normal(size=base.size))


def missing(split: Split, more: float, draw: Draw) -> Split:
    gone = draw.random(split.truth.size) < 0.05 + more * positive(split)
    values = [
        None if one else float(x) for one, x in zip(gone, draw.normal(size=gone.size), strict=True)
    ]
    return split.with_columns(follow_up=values)


def sorted_key(truth: np.ndarray, share: float, draw: Draw) -> np.ndarray:
    """Numbers from 0 to 1; for ``share`` of the rows those of positives are the larger."""
    key = draw.random(truth.size)
    chosen = draw.random(truth.size) < share
    return np.where(chosen, (truth + key) / 2, key)


def order(split: Split, share: float, draw: Draw) -> Split | None:
    if "time" in split.roles:
        return None
    truth = positive(split)[: split.train.height]
    return split.with_parts(split.train[np.argsort(sorted_key(truth, share, draw))], split.test)


def ids(split: Split, share: float, draw: Draw) -> Split:
    number = np.argsort(np.argsort(sorted_key(positive(split), share, draw)))
    named = split.with_columns(case_number=number)
    return replace(named, roles={**split.roles, "id": "case_number"})


def taken(split: Split, share: float, draw: Draw) -> np.ndarray:
    count = max(1, round(share * split.test.height))
    return draw.choice(split.test.height, count, replace=False)


def exact(split: Split, share: float, draw: Draw) -> Split | None:
    if "time" in split.roles or "group" in split.roles:
        return None  # found by their own detectors
    return split.with_parts(
        pl.concat([split.train, split.test[taken(split, share, draw)]]), split.test
    )


def near(split: Split, jitter: float, draw: Draw) -> Split | None:
    if split.roles or len(numbers(split)) < 4:
        return None
    rows = split.test[taken(split, 0.1, draw)]
    moved = rows.with_columns(
        (pl.col(name).cast(pl.Float64) + pl.Series(draw.normal(0, jitter, rows.height)) * spread)
        for name in numbers(split)
        if (spread := float(split.train[name].std() or 0)) and split.train[name].dtype.is_float()
    )
    return split.with_parts(pl.concat([split.train, moved.select(split.train.columns)]), split.test)


def oversampled(split: Split, more: float, draw: Draw) -> Split | None:
    if split.roles:
        return None
    table = pl.concat([split.train, split.test])
    rare = np.flatnonzero(positive(split))
    again = draw.choice(rare, max(1, round(more * rare.size)), replace=more > 1)
    rows = draw.permutation(np.r_[np.arange(table.height), again])
    cut = int(0.7 * rows.size)
    return split.with_parts(table[rows[:cut]], table[rows[cut:]])


def made_up(split: Split, more: float, draw: Draw) -> Split | None:
    """SMOTE (Chawla and others, 2002) before the split: rows between neighbours of one class."""
    from sklearn.neighbors import NearestNeighbors

    names = numbers(split)
    if split.roles or len(names) < 3:
        return None
    table = pl.concat([split.train, split.test]).with_columns(pl.col(names).cast(pl.Float64))
    rare = np.flatnonzero(positive(split))
    rows = table[rare].select(names).fill_null(strategy="mean").to_numpy()
    scale = rows / np.maximum(rows.std(0), 1e-9)
    near = NearestNeighbors(n_neighbors=6).fit(scale).kneighbors(scale)[1]
    one = draw.integers(0, rare.size, max(1, round(more * rare.size)))
    other = near[one, draw.integers(1, 6, one.size)]
    new = rows[one] + draw.random((one.size, 1)) * (rows[other] - rows[one])
    made = table[rare[one]].with_columns(
        pl.Series(name, new[:, place]) for place, name in enumerate(names)
    )
    both = pl.concat([table, made])
    both = both[draw.permutation(both.height)]
    cut = int(0.7 * both.height)
    return split.with_parts(both[:cut], both[cut:])


def groups(split: Split, share: float, draw: Draw) -> Split | None:
    if "group" not in split.roles:
        return None
    moved = taken(split, share, draw)
    rest = np.setdiff1d(np.arange(split.test.height), moved)
    return split.with_parts(pl.concat([split.train, split.test[moved]]), split.test[rest])


def times(split: Split, share: float, draw: Draw) -> Split | None:
    if "time" not in split.roles:
        return None
    moved = taken(split, share, draw)
    rest = np.setdiff1d(np.arange(split.test.height), moved)
    return split.with_parts(pl.concat([split.train, split.test[moved]]), split.test[rest])


def later(split: Split, share: float, draw: Draw) -> Split | None:
    if "time" not in split.roles:
        return None
    when = pl.concat([split.train, split.test])[split.roles["time"]]
    days = pl.Series(draw.integers(1, 30, len(when)))
    closed = (
        pl.DataFrame({"when": when, "days": days})
        .select(pl.col("when").cast(pl.Datetime("us")) + pl.duration(days="days"))
        .to_series()
    )
    gone = pl.Series(draw.random(len(when)) >= share)
    values = pl.DataFrame({"closed": closed, "gone": gone}).select(
        pl.when("gone").then(None).otherwise("closed")
    )
    return split.with_columns(closed_at=values.to_series())


def named(split: Split, noise: float, draw: Draw) -> Split:
    base = positive(split).astype(float)
    return split.with_columns(
        **{f"{split.target}_flag": base + noise * draw.normal(size=base.size)}
    )


def encoded(split: Split, how: str, draw: Draw) -> Split:
    """A column of 20 random groups as the mean target of each, on the training rows."""
    truth, groups = standing(split), draw.integers(0, 20, split.truth.size)
    learn = np.arange(truth.size) < split.train.height
    truth = split.truth.astype(float)
    count = np.bincount(groups[learn], minlength=20)
    total = np.bincount(groups[learn], weights=truth[learn], minlength=20)
    mean = total / np.maximum(1, count)
    if how == "shrunk":
        mean = (total + 10 * truth[learn].mean()) / (count + 10)
    digits = {"one digit": 1, "two digits": 2}.get(how)
    mean = mean if digits is None else np.round(mean, digits)
    return split.with_columns(ward_rate=mean[groups])


def left_out(split: Split, how: str, draw: Draw) -> Split:
    """The mean target of the other training rows of a random group."""
    number = 10 if how == "10 groups" else 40
    truth, groups = split.truth.astype(float), draw.integers(0, number, split.truth.size)
    learn = np.arange(truth.size) < split.train.height
    count = np.bincount(groups[learn], minlength=number)
    total = np.bincount(groups[learn], weights=truth[learn], minlength=number)
    own = np.where(learn, truth, 0.0)
    mean = (total[groups] - own) / np.maximum(1, count[groups] - learn)
    if how == "noise":
        mean = mean * (1 + 0.01 * draw.normal(size=mean.size))
    if how == "three digits":
        mean = mean.round(3)
    return split.with_columns(ward_rate=mean)


def scaled(split: Split, how: str, draw: Draw) -> Split | None:
    names = numbers(split)
    names = names if how == "every column" else names[:1]
    table = pl.concat([split.train, split.test])
    digits = {"two digits": 2, "four digits": 4}.get(how, 17)
    columns = {name: (table[name] - table[name].mean()) / table[name].std() for name in names}
    return split.with_columns(**{name: one.round(digits) for name, one in columns.items()})


def filled(split: Split, share: float, draw: Draw) -> Split | None:
    names = [name for name in numbers(split) if split.train[name].dtype.is_float()]
    names = [name for name in names if split.train[name].n_unique() > 20]
    if not names:
        return None
    table = pl.concat([split.train, split.test])
    gone = pl.Series(draw.random(table.height) < share)
    mean = table.filter(~gone)[names[0]].mean()
    values = table.with_columns(gone=gone).select(
        pl.when("gone").then(pl.lit(mean)).otherwise(names[0])
    )
    return split.with_columns(**{names[0]: values.to_series()})


def components(split: Split, how: str, draw: Draw) -> Split | None:
    from sklearn.decomposition import PCA

    table = pl.concat([split.train, split.test])
    names = [name for name in numbers(split) if table[name].null_count() == 0]
    if len(names) < 4:
        return None
    rows = table.select(names).to_numpy().astype(float)
    rows = rows / np.maximum(rows.std(0), 1e-12)
    count = 2 if how == "two components" else 4
    made = PCA(count).fit_transform(rows)
    digits = {"two digits": 2, "four digits": 4}.get(how, 17)
    return split.with_columns(**{f"pc{j}": np.round(made[:, j], digits) for j in range(count)})


def shifted(split: Split, slope: float, draw: Draw) -> Split | None:
    if split.roles or not numbers(split):
        return None
    table = pl.concat([split.train, split.test])
    spread = {name: table[name].n_unique() for name in numbers(split)}
    column = table[max(spread, key=lambda name: spread[name])].to_numpy().astype(float)
    place = (np.argsort(np.argsort(column)) / column.size - 0.5) * 12**0.5
    chance = 1 / (1 + np.exp(-slope * place))
    test = draw.choice(table.height, split.test.height, replace=False, p=chance / chance.sum())
    rest = draw.permutation(np.setdiff1d(np.arange(table.height), test))
    return split.with_parts(table[rest], table[test])


def population(split: Split, distance: float, draw: Draw) -> Split:
    size = split.truth.size
    shares = {"north": 0.5 + distance, "south": 0.5 - distance}
    named = split.with_columns(region=draw.choice(["north", "south"], size))
    return replace(named, roles={**split.roles, "population": {"region": shares}})


def rewritten(split: Split, share: float, draw: Draw) -> Split | None:
    if "words" not in split.train.columns:
        return None
    rows = split.test[taken(split, 0.05, draw)]
    texts = []
    for text in rows["words"].to_list():
        words = text.split()
        for place in np.flatnonzero(draw.random(len(words)) < share):
            words[place] = "thing"
        texts.append(" ".join(words))
    changed = rows.with_columns(pl.Series("words", texts))
    return split.with_parts(pl.concat([split.train, changed]), split.test)


def passages(split: Split, share: float, draw: Draw) -> Split | None:
    if "words" not in split.train.columns:
        return None
    words = split.train["words"].to_list()
    for row in taken(split, share, draw):
        place = int(draw.integers(len(words)))
        words[place] = f"{words[place]} {split.test['words'][int(row)]}"
    return split.with_parts(split.train.with_columns(pl.Series("words", words)), split.test)


KINDS: dict[str, Kind] = {
    "target with noise": Kind(
        "ROC AUC of the column 0.9, 0.95, 0.99, 0.999", (0.55, 0.43, 0.304, 0.229), near_perfect
    ),
    "missing where positive": Kind(
        "missing in 10, 25, 50, 90 points more of the positives", (0.1, 0.25, 0.5, 0.9), missing
    ),
    "rows in order": Kind(
        "10, 25, 50, 100 % of the rows sorted by the target", (0.1, 0.25, 0.5, 1.0), order
    ),
    "ids in order": Kind("as rows in order", (0.1, 0.25, 0.5, 1.0), ids),
    "exact copies": Kind("0.5, 2, 5, 20 % of the test in train", (0.005, 0.02, 0.05, 0.2), exact),
    "near copies": Kind(
        "a tenth of the test in train, moved by 0.1, 0.03, 0.005, 0.0005 deviations",
        (0.1, 0.03, 0.005, 0.0005),
        near,
    ),
    "over-sampled": Kind(
        "2, 10, 50, 200 % more positives before the split", (0.02, 0.1, 0.5, 2.0), oversampled
    ),
    "made up (SMOTE)": Kind("as over-sampled, between neighbours", (0.02, 0.1, 0.5, 2.0), made_up),
    "shared groups": Kind(
        "0.5, 2, 10, 50 % of the rows of test groups in train", (0.005, 0.02, 0.1, 0.5), groups
    ),
    "later rows in train": Kind(
        "0.2, 1, 5, 50 % of the test rows in train", (0.002, 0.01, 0.05, 0.5), times
    ),
    "moments after": Kind("filled in 1, 10, 50, 100 % of the rows", (0.01, 0.1, 0.5, 1.0), later),
    "named proxy": Kind(
        "ROC AUC of the column 0.6, 0.65, 0.75, 0.9", (2.8, 1.84, 1.05, 0.55), named
    ),
    "target encoding": Kind(
        "rounded to one digit; to two; shrunk; plain",
        ("one digit", "two digits", "shrunk", "plain"),
        encoded,
    ),
    "leave-one-out": Kind(
        "40 groups with noise of 1 %; to three digits; exact; 10 groups",
        ("noise", "three digits", "40 groups", "10 groups"),
        left_out,
    ),
    "scaled together": Kind(
        "one column to two digits; to four; exact; every column",
        ("two digits", "four digits", "exact", "every column"),
        scaled,
    ),
    "filled together": Kind("1, 3, 10, 30 % filled in one column", (0.01, 0.03, 0.1, 0.3), filled),
    "components together": Kind(
        "to two digits; to four; two exact; four exact",
        ("two digits", "four digits", "two components", "four components"),
        components,
    ),
    "shifted test": Kind(
        "log-odds of being tested rise by 0.25, 0.5, 1.5, 4 a deviation",
        (0.25, 0.5, 1.5, 4.0),
        shifted,
    ),
    "other population": Kind(
        "2, 5, 15, 40 % of the test from elsewhere", (0.02, 0.05, 0.15, 0.4), population
    ),
    "rewritten texts": Kind(
        "50, 25, 5, 1 % of the words changed", (0.5, 0.25, 0.05, 0.01), rewritten
    ),
    "test passages": Kind(
        "0.2, 1, 5, 20 % of the test texts within training texts",
        (0.002, 0.01, 0.05, 0.2),
        passages,
    ),
}
