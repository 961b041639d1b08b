"""Two files of predictions of the same units, put side by side on their ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import no_column
from trackrecord.evaluation.guessing import guessed_task
from trackrecord.evaluation.reading import Asked, ReadOutcomes, interpret
from trackrecord.evaluation.room import check_room
from trackrecord.stats.metrics import TRUTHS

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 3


class Unmatched(msgspec.Struct, frozen=True):
    """How many ids only one file has, and the first of them."""

    rows: int
    examples: list[str]


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """How two files matched: ``shared`` rows are compared, the others not."""

    a: str
    b: str
    shared: int
    only_a: Unmatched
    only_b: Unmatched


class Paired(msgspec.Struct, frozen=True):
    """One Outcomes table with the scores of both, and how it came about."""

    read: ReadOutcomes
    pairing: Pairing


def open_pair(
    paths: tuple[Path, Path],
    files: tuple[str, str],
    asked: Asked,
    scores: list[str],
    *,
    history: Path | None = None,
    qrels: Path | None = None,
) -> Paired:
    """Two files, paired; of rankings on queries, of anything else on ids.

    A cluster, weight or slice needs to be in one of them only. ``scores`` names one column for
    both, or one for each; ``files`` is what the two are called in messages.
    """
    from trackrecord.data.sources import read_table

    if qrels is not None:
        from trackrecord.evaluation.pairing_rankings import pair_runs

        return pair_runs(paths, qrels, asked)
    for path in (*paths, *([history] if history is not None else [])):
        check_room(path)
    raw = (read_table(paths[0], semicolons=True), read_table(paths[1], semicolons=True))
    if _are_rankings(raw, asked):
        from trackrecord.evaluation.pairing_rankings import pair_rankings

        return pair_rankings(raw, files, asked, scores)
    for path, table in zip(paths, raw, strict=True):
        if asked.id is not None and asked.id not in table.columns:
            raise no_column(asked.id, table.columns, path.name, option="--on")
    past = None if history is None else read_table(history, semicolons=True)
    a, b = interpret_two(raw, (paths[0].name, paths[1].name), asked, scores, past)
    if a.task != b.task:
        raise BadInput(
            f"the truth of {files[0]} is {TRUTHS[a.task]}, that of {files[1]} {TRUTHS[b.task]}",
            next=f"if both are one kind, say so: --task {a.task}",
        )
    names = model_names(
        paths[0].stem, paths[1].stem, one_model(a, files[0]), one_model(b, files[1])
    )
    return pair(a, b, files, names)


def interpret_two(
    raw: tuple[pl.DataFrame, pl.DataFrame],
    where: tuple[str, str],
    asked: Asked,
    scores: list[str],
    history: pl.DataFrame | None = None,
) -> tuple[ReadOutcomes, ReadOutcomes]:
    """Both tables; what only one of them has is asked of that one."""
    found = []
    for index in (0, 1):
        here, there = raw[index].columns, raw[1 - index].columns
        mine = msgspec.structs.replace(asked, scores=scores[min(index, len(scores) - 1) :][:1])
        for role in ("cluster", "weight"):
            column = getattr(asked, role)
            if column is not None and column not in here and column in there:
                mine = msgspec.structs.replace(mine, **{role: None})
        if index == 1:  # slices are those of the first file's rows
            mine = msgspec.structs.replace(mine, slices=[])
        found.append(interpret(raw[index], where[index], mine, history=history))
    return found[0], found[1]


def _are_rankings(raw: tuple[pl.DataFrame, pl.DataFrame], asked: Asked) -> bool:
    return all(guessed_task(table, asked)[0] == "ranking" for table in raw)


def pair(
    a: ReadOutcomes, b: ReadOutcomes, files: tuple[str, str], names: tuple[str, str]
) -> Paired:
    """The rows that both files have, with ``a``'s truth, cluster, weight and slices.

    Where only ``b`` has a cluster, time, weight or slice column, that is taken.

    Parameters
    ----------
    a, b:
        What was read; each with one column of scores.
    files:
        What the two files are called, for messages.
    names:
        What the two models shall be called; not the same.

    Raises
    ------
    DataError
        Where no id is shared, or the truth, a cluster or a weight of a shared id differs – naming
        ids.
    """
    import polars as pl

    left, right = _named(a, files[0], names[0]), _named(b, files[1], names[1])
    shared = left.join(right, on="id", how="inner", suffix=" of b", maintain_order="left")
    only_a = left.join(right, on="id", how="anti", maintain_order="left")["id"]
    only_b = right.join(left, on="id", how="anti", maintain_order="left")["id"]
    if shared.height == 0:
        raise DataError(
            f"{files[0]} and {files[1]} share no id",
            where=f"{files[0]}: {_shown(only_a)}; {files[1]}: {_shown(only_b)}",
            why="models are compared on the same units",
            next="name the column that both files call their units by: --on COL",
        )
    for column in ("truth", "cluster", "weight", "series"):
        if f"{column} of b" in shared.columns:
            _check_agreement(shared, column, files)
    frame = shared.drop([c for c in shared.columns if c.endswith(" of b")])
    scores = [f"score.{name}" for name in reversed(names)]
    rest = [c for c in frame.columns if not c.startswith("score.")]
    guesses = [f"{file}: {said}" for file, read in zip(files, (a, b), strict=True)
               for said in read.guesses]  # fmt: skip
    read = ReadOutcomes(
        frame.select(*(pl.col(c) for c in [*rest, *scores])),
        guesses,
        [names[1]],
        list(dict.fromkeys([*a.slices, *b.slices])),
        a.task,
        timed=a.timed,
    )
    return Paired(
        read,
        Pairing(
            a=names[0], b=names[1], shared=shared.height,
            only_a=unmatched(only_a), only_b=unmatched(only_b),
        ),
    )  # fmt: skip


def model_names(a: str, b: str, model_a: str, model_b: str) -> tuple[str, str]:
    """What to call the two models: as their columns are, else as their files, else a and b."""
    if model_a != model_b:
        return model_a, model_b
    return (a, b) if a != b else ("a", "b")


def one_model(read: ReadOutcomes, file: str) -> str:
    """The file's model. Raises BadInput where it has several."""
    names = [c.removeprefix("score.") for c in read.frame.columns if c.startswith("score.")]
    if len(names) > 1:
        raise BadInput(
            f"{file} has the scores of {len(names)} models",
            why=", ".join(names[:8]),
            next=f"name one: --score {names[-1]} (for each file its own: once for a, once for b)",
        )
    return names[0]


