"""PNGs of at most 256 colours: half the size of matplotlib's, and not a byte in them but the picture."""

import struct
import zlib

import numpy as np

COLOURS = 256
COMMON = 128  # of them go to the commonest colours
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
    """Indices into a palette, and the palette: the commonest colours, then those furthest from them.

    Colours are counted by the five leading bits of each channel; a palette entry is the mean of what it counted.
    A colour without an entry takes the nearest one.
    """
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    codes = (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3
    counts = np.bincount(codes.ravel(), minlength=1 << 15)
    used = np.flatnonzero(counts)
    channels = [np.bincount(codes.ravel(), channel.ravel(), 1 << 15)[used] for channel in (red, green, blue)]
    means = np.stack(channels, axis=1) / counts[used, None]
    kept = chosen(means, counts[used])
    table = np.zeros(1 << 15, np.uint8)
    table[used] = [np.argmin(distances(means[kept], mean)) for mean in means]
    return table[codes], np.rint(means[kept]).astype(np.uint8)


def chosen(means: np.ndarray, counts: np.ndarray) -> list[int]:
    """Which colours get an entry: a rare one, far from all others, is not to be lost."""
    kept = list(np.argsort(-counts, kind="stable")[:COMMON])
    left = np.min([distances(means, means[one]) for one in kept], axis=0)
    while len(kept) < min(COLOURS, len(means)):
        kept.append(int(np.argmax(left)))
        left = np.minimum(left, distances(means, means[kept[-1]]))
    return kept


def distances(means: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return ((means - mean) ** 2).sum(axis=1)
