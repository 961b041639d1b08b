"""What one piece of evidence says, before it is a START and an end."""

from __future__ import annotations

from typing import Any

import msgspec

from trackrecord.version import __version__


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A job that ran: what it is, what it read and made, and how it ended.

    ``error`` is empty where it did what it was to do; ``started`` and ``ended`` where the record
    does not say.
    """

    job: str
    kind: str
    description: str
    tool: str = __version__
    job_facets: dict[str, Any] = {}
    run_facets: dict[str, Any] = {}
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    started: str = ""
    ended: str = ""
    error: str = ""
    engine: str = ""
