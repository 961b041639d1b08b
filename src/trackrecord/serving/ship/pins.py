"""Which packages a server needs, in the versions that answered here or that a lock file names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from trackrecord.errors import BadInput

# What `trackrecord serve` imports. The test that serves from a shipped folder has no others.
SERVE = ("httptools", "msgspec", "numpy", "onnxruntime", "rfc8785", "uvicorn", "uvloop")
CAPTURE = ("pyarrow",)
SKOPS = ("scikit-learn", "skops")
# An image runs Linux, wherever it is described.
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": ""}

_BEGIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,.-]*\])?==(?P<version>[^\s;\\]+)", re.ASCII
)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def normalized(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: Iterable[str]) -> dict[str, str | None]:
    """Packages and all that they need on Linux: the version of each, None where it is not here."""
    from packaging.requirements import Requirement

    found: dict[str, str | None] = {}
    waiting = [(normalized(name), frozenset[str]()) for name in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            about = distribution(name)
        except PackageNotFoundError:
            found[name] = None
            continue
        found[name] = about.version
        for line in about.requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(
                needed.marker.evaluate({**LINUX, "extra": extra}) for extra in (*extras, "")
            ):
                waiting.append((normalized(needed.name), frozenset(needed.extras)))
    return dict(sorted(found.items()))


def locked(path: Path) -> dict[str, tuple[str, list[str]]]:
    """What a lock file of pip's or uv's says: version and hashes of each package.

    Raises BadInput for a file that cannot be read, and for a package without a hash.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise BadInput("the lock file cannot be read", where=str(path), why=why) from None
    found: dict[str, tuple[str, list[str]]] = {}
    for block in text.replace("\\\n", " ").splitlines():
        begin = _BEGIN.match(block)
        if begin is None:
            continue
        hashes = _HASH.findall(block)
        if not hashes:
            raise BadInput(
                f"{begin['name']} has no hash in the lock file",
                where=str(path),
                next="make it with: uv pip compile --generate-hashes, or pip-compile"
                " --generate-hashes",
            )
        found[normalized(begin["name"])] = (begin["version"], sorted(hashes))
    return found


def requirements(names: Iterable[str], lock: Path | None) -> str:
    """The lines of a requirements file for packages and all that they need."""
    needed = closure(names)
    if lock is None:
        return "".join(
            f"{name}\n" if version is None else f"{name}=={version}\n"
            for name, version in needed.items()
        )
    known = locked(lock)
    lines = []
    for name in needed:
        if name not in known:
            raise BadInput(
                f"the lock file does not have {name}, which a server needs",
                where=str(lock),
                next="lock trackrecord with all that it needs, or leave --lock out",
            )
        version, hashes = known[name]
        lines.append(" \\\n    ".join([f"{name}=={version}", *hashes]) + "\n")
    return "".join(lines)
