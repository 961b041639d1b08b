from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from trackrecord.cli.main import main
from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.environment import Threads, most_threads

from .conftest import PYTHON, Load, model
from .test_python_file import GOOD
from .test_run import everything

CARELESS = """\
import random
import numpy as np
from sklearn.linear_model import LogisticRegression

class Careless:
    def __init__(self, shift):
        self.shift, self.steps = shift, LogisticRegression(max_iter=5000)

    def fit(self, X, y):
        self.columns = X.columns[:3]
        noise = np.random.normal(size=(len(X), 3))
        self.steps.fit(X.select(self.columns).to_numpy() + noise, y)

    def predict_proba(self, X):
        shown = X.select(self.columns).to_numpy() + random.random() * self.shift
        return self.steps.predict_proba(shown)

def build(seed, name="none", share=0.5):
    return Careless(np.random.random() + share)
"""

TWO = model(
    '[[model]]\nname = "mine"\npython = "model.py:build"\n'
    "parameters = { name = 'ü', share = 0.25 }\n"
    '[[model]]\nname = "boosted"\nestimator = "sklearn.ensemble.HistGradientBoostingClassifier"\n'
    'encode = "ordinal"\nparameters = { max_iter = 5 }\n'
    '[[model]]\nname = "other"\npython = "model.py:build"\nfeatures = ["worst area", '
    '"mean radius", "mean texture"]'
)


@pytest.mark.slow
def test_predictions_are_those_of_the_models_in_this_process_bit_for_bit(load: Load) -> None:
    loaded = load(TWO, file=CARELESS)
    here, there = loaded.train(), loaded.train(isolated=True)
    assert there.predictions.equals(here.predictions)
    assert there.predictions["score.mine"].n_unique() > 100
    assert not there.predictions["score.mine"].equals(there.predictions["score.other"])
    for one, other in zip(here.models, there.models, strict=True):
        assert (one.name, one.kind, one.features) == (other.name, other.kind, other.features)
        assert (one.parameters, one.sources) == (other.parameters, other.sources)
    assert here.threads.blas == there.threads.blas == 1
    assert here.child_memory_mb is None
    assert (there.child_memory_mb or 0) > 20
    assert not loaded.train(seed=1, isolated=True).predictions.equals(there.predictions)


def changed(new: str) -> str:
    return GOOD.replace("self.cut =", f"{new}; self.cut =")


@pytest.mark.parametrize(
    ("text", "what", "where", "why"),
    [
        (changed("import os; os._exit(0)"), "in fit", "model.py", "ended with code 0"),
        (
            changed("import ctypes; ctypes.string_at(0)"),
            "in fit",
            "model.py:5, in fit",
            "SIGSEGV: a crash in compiled code",
        ),
        (
            GOOD.replace("return np", "import os; os.kill(os.getpid(), 9)\n        return np"),
            "in predict_proba",
            "model.py",
            "SIGKILL: killed from outside; the system does so when memory runs out",
        ),
        (
            "import os\nos.abort()\n" + GOOD,
            "while making it",
            "model.py:2, in <module>",
            "SIGABRT",
        ),
    ],
)
def test_a_model_that_ends_its_process_is_told_with_what_is_known(
    load: Load, text: str, what: str, where: str, why: str
) -> None:
    with pytest.raises(CaseError, match=f"the model 'mine' ended its process {what}") as caught:
        load(PYTHON, file=text).train(isolated=True)
    assert caught.value.where == f"cases/tumour/{where}"
    assert why in (caught.value.why or "")
    assert caught.value.next


@pytest.mark.slow
def test_a_process_that_the_model_forked_does_not_keep_the_run_waiting(load: Load) -> None:
    text = changed("import os, time; os.fork() or time.sleep(60); os._exit(1)")
    began = time.monotonic()
    with pytest.raises(CaseError, match="ended its process"):
        load(PYTHON, file=text).train(isolated=True)
    assert time.monotonic() - began < 30


def test_such_a_model_ends_the_command_with_2_and_changes_nothing(
    load: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    root = load(PYTHON, file=changed("import os; print('so far'); os._exit(0)")).root
    before = everything(root)
    assert main(["run", "-C", str(root), "tumour", "--unsealed"]) == 2
    said = capfd.readouterr().err
    assert "so far" in said
    assert "✗ the model 'mine' ended its process in fit" in said
    assert "Traceback" not in said
    assert everything(root) == before


def test_an_error_keeps_its_line_and_debug_shows_the_whole_of_it(
    load: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    root = load(PYTHON, file=GOOD.replace("X[", "X.nothing[")).root
    words = ["run", "-C", str(root), "tumour", "--unsealed"]
    assert main(words) == 2
    short = capfd.readouterr().err
    assert "where: cases/tumour/model.py:5, in fit: self.cut = X.nothing[" in short
    assert "Traceback" not in short
    assert main([*words, "--debug"]) == 2
    assert "'DataFrame' object has no attribute 'nothing'" in capfd.readouterr().err
    assert main([*words, "--in-process"]) == 2
    assert capfd.readouterr().err.splitlines()[-4:] == short.splitlines()[-4:]


def test_scores_that_are_no_numbers_are_refused_there_as_here(load: Load) -> None:
    text = GOOD.replace("return np.where(", "return ['high'] * len(X)\n        np.where(")
    loaded = load(PYTHON, file=text)
    said = []
    for isolated in (False, True):
        with pytest.raises(DataError, match="numbers") as caught:
            loaded.train(isolated=isolated)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_what_it_prints_goes_to_standard_error_however_it_does(
    load: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    prints = "print('plain ü'); import os; os.system('echo shell'); os.write(1, b'raw\\n')"
    load(PYTHON, file=changed(prints)).train(isolated=True)
    said = capfd.readouterr()
    assert said.out == ""
    assert {"plain ü", "shell", "raw"} <= set(said.err.splitlines())


def test_it_cannot_read_what_is_not_meant_for_it(load: Load) -> None:
    with pytest.raises(CaseError, match="failed in fit") as caught:
        load(PYTHON, file=changed("input()")).train(isolated=True)
    assert "EOFError" in (caught.value.why or "")


def test_a_keyboard_interrupt_of_the_models_own_is_no_ctrl_c(load: Load) -> None:
    with pytest.raises(CaseError, match="the model 'mine' failed") as caught:
        load(PYTHON, file=changed("raise KeyboardInterrupt")).train(isolated=True)
    assert "KeyboardInterrupt" in (caught.value.why or "")


@pytest.mark.slow
def test_the_process_ends_with_the_one_that_started_it(load: Load, tmp_path: Path) -> None:
    from .test_run import SLOW_MODEL, start

    mark = tmp_path / "process"
    text = SLOW_MODEL.replace(
        'print("fitting"', f"import os; open({str(mark)!r}, 'w').write(str(os.getpid()));"
        'print("fitting"'
    )  # fmt: skip
    running = start(load(PYTHON, file=text).root)
    child = int(mark.read_text())
    running.send_signal(signal.SIGKILL)
    running.communicate()
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("it lives on")


def test_of_two_processes_the_most_threads_count() -> None:
    one = Threads(blas=1, openmp=None, polars=2)
    other = Threads(blas=1, openmp=4, polars=None)
    assert most_threads([one, other]) == Threads(blas=1, openmp=4, polars=2)
    assert most_threads([one]) == one
