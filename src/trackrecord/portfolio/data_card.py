"""The page of a data card: readable without a script or a network, and good in print."""

from __future__ import annotations

from trackrecord.data.card.datasheet import Sheet
from trackrecord.data.card.facts import Facts
from trackrecord.portfolio.rendering import kept_environment, style_of

MOST = 200


def render_data_card(facts: Facts, sheet: Sheet, *, tool: str) -> str:
    """The card as HTML: what the data is, what is missing, columns, and the datasheet."""
    source = facts.source
    lacking = [
        (name, value)
        for name, value in (
            ("description", sheet.top["description"]),
            ("origin", source.origin),
            ("licence", source.license),
        )
        if not value
    ]
    return (
        kept_environment()
        .get_template("data_card/card.html")
        .render(
            **style_of("page.css", "data_card/card.css"),
            facts=facts,
            source=source,
            sheet=sheet,
            lacking=[name for name, _ in lacking],
            fields=facts.fields[:MOST],
            hidden=len(facts.fields) - MOST,
            link=source.origin if source.origin.startswith(("https://", "http://")) else None,
            tool=tool,
        )
    )
