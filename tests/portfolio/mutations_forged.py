"""Forgeries: the record is changed and every digest in it made to hold again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from tests.portfolio.mutations import Mutation
from tests.portfolio.mutations_forger import Forger

Forge = Callable[[Forger], set[str]]
CHAIN = "evidence/chain.jsonl"


def forged(name: str, forge: Forge) -> Mutation:
    """A mutation that rebuilds everything after ``forge`` has edited; it returns old names."""

    def apply(folder: Path) -> set[str]:
        forger = Forger(folder)
        files = forge(forger)
        forger.rebuild()
        return {forger.named(file) if len(file) == 64 else file for file in files}

    return Mutation(f"forged: {name}", apply)


def forged_mutations(folder: Path) -> Iterator[Mutation]:
    """All of them, for one published folder."""
    yield from _outcomes(folder)
    yield from _results()
    yield from _plans()
    yield from _power()
    yield from _order()
    yield from _statements()


def _outcomes(folder: Path) -> Iterator[Mutation]:
    """Predictions, truth and rows, with the file's digest recomputed all the way up."""
    changes: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
        "a prediction changed": lambda t: _set(t, "score.trees", 0, 0.5),
        "a prediction changed a little": lambda t: t.with_columns(
            pl.col("score.trees") + pl.Series([1e-6] + [0.0] * (t.height - 1))
        ),
        "a truth changed": lambda t: _set(t, "truth", 3, 1 - t["truth"][3]),
        "two truths exchanged": _exchanged,
        "a row dropped": lambda t: t[1:],
        "the worst row dropped": lambda t: t.sort((t["truth"] - t["score.trees"]).abs())[:-1],
        "a row added": lambda t: pl.concat([t, t[:1].with_columns(id=pl.lit("p-new"))]),
        "a row doubled": lambda t: pl.concat([t, t[:1]]),
        "an id changed": lambda t: _set(t, "id", 0, "p-other"),
        "all predictions turned": lambda t: t.with_columns(
            (1 - pl.col("score.trees")).alias("score.trees")
        ),
        "NaN among the scores": lambda t: _set(t, "score.trees", 0, float("nan")),
        "a truth of 2": lambda t: _set(t, "truth", 0, 2),
        "no rows": lambda t: t[:0],
        "a score column gone": lambda t: t.drop("score.trees"),
    }
    tables = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("outcomes-*.parquet"))
    for path in tables:
        for what, change in changes.items():
            if "0001" in path and what not in ("a prediction changed", "a truth changed"):
                continue
            if what == "an id changed" and "contrast" in path:
                continue  # who was in a random split's test is stated, not sealed
            yield forged(f"{path}: {what}", _on_table(path, change))
    test = next(path for path in reversed(tables) if path.endswith("outcomes-test.parquet"))
    yield forged(f"{test}: better scores after the look, and all results from them", _rescored)
    yield forged(f"{tables[-1]}: not Parquet at all", _on_bytes(tables[-1], b"PAR1 hello PAR1"))


