"""A wheel of the trackrecord that is running, so that what is shipped needs no other copy of it.

The package is pure Python: a wheel is its files and those that describe it, in a zip file
(https://packaging.python.org/specifications/binary-distribution-format). Its bytes depend on
nothing but theirs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib.metadata import distribution
from pathlib import Path

# The oldest moment that a zip file can say.
_NEVER = (1980, 1, 1, 0, 0, 0)
_WHEEL = "Wheel-Version: 1.0\nGenerator: trackrecord\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_DESCRIPTIONS = ("METADATA", "entry_points.txt")


def own_wheel() -> tuple[str, bytes]:
    """The file name and the bytes of the wheel."""
    about = distribution("trackrecord")
    package = Path(__file__).parents[2]
    described = f"trackrecord-{about.version}.dist-info"
    members = {
        f"trackrecord/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".new") and path.name[0] != "."
    }
    for name in _DESCRIPTIONS:
        members[f"{described}/{name}"] = (about.read_text(name) or "").encode()
    members[f"{described}/WHEEL"] = _WHEEL.encode()
    record = f"{described}/RECORD"
    lines = [f"{name},{_digest(data)},{len(data)}\n" for name, data in sorted(members.items())]
    members[record] = "".join([*lines, f"{record},,\n"]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in sorted(members.items()):
            member = zipfile.ZipInfo(name, _NEVER)
            member.external_attr = 0o100644 << 16
            member.create_system = 3
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, data, compresslevel=6)
    return f"trackrecord-{about.version}-py3-none-any.whl", out.getvalue()


def _digest(data: bytes) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={found.rstrip(b'=').decode()}"
