"""The page of an incident: what was measured, on one line of time, and what is still to say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from trackrecord.portfolio.rendering import environment, style_of
from trackrecord.serving.drills.incident import SECTIONS, Facts
from trackrecord.serving.drills.result import Drilled

_ITEM = re.compile(r"[-*] +")


def render_incident(facts: Facts, text: Mapping[str, str]) -> str:
    """The page as HTML; ``text`` has the sections that a person writes."""
    made = environment()
    made.filters["seconds"] = seconds
    made.filters["whole"] = lambda value: f"{value:,}"
    return made.get_template("incident/incident.html").render(
        **style_of("page.css", "incident/incident.css"),
        facts=facts,
        drilled=facts.drilled,
        line=line(facts.drilled),
        sections=[(name, said, SECTIONS.get(name, "")) for name, said in text.items()],
        empty=[name for name, said in text.items() if not said],
        paragraphs=paragraphs,
    )


def seconds(value: float | None) -> str:
    """``8.5 s``, ``2 min 5 s``, or a dash."""
    if value is None:
        return "–"
    if abs(value) < 60:
        return f"{value:.1f} s".replace("-", "−")
    return f"{int(value) // 60} min {int(value) % 60} s"


def line(drilled: Drilled) -> Markup:
    """The incident from the fault to recovery: who did not know, who knew, who acted."""
    ends = [
        ("unknown", "nobody knows", drilled.detected),
        ("seen", "seen, not decided", drilled.decided),
        ("acting", "taken back", drilled.recovered),
    ]
    last = drilled.recovered or drilled.rolled_back or drilled.detected or drilled.patience
    parts, begin = [], 0.0
    for tone, title, end in ends:
        stop = last if end is None else max(begin, min(end, last))
        if stop > begin:
            tip = f"{title}: {seconds(begin)} to {seconds(stop)}"
            parts.append(
                f'<rect class="{tone}" x="{100 * begin / last:.2f}%" '
                f'width="{100 * (stop - begin) / last:.2f}%" y="0" height="100%">'
                f"<title>{escape(tip)}</title></rect>"
            )
        begin = stop
    label = f"from the fault to {seconds(last)}"
    return Markup(f'<svg class="course" role="img" aria-label="{label}">{"".join(parts)}</svg>')


def paragraphs(text: str) -> Markup:
    """Paragraphs and lists of a person's text; nothing in it is markup."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        rows = [row.strip() for row in block.splitlines() if row.strip()]
        if rows and all(_ITEM.match(row) for row in rows):
            items = "".join(f"<li>{escape(_ITEM.sub('', row, count=1))}</li>" for row in rows)
            parts.append(f"<ul>{items}</ul>")
        elif rows:
            parts.append(f"<p>{escape(' '.join(rows))}</p>")
    return Markup("".join(parts))
