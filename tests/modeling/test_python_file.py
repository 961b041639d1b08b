from __future__ import annotations

import hashlib
import sys

import pytest

from trackrecord.errors import CaseError, DataError

from .conftest import PYTHON, Load, model

GOOD = """\
import numpy as np

class Threshold:
    def fit(self, X, y):
        self.cut = X["mean radius"].median()

    def predict_proba(self, X):
        return np.where(X["mean radius"].to_numpy() > self.cut, 0.9, 0.1)

def build(seed):
    return Threshold()
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_file_with_one_function_is_a_model(load: Load) -> None:
    loaded = load(PYTHON, file=GOOD)
    trained = loaded.train()
    assert set(trained.predictions["score.mine"].to_list()) == {0.1, 0.9}
    mine = trained.models[-1]
    assert (mine.kind, mine.role) == ("python model.py:build", "model")
    digest = hashlib.sha256(GOOD.encode()).hexdigest()
    assert [(s.path, s.sha256) for s in mine.sources] == [("cases/tumour/model.py", digest)]
    assert sorted(p.name for p in loaded.folder.iterdir()) == ["case.toml", "model.py"]


def test_it_gets_the_features_as_they_are_and_the_seed(load: Load) -> None:
    text = changed(
        'self.cut = X["mean radius"].median()',
        "assert X.columns[3] == 'clinic' and X['clinic'].null_count() and y.dtype == np.int8\n"
        "        self.cut = 15",
    ).replace("return Threshold()", "assert seed == 99; return Threshold()")
    load(PYTHON, file=text).train(seed=99)


def test_a_pipeline_of_scikit_learn_is_a_model(load: Load) -> None:
    text = """\
from sklearn.ensemble import RandomForestClassifier

class Forest:
    def __init__(self, seed, trees): self.forest = RandomForestClassifier(trees, random_state=seed)
    def fit(self, X, y): self.forest.fit(X.select("mean radius", "worst area").to_numpy(), y)
    def predict_proba(self, X):
        return self.forest.predict_proba(X.select("mean radius", "worst area").to_numpy())

def build(seed, trees=100):
    return Forest(seed, trees)
