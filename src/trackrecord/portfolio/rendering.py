"""Templates, filters and style sheets: what the page of a case and the report of a file share."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from trackrecord.portfolio.citations import Cited, cite, cite_bounds, cite_interval, plain
from trackrecord.portfolio.pointers import FORMATS
from trackrecord.portfolio.results import criterion_form, metric_title

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Jinja with escaping everywhere, and filters that turn cited values into pointers."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for form in FORMATS:
        made.filters[form] = partial(cite, form=form)
    made.filters["interval"] = cite_interval
    made.filters["gain"] = partial(cite_interval, form="signed")
    made.filters["bounds"] = cite_bounds
    made.filters["found"] = found_in
    made.filters["metric"] = lambda value: plain(metric_title(value.raw) or value.raw, value)
    made.filters["keys"] = lambda value: list(value.raw)
    return made


@cache
def kept_environment() -> Environment:
    """The same with its templates compiled once, for who adds nothing to it."""
    return environment()


def found_in(verdict: Cited) -> Markup:
    """What a criterion's estimate was, in the form in which its bounds are read."""
    return cite_interval(verdict, criterion_form(verdict))


def style_of(*parts: str) -> dict[str, Any]:
    """The style sheet made of these files, and its digest for the page's policy."""
    style = "\n".join((TEMPLATES / part).read_text("utf-8") for part in parts)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"style": Markup(style), "style_digest": digest}
