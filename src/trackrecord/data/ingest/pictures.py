"""Width and height of a picture from its first bytes, and whether it ends where it should."""

from __future__ import annotations

import struct

PNG, GIF, JPEG = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a"), b"\xff\xd8"
ENDINGS = (".png", ".jpg", ".jpeg", ".gif")
# Start of frame: what follows has the size. C4, C8 and CC are other things in the same range.
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
ALONE = {0x01, *range(0xD0, 0xD9)}


def size_of(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels. Raises ValueError, saying why, for what is no whole picture.

    PNG (ISO/IEC 15948), GIF 87a and 89a, JPEG (ITU-T T.81).
    """
    if data.startswith(PNG):
        width, height = _png(data)
    elif data.startswith(GIF):
        if len(data) < 10:
            raise ValueError("it is cut off")
        width, height = struct.unpack("<HH", data[6:10])
        if b"\x3b" not in data[-2:]:
            raise ValueError("it is cut off")
    elif data.startswith(JPEG):
        width, height = _jpeg(data)
    else:
        raise ValueError("it does not begin like a PNG, JPEG or GIF picture")
    if not width or not height:
        raise ValueError("it says that it has no pixels")
    return width, height


def _png(data: bytes) -> tuple[int, int]:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ValueError("it is cut off")
    if b"IEND" not in data[-16:]:
        raise ValueError("it is cut off")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("its segments are damaged")
        kind = data[at + 1]
        if kind == 0xFF or kind in ALONE:
            at += 1 if kind == 0xFF else 2
            continue
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        if kind in FRAMES and at + 9 <= len(data):
            if b"\xff\xd9" not in data[-64:]:
                raise ValueError("it is cut off")
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise ValueError("it is cut off")
