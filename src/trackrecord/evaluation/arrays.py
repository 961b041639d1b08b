"""Columns and tables of other libraries as Polars: numpy, pandas, Arrow, torch, plain lists.

Everything that speaks the Arrow C stream (``__arrow_c_stream__``) or numpy's ``__array__`` is
taken as it is, so no library needs to be known by name, or installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import polars as pl


def is_table(data: object) -> bool:
    """Whether this is a table (a frame, a mapping of columns), and no single column."""
    import polars as pl

    if isinstance(data, pl.DataFrame | Mapping):
        return True
    return hasattr(data, "column_names") or (
        hasattr(data, "columns") and len(getattr(data, "shape", (0,))) == 2
    )


def table_of(data: Any) -> pl.DataFrame:
    """A frame, or a mapping of columns, in canonical kinds. Raises BadInput for anything else."""
    import polars as pl

    from trackrecord.data.kinds import Place, canonical

    if isinstance(data, Mapping):
        columns = [column_of(values, str(name)) for name, values in data.items()]
        _check_lengths(columns)
        return pl.DataFrame(columns)
    place = Place("the table")
    try:
        frame = pl.DataFrame(data)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        kind = type(data).__name__
        raise BadInput(f"a {kind} is not a table of outcomes", why=str(error)[:200]) from None
    if any(isinstance(dtype, pl.Struct) for dtype in frame.dtypes):
        from trackrecord.evaluation.nested import unnested

        frame = unnested(frame)
    return pl.DataFrame([canonical(series, "UTC", place) for series in frame.get_columns()])


def column_of(values: Any, name: str) -> pl.Series:
    """One column (n,), in its canonical kind, called ``name``.

    Of a table (n, 2) of the probabilities of both classes, as scikit-learn's ``predict_proba``
    gives them, the second column. Raises BadInput for what is no column.
    """
    import polars as pl

    from trackrecord.data.kinds import Place, canonical

    try:
        series = _series(values, name)
    except (TypeError, ValueError, RuntimeError, pl.exceptions.PolarsError) as error:
        raise _no_column(name, values, str(error)[:200]) from None
    return canonical(series.alias(name), "UTC", Place(f"the {name}"))


def wide_of(values: Any, name: str) -> pl.DataFrame | None:
    """A table of the columns of one model, or of a truth with several; None for a single column.

    A frame or a mapping of columns by their names, anything else (n, 2 or more) by 0, 1, …
    Raises BadInput for what has more dimensions, or is no table.
    """
    import numpy as np

    if isinstance(values, str | bytes) or values is None:
        return None
    if is_table(values):
        named = {f"{k:g}" if isinstance(k, float) else str(k): values[k] for k in values} if (
            isinstance(values, Mapping)
        ) else values  # fmt: skip
        table = table_of(named)
        return None if table.width == 1 and not isinstance(values, Mapping) else table
    values = _on_cpu(values)
    if not hasattr(values, "__array__") and not isinstance(values, list | tuple):
        return None
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        return None
    if array.ndim > 2:
        raise _no_column(name, values, f"its shape is {array.shape}, not (n,) or (n, columns)")
    if array.ndim != 2 or array.shape[1] < 2:
        return None
    return table_of({str(place): array[:, place] for place in range(array.shape[1])})


def is_lists(values: Any) -> bool:
    """Whether this is a list of lists of different lengths, or a column of lists."""
    import polars as pl

    if isinstance(values, pl.Series):
        return isinstance(values.dtype, pl.List)
    if not isinstance(values, list | tuple) or not values:
        return False
    nested = all(isinstance(one, list | tuple) for one in values)
    return nested and len({len(one) for one in values}) > 1


def _series(values: Any, name: str) -> pl.Series:
    import numpy as np
    import polars as pl

    if isinstance(values, pl.Series):
        return values
    if isinstance(values, str | bytes | Mapping) or np.ndim(values) == 0 == _length(values):
        raise TypeError(f"a {type(values).__name__} is not a column")
    values = _on_cpu(values)
    if hasattr(values, "__arrow_c_stream__") or not hasattr(values, "__array__"):
        return pl.Series(name, _of_one_kind(values))
    array = np.asarray(values)
    if array.ndim == 2:
        array = _one_of_two(array, name)
    if array.ndim != 1:
        raise TypeError(f"its shape is {array.shape}, not (n,)")
    return pl.Series(name, array.tolist() if array.dtype.kind == "O" else array)


def _of_one_kind(values: Any) -> Any:
    """A list of whole and other numbers as floats; anything else as it is."""
    if not isinstance(values, list | tuple) or not any(type(v) is float for v in values):
        return values
    if not any(type(v) is int for v in values):
        return values
    return [float(v) if type(v) is int and abs(v) < 1 << 53 else v for v in values]


def _on_cpu(values: Any) -> Any:
    """A tensor, that may have a gradient or numbers of 16 bits, as an array; others as they are."""
    if not hasattr(values, "detach"):
        return values
    values = values.detach().cpu()
    return (values.double() if values.is_floating_point() else values).numpy()


def _one_of_two(array: Any, name: str) -> Any:
    import numpy as np

    if array.shape[1] == 1:
        return array[:, 0]
    if array.shape[1] == 2 and np.allclose(array.sum(axis=1), 1, atol=1e-6):
        return array[:, 1]
    raise TypeError(f"its shape is {array.shape}, not (n,)")


def _length(values: Any) -> int:
    try:
        return max(1, len(values))
    except TypeError:
        return 0


def _check_lengths(columns: list[pl.Series]) -> None:
    """Raise BadInput, naming two columns, where they are not of one length."""
    for series in columns[1:]:
        if len(series) != len(columns[0]):
            raise BadInput(
                "the columns are not of one length",
                why=f"{columns[0].name} has {len(columns[0]):,} rows, "
                f"{series.name} has {len(series):,}",
                next="give one value of each column for every row",
            )


def _no_column(name: str, values: Any, why: str) -> BadInput:
    return BadInput(
        f"the {name} cannot be read as one column: it is a {type(values).__name__}",
        why=why,
        next="give a numpy array, a pandas, Polars or Arrow column, a tensor or a list",
    )
