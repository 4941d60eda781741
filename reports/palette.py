"""PNGs of at most 256 colours: half the size of matplotlib's, and not a byte in them but the picture."""

import struct
import zlib

import numpy as np

COLOURS = 256
COMMON = 128  # of them go to the commonest colours
WHITE = (1 << 15) - 1  # the code of white, by the five leading bits of each channel
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
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),  # 9 takes five times as long for a twentieth of the bytes
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
    every = pixels[..., 0] & pixels[..., 1] & pixels[..., 2]
    inked = np.flatnonzero(every != 255)  # one in ten; white ones needn't be looked at one by one
    white = pixels.shape[0] * pixels.shape[1] - inked.size
    red, green, blue = pixels.reshape(-1, 3)[inked].T.astype(np.int32)
    codes = (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3
    counts, sums = np.bincount(codes, minlength=WHITE + 1), np.zeros((WHITE + 1, 3))
    for channel, values in enumerate((red, green, blue)):
        sums[:, channel] = np.bincount(codes, values, WHITE + 1)
    counts[WHITE] += white
    sums[WHITE] += 255 * white
    used = np.flatnonzero(counts)
    means = sums[used] / counts[used, None]
    kept = chosen(means, counts[used])
    table = np.zeros(WHITE + 1, np.uint8)
    table[used] = nearest(means, means[kept])
    indices = np.full(pixels.shape[:2], table[WHITE])
    indices.reshape(-1)[inked] = table[codes]
    return indices, np.rint(means[kept]).astype(np.uint8)


def nearest(means: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """The number of the entry nearest to each colour; the first of those that are equally near."""
    best = distances(means, entries[0])
    numbers = np.zeros(len(means), np.uint8)
    for number, entry in enumerate(entries[1:], start=1):
        distance = distances(means, entry)
        numbers[distance < best] = number
        best = np.minimum(best, distance)
    return numbers


def chosen(means: np.ndarray, counts: np.ndarray) -> list[int]:
    """Which colours get an entry: a rare one, far from all others, is not to be lost."""
    kept = list(np.argsort(-counts, kind="stable")[:COMMON])
    left = np.min([distances(means, means[one]) for one in kept], axis=0)
    while len(kept) < min(COLOURS, len(means)):
        kept.append(int(np.argmax(left)))
        left = np.minimum(left, distances(means, means[kept[-1]]))
    return kept


def distances(means: np.ndarray, mean: np.ndarray) -> np.ndarray:
    red, green, blue = ((means - mean) ** 2).T
    return red + green + blue
