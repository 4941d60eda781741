"""PNGs of at most 256 colours: half the size of matplotlib's, and not a byte in them but the picture."""

import struct
import zlib

import numpy as np

COLOURS = 256
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode(pixels: np.ndarray) -> bytes:
    """An image (height, width, red green blue …, uint8) as a PNG with a palette (PNG 1.2, colour type 3)."""
    indices, palette = reduce(pixels[..., :3])
    height, width = indices.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), indices], axis=1)  # filter type 0 before every row
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return SIGNATURE + b"".join(chunk(kind, content) for kind, content in parts)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def reduce(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices into a palette, and the palette: the commonest colours; any other takes the nearest of them.

    Colours are counted by the five leading bits of each channel; a palette entry is the mean of what it counted.
    """
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    codes = (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3
    counts = np.bincount(codes.ravel(), minlength=1 << 15)
    used = np.flatnonzero(counts)
    channels = [np.bincount(codes.ravel(), channel.ravel(), 1 << 15)[used] for channel in (red, green, blue)]
    means = np.stack(channels, axis=1) / counts[used, None]
    kept = np.argsort(-counts[used], kind="stable")[:COLOURS]
    nearest = np.array([np.argmin(((means[kept] - mean) ** 2).sum(axis=1)) for mean in means], np.uint8)
    table = np.zeros(1 << 15, np.uint8)
    table[used] = nearest
    return table[codes], np.rint(means[kept]).astype(np.uint8)
