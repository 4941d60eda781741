"""The same tasks on the workers of a Dask scheduler: on as many machines as it has."""

import functools
import importlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from lockstep.errors import BadValue
from lockstep.numerics.environment import world
from lockstep.tasks.kept import Kept
from lockstep.tasks.sources import everything
from lockstep.tasks.workers import Workers
from lockstep.text import message

PATIENCE = "10s"  # until a scheduler that does not answer is not there
SAME = ("python", "lockstep", "numpy", "torch", "sources", "threads")  # on every worker as here


class NoCluster(BadValue):
    """A scheduler that is not there, has no workers, or has others than this Lockstep's."""


class Cluster(Workers):
    """Worker processes of a Dask scheduler, whoever started them, each on one thread.

    Where a worker dies, its task begins again on another; after a few of them Dask takes it for the task's doing.
    Nothing is begun before every worker has been asked: all are of this Python, Lockstep, NumPy and torch. On which
    processor they run they may differ; what is kept of such workers is theirs alone.

    Arguments:
        address: of the scheduler, as Dask writes it: "tcp://127.0.0.1:8786". It is trusted with whatever the work is.
        kept: where results are kept.

    Raises:
        NoCluster: naming what is wrong, and with which worker.
    """

    def __init__(self, address: str, kept: Kept | None = None):
        if importlib.util.find_spec("distributed") is None:
            raise NoCluster(message("cluster.missing"))
        distributed = importlib.import_module("distributed")
        try:
            self.client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise NoCluster(message("cluster.absent", address=address, words=str(error))) from None
        try:
            threads = self.client.nthreads()
            if not threads:
                raise NoCluster(message("cluster.empty", address=address))
            self.worlds: dict[str, dict[str, Any]] = self.client.run(described)
            for worker, count in threads.items():
                check_worker(worker, self.worlds[worker] | {"threads": count * self.worlds[worker]["threads"]})
        except BaseException:  # Ctrl-C too: nobody else knows the client yet, whose threads would go on asking
            self.client.close()
            raise
        super().__init__(len(threads), kept)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.client.close()

    @functools.cached_property
    def pool(self) -> Any:
        """As what hands out the work on this machine is; a task that is called twice is done twice."""
        return self.client.get_executor(pure=False)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        return self.pool.submit(function, *arguments)

    @functools.cached_property
    def world(self) -> dict[str, Any]:
        """Of workers that are all alike, the one of each: what they make is what this machine makes, were it theirs."""
        worlds = [{name: value for name, value in one.items() if name != "sources"} for one in self.worlds.values()]
        different = [one for place, one in enumerate(worlds) if one not in worlds[:place]]
        return worlds[0] if len(different) == 1 else {"workers": sorted(different, key=repr)}


def described() -> dict[str, Any]:
    """What a process runs on, and a digest of all sources of ours that it runs."""
    return world() | {"sources": everything()[:12]}


def check_worker(worker: str, there: dict[str, Any]) -> None:
    """Refuse a worker that is not of this Python, Lockstep, NumPy and torch, or is on more than one thread.

    Raises:
        NoCluster: naming the first that is different.
    """
    wanted = described() | {"threads": 1}
    for name in SAME:
        if there[name] != wanted[name]:
            raise NoCluster(message("cluster.other", worker=worker, name=name, has=there[name], wanted=wanted[name]))


def workers_of(scheduler: str | None, count: int | None, kept: Kept | None = None) -> Workers:
    """The workers of a scheduler, or where none is named this machine's.

    Raises:
        NoCluster: as above.
        BadValue: for a count of workers whom the scheduler has.
    """
    if not scheduler:
        return Workers(count, kept)
    if count is not None:
        raise BadValue(message("cluster.count"))
    return Cluster(scheduler, kept)
