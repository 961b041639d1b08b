from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import polars as pl
import pytest

from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.run import predictions_bytes

from .conftest import ELSEWHERE, PYTHON, Load, Loaded, model

ONCE = """\
import hashlib, sys
from pathlib import Path
from trackrecord.cases.reader import read_case
from trackrecord.data.split import assign_parts
from trackrecord.data.table import load_case_table
from trackrecord.modeling.run import predictions_bytes
from trackrecord.modeling.train import train_and_predict
root = Path(sys.argv[1])
folder = root / "cases" / "tumour"
case, _ = read_case(folder / "case.toml")
table = load_case_table(case, root)
trained = train_and_predict(case, table, assign_parts(table.frame, case), case_folder=folder,
                            progress=lambda step, share: None)
print(hashlib.sha256(predictions_bytes(trained.predictions)).hexdigest())
"""


def test_every_model_predicts_every_unit_of_validation_and_test_in_the_cases_order(
    load: Load,
) -> None:
    loaded = load()
    predictions = loaded.train().predictions
    asked = loaded.table.frame.filter(loaded.parts.is_in(["validation", "test"]))
    assert predictions["id"].equals(asked["id"])
    assert predictions.columns == [
        "id",
        "part",
        *(f"score.{name}" for name in ("base_rate", "table", "logistic", "boosted")),
    ]


@pytest.mark.slow
def test_the_same_case_gives_the_same_bytes_in_other_processes_with_other_threads(
    load: Load,
) -> None:
    loaded = load()
    here = hashlib.sha256(predictions_bytes(loaded.train().predictions)).hexdigest()
    for threads in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", ONCE, str(loaded.root)],
            env={
                **os.environ,
                "OMP_NUM_THREADS": threads,
                "OPENBLAS_NUM_THREADS": threads,
                "POLARS_MAX_THREADS": threads,
                "PYTHONHASHSEED": threads,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == here


def test_another_seed_gives_other_predictions(load: Load) -> None:
    # Early stopping draws its own rows by the seed.
    loaded = load(("max_iter = 20", "max_iter = 20, early_stopping = true"))
    assert not loaded.train(seed=1).predictions.equals(loaded.train(seed=2).predictions)


def test_the_truth_of_validation_and_test_changes_no_prediction(load: Load) -> None:
    loaded = load()
    train = loaded.parts == "train"
    turned = loaded.table.frame.with_columns(
        truth=pl.when(train).then("truth").otherwise(1 - pl.col("truth")).cast(pl.Int8),
        malignant=pl.when(train).then("malignant").otherwise(pl.lit("yes")),
        grade=pl.when(train).then("grade").otherwise(pl.lit(0)),
    )
    table = type(loaded.table)(turned, {}, loaded.table.sources)
    lied = Loaded(loaded.root, loaded.case, table, loaded.parts, loaded.folder)
    assert lied.train().predictions.equals(loaded.train().predictions)


def test_rows_in_no_part_are_neither_learnt_from_nor_predicted(load: Load) -> None:
    loaded = load()
    number = pl.int_range(len(loaded.parts), eager=True)
    some = pl.select(pl.when(number % 4 > 0).then(loaded.parts))[:, 0].alias("part")
    fewer = Loaded(loaded.root, loaded.case, loaded.table, some, loaded.folder)
    kept = loaded.table.frame.filter(some.is_not_null())
    alone = Loaded(
        loaded.root,
        loaded.case,
        type(loaded.table)(kept, {}, []),
        some.drop_nulls(),
        loaded.folder,
    )
    assert fewer.train().predictions.equals(alone.train().predictions)


@pytest.mark.parametrize("label", ["yes", "no"])
def test_a_training_part_with_one_class_is_refused(load: Load, label: str) -> None:
    loaded = load()
    parts = loaded.parts.to_frame().select(
        pl.when(loaded.table.frame["malignant"] != label)
        .then(pl.lit("test"))
        .otherwise("part")
        .alias("part")
    )["part"]
    with pytest.raises(DataError, match="the training part has one class only"):
        Loaded(loaded.root, loaded.case, loaded.table, parts, loaded.folder).train()


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused(load: Load, seed: int) -> None:
    with pytest.raises(CaseError, match="is not between 0 and 4,294,967,295"):
        load().train(seed=seed)


def test_nothing_is_trained_when_the_last_model_cannot_be_made(load: Load) -> None:
    steps: list[str] = []
    loaded = load(PYTHON, file="def build(seed):\n    return None\n")
    from trackrecord.modeling.train import train_and_predict

    with pytest.raises(CaseError, match="has no fit"):
        train_and_predict(
            loaded.case,
            loaded.table,
            loaded.parts,
            case_folder=loaded.folder,
            progress=lambda step, share: steps.append(step),
        )
    assert steps == []


def test_a_model_made_elsewhere_cannot_be_trained_here(load: Load) -> None:
    with pytest.raises(CaseError, match="is made by another program") as caught:
        load(ELSEWHERE).train()
    assert caught.value.next == "trackrecord run tumour --outcomes FILE --model mine"


def test_a_model_with_two_origins_is_refused(load: Load) -> None:
    both = model(
        '[[model]]\nname = "m"\nestimator = "sklearn.dummy.DummyClassifier"\npython = "a.py:b"'
    )
    with pytest.raises(CaseError, match="has an estimator and a Python file"):
        load(both).train()


def test_a_time_feature_is_refused_before_a_model_sees_it(load: Load) -> None:
    loaded = load()
    frame = loaded.table.frame.with_columns(clinic=pl.lit("2024-01-01").str.to_date())
    table = type(loaded.table)(frame, {}, [])
    with pytest.raises(CaseError, match="'clinic' holds dates, which have no one encoding"):
        Loaded(loaded.root, loaded.case, table, loaded.parts, loaded.folder).train()
