"""Work for workers, in a module that a process imports in no time; and a small report, made by a process of its own."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from lockstep.errors import BadValue

ROOT = pathlib.Path(__file__).parents[2]


def nowhere() -> dict[str, str]:
    """The world, of a worker that has imported nothing to tell it by."""
    return {}


def told(text: str, count: int = 1) -> dict[str, bytes]:
    time.sleep(0.01 * count)
    return {"text": text.encode() * count, "threads": os.environ["OMP_NUM_THREADS"].encode()}


def wrong(text: str) -> dict[str, bytes]:
    raise ZeroDivisionError(text)


def refused(text: str) -> dict[str, bytes]:
    raise BadValue(text)


def gone() -> dict[str, bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def importing(name: str) -> dict[str, bytes]:
    return {"file": str(sys.modules["importlib"].import_module(name).__file__).encode()}


def pid(text: str) -> dict[str, bytes]:
    time.sleep(0.2)
    return {text: str(os.getpid()).encode()}


def dying(file: str, times: int) -> dict[str, bytes]:
    """Kills its worker the first few times."""
    path = pathlib.Path(file)
    done = len(path.read_text()) if path.exists() else 0
    if done < times:
        path.write_text("x" * (done + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return {"died": str(done).encode()}


def report(out: pathlib.Path, *words: str, **more) -> subprocess.Popen:
    call = [sys.executable, "-m", "reports", "--out", str(out), "--only", "penalty.l1", *words]
    return subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
