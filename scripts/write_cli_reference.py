"""Writes docs/reference/cli.md from the program itself.

python scripts/write_cli_reference.py            write the page
python scripts/write_cli_reference.py --check    exit 1 if the page is stale
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trackrecord.cli.main import VERBS, help_text
from trackrecord.cli.parsing import leaves, make_parser

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "cli.md"

HEAD = """\
# The command line

Written from the program by `scripts/write_cli_reference.py`; do not edit.

```text
{help}
```

Every verb prints for a person and, with `--json`, one JSON document for a program and nothing else;
an error is then `{{"error": {{"what", "where", "why", "next"}}}}`.

| exit code | means |
|---:|---|
| 0 | done, and what was asked holds |
| 1 | done, but a criterion or a check does not hold |
| 2 | bad input; nothing was changed |
| 130 | stopped by Ctrl-C; every file is whole |

"""


def page() -> str:
    """The whole page as Markdown."""
    sections = [HEAD.format(help=help_text())]
    for verb, (door_name, _) in VERBS.items():
        parser, _door = make_parser(verb, door_name)
        sections += [section(leaf) for leaf in leaves(parser)]
    return "\n".join(sections).rstrip() + "\n"


def section(parser: argparse.ArgumentParser) -> str:
    """One verb, or sub-verb: what it does, its words, examples."""
    lines = [
        f"## {parser.prog}",
        "",
        " ".join((parser.description or "").split()),
        "",
        "```text",
        usage(parser),
        "```",
        "",
        "| argument | meaning |",
        "|---|---|",
    ]
    lines += [
        f"| `{shown(action)}` | {meaning(action)} |"
        for action in parser._actions
        if action.dest != "help"
    ]
    lines += ["", "```text", (parser.epilog or "").strip(), "```", ""]
    return "\n".join(lines)


def usage(parser: argparse.ArgumentParser) -> str:
    """One line, the same whatever Python version and terminal."""
    words = [parser.prog]
    for action in parser._actions:
        if action.dest in ("help", "json", "debug", "folder"):
            continue
        word = shown(action)
        if action.option_strings:
            words.append(word if action.required else f"[{word}]")
        else:
            words.append(f"[{word}]" if action.nargs == "?" else word)
    return " ".join([*words, "[--json] [--debug] [-C FOLDER]"])


def shown(action: argparse.Action) -> str:
    """``--part validation|test``, ``CASE``."""
    value = "|".join(map(str, action.choices)) if action.choices else action.metavar
    name = str(value or action.dest.upper())
    if not action.option_strings:
        return name
    option = max(action.option_strings, key=len)
    return option if action.nargs == 0 else f"{option} {name}"


def meaning(action: argparse.Action) -> str:
    """The help text, and the default where it says something."""
    text = (action.help or "").replace("|", "\\|")
    plain = action.default in (None, False, argparse.SUPPRESS) or "default" in text
    return text if plain else f"{text} (default: {action.default})".strip()


def main() -> int:
    """Write or check the page."""
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text("utf-8") == text:
            return 0
        sys.stdout.write(f"{PAGE.name} is stale; run: python scripts/write_cli_reference.py\n")
        return 1
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
