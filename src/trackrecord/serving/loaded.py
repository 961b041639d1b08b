"""A version that is open and has proven itself: its probe rows get the answers they should."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.errors import DataError
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import BUNDLE, Bundle, read_bundle
from trackrecord.modeling.export.encoding import Encode, compiled_for
from trackrecord.modeling.export.opened import Scorer, open_model
from trackrecord.serving.rows import Read, reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What another processor's float32 may round otherwise.
PROBE_TOLERANCE = 1e-5


class Loaded(NamedTuple):
    """One version of a model, ready to answer.

    ``score`` takes float32 (rows, width) and gives float64 (rows,); ``once`` and ``each`` are the
    seconds that a call and a row of it took when it was opened.
    """

    version: int
    bundle: Bundle
    sha256: str
    read: Callable[[bytes], Read]
    encode: Encode
    score: Scorer
    once: float
    each: float

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.bundle.features]

    def probe(self) -> None:
        """Ask the model its probe rows. Raises DataError where an answer is another."""
        import numpy as np

        asked, expected = self.bundle.probe.rows, self.bundle.probe.probability
        try:
            found: Any = self.score(self.encode.mappings(asked)) if asked else np.empty(0)
        except Exception as error:
            raise self._unlike(f"{type(error).__name__}: {str(error)[:200]}") from None
        if len(found) != len(expected):
            raise self._unlike(f"{len(asked)} rows got {len(found)} answers")
        for index, (got, wanted) in enumerate(zip(found, expected, strict=True)):
            if not abs(got - wanted) <= PROBE_TOLERANCE:
                raise self._unlike(f"row {index} gets {got:.6g}, and should get {wanted:.6g}")

    def _unlike(self, why: str) -> DataError:
        bundle = self.bundle
        return DataError(
            f"version {self.version} of {bundle.case} does not answer its probe rows as it did",
            why=why,
            next=f"register the run again: trackrecord register {bundle.case}@{bundle.run}",
        )


def load(folder: Path, version: int, *, threads: int = 1) -> Loaded:
    """Open the version in ``folder`` and let it answer its probe rows.

    Raises
    ------
    BadInput, DataError
        For a folder without a bundle, a file that is not the registered one, and answers that are
        not those it gave when it was registered.
    """
    bundle = read_bundle(folder)
    score = open_model(folder, bundle, threads=threads)
    names = [feature.name for feature in bundle.features]
    try:
        encode = compiled_for(bundle.encoding, bundle.width, names)
    except ValueError as error:
        raise DataError(f"{BUNDLE} contradicts itself", where=str(folder), why=str(error)) from None
    once, each = _speed(score, bundle.width)
    loaded = Loaded(
        version, bundle, file_sha256(folder / BUNDLE), reader(bundle.features), encode, score,
        once, each,
    )  # fmt: skip
    loaded.probe()
    return loaded


def _speed(score: Scorer, width: int) -> tuple[float, float]:
    """Seconds that a call costs, and that each row adds: the best of a few small ones."""
    import numpy as np

    def best(rows: int) -> float:
        matrix: NDArray[np.float32] = np.zeros((rows, width), np.float32)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            try:
                score(matrix)
            except Exception:  # a row of zeros is nobody's; the probe rows are what counts
                return 0.001 * rows
            times.append(time.perf_counter() - start)
        return min(times)

    one, many = best(1), best(65)
    return one, max(0.0, (many - one) / 64)
