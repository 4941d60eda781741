"""What the networks learn: the notebook's two clusters, handwritten digits, and MNIST and CIFAR-10 from files.

A file is trusted in nothing: sizes are checked before memory is taken, every number against what the format
allows, and arrays come back only when every file was right.
"""

import gzip
import importlib
import stat
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

MNIST_FILES = {
    "x_train": ("train-images", "idx3-ubyte"),
    "t_train": ("train-labels", "idx1-ubyte"),
    "x_test": ("t10k-images", "idx3-ubyte"),
    "t_test": ("t10k-labels", "idx1-ubyte"),
}
MAGIC = {1: 0x00000801, 3: 0x00000803}  # unsigned bytes in one dimension (labels) and in three (images)
SIDE = 28
MOST = 1_000_000  # images in one file; the largest relative of MNIST, EMNIST, has 814 255 in all
INFLATION = 1032  # deflate makes at most this many bytes of one
CHUNK = 2**20

CIFAR_FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
CIFAR_SHAPE = (3, 32, 32)
CIFAR_RECORD = 1 + 3 * 32 * 32
CLASSES = 10


class BadFile(ValueError):
    """A file that isn't what it should be; the message names it, what was expected and what was found."""

    def __init__(self, path, problem: str):
        super().__init__(f"{path}: {problem}")


class Columns(NamedTuple):
    """Samples as columns, as the notebook has them: X (features, n), Y (1, n)."""

    X: np.ndarray
    Y: np.ndarray

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """PyTorch's layout: x (n, features), t (n, 1)."""
        return np.ascontiguousarray(self.X.T), np.ascontiguousarray(self.Y.T)


class Split(NamedTuple):
    """Samples as rows: x (n, features) or (n, channels, height, width), t (n,) class numbers as int64."""

    x_train: np.ndarray
    t_train: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray


def two_clusters(seed: int = 42, n_samples: int = 40) -> Columns:
    """The notebook's small data set, draw for draw: two normal clusters around (-1, -1) and (1, 1), shuffled.

    Arguments:
        seed: of NumPy's legacy generator.
        n_samples: an even number; half of them in each cluster.

    Raises:
        ValueError: for an odd or too small number.
    """
    if n_samples < 2 or n_samples % 2:
        raise ValueError(f"n_samples must be even and at least 2, not {n_samples}")
    random, half = np.random.RandomState(seed), n_samples // 2
    clusters = [random.randn(2, half) * 0.5 + centre for centre in (-1, 1)]
    shuffled = random.permutation(n_samples)
    X = np.hstack(clusters)[:, shuffled]
    Y = np.hstack([np.zeros((1, half)), np.ones((1, half))])[:, shuffled]
    return Columns(X, Y)


def digits(test_share: float = 0.2, seed: int = 0, dtype="float64") -> Split:
    """1797 handwritten digits of 8 × 8 pixels (Alpaydin and Kaynak 1998), from scikit-learn, scaled to [0, 1].

    Arguments:
        test_share: of each class, held back for the test; in (0, 1).
        seed: of what is held back.
        dtype: of x (n, 64); the scaling by 1/16 is exact in any.

    Raises:
        ImportError: where scikit-learn is not installed.
        ValueError: for a share that leaves a class without a sample on either side.
    """
    try:
        load = importlib.import_module("sklearn.datasets").load_digits
    except ImportError as error:
        raise ImportError('the digits come from scikit-learn: pip install "lockstep[data]"') from error
    pixels, t = load(return_X_y=True)
    x, t = (pixels / 16).astype(floating(dtype)), t.astype(np.int64)
    test = held_back(t, test_share, np.random.RandomState(seed))
    return Split(x[~test], t[~test], x[test], t[test])


def held_back(t, share: float, random) -> np.ndarray:
    """True for what the test keeps: of every class the same share, to the nearest whole number."""
    test = np.zeros(t.size, bool)
    for label in np.unique(t):
        members = random.permutation(np.flatnonzero(t == label))
        count = round(members.size * share) if 0 < share < 1 else 0
        if not 0 < count < members.size:
            raise ValueError(
                f"test_share {share} leaves class {label} with {count} of {members.size} samples to test on"
            )
        test[members[:count]] = True
    return test


