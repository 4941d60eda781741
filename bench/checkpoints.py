"""Comparing two checkpoints of 4 GiB, and two recordings of 4 GiB, beside reading what they hold.

They are generated in build/bench, which is removed. Each is compared and read in a process of its own, for its peak of
memory; what that process needs to begin is not counted. They are read from what the system keeps in memory, which is
as fast as that is: a figure without a bound. Off a disk reading takes longer, and comparing what reading takes.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.timing import Row
from lockstep.recordings.recording import MANIFEST, SCHEMA, VERSION, file_name

FOLDER = Path("build/bench")
TENSORS, SIZE = 256, 1 << 24  # bytes of each: 4 GiB
PEAK = 1 << 30

# In the process: reads the files of both and compares both, in turns; the seconds of either, and the peak in kilobytes.
SCRIPT = """
import json, resource, sys
from pathlib import Path
from bench.timing import fastest
from lockstep.comparison.checkpoints import compare_checkpoints
from lockstep.comparison.recordings import first_apart
one, other = map(Path, sys.argv[1:3])

def read():
    for name in sys.argv[3:]:
        with open(name, "rb", 0) as file:
            while file.read(1 << 22):
                pass

compare = first_apart if one.is_dir() else compare_checkpoints
found = fastest({"read": read, "compare": lambda: compare(one, other)}, 3)
print(json.dumps([found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def rows() -> Iterator[Row]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        files = [FOLDER / "one.safetensors", FOLDER / "other.safetensors"]
        for file in files:
            checkpoint(file)
        yield from of_two("identical checkpoints of 4 GiB", files, files)
        change(files[1])
        yield from of_two("checkpoints of 4 GiB, a number in each tensor apart", files, files)
        files[1].unlink()
        folders = [FOLDER / "one", FOLDER / "other"]
        for folder in folders:
            recording(folder)
        yield from of_two("identical recordings of 4 GiB, --first", folders, sorted(FOLDER.glob("o*/*.safetensors")))
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def checkpoint(file: Path, tensors: int = TENSORS) -> None:
    """Written piece by piece: what this process holds would be counted for its child."""
    tensor = np.random.default_rng(0).standard_normal(SIZE // 4, dtype=np.float32)
    header = {
        f"before/{number:03d}": {
            "dtype": "F32",
            "shape": [SIZE // 4],
            "data_offsets": [number * SIZE, (number + 1) * SIZE],
        }
        for number in range(tensors)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        for _ in range(tensors):
            opened.write(tensor.data)


def change(file: Path) -> None:
    """A number in the middle of each tensor."""
    begin = file.stat().st_size - TENSORS * SIZE
    with file.open("r+b") as opened:
        for number in range(TENSORS):
            opened.seek(begin + number * SIZE + SIZE // 2)
            opened.write(np.float32(0.5).tobytes())


def recording(folder: Path, steps: int = 8) -> None:
    folder.mkdir()
    manifest = {"subject": "optim.sgd", "hyperparameters": {"lr": 0.1}, "steps": steps}
    (folder / MANIFEST).write_text(json.dumps({"schema": SCHEMA, "version": VERSION, **manifest}), "utf-8")
    for number in range(1, steps + 1):
        checkpoint(folder / file_name(number), TENSORS // steps)


def of_two(what: str, compared: list[Path], read: list[Path]) -> Iterator[Row]:
    words = [sys.executable, "-c", SCRIPT, *map(str, (*compared, *read))]
    said = subprocess.run(words, env=os.environ | {"PYTHONPATH": "."}, capture_output=True, text=True, check=True)
    seconds, peak = json.loads(said.stdout)
    peak *= 1 if sys.platform == "darwin" else 1024
    share = seconds["read"] / seconds["compare"]
    told = {"ours": f"{seconds['compare']:.2f} s", "other": "read", "theirs": f"{seconds['read']:.2f} s"}
    yield Row(what, **told, found=f"{share:.2f} x", stated="", kept=True)
    yield Row(what, f"{peak / 2**20:.0f} MiB", "peak memory", "", "", f"< {PEAK // 2**20} MiB", peak < PEAK)
