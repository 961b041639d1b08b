"""What the chain calls a case; by itself, so that `trackrecord status` need not load the chain."""

from __future__ import annotations

# hashlib is slow to load, since it starts OpenSSL; as in the standard library's own `random`, the
# lean module comes first.
try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]  # Python 3.12
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from hashlib import sha256


def case_digest(name: str) -> str:
    """What the chain calls a case: the chain can be published without telling other cases' names.

    A name that somebody guesses can be confirmed; this is a veil, not a lock.
    """
    digest: str = sha256(b"trackrecord case " + name.encode()).hexdigest()
    return digest