def mnist(folder, dtype="float32") -> Split:
    """MNIST, or a relative in its format (28 × 28 pixels, 10 classes), from the four IDX files in `folder`.

    Arguments:
        folder: holds train-images-idx3-ubyte, train-labels-idx1-ubyte and the same of t10k; a dot may stand
            in place of the last dash but one, and .gz at the end. MNIST/raw and raw inside it are looked in too.
        dtype: of x (n, 1, 28, 28), scaled to [0, 1].

    Raises:
        FileNotFoundError: naming the file that is missing.
        BadFile: for a file with another magic number, size, count or label; nothing is returned then.

    Source: the format is described at yann.lecun.com/exdb/mnist.
    """
    folders = [Path(folder) / inside for inside in ("", "MNIST/raw", "raw")]
    paths = {
        field: first_of(folders, [f"{name}{dash}{kind}{end}" for end in ("", ".gz") for dash in "-."])
        for field, (name, kind) in MNIST_FILES.items()
    }
    arrays = {field: idx(path, 3 if field.startswith("x") else 1) for field, path in paths.items()}
    for part in ("train", "test"):
        images, labels = len(arrays[f"x_{part}"]), len(arrays[f"t_{part}"])
        if images != labels:
            raise BadFile(paths[f"t_{part}"], f"{labels} labels for the {images} images in {paths[f'x_{part}'].name}")
        check_labels(paths[f"t_{part}"], arrays[f"t_{part}"])
    return Split(
        *(scaled(array[:, None], dtype) if array.ndim == 3 else array.astype(np.int64) for array in arrays.values())
    )


def idx(path: Path, dimensions: int) -> np.ndarray:
    """The unsigned bytes of an IDX file: labels (1 dimension) or images (3)."""
    size = size_of(path)
    compressed = path.suffix == ".gz"
    header = 4 + 4 * dimensions
    with gzip.open(path) if compressed else path.open("rb") as file:
        start = read_up_to(file, header, path)
        check_magic(path, start[:4], dimensions)
        if len(start) < header:
            raise BadFile(path, f"truncated: the header has {header} bytes, found {len(start)}")
        shape = np.frombuffer(start, ">u4")[1:].tolist()
        check_shape(path, shape)
        expected = int(np.prod(shape, dtype=object))
        if not compressed and size != header + expected:
            raise BadFile(
                path, f"{wrong_size(size - header - expected)}: expected {header + expected} bytes, found {size}"
            )
        if compressed and header + expected > size * INFLATION:
            raise BadFile(
                path, f"truncated: {size} compressed bytes can't hold the {header + expected} that the header announces"
            )
        content = read_up_to(file, expected, path)
        beyond = read_up_to(file, 1, path)
    if len(content) < expected:
        raise BadFile(path, f"truncated: expected {header + expected} bytes, found {header + len(content)}")
    if beyond:
        raise BadFile(path, f"trailing bytes: expected {header + expected} bytes, found more")
    return np.frombuffer(content, np.uint8).reshape(shape)


def check_magic(path: Path, start: bytes, dimensions: int) -> None:
    kinds = {MAGIC[1]: "labels", MAGIC[3]: "images"}
    wanted, magic = MAGIC[dimensions], int.from_bytes(start, "big")
    if len(start) < 4:
        raise BadFile(path, f"truncated: the magic number has 4 bytes, found {len(start)}")
    if magic != wanted:
        what = f"which is that of {kinds[magic]}" if magic in kinds else "which is no MNIST file's"
        raise BadFile(path, f"expected magic number {wanted} of {kinds[wanted]}, found {magic}, {what}")


