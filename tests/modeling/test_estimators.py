from __future__ import annotations

import numpy as np
import pytest

from trackrecord.errors import CaseError, MissingExtra

from .conftest import Load, model


def estimator(dotted: str, rest: str = "") -> tuple[str, str]:
    return model(f'[[model]]\nname = "m"\nestimator = "{dotted}"\n{rest}\n')


@pytest.mark.parametrize(
    ("dotted", "rest"),
    [
        ("sklearn.ensemble.RandomForestClassifier", "parameters = { n_estimators = 5 }"),
        ("sklearn.ensemble.HistGradientBoostingClassifier", 'encode = "one_hot"'),
        ("sklearn.linear_model.LogisticRegression", 'encode = "ordinal"'),
        ("sklearn.naive_bayes.GaussianNB", ""),
        ("sklearn.neighbors.KNeighborsClassifier", ""),
        ("sklearn.tree.DecisionTreeClassifier", 'encode = "ordinal"'),
        ("sklearn.dummy.DummyClassifier", ""),
    ],
)
def test_a_classifier_of_scikit_learn_is_trained(load: Load, dotted: str, rest: str) -> None:
    trained = load(estimator(dotted, rest)).train()
    scores = trained.predictions["score.m"]
    assert scores.is_between(0, 1).all()
    assert trained.models[-1].kind == dotted


def test_the_seed_reaches_the_estimator_and_its_parameters_are_recorded(load: Load) -> None:
    forest = estimator(
        "sklearn.ensemble.RandomForestClassifier", "parameters = { n_estimators = 3 }"
    )
    loaded = load(forest)
    first, again, other = (loaded.train(seed=seed) for seed in (1, 1, 2))
    assert first.predictions.equals(again.predictions)
    assert not first.predictions.equals(other.predictions)
    assert first.models[-1].parameters["random_state"] == 1
    assert first.models[-1].parameters["n_estimators"] == 3


def test_histogram_boosting_is_told_which_columns_are_codes(load: Load) -> None:
    trained = load().train()
    assert trained.models[-1].parameters["categorical_features"] == "[0]"


def test_few_bins_make_fewer_codes(load: Load) -> None:
    loaded = load(("max_iter = 20", "max_iter = 20, max_bins = 4"))
    assert loaded.train().models[-1].parameters["max_bins"] == 4


def test_a_solver_that_stops_early_leaves_a_note(load: Load) -> None:
    change = estimator("sklearn.linear_model.LogisticRegression", "parameters = { max_iter = 1 }")
    (note,) = load(change).train().models[-1].notes
    assert note.startswith("ConvergenceWarning: lbfgs failed to converge")


@pytest.mark.parametrize(
    ("dotted", "what", "why"),
    [
        ("os.system", "cannot come from 'os'", "packages: sklearn"),
        ("subprocess.Popen", "cannot come from 'subprocess'", "packages: sklearn"),
        ("skleran.svm.SVC", "cannot come from 'skleran'", "did you mean 'sklearn'?"),
        ("sklearn", "cannot come from 'sklearn'", ""),
        (
            "sklearn.ensemble.HistGradientBoostingClasifier",
            "has no estimator 'HistGradientBoostingClasifier'",
            "did you mean 'HistGradientBoostingClassifier'?",
        ),
        (
            "sklearn.linear.LogisticRegression",
            "there is no estimator sklearn.linear.LogisticRegression",
            "did you mean 'sklearn.linear_model.LogisticRegression'?",
        ),
        ("sklearn.metrics.roc_auc_score", "has no estimator 'roc_auc_score'", ""),
        ("sklearn.model_selection.KFold", "is not an estimator", "lacks fit"),
        ("sklearn.svm.LinearSVC", "gives no probabilities", "no predict_proba"),
        ("sklearn.linear_model.LinearRegression", "gives no probabilities", "no predict_proba"),
    ],
)
def test_a_name_that_is_no_classifier_is_refused(
    load: Load, dotted: str, what: str, why: str
) -> None:
    with pytest.raises(CaseError) as caught:
        load(estimator(dotted)).train()
    assert what in caught.value.what + (caught.value.why or "")
    assert why in (caught.value.why or "")
    assert "model 'm' in the case 'tumour'" in str(caught.value)


def test_a_package_that_is_not_installed_is_named_with_the_command(load: Load) -> None:
    from importlib.util import find_spec

    absent = next(
        name for name in ("lightgbm", "catboost", "ngboost", "interpret") if not find_spec(name)
    )
    with pytest.raises(MissingExtra) as caught:
        load(estimator(f"{absent}.Classifier")).train()
    assert caught.value.next == f"pip install {absent}"


def test_a_misspelt_parameter_gets_a_suggestion(load: Load) -> None:
    with pytest.raises(CaseError) as caught:
        load(("max_iter = 20", "max_itr = 20")).train()
    assert caught.value.what.endswith("has no parameter 'max_itr'")
    assert caught.value.why == "did you mean 'max_iter'?"


def test_a_parameter_of_the_wrong_kind_is_told_in_the_estimators_own_words(load: Load) -> None:
    with pytest.raises(CaseError, match="could not be trained") as caught:
        load(("max_iter = 20", 'max_iter = "many"')).train()
    assert "'max_iter' parameter" in (caught.value.why or "")


def test_a_case_without_features_cannot_be_trained(load: Load) -> None:
    features = ["mean radius", "mean texture", "worst area", "clinic", "biopsied"]
    old = f"features = {features}".replace("'", '"')
    with pytest.raises(CaseError, match="no features to learn from"):
        load((old, "features = []")).train()


def test_a_feature_listed_twice_counts_once(load: Load) -> None:
    twice = load(('"mean radius", ', '"mean radius", "mean radius", ')).train()
    once = load().train()
    assert twice.predictions.equals(once.predictions)


def test_an_estimator_may_have_features_of_its_own(load: Load) -> None:
    trained = load(estimator("sklearn.naive_bayes.GaussianNB", 'features = ["worst area"]')).train()
    assert trained.models[-1].features == ["worst area"]
    assert np.unique(trained.predictions["score.m"].to_numpy()).size > 10
