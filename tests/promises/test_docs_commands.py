"""README's and docs' command blocks do what the pages say; what cannot run says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.promises.commands import KNOWN, commands, run_page
from tests.promises.pages import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_COMMANDS = [page for page in PAGES if commands(page.read_text("utf-8"))]


def shown(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def is_slow(page: Path) -> bool:
    return any("slow" in said for _, said in commands(page.read_text("utf-8")))


def in_the_loop(page: Path) -> Any:
    """The front page in the inner loop; all pages together take longer than that may."""
    marks = [] if page.name == "README.md" else [pytest.mark.slow]
    return pytest.param(page, id=shown(page), marks=marks)


@pytest.mark.parametrize("page", [in_the_loop(page) for page in WITH_COMMANDS])
def test_the_quick_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    run_page(page.read_text("utf-8"), tmp_path, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in WITH_COMMANDS if is_slow(page)], ids=shown)
def test_all_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    assert run_page(page.read_text("utf-8"), tmp_path, slow=True) > 0


def test_every_block_that_is_not_run_says_why() -> None:
    left_out = []
    for page in WITH_COMMANDS:
        for block, said in commands(page.read_text("utf-8")):
            assert set(said) <= set(KNOWN), f"{shown(page)}:{block.line}"
            for name in ("not run", "slow", "may exit 1"):
                assert name not in said or len(said[name].split()) >= 3, f"{shown(page)}: {said}"
            if "not run" in said:
                left_out.append(f"{shown(page)}:{block.line}: {said['not run']}")
    print(f"{len(left_out)} blocks are not run:", *left_out, sep="\n  ")
    everything = sum(len(commands(page.read_text("utf-8"))) for page in WITH_COMMANDS)
    assert len(left_out) <= everything / 2


GOOD = """\
<!-- first: echo hidden > made.txt -->
```console
$ cat made.txt
hidden
$ mkdir sub && cd sub
```

```python
open("here.txt", "w").write("x")
```

<!-- compared -->
```console
$ ls
here.txt
$ echo one \\
> two three
one … three
```

<!-- editor: s/x/y/ -->
```sh
$EDITOR here.txt
grep y here.txt
```

<!-- may exit 1: grep finds nothing -->
```sh
grep nothing here.txt
ls
```

<!-- not run: there is no such program -->
```sh
no-such-program
```

```console
$ ls not-here
✗ ls: not-here
```

```sh
read -r answer && test "$answer" = y && test -t 0
```

```text
$ not-a-command
```

<!-- slow: it takes a long time -->
```sh
touch slow.txt
```
"""


def test_blocks_run_in_order_in_one_folder(tmp_path: Path) -> None:
    assert run_page(GOOD, tmp_path, slow=False) == 7
    assert (tmp_path / "sub/here.txt").exists()
    assert not (tmp_path / "sub/slow.txt").exists()
    (tmp_path / "again").mkdir()
    assert run_page(GOOD, tmp_path / "again", slow=True) == 8
    assert (tmp_path / "again/sub/slow.txt").exists()


@pytest.mark.parametrize(
    "page",
    [
        "```sh\nfalse\ntrue\n```\n",
        "```console\n$ no-such-program\n```\n",
        "```console\n$ false\nfine\n$ true\n```\n",
        "```python\nraise SystemExit(1)\n```\n```sh\ntrue\n```\n",
        "<!-- compared -->\n```console\n$ echo other\nthis\n```\n",
        "<!-- compared -->\n```console\n$ echo a; echo b\nb\na\n```\n",
        "<!-- may exit 1: only that -->\n```sh\nexit 2\n```\n",
        "<!-- may exit 1: only that -->\n```sh\n(exit 2)\ntrue\n```\n",
        "<!-- first: false -->\n```sh\ntrue\n```\n",
    ],
)
def test_a_block_that_does_not_do_what_it_says_fails(page: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_page(page, tmp_path, slow=False)
