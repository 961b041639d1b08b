"""A case as a world for the audit, and the evidence that an audit leaves."""

from __future__ import annotations

import msgspec

from trackrecord.cases.spec import Case
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.leakage.audit import Audit
from trackrecord.data.leakage.detector import Context
from trackrecord.data.leakage.dynamic import PipelineAudit
from trackrecord.data.leakage.known_later import features_known_later, known_by
from trackrecord.data.leakage.world import World, is_text
from trackrecord.data.split import BY_TIME, assign_parts
from trackrecord.data.table import CaseTable


class AuditPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """What the leakage audit of a case found, of which data and which split.

    ``data`` has the content digest of each file by its path, ``split`` the digest of who is where.
    ``pipeline`` is there where one was run, ``pipeline_name`` how it was named and
    ``pipeline_sha256`` the digest of its file.
    """

    case: str
    data: dict[str, str]
    split: str
    audit: Audit
    tool: str = ""
    pipeline: PipelineAudit | None = None
    pipeline_name: str = ""
    pipeline_sha256: str = ""


def world_of_case(case: Case, table: CaseTable, file: str, line_of: LineOf) -> World:
    """The training and the test part, the test's truth hidden.

    Groups part the rows where the split is by group; else a shared one is a note, for a model may
    meet the same group again. Time parts them where the split is by time.
    """
    parts = assign_parts(table.frame, case)
    context = Context(case, table, parts, file, line_of)
    declared: list[Finding] = [
        *features_known_later(case, file, line_of),
        *known_by(context),
    ]
    by: str | None = getattr(case.split, "by", None)
    by_time = isinstance(case.split, BY_TIME)
    train = context.train.drop(case.target.column, strict=False)
    test = context.test
    groups = [name for name in dict.fromkeys([*([by] if by else []), *case.data.groups])
              if name in test.columns]  # fmt: skip
    time = case.data.time if by_time and case.data.time in test.columns else None
    later = set(case.data.known_later)
    features = [name for name in context.features if name not in later]
    return World(
        train=train,
        test=test,
        target="truth",
        target_name=case.target.column,
        features=features,
        id="id",
        group=[by] if by is not None and by in groups else groups,
        time=time,
        text=[name for name in features if is_text(train[name])],
        groups_apart=by is not None,
        declared=declared,
    )