def _named(read: ReadOutcomes, file: str, name: str) -> pl.DataFrame:
    if any(said.endswith("so rows are named by their number") for said in read.guesses):
        raise DataError(
            f"{file} has no id column",
            why="models are compared on the same units, which must have names",
            next="name the column that names each row: --on COL",
        )
    return read.frame.rename({f"score.{one_model(read, file)}": f"score.{name}"})


def _check_agreement(shared: pl.DataFrame, column: str, files: tuple[str, str]) -> None:
    differ = shared.filter(~shared[column].eq_missing(shared[f"{column} of b"]))
    if differ.height == 0:
        return
    first = differ.head(EXAMPLES).select("id", column, f"{column} of b").rows()
    shown = "; ".join(
        f"{id[:60]!r} {str(mine)[:60]} and {str(theirs)[:60]}" for id, mine, theirs in first
    )
    rows = "1 shared id" if differ.height == 1 else f"{differ.height:,} shared ids"
    raise DataError(
        f"the two files disagree on the {column} of {rows}",
        where=f"{files[0]} and {files[1]}: {shown}{'; …' if differ.height > EXAMPLES else ''}",
        why="both models must be measured against the same truth"
        if column == "truth"
        else "a unit has one of each",
        next="find out which file is right, and write both again from it",
    )


def unmatched(ids: pl.Series) -> Unmatched:
    """How many ids there are, and the first of them."""
    return Unmatched(len(ids), ids.head(EXAMPLES).to_list())


def _shown(ids: pl.Series) -> str:
    return ", ".join(repr(value[:60]) for value in ids.head(EXAMPLES).to_list())
