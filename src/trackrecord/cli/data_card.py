"""``trackrecord data card``."""

from __future__ import annotations

import argparse

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.printing import say, say_next
from trackrecord.version import __version__

DESCRIPTION = (
    "Write the card of a source: a page for people, Croissant 1.0 for programs, and the questions\n"
    "of Datasheets for Datasets, answered where the program knows and blank where it does not."
)

EPILOG = (
    "examples:\n"
    "  trackrecord data card flights\n"
    "  trackrecord data card --open       the only source there is\n\n"
    "Your own answers are in data/NAME.card.toml; type the command again after writing them."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="NAME", nargs="?", help="the source (may be left out where there is one)"
    )
    parser.add_argument("--open", action="store_true", help="show the page in a browser")


def run(options: argparse.Namespace) -> Answer:
    """Write the three files of a card."""
    import json

    from trackrecord.data.card.croissant import croissant
    from trackrecord.data.card.datasheet import blank_sheet, owners_file, read_sheet
    from trackrecord.data.card.facts import chosen_source, known_facts
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.data_card import render_data_card

    root = open_workspace_of(options).root
    source = chosen_source(root, options.source)
    facts = known_facts(root, source)
    owners = owners_file(root, source.name)
    drafted = not owners.exists()
    text = blank_sheet() if drafted else owners.read_text("utf-8", "replace")
    sheet = read_sheet(text, f"data/{owners.name}", facts)
    page = root / "data" / f"{source.name}.card.html"
    metadata = root / "data" / f"{source.name}.croissant.json"
    document = json.dumps(croissant(facts, sheet), ensure_ascii=False, indent=2) + "\n"
    if drafted:
        write_atomic(owners, text.encode())
    write_atomic(metadata, document.encode())
    write_atomic(page, render_data_card(facts, sheet, tool=__version__).encode())
    say(f"✓ wrote {short_path(page)} and {short_path(metadata)}")
    lacking = [
        name
        for name, value in (
            ("description", sheet.top["description"]),
            ("origin", source.origin),
            ("license", source.license),
        )
        if not value
    ]
    if lacking:
        say(f"  ! missing: {', '.join(lacking)}")
    if sheet.blank:
        say(f"  · {sheet.blank} of {sheet.asked} questions are not answered")
        say_next(f"$EDITOR {short_path(owners)}", f"trackrecord data card {source.name}")
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return Answer(
        0,
        {
            "source": source.name,
            "page": f"data/{page.name}",
            "croissant": f"data/{metadata.name}",
            "owner": f"data/{owners.name}",
            "missing": lacking,
            "blank": sheet.blank,
            "asked": sheet.asked,
        },
    )
