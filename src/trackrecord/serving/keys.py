"""Keys that let a program ask: shown once, kept as digests.

A key is 256 random bits, so its plain SHA-256 says nothing about it; a slow hash would only slow
the server. The file is ``serving/CASE/keys.json``, readable by its owner.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger.store import write_atomic

FILE = "keys.json"
PREFIX = "tr_"


class Key(msgspec.Struct, frozen=True):
    """A key's name and its digest."""

    name: str
    sha256: str
    made: str


class Keys(msgspec.Struct, frozen=True):
    """What the file says."""

    keys: list[Key] = []


def read_keys(path: Path) -> Keys:
    """The keys of a file; none where there is no file. Raises DataError for a damaged one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except FileNotFoundError:
        return Keys()
    except (OSError, msgspec.MsgspecError, UnicodeError) as error:
        raise DataError(
            f"{FILE} cannot be read",
            where=str(path),
            why=str(error)[:200],
            next="mend it or, to begin anew, delete it and add keys again",
        ) from None


def add_key(path: Path, name: str) -> str:
    """Make a key called ``name``; returns it, for the only time."""
    if not name.strip() or len(name) > 64 or not name.isprintable():
        raise BadInput("a key's name has 1 to 64 printable characters", where=repr(name[:80]))
    there = read_keys(path)
    if any(key.name == name for key in there.keys):
        raise BadInput(
            f"there is a key called {name!r} already",
            where=str(path),
            next="choose another name, or take that one away with --revoke-key",
        )
    key = PREFIX + secrets.token_urlsafe(32)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _write(path, Keys([*there.keys, Key(name, _digest(key.encode()), now)]))
    return key


def revoke_key(path: Path, name: str) -> None:
    """Take a key away. Running servers notice within a second."""
    there = read_keys(path)
    left = [key for key in there.keys if key.name != name]
    if len(left) == len(there.keys):
        known = ", ".join(key.name for key in there.keys) or "none"
        raise BadInput(f"there is no key called {name!r}", where=str(path), why=f"known: {known}")
    _write(path, Keys(left))


def _write(path: Path, keys: Keys) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o077)
    try:
        write_atomic(path, msgspec.json.format(msgspec.json.encode(keys), indent=1) + b"\n")
    finally:
        os.umask(before)


def _digest(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()


def presented(headers: dict[bytes, bytes]) -> bytes | None:
    """The key of a request: X-API-Key, Authorization: Bearer, or Basic's password."""
    if key := headers.get(b"x-api-key"):
        return key.strip()
    how, _, rest = headers.get(b"authorization", b"").partition(b" ")
    if how.lower() == b"bearer":
        return rest.strip()
    if how.lower() == b"basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return None
    return None


def holder(keys: Keys, key: bytes | None) -> str | None:
    """The name of the key that was presented; None for no or a wrong one.

    Every known digest is compared, in constant time.
    """
    if key is None or len(key) > 1000:
        return None
    digest, found = _digest(key), None
    for known in keys.keys:
        if hmac.compare_digest(known.sha256.encode(), digest.encode()):
            found = known.name
    return found