def check_shape(path: Path, shape: list[int]) -> None:
    count, *pixels = shape
    if not 0 < count <= MOST:
        raise BadFile(path, f"expected 1 to {MOST} entries, the header announces {count}")
    if pixels not in ([], [SIDE, SIDE]):
        raise BadFile(
            path, f"expected images of {SIDE} x {SIDE} pixels, the header announces {pixels[0]} x {pixels[1]}"
        )


def cifar10(folder, dtype="float32", images_per_file: int = 10_000) -> Split:
    """CIFAR-10 (Krizhevsky 2009) from the six files of its binary version in `folder`.

    Arguments:
        folder: holds data_batch_1.bin to data_batch_5.bin and test_batch.bin, or cifar-10-batches-bin, which does.
        dtype: of x (n, 3, 32, 32), scaled to [0, 1].
        images_per_file: the files don't say; the published ones have 10 000 each.

    Raises:
        FileNotFoundError: naming the file that is missing.
        BadFile: for a file of another size or with a label above 9; nothing is returned then.

    Source: the format is described at cs.toronto.edu/~kriz/cifar.html.
    """
    folders = [Path(folder), Path(folder) / "cifar-10-batches-bin"]
    paths = {part: [first_of(folders, [name]) for name in names] for part, names in CIFAR_FILES.items()}
    records = {part: np.concatenate([cifar_records(path, images_per_file) for path in paths[part]]) for part in paths}
    x, t = (
        {part: array[:, 1:].reshape(-1, *CIFAR_SHAPE) for part, array in records.items()},
        {part: array[:, 0].astype(np.int64) for part, array in records.items()},
    )
    return Split(scaled(x["train"], dtype), t["train"], scaled(x["test"], dtype), t["test"])


def cifar_records(path: Path, images: int) -> np.ndarray:
    """Records of a label and 3 × 32 × 32 pixels, as bytes."""
    size, expected = size_of(path), images * CIFAR_RECORD
    if size != expected:
        wanted = f"{expected} bytes ({images} images of {CIFAR_RECORD})"
        raise BadFile(path, f"{wrong_size(size - expected)}: expected {wanted}, found {size}")
    with path.open("rb") as file:
        content = read_up_to(file, expected + 1, path)
    if len(content) != expected:
        raise BadFile(path, f"changed while it was read: expected {expected} bytes, found {len(content)}")
    records = np.frombuffer(content, np.uint8).reshape(images, CIFAR_RECORD)
    check_labels(path, records[:, 0])
    return records


def check_labels(path: Path, labels) -> None:
    wrong = np.flatnonzero(labels >= CLASSES)
    if wrong.size:
        raise BadFile(path, f"label {labels[wrong[0]]} at position {wrong[0]}; expected 0 to {CLASSES - 1}")


def first_of(folders: list[Path], names: list[str]) -> Path:
    """The first file there is."""
    if not folders[0].is_dir():
        raise FileNotFoundError(f"{folders[0]}: no such folder")
    for folder in folders:
        for name in names:
            if (folder / name).exists():
                return folder / name
    raise FileNotFoundError(f"{folders[0]}: no {' or '.join(names)} in it")


def size_of(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise BadFile(path, "expected a file, found a folder or a device")
    return status.st_size


def wrong_size(excess: int) -> str:
    return "trailing bytes" if excess > 0 else "truncated"


def read_up_to(file, count: int, path: Path) -> bytes:
    """`count` bytes, or what there is; memory grows only with what was really read."""
    chunks = []
    try:
        while count and (chunk := file.read(min(count, CHUNK))):
            chunks.append(chunk)
            count -= len(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadFile(path, f"not a whole gzip file: {error}") from error
    return b"".join(chunks)


def scaled(pixels, dtype) -> np.ndarray:
    """Bytes to [0, 1]: the nearest number of the dtype to pixel / 255."""
    return (np.arange(256) / 255).astype(floating(dtype))[pixels]


def floating(dtype) -> np.dtype:
    if not np.issubdtype(dtype, np.floating):
        raise TypeError(f"dtype must be a floating-point type, not {np.dtype(dtype)}")
    return np.dtype(dtype)