def _on_table(path: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Forge:
    def forge(forger: Forger) -> set[str]:
        users = _users(forger, path)
        forger.edit_table(path, change(pl.read_parquet(forger.folder / path)))
        return {path, *users}

    return forge


def _rescored(forger: Forger) -> set[str]:
    """Scores improved with the truth at hand; every number computed from them."""
    import msgspec

    from trackrecord.evaluation.evaluate import evaluate_outcomes
    from trackrecord.evaluation.plan import Plan

    digest = next(
        d
        for d in reversed(forger.of_kind("evaluation"))
        if forger.statements[d]["predicate"]["part"] == "test"
    )
    statement = forger.statements[digest]
    path = statement["subject"][0]["name"]
    table = pl.read_parquet(forger.folder / path).with_columns(
        (0.9 * pl.col("score.trees") + 0.1 * pl.col("truth")).alias("score.trees")
    )
    forger.edit_table(path, table)
    plan = msgspec.convert(statement["predicate"]["plan"], Plan)
    statement["predicate"]["result"] = msgspec.to_builtins(evaluate_outcomes(table, plan))
    return {path}


def _on_bytes(path: str, data: bytes) -> Forge:
    def forge(forger: Forger) -> set[str]:
        users = _users(forger, path)
        forger.edit_file(path, data)
        return {path, *users}

    return forge


def _users(forger: Forger, path: str) -> set[str]:
    """Evidence computed from an outcomes file."""
    return {
        digest
        for digest, statement in forger.statements.items()
        if any(subject["name"] == path for subject in statement["subject"])
        and not statement["predicateType"].endswith("publication:v1")
    }


def _set(table: pl.DataFrame, column: str, row: int, value: Any) -> pl.DataFrame:
    values = table[column].to_list()
    values[row] = value
    return table.with_columns(pl.Series(column, values, dtype=table[column].dtype))


def _exchanged(table: pl.DataFrame) -> pl.DataFrame:
    truth = table["truth"].to_list()
    one, other = truth.index(0), truth.index(1)
    truth[one], truth[other] = 1, 0
    return table.with_columns(pl.Series("truth", truth, dtype=pl.Int8))


def _edit(kind: str, change: Callable[[dict[str, Any]], None], *also: str) -> Forge:
    """Edit the latest predicate of a kind; a finding may name it, or the files in ``also``."""

    def forge(forger: Forger) -> set[str]:
        change(forger.last(kind))
        return {forger.of_kind(kind)[-1], *also}

    return forge


def _results() -> Iterator[Mutation]:
    """Numbers and words of the evaluation and the contrast, edited in the evidence."""

    def at(*keys: str | int) -> Callable[[Callable[[Any], Any]], Callable[[dict[str, Any]], None]]:
        def with_change(change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
            def edit(predicate: dict[str, Any]) -> None:
                place: Any = predicate
                for key in keys[:-1]:
                    place = place[key]
                place[keys[-1]] = change(place[keys[-1]])

            return edit

        return with_change

    more = lambda value: value + 0.01  # noqa: E731
    estimate = ("result", "models", 2, "estimates", 0)
    for name, edit in {
        "value": at(*estimate, "value")(more),
        "a value in the ninth digit": at(*estimate, "value")(lambda v: v * (1 + 1e-8)),
        "lower bound": at(*estimate, "lo")(more),
        "upper bound": at(*estimate, "hi")(lambda v: v - 0.001),
        "standard error": at(*estimate, "se")(lambda v: v / 2),
        "n": at(*estimate, "n")(lambda n: n + 1),
        "method": at(*estimate, "method")(lambda _: "exact"),
        "metric's name": at(*estimate, "metric")(lambda _: "accuracy"),
        "rows": at("result", "rows")(lambda n: n + 1),
        "positives": at("result", "positives")(lambda n: n - 1),
        "clusters": at("result", "clusters")(lambda n: n * 2),
        "a difference": at("result", "differences", 1, "estimates", 0, "value")(more),
        "a slice": at("result", "slices", 0, "estimates", 0, "value")(more),
        "a slice dropped": at("result", "slices")(lambda items: items[1:]),
        "a slice's difference": at("result", "slices", 0, "differences", 0, "lo")(more),
        "a slice's band": at("result", "slices", 0, "difference_bands", 0, "hi")(lambda v: v / 2),
        "the level of a band": at("result", "slices", 0, "bands", 0, "each")(lambda _: 0.95),
        "a slice's bands dropped": at("result", "slices", 0, "bands")(lambda _: []),
        "a net benefit": at("result", "decision", 0, "points", 9, "value")(more),
        "a decision curve's band": at("result", "decision", 0, "points", 9, "lo")(more),
        "a decision curve's threshold": at("result", "decision", 0, "points", 9, "threshold")(more),
        "a gain in net benefit": at("result", "decision", 3, "points", 9, "value")(more),
        "a decision curve dropped": at("result", "decision")(lambda curves: curves[:-1]),
        "no decision curves": at("result", "decision")(lambda _: []),
        "a calibration bin": at("result", "calibration", 0, "bins", 0, "rate")(more),
        "a calibration bin dropped": at("result", "calibration", 0, "bins")(lambda b: b[1:]),
        "a verdict's word": at("result", "verdicts", 0, "verdict")(
            lambda word: "rejected" if word == "accepted" else "accepted"
        ),
        "a verdict's reason": at("result", "verdicts", 0, "reason")(lambda _: "it is plain"),
        "a verdict dropped": at("result", "verdicts")(lambda items: items[1:]),
        "models in another order": at("result", "models")(lambda items: items[::-1]),
        "an absence hidden": at("result", "models", 0, "absent")(lambda _: []),
    }.items():
        yield forged(f"evaluation: {name}", _edit("evaluation", edit))
    row = ("contrasts", 0)
    for name, edit in {
        "estimate": at(*row, "estimates", 0, "value")(lambda v: v + 0.02),
        "mean prediction": at(*row, "prediction_mean")(more),
        "rate": at(*row, "rate")(more),
        "rows": at(*row, "rows")(lambda n: n + 1),
        "name": at(*row, "name")(lambda _: "another protocol"),
        "protocol's words": at(*row, "what")(lambda _: "the sealed split"),
        "honest row's words": at("honest", "what")(lambda _: "the best of ten"),
        "honest row's name": at("honest", "name")(lambda _: "after tuning"),
        "honest estimate": at("honest", "estimates", 0, "value")(lambda v: v - 0.02),
        "honest mean prediction": at("honest", "prediction_mean")(more),
    }.items():
        yield forged(f"contrast: {name}", _edit("contrast", edit))


def _plans() -> Iterator[Mutation]:
    """What was to be measured, changed after the seal – with the results recomputed to fit."""

    def loosened(plan: dict[str, Any]) -> None:
        plan["criteria"][0]["require"] = "roc_auc difference to table > -0.5"

    def dropped(plan: dict[str, Any]) -> None:
        plan["criteria"] = plan["criteria"][1:]

    def narrower(plan: dict[str, Any]) -> None:
        plan["level"] = 0.8

    def fewer(plan: dict[str, Any]) -> None:
        plan["metrics"] = [m for m in plan["metrics"] if m != "log_loss"]

    def unclustered(plan: dict[str, Any]) -> None:
        plan["clustered"] = False

    def no_slices(plan: dict[str, Any]) -> None:
        plan["slices"] = []

    def weaker(plan: dict[str, Any]) -> None:
        plan["reference"] = "base-rate"

    def fewer_baselines(plan: dict[str, Any]) -> None:
        plan["baselines"] = ["table"]

    def coarser(plan: dict[str, Any]) -> None:
        plan["bins"] = 2

    def added(plan: dict[str, Any]) -> None:
        plan["criteria"].append({"name": "easy", "require": "accuracy > 0"})
        plan["metrics"].append("accuracy")

    def each_alone(plan: dict[str, Any]) -> None:
        plan["simultaneous"] = False

    def without_a_decision_curve(plan: dict[str, Any]) -> None:
        plan["decision"] = None

    def on_other_thresholds(plan: dict[str, Any]) -> None:
        plan["decision"] = {"lowest": 0.4, "highest": 0.45}

    for change in (
        *(loosened, dropped, narrower, fewer, unclustered),
        *(no_slices, weaker, fewer_baselines, coarser, added),
        *(each_alone, without_a_decision_curve, on_other_thresholds),
    ):
        yield forged(f"plan {change.__name__} after the seal", _replanned(change))

    def loosen_seal(forger: Forger) -> set[str]:
        seal = forger.of_kind("amendment")[-1]
        criteria = forger.statements[seal]["predicate"]["case"]["spec"]["criterion"]
        criteria[0]["require"] = "roc_auc difference to table > -0.5"
        return {seal}

    yield forged("the sealed criterion itself loosened, its digest kept", loosen_seal)


def _power() -> Iterator[Mutation]:
    """What the seal reckoned before training, prettier than it was."""

    def surer(seal: dict[str, Any]) -> None:
        seal["plan"][0]["chance"] = 0.9

    def needing_fewer(seal: dict[str, Any]) -> None:
        seal["plan"][0]["rows_needed"] = 100

    def of_more_rows(seal: dict[str, Any]) -> None:
        seal["planned_for"]["rows"] *= 10

    def in_more_clusters(seal: dict[str, Any]) -> None:
        seal["planned_for"]["clusters"] += 50

    def at_another_rate(seal: dict[str, Any]) -> None:
        seal["planned_for"]["prevalence"] = 0.5

    def with_clusters_that_do_not_matter(seal: dict[str, Any]) -> None:
        seal["planned_for"]["design_effect"] = 1.0

    def not_telling_what_for(seal: dict[str, Any]) -> None:
        seal["planned_for"] = None

    for change in (
        *(surer, needing_fewer, of_more_rows, in_more_clusters, at_another_rate),
        *(with_clusters_that_do_not_matter, not_telling_what_for),
    ):
        yield forged(f"seal {change.__name__}", _edit("amendment", change))


def _replanned(change: Callable[[dict[str, Any]], None]) -> Forge:
    """Change the plan, and compute the result anew so that it fits."""

    def forge(forger: Forger) -> set[str]:
        import msgspec

        from trackrecord.evaluation.evaluate import evaluate_outcomes
        from trackrecord.evaluation.plan import Plan

        digest = forger.of_kind("evaluation")[-1]
        statement = forger.statements[digest]
        predicate = statement["predicate"]
        change(predicate["plan"])
        plan = msgspec.convert(predicate["plan"], Plan)
        table = pl.read_parquet(forger.folder / statement["subject"][0]["name"])
        predicate["result"] = msgspec.to_builtins(evaluate_outcomes(table, plan))
        return {digest}

    return forge


def _order() -> Iterator[Mutation]:
    """Events moved, re-dated, dropped or renamed, and the chain rebuilt."""

    def without(kind: str, index: int) -> Forge:
        def forge(forger: Forger) -> set[str]:
            digest = forger.of_kind(kind)[index]
            forger.entries = [e for e in forger.entries if e["evidence"] != digest]
            del forger.statements[digest]
            users = {d for d, s in forger.statements.items() if digest in json.dumps(s)}
            later = set(forger.of_kind("evaluation") + forger.of_kind("contrast"))
            return {*users, *later, *forger.of_kind("amendment"), CHAIN, "index.html"}

        return forge

    def moved(kind: str, index: int, behind: str) -> Forge:
        def forge(forger: Forger) -> set[str]:
            entry = forger.entry_of(forger.of_kind(kind)[index])
            target = forger.entry_of(forger.of_kind(behind)[-1])
            forger.entries.remove(entry)
            forger.entries.insert(forger.entries.index(target) + 1, entry)
            times = sorted(e["time"] for e in forger.entries)
            for each, time in zip(forger.entries, times, strict=True):
                each["time"] = time
            users = {d for d, s in forger.statements.items() if entry["evidence"] in json.dumps(s)}
            evaluations = set(forger.of_kind("evaluation"))
            return {entry["evidence"], *users, *evaluations, CHAIN}

        return forge

    def redated(kind: str, time: str) -> Forge:
        def forge(forger: Forger) -> set[str]:
            forger.entry_of(forger.of_kind(kind)[0])["time"] = time
            return {CHAIN, "index.html"}

        return forge

    def renamed(kind: str, to: str) -> Forge:
        def forge(forger: Forger) -> set[str]:
            digest = forger.of_kind(kind)[-1]
            forger.entry_of(digest)["kind"] = to
            return {digest, CHAIN}

        return forge

    def given_away(forger: Forger) -> set[str]:
        """The first test evaluation is said to be of another case, so that it looks withheld."""
        digest = next(
            d
            for d in forger.of_kind("evaluation")
            if forger.statements[d]["predicate"]["part"] == "test"
        )
        forger.entry_of(digest)["case"] = "b" * 64
        return {digest}

    def cherry_picked(forger: Forger) -> set[str]:
        tests = [
            d
            for d in forger.of_kind("evaluation")
            if forger.statements[d]["predicate"]["part"] == "test"
        ]
        forger.last("publication")["evaluation"] = tests[0]
        return {forger.of_kind("publication")[-1]}

    def unpublished(forger: Forger) -> set[str]:
        forger.entries = forger.entries[:-1]
        return {CHAIN}

    for kind, index in (("look", 0), ("look", 1), ("amendment", 0), ("run", 1), ("evaluation", 1)):
        yield forged(f"{kind} {index} removed, chain rebuilt", without(kind, index))
    yield forged("seal moved behind the run", moved("seal", 0, "run"))
    yield forged("amendment moved behind the run", moved("amendment", -1, "run"))
    yield forged("look moved behind the evaluation", moved("look", 1, "evaluation"))
    yield forged("run moved behind the evaluation", moved("run", 1, "evaluation"))
    yield forged("seal re-dated after the run", redated("seal", "2099-01-01T00:00:00Z"))
    yield forged("run re-dated before the seal", redated("run", "1999-01-01T00:00:00Z"))
    for kind, to in (("look", "note"), ("evaluation", "look"), ("seal", "run"), ("run", "seal")):
        yield forged(f"{kind} called {to}", renamed(kind, to))
    yield forged("an evaluation given to another case", given_away)
    yield forged("an earlier evaluation published", cherry_picked)
    yield forged("publication entry removed", unpublished)
    for field, value in (
        *(("look", 1), ("look", 7), ("amendments", 0), ("looks_before_amendment", 0)),
        *(("sealed", False), ("seal", None), ("look_evidence", "c" * 64), ("part", "validation")),
    ):
        change = _setting(field, value)
        yield forged(f"evaluation: {field} says {value}", _edit("evaluation", change))
    yield forged("contrast: look says 1", _edit("contrast", _setting("look", 1)))
    yield forged(
        "publication leaves the contrast out", _edit("publication", _setting("contrast", None))
    )
    yield forged("amendment: looks says 0", _edit("amendment", _setting("looks", 0)))
    yield forged("amendment: changed says nothing", _edit("amendment", _setting("changed", [])))
    yield forged("run: says it was not sealed", _edit("run", _setting("sealed", False)))


def _anywhere(forge: Forge) -> Forge:
    """What contradicts two files may be told of either."""

    def forge_it(forger: Forger) -> set[str]:
        files = forge(forger)
        tables = {
            path.relative_to(forger.folder).as_posix() for path in forger.folder.rglob("*.parquet")
        }
        return {*files, *forger.of_kind("run"), *tables}

    return forge_it


def _setting(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def edit(predicate: dict[str, Any]) -> None:
        assert field in predicate
        predicate[field] = value

    return edit


def _statements() -> Iterator[Mutation]:
    """Statements bent out of shape, or brought in from another case."""

    def whole(kind: str, change: Callable[[dict[str, Any]], None]) -> Forge:
        def forge(forger: Forger) -> set[str]:
            digest = forger.of_kind(kind)[-1]
            change(forger.statements[digest])
            return {digest}

        return forge

    def extra(statement: dict[str, Any]) -> None:
        statement["predicate"]["surprise"] = 1

    def missing(statement: dict[str, Any]) -> None:
        del statement["predicate"]["case"]

    def mistyped(statement: dict[str, Any]) -> None:
        statement["predicate"]["tool"] = 7

    def other_type(statement: dict[str, Any]) -> None:
        statement["_type"] = "https://in-toto.io/Statement/v0.1"

    def other_predicate(statement: dict[str, Any]) -> None:
        statement["predicateType"] = "https://slsa.dev/provenance/v1"

    def no_subject(statement: dict[str, Any]) -> None:
        statement["subject"] = []

    def short_digest(statement: dict[str, Any]) -> None:
        statement["subject"][0]["digest"] = {"sha256": "abc"}

    def stray_field(statement: dict[str, Any]) -> None:
        statement["comment"] = "trust me"

    def other_case(statement: dict[str, Any]) -> None:
        case = statement["predicate"]["case"]
        if isinstance(case, dict):
            case["name"] = "other"
        else:
            statement["predicate"]["case"] = "other"

    for change in (
        *(extra, missing, mistyped, other_type, other_predicate),
        *(no_subject, short_digest, stray_field, other_case),
    ):
        for kind in ("seal", "run", "look", "evaluation"):
            if change is no_subject or kind != "look" or change is extra:
                yield forged(f"{kind}: {change.__name__}", whole(kind, change))

    def other_run(statement: dict[str, Any]) -> None:
        statement["subject"] = [{"name": "run", "digest": {"sha256": "a" * 64}}]

    def other_file(statement: dict[str, Any]) -> None:
        statement["subject"][0]["name"] = "runs/parcels/0001/predictions.parquet"

    def no_evaluation(statement: dict[str, Any]) -> None:
        statement["subject"].pop()

    def other_content(statement: dict[str, Any]) -> None:
        statement["subject"][1]["digest"]["trackrecordTable1"] = "a" * 64

    def stronger(statement: dict[str, Any]) -> None:
        statement["predicate"]["models"][2]["parameters"]["max_iter"] = 3000

    def other_kind(statement: dict[str, Any]) -> None:
        statement["predicate"]["models"][2]["kind"] = "sklearn.svm.SVC"

    def other_features(statement: dict[str, Any]) -> None:
        statement["predicate"]["features"].append("arrived")

    def more_rows(statement: dict[str, Any]) -> None:
        statement["predicate"]["rows"]["train"] += 1000

    def free_data(statement: dict[str, Any]) -> None:
        statement["predicate"]["data"][0]["license"] = "CC0-1.0"

    def fewer_planned(statement: dict[str, Any]) -> None:
        statement["predicate"]["plan"].pop()

    def happier_training(statement: dict[str, Any]) -> None:
        statement["predicate"]["split"]["parts"]["train"]["positives"] += 1

    def earlier_test(statement: dict[str, Any]) -> None:
        statement["predicate"]["split"]["parts"]["test"]["first"] = "2020-01-01T00:00:00Z"

    for kind, changes in {
        "look": [other_run],
        "run": [other_file, stronger, other_kind, other_features, more_rows],
        "contrast": [no_evaluation],
        "amendment": [other_content, free_data, fewer_planned, happier_training, earlier_test],
    }.items():
        for change in changes:
            yield forged(f"{kind}: {change.__name__}", _anywhere(whole(kind, change)))

    def spliced(forger: Forger) -> set[str]:
        """Evidence of another case, made from this one's, brought into the chain."""
        digest = forger.of_kind("evaluation")[-1]
        foreign = copy.deepcopy(forger.statements[digest])
        foreign["predicate"]["case"] = "other"
        key = "d" * 64
        forger.statements[key] = foreign
        entry = dict(forger.entry_of(digest)) | {"evidence": key}
        entry.pop("digest")
        forger.entries.insert(len(forger.entries) - 1, entry)
        return {key}

    yield forged("evidence of another case spliced in", spliced)
