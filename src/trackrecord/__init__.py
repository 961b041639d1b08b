"""trackrecord: turns machine-learning work into a record anyone can check.

The library's surface. Names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from trackrecord.version import __version__

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    from trackrecord.cases.reader import read_case
    from trackrecord.cases.spec import Case
    from trackrecord.data.leakage.audit import audit_world
    from trackrecord.data.leakage.dynamic import audit_pipeline
    from trackrecord.data.leakage.world import world_of
    from trackrecord.errors import TrackrecordError
    from trackrecord.evaluation.evaluate import evaluate_outcomes
    from trackrecord.evaluation.library import Comparison, Result, compare, evaluate
    from trackrecord.evaluation.outcomes import read_outcomes, write_outcomes
    from trackrecord.evaluation.plan import Plan
    from trackrecord.evaluation.result import Evaluation
    from trackrecord.portfolio.verify import verify_folder as verify
    from trackrecord.workspace import Workspace, find_workspace

__all__ = [
    "Case",
    "Comparison",
    "Evaluation",
    "Plan",
    "Result",
    "TrackrecordError",
    "Workspace",
    "__version__",
    "audit_pipeline",
    "audit_world",
    "compare",
    "evaluate",
    "evaluate_outcomes",
    "find_workspace",
    "read_case",
    "read_outcomes",
    "verify",
    "world_of",
    "write_outcomes",
]

# name: (the module that has it, its name there)
_HOME = {
    "Case": ("cases.spec", "Case"),
    "Comparison": ("evaluation.library", "Comparison"),
    "Evaluation": ("evaluation.result", "Evaluation"),
    "Plan": ("evaluation.plan", "Plan"),
    "Result": ("evaluation.library", "Result"),
    "TrackrecordError": ("errors", "TrackrecordError"),
    "Workspace": ("workspace", "Workspace"),
    "audit_pipeline": ("data.leakage.dynamic", "audit_pipeline"),
    "audit_world": ("data.leakage.audit", "audit_world"),
    "compare": ("evaluation.library", "compare"),
    "evaluate": ("evaluation.library", "evaluate"),
    "evaluate_outcomes": ("evaluation.evaluate", "evaluate_outcomes"),
    "find_workspace": ("workspace", "find_workspace"),
    "read_case": ("cases.reader", "read_case"),
    "read_outcomes": ("evaluation.outcomes", "read_outcomes"),
    "verify": ("portfolio.verify", "verify_folder"),
    "world_of": ("data.leakage.world", "world_of"),
    "write_outcomes": ("evaluation.outcomes", "write_outcomes"),
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'trackrecord' has no attribute {name!r}")
    from importlib import import_module

    module, there = _HOME[name]
    found: object = getattr(import_module(f"trackrecord.{module}"), there)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
