"""Drafts a ``case.toml`` from a table, with comments that teach.

What a person has to settle is marked ``# decide:``. Names from the data are escaped: whatever a
column is called, the draft is TOML that means that name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.data.guess import Roles, guess_roles
from trackrecord.data.sources import read_table
from trackrecord.errors import DataError
from trackrecord.workspace import checked_case_name

if TYPE_CHECKING:
    import polars as pl

# What a draft says where only a person can: a check finds what nobody has replaced.
DRAFTED_QUESTION = re.compile(r"Will .+ be .+ for this unit\?", re.DOTALL)
DRAFTED_USE = "Not decided yet: a draft from the data."
DRAFTED_LIMIT = "Drafted from the data; nobody has thought about its limits yet."
DRAFTED_MEANING = "not decided yet"


def draft_case(path: Path, name: str, relative: str | Path) -> str:
    """The text of a case file for the table in ``path``.

    Parameters
    ----------
    path:
        The table to look at.
    name:
        The case's name.
    relative:
        What to write as ``data.path``, relative to the workspace; or the workspace's root itself,
        where ``path`` lies inside it.

    Raises
    ------
    DataError
        When the table cannot be read, or no column could be a target with two classes.
    """
    checked_case_name(name)
    if isinstance(relative, Path):
        relative = path.resolve().relative_to(relative.resolve()).as_posix()
    frame = read_table(path)
    roles = guess_roles(frame)
    if roles is None:
        raise DataError(
            f"no column of {path.name} could be a target",
            where=str(path),
            why="a binary case needs a column with two values, or a number with a threshold",
            next="add such a column, such as late = 0 or 1, and try again",
        )
    sections = [
        _head(name, roles),
        _data(relative, frame, roles),
        _target(roles),
        _split(frame, roles),
        _evaluation(roles),
        _models(roles),
        _criteria(roles),
    ]
    return "\n".join(sections)


def toml_string(text: str) -> str:
    """``text`` as a TOML basic string on one line; JSON's escapes are all TOML's too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f").translate(_LINE_BREAKS)


# Not breaks to TOML, but to readers that split lines as Unicode does.
_LINE_BREAKS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029, *range(0x80, 0xA0))}


def _list(names: list[str]) -> str:
    one_line = "[" + ", ".join(map(toml_string, names)) + "]"
    if len(one_line) <= 88:
        return one_line
    return "[\n" + "".join(f"    {toml_string(name)},\n" for name in names) + "]"


def _notes(found: dict[str, str]) -> str:
    return "".join(f"#   {toml_string(name)}: {why}\n" for name, why in found.items())


def _head(name: str, roles: Roles) -> str:
    features = roles.features or list(roles.suspicious)
    left = f"# Left out:\n{_notes(roles.left_out)}" if roles.left_out else ""
    return f"""\
spec = 1
name = {toml_string(name)}
# decide: one sentence with a question mark: what is predicted, of what, and when is it asked?
question = {toml_string(f"Will {roles.target} be {roles.positive} for this unit?")}
task = "binary"
# decide: who acts on the answer, and how?
intended_use = {toml_string(DRAFTED_USE)}
# decide: where must this not be used, and what can it not know?
limits = [{toml_string(DRAFTED_LIMIT)}]
# decide: only columns whose value is known at the moment the question is asked.
{left}features = {_list(features)}
"""


def _data(relative: str, frame: pl.DataFrame, roles: Roles) -> str:
    if roles.unit is None:
        unit = (
            "# decide: no column is unique. Add one that names each row, such as a key made of\n"
            '# several columns, and name it here; until then "id" does not exist.\n'
            'unit = "id"\n'
        )
    else:
        unit = (
            f"# The unit: one row each, and its id is unique.\nunit = {toml_string(roles.unit)}\n"
        )
    time = ""
    if roles.time is not None:
        time = f"""\
# The moment the question is about. Days are counted in the time zone.
time = {toml_string(roles.time)}
# decide: where are these times local, if they have no offset?
timezone = "UTC"
"""
    later = "# decide: which columns are known only after the question was asked?\n"
    if roles.suspicious:
        later += f"# Suspicious, and so not among the features:\n{_notes(roles.suspicious)}"
    return f"""\
[data]
path = {toml_string(relative)}
# {frame.height:,} rows, {frame.width} columns.
{unit}{time}{later}known_later = []
# decide: whose rows belong together – a person, a device, a shop? A model may know them by heart.
groups = []
# decide: under which licence, and from where, did you get the data?
license = ""
origin = ""
"""


