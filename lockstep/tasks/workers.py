"""Shares tasks out among workers, the longest first, and hands on what they make as soon as it is there."""

import contextlib
import functools
import gc
import importlib
import os
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from types import ModuleType
from typing import Any, NamedTuple

from lockstep.errors import LockstepError
from lockstep.numerics import compiler
from lockstep.numerics.environment import world
from lockstep.subjects.registry import subjects
from lockstep.tasks.kept import Kept
from lockstep.tasks.sources import UnknownImport, closure, known, named, written
from lockstep.tasks.task import Files, Task

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}


class TaskFailed(RuntimeError):
    """A task raised an error, which is this one's cause, or its worker died; the message names it."""

    def __init__(self, name: str, error: BaseException):
        super().__init__(f"{name}: {type(error).__name__}: {error}")
        self.name = name


class Passing(Files):
    """What a task makes and nobody keeps: it may be another the next time."""


class Progress(NamedTuple):
    """How far a sweep is. running: names of tasks. left: about how many seconds of work are left, of `total`."""

    done: int
    tasks: int
    running: tuple[str, ...]
    left: float
    total: float


Tell = Callable[[Progress], Any]


def silent(progress: Progress) -> None:
    """Tells nobody."""


def cores() -> int:
    """How many processes this machine runs at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Worker processes on this machine's cores, each on one thread, started with the first task.

    Arguments:
        count: how many; one a core if None.
        kept: where results are kept.
    """

    def __init__(self, count: int | None = None, kept: Kept | None = None):
        self.count, self.kept = count or cores(), kept or Kept(None)
        self.executor: Any = None
        self.begun: list[Future] = []
        self.taken = self.done = 0  # tasks whose result was kept, and those that were done
        self.spent: Counter[str] = Counter()  # on those, by their kind: seconds of processors
        self.written = written()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        self.kept.close()
        if self.executor is not None:
            self.executor.shutdown(kill_workers=True)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        if self.executor is None:
            loky = importlib.import_module("joblib.externals.loky")  # takes a while, and most calls need none
            # One that has grown by what it loaded is replaced by a fresh one, and nothing of it is lost.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
            bounds = {"initializer": bound, "initargs": (os.getpid(),), "env": ONE_THREAD}
            self.executor = loky.ProcessPoolExecutor(self.count, **bounds)
        return self.executor.submit(function, *arguments)

    def begin(self) -> None:
        """Start every worker, so that they load what they need while work is still being planned."""
        self.begun = self.begun or [self.submit(world) for _ in range(self.count)]

    @functools.cached_property
    def world(self) -> dict[str, Any]:
        """Versions, machine and settings, as a worker finds them."""
        self.begin()
        return self.begun[0].result()

    def run(self, tasks: Iterable[Task], tell: Tell = silent) -> Iterator[tuple[Task, Files]]:
        """Each task with what it made, as soon as it is there; what is kept comes first.

        Raises:
            TaskFailed: for the first that fails; nothing more is begun, and what was finished is kept.
            OSError: where a result cannot be kept.
        """
        keys = {task: task.key(self.world) for task in tasks}
        missing: list[Task] = []
        for task, key in keys.items():
            files = self.kept.get(key)
            if files is None:
                missing.append(task)
            else:
                self.taken += 1
                yield task, files
        seconds: dict[Task, float] = {task: self.kept.seconds.get(task.name, task.seconds) for task in missing}
        for task, files, imported in self.made(seconds, tell):
            check(task, imported)
            known_sources = self.written == written()
            if known_sources and not isinstance(files, Passing):
                self.kept.put(keys[task], files)
            yield task, files

    def made(self, seconds: Mapping[Task, float], tell: Tell) -> Iterator[tuple[Task, Files, set[str]]]:
        """What tasks make that take about so many seconds each, and what they imported."""
        waiting = sorted(seconds, key=lambda task: seconds[task])
        running: dict[Future, Task] = {}
        while waiting or running:
            while waiting and len(running) < self.count:
                task = waiting.pop()
                running[self.submit(timed, task)] = task
            names = tuple(task.name for task in running.values())
            left = sum(seconds[task] for task in (*waiting, *running.values()))
            tell(Progress(len(seconds) - len(waiting) - len(running), len(seconds), names, left, sum(seconds.values())))
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                task = running.pop(future)
                try:
                    files, took, imported = future.result()
                except BrokenProcessPool as error:
                    raise TaskFailed(" or ".join(names), error) from error
                except LockstepError as error:
                    error.args = (f"{task.name}: {error}", *error.args[1:])
                    raise
                except Exception as error:
                    raise TaskFailed(task.name, error) from error
                self.kept.took(task.name, took)
                self.spent[task.kind or task.function.__name__] += took
                self.done += 1
                yield task, files, imported
        tell(Progress(len(seconds), len(seconds), (), 0.0, sum(seconds.values())))


class Alone:
    """This process by itself, which keeps nothing."""

    def begin(self) -> None:
        """It is there."""

    def run(self, tasks: Iterable[Task], tell: Tell = silent) -> Iterator[tuple[Task, Files]]:
        """Each task with what it made, in their order.

        Raises:
            TaskFailed: for the first that fails.
        """
        for task in tasks:
            try:
                yield task, task()
            except Exception as error:
                raise TaskFailed(task.name, error) from error


def timed(task: Task) -> tuple[Files, float, set[str]]:
    """What a task makes, how many seconds of a processor it took, and what it imported by name while it ran."""
    if named(task.words):
        subjects()  # looks at every file there is, which makes no work depend on all of them
    begun = time.process_time()
    with noticed() as imported:
        files = task()
    return files, time.process_time() - begun, imported


@contextlib.contextmanager
def noticed() -> Iterator[set[str]]:
    """The names that `importlib.import_module` is given meanwhile."""
    names: set[str] = set()
    real = importlib.import_module

    def importing(name: str, package: str | None = None) -> ModuleType:
        names.add(name)
        return real(name, package)

    importlib.import_module = importing
    try:
        yield names
    finally:
        importlib.import_module = real


def check(task: Task, imported: set[str]) -> None:
    """See that a task imported nothing that its key knows nothing of.

    Raises:
        TaskFailed: where it did; its result would be kept under a key that doesn't change with that module.
    """
    covered, _ = closure(task.modules, task.words)
    packages = {name for name, path in known().items() if path.name == "__init__.py"}  # looked through for subjects
    beyond = sorted((imported & known().keys()) - covered - packages)
    if beyond:
        raise TaskFailed(task.name, UnknownImport(f"runs through {', '.join(beyond)}, which its key doesn't cover"))


def bound(parent: int) -> None:
    """Leave Ctrl-C to the process that hands out the work, which ends the workers; and end with it if it is killed.

    What a task makes is rarely a cycle, so they are looked for less often: the tenth part of a picture's time. And a
    worker may grow to a gigabyte before a fresh one takes its place, which has all to load again that this one knows.
    """
    vars(importlib.import_module("joblib.externals.loky.process_executor"))["_MAX_MEMORY_LEAK_SIZE"] = 1 << 30
    gc.set_threshold(20_000, 50, 100)
    compiler.defer()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, args=(parent,), daemon=True).start()


def watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
