"""A hash of what a picture shows: near for pictures that look alike, whatever their bytes.

The signs of the lowest 143 frequencies of a picture in grey, 64 by 64 (Zauner 2010, Implementation
and Benchmarking of Perceptual Image Hash Functions, section 3.2.1, with 12 by 12 frequencies for
8 by 8). Size, compression and brightness change few of them; cropping and turning change most.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

SIDE = 64
FREQUENCIES = 12
BITS = FREQUENCIES**2
DIGITS = BITS // 4
# A picture of (nearly) one grey has no frequencies but noise; and one of more pixels than any
# camera has is not unpacked.
FLAT = 4.0
MOST_PIXELS = 1 << 26


def can_hash() -> bool:
    """Whether what decodes pictures is installed (the extra ``images``)."""
    from importlib.util import find_spec

    return find_spec("PIL") is not None


def phash(data: bytes, pixels: int) -> str | None:
    """36 hexadecimal digits; None for a picture that is flat, huge or cannot be decoded."""
    if pixels > MOST_PIXELS:
        return None
    from importlib import import_module

    image, operations = import_module("PIL.Image"), import_module("PIL.ImageOps")
    try:
        with image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF")) as picture:
            picture.draft("L", (4 * SIDE, 4 * SIDE))
            grey = operations.exif_transpose(picture).convert("L")
            small = grey.resize((SIDE, SIDE), image.Resampling.BOX)
    # Decoders of damaged pictures raise whatever they meet.
    except Exception:
        return None
    return hash_of(np.asarray(small, dtype=np.float64))


def hash_of(grey: Any) -> str | None:
    """The hash of greys (64, 64) from 0 to 255; None for a flat picture."""
    from scipy.fft import dctn

    if float(grey.std()) < FLAT:
        return None
    # Rounded, so that a frequency that is not there has no sign of its own.
    lowest = np.round(dctn(grey, norm="ortho")[:FREQUENCIES, :FREQUENCIES].ravel(), 3)
    # The first is the brightness of the whole.
    bits = np.append(False, lowest[1:] > np.median(lowest[1:]))
    return np.packbits(bits).tobytes().hex()