def _target(roles: Roles) -> str:
    positive = (
        toml_string(roles.positive)
        if isinstance(roles.positive, str)
        else json.dumps(roles.positive)
    )
    if roles.missing_targets:
        missing = (
            f"# decide: the target is missing in {roles.missing_targets:,} rows. What does that"
            " mean, and\n# is leaving them out fair?\n"
            'missing = "exclude"\n'
            f"missing_means = {toml_string(DRAFTED_MEANING)}\n"
        )
    else:
        missing = (
            '# No target is missing now; a row where it is would be an error.\nmissing = "error"\n'
        )
    return f"""\
[target]
column = {toml_string(roles.target)}
# decide: which values count as "it happened"? A value, or a rule such as "> 15". This one holds
# for {100 * roles.share:.1f} % of the rows.
positive = {positive}
{missing}"""


def _split(frame: pl.DataFrame, roles: Roles) -> str:
    spans = _days(frame, roles)
    if spans is None:
        return """\
# No time to split by, so units go to parts by the hash of their id. If the model will be used on
# what comes later, a split by time is the honest one.
[split]
kind = "random"
validation = 0.1
test = 0.2
seed = 0
"""
    text = "".join(
        f'{part} = {{ first = "{first}", last = "{last}" }}\n'
        for part, (first, last) in spans.items()
    )
    return f"""\
# Train on the past, test on what came after: as the model will be used. About 70, 10 and 20 % of
# the rows.
# decide: do the spans fit the calendar – whole months, seasons?
[split]
kind = "time"
{text}"""


def _days(frame: pl.DataFrame, roles: Roles) -> dict[str, tuple[str, str]] | None:
    """First and last day of each part, from the days' running share of rows; UTC."""
    import polars as pl

    if roles.time is None:
        return None
    column = frame[roles.time]
    day = column if column.dtype == pl.Date else column.dt.date()
    counts = day.alias("day").value_counts().sort("day")
    days, total = counts["day"].to_list(), frame.height
    if len(days) < 3:
        return None
    running = counts["count"].cum_sum().to_list()

    def after(share: float, least: int, most: int) -> int:
        index = next(i for i, rows in enumerate(running) if rows >= share * total)
        return max(least, min(index, most))

    train = after(0.7, 0, len(days) - 3)
    validation = after(0.8, train + 1, len(days) - 2)
    pairs = {
        "train": (days[0], days[train]),
        "validation": (days[train + 1], days[validation]),
        "test": (days[validation + 1], days[-1]),
    }
    return {part: (first.isoformat(), last.isoformat()) for part, (first, last) in pairs.items()}


def _evaluation(roles: Roles) -> str:
    return f"""\
[evaluation]
metrics = [
    "roc_auc", "average_precision", "log_loss", "brier", "accuracy",
    "calibration_intercept", "calibration_slope", "bias",
]
# decide: rows of one day or one person are not independent; `cluster = "COLUMN"` widens intervals.
# decide: for whom must it work as well as for all?
slices = {_list(roles.slices)}
# Slices are looked at side by side, so they get bands that hold for all of them at once, too.
simultaneous = true
# A decision curve, between the risks at which somebody would act:
# decision = {{ lowest = 0.1, highest = 0.5 }}
"""


def _models(roles: Roles) -> str:
    table = ""
    if roles.cells:
        table = f"""\
# What a person could write on a card: the share in each cell of a small table.
[[baseline]]
name = "table"
kind = "table"
by = {_list(roles.cells)}

"""
    return f"""\
# The share of positives, for everyone.
[[baseline]]
name = "base_rate"
kind = "base_rate"

{table}[[baseline]]
name = "logistic"
kind = "logistic"

[[model]]
name = "boosted"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
encode = "ordinal"
"""


def _criteria(roles: Roles) -> str:
    other = "table" if roles.cells else "logistic"
    return f"""\
# decide: what would count as success on the sealed test? Written now, before any look at it.
# `expect` is the effect you hope for: case check says whether the test has enough rows to see it.
[[criterion]]
name = "ranks better than the {other}"
require = "roc_auc difference to {other} > 0"
expect = 0.03

[[criterion]]
name = "smaller errors than the {other}"
require = "brier difference to {other} < 0"

[[criterion]]
name = "probabilities as spread as the truth"
require = "calibration_slope in [0.8, 1.25]"

[[criterion]]
name = "predicted rate within two points of what came true"
require = "bias in [-0.02, 0.02]"
"""