"""
    change = model(
        '[[model]]\nname = "mine"\npython = "model.py:build"\nparameters = { trees = 4 }'
    )
    trained = load(change, file=text).train()
    assert trained.models[-1].parameters == {"trees": 4}
    steps = {round(4 * p, 9) for p in trained.predictions["score.mine"].to_list()}
    assert steps <= {0, 1, 2, 3, 4}


def test_classes_in_another_order_are_told_apart(load: Load) -> None:
    text = changed("self.cut =", "self.classes_ = [1, 0]; self.cut =").replace(
        "return np.where(", "return np.array([[0.7, 0.3]] * len(X)) if True else np.where("
    )
    assert set(load(PYTHON, file=text).train().predictions["score.mine"].to_list()) == {0.7}


def test_neighbours_can_be_imported_and_are_part_of_the_record(load: Load) -> None:
    text = changed("import numpy as np", "import numpy as np\nfrom cuts import CUT").replace(
        'X["mean radius"].median()', "CUT"
    )
    loaded = load(PYTHON, file=text)
    (loaded.folder / "cuts.py").write_text("CUT = 14\n")
    sources = loaded.train().models[-1].sources
    assert [s.path for s in sources] == ["cases/tumour/cuts.py", "cases/tumour/model.py"]
    assert "cuts" not in sys.modules
    # Changed, it is read again: nothing stays in memory from the run before.
    (loaded.folder / "cuts.py").write_text("CUT = 1000\n")
    assert set(loaded.train().predictions["score.mine"].to_list()) == {0.1}


def test_what_the_file_prints_stays_out_of_standard_output(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    load(PYTHON, file=changed("self.cut =", "print('fitting'); self.cut =")).train()
    said = capsys.readouterr()
    assert said.out == ""
    assert "fitting" in said.err


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        (changed("import numpy as np", "import nunpy"), ":1, in <module>: import nunpy", "nunpy"),
        (changed("def fit(self, X, y):", "def fit(self, X, y)"), ":4:24: def fit", "':'"),
        (changed("X[", "X.nothing["), ":5, in fit: self.cut = X.nothing[", "nothing"),
        (changed("0.9, 0.1", "0.9, oops"), ":8, in predict_proba: return", "'oops'"),
        (changed("return Threshold()", "return 1 / (seed * 0)"), ":11, in build", "Zero"),
        (changed("self.cut =", "import sys; sys.exit(3); self.cut ="), ":5, in fit", "SystemExit"),
        (changed("return Threshold()", "raise RuntimeError"), ":11, in build", "RuntimeError"),
    ],
)
def test_an_error_in_the_file_is_told_with_its_own_line(
    load: Load, text: str, place: str, why: str
) -> None:
    with pytest.raises(CaseError, match="the model 'mine' failed") as caught:
        load(PYTHON, file=text).train()
    assert (caught.value.where or "").startswith("cases/tumour/model.py" + place)
    assert why in (caught.value.why or "")


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("model.py", "does not name a file and a function"),
        ("model.txt:build", "does not name a file and a function"),
        ("model.py:build()", "does not name a file and a function"),
        ("../../model.py:build", "is not in the case's folder"),
        ("/etc/model.py:build", "is not in the case's folder"),
        ("modle.py:build", "did you mean 'model.py'?"),
        ("model.py:biuld", "did you mean 'build'?"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(load: Load, reference: str, what: str) -> None:
    change = model(f'[[model]]\nname = "mine"\npython = "{reference}"')
    with pytest.raises(CaseError) as caught:
        load(change, file=GOOD).train()
    assert what in str(caught.value)


def test_a_link_out_of_the_cases_folder_is_refused(load: Load) -> None:
    loaded = load(PYTHON)
    (loaded.root / "elsewhere.py").write_text(GOOD)
    (loaded.folder / "model.py").symlink_to(loaded.root / "elsewhere.py")
    with pytest.raises(CaseError, match="is not in the case's folder"):
        loaded.train()


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("Threshold", "returned the class Threshold"),
        ("None", "returned NoneType, which has no fit and no predict_proba"),
        ("seed", "returned int, which has no fit"),
    ],
)
def test_a_function_that_returns_no_model_is_told_so(load: Load, made: str, what: str) -> None:
    with pytest.raises(CaseError, match=what):
        load(PYTHON, file=changed("return Threshold()", f"return {made}")).train()


def test_a_misspelt_parameter_of_the_function_gets_a_suggestion(load: Load) -> None:
    change = model('[[model]]\nname = "mine"\npython = "model.py:build"\nparameters = {tres = 4}')
    with pytest.raises(CaseError) as caught:
        load(change, file=changed("build(seed)", "build(seed, trees=3)")).train()
    assert caught.value.why == "did you mean 'trees' by 'tres'?"


def test_a_function_without_a_seed_is_told_so(load: Load) -> None:
    with pytest.raises(CaseError, match="cannot be called with the seed"):
        load(PYTHON, file=changed("build(seed)", "build()")).train()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("np.full(len(X), np.nan)", "scores that are not finite"),
        ("np.full(len(X), 1.5)", r"outside \[0, 1\], such as 1.5"),
        ("np.full(3, 0.5)", r"scores of the shape \(3,\)"),
        ("np.full((len(X), 3), 0.3)", "scores of the shape"),
        ("['high'] * len(X)", "scores that are not numbers"),
        ("None", "scores that are not finite|scores of the shape"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(load: Load, value: str, what: str) -> None:
    text = GOOD.replace("return np.where(", f"return {value}\n        np.where(")
    with pytest.raises(DataError, match=what):
        load(PYTHON, file=text).train()


def test_a_model_that_writes_into_what_it_is_given_harms_no_other(load: Load) -> None:
    honest = load().train().predictions
    change = model(
        '[[model]]\nname = "mine"\npython = "model.py:build"\n'
        '[[model]]\nname = "boosted"\nestimator = "sklearn.ensemble.HistGradientBoostingClassifier"'
        '\nencode = "ordinal"\nparameters = { max_iter = 20 }'
    )
    text = changed("self.cut =", "y[:] = 0; self.cut =")
    after = load(change, file=text).train().predictions
    assert after["score.boosted"].equals(honest["score.boosted"])


def test_a_careless_model_that_draws_from_global_generators_is_repeatable(load: Load) -> None:
    text = changed("np.where(", "np.random.random(len(X)) * np.where(")
    loaded = load(PYTHON, file=text)
    first, again = loaded.train(), loaded.train()
    assert first.predictions["score.mine"].equals(again.predictions["score.mine"])
    assert not first.predictions["score.mine"].equals(
        loaded.train(seed=1).predictions["score.mine"]
    )
