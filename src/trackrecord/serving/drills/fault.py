"""What a fault is, and the register of them: one small file each in ``faults/``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Literal, NamedTuple

from trackrecord.errors import BadInput, suggest
from trackrecord.modeling.export.bundle import Bundle

if TYPE_CHECKING:
    from trackrecord.cases.spec import Case
    from trackrecord.data.table import CaseTable

Kind = Literal["release", "file", "process", "truth"]


class Release(NamedTuple):
    """What a broken release is made from: the good bundle, the folder of its copy, and the case."""

    bundle: Bundle
    folder: Path
    case: Case
    table: CaseTable
    training: object


class Fault(NamedTuple):
    """A way to break a service.

    ``kind`` says where: a ``release`` was made wrong (``make`` gives its bundle), its ``file`` is
    damaged after it was registered (``damage`` does it), its ``process`` misbehaves (``act`` is
    called once a second while it answers), or ``truth`` stops coming.
    """

    name: str
    title: str
    kind: Kind
    says: str
    make: Callable[[Release], Bundle] | None = None
    damage: Callable[[Path], None] | None = None
    act: Callable[[], None] | None = None


FAULTS: dict[str, Fault] = {}


def register_fault(fault: Fault) -> Fault:
    """Add a fault to the register."""
    if fault.name in FAULTS and FAULTS[fault.name] != fault:
        raise ValueError(f"two faults are called {fault.name!r}")
    FAULTS[fault.name] = fault
    return fault


@cache
def all_faults() -> dict[str, Fault]:
    """Every fault by name, those of other packages too."""
    package = import_module("trackrecord.serving.drills.faults")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    for entry in entry_points(group="trackrecord.faults"):
        register_fault(entry.load())
    return dict(sorted(FAULTS.items()))


def get_fault(name: str) -> Fault:
    """The fault of this name. Raises BadInput."""
    known = all_faults()
    if name not in known:
        near = suggest(name, list(known))
        raise BadInput(
            f"there is no fault {name!r}",
            why=f"did you mean {near!r}?" if near else f"faults: {', '.join(known)}",
            next="trackrecord drill faults",
        )
    return known[name]
