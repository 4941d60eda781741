"""The same work on a Dask scheduler and two workers on the loopback: the same bytes, whatever becomes of them."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from lockstep.experiments import sweep
from lockstep.explanation.matrix import configurations
from lockstep.tasks import cluster as module
from lockstep.tasks.checks import ANSWER
from lockstep.tasks.checks import planned as planned_check
from lockstep.tasks.cluster import Cluster, NoCluster, workers_of
from lockstep.tasks.kept import Kept
from lockstep.tasks.task import Task
from lockstep.tasks.workers import Workers
from parity_tests.reports.page import tree
from parity_tests.support.pairs import planned
from parity_tests.support.work import dying, pid, report
from parity_tests.tasks.test_checks import SGD

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]

# Two processes, a thread each, until what is written to it ends; a worker that is killed is started again.
SCRIPT = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    workers, threads = map(int, sys.argv[1:])
    with LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Starts schedulers with so many workers on so many threads; their addresses."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(SCRIPT)
    running: list[subprocess.Popen] = []

    def start(workers: int, threads: int = 1) -> str:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false"}
        environment.pop("PYTHONWARNINGS", None)
        call = [sys.executable, str(script), str(workers), str(threads)]
        running.append(subprocess.Popen(call, stdin=-1, stdout=-1, text=True, env=environment))
        assert running[-1].stdout
        return running[-1].stdout.readline().strip()

    yield start
    for process in running:
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def address(started):
    return started(2)


def test_a_report_has_the_same_bytes_and_what_was_kept_of_it_is_the_same(address, near, tmp_path):
    far = tmp_path / "far"
    told = report(far, "--scheduler", address).communicate()
    assert "2 at a time" in told[1], told
    assert " 0 kept" in told[1].split("pictures")[0]
    assert tree(far) == tree(near)
    kept = [sorted(path.name for path in out.with_name(f"{out.name}.kept").glob("*.zip")) for out in (far, near)]
    assert kept[0] == kept[1] != []


def test_the_matrix_has_the_same_cells(address, monkeypatch, tmp_path):
    monkeypatch.setattr(sweep, "configurations", lambda: configurations()[:1])
    found = []
    for scheduler in (address, None):
        with workers_of(scheduler, None if scheduler else 1, Kept(tmp_path / str(bool(scheduler)))) as workers:
            found.append(sweep.matrix(["penalty.l2"], steps=1, workers=workers))
    assert found[0] == found[1]
    assert found[0].passes


def test_pairs_of_causes_are_named_alike(address):
    tasks = planned("layers.dropout", "float64")[:2]
    with Cluster(address) as workers:
        far = {task.name: files for task, files in workers.run(tasks)}
    assert far == {task.name: task() for task in tasks} != {}


def test_files_are_checked_alike_and_a_worker_that_one_kills_costs_a_retry(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right.py").write_text(SGD.format(1))
    killing = f"import os, pathlib, signal\nonce = pathlib.Path({str(tmp_path)!r}, 'once')\n"
    killing += "if not once.exists():\n    once.touch()\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    (tmp_path / "killing.py").write_text(killing + SGD.format(2))
    options = {"like": "optim.sgd", "only": "normal gradients", "dtype": "float64"}
    options |= {"strict": False, "set_": [], "seed": 0, "names": None}
    tasks = [planned_check(name, options, 60) for name in ("killing.py", "right.py")]
    with Cluster(address, Kept(tmp_path / "kept")) as workers:
        far = {task.name: files for task, files in workers.run(tasks)}
    assert (tmp_path / "once").exists()
    assert far[tasks[1].name] == tasks[1]()
    answers = [json.loads(far[task.name][ANSWER])["answer"] for task in tasks]
    assert [answer["verdict"] for answer in answers] == ["different", "rounding"]
    assert all(answer["machine"] for answer in answers)


def test_the_work_is_shared_out(address):
    with Cluster(address) as workers:
        made = dict(workers.run([Task(f"task {n}", pid, (f"{n}",)) for n in range(8)]))
    assert len({next(iter(files.values())) for files in made.values()}) == 2


def test_a_worker_that_is_killed_costs_its_task_a_retry(address, tmp_path):
    tasks = [Task("odd", dying, (str(tmp_path / "died"), 1)), *(Task(f"task {n}", pid, (f"{n}",)) for n in range(4))]
    with Cluster(address, Kept(tmp_path / "kept")) as workers:
        made = {task.name: files for task, files in workers.run(tasks)}
    assert made["odd"] == {"died": b"1"}
    assert len(made) == 5
    with Workers(2, Kept(tmp_path / "kept")) as again:
        assert len(dict(again.run(tasks))) == 5
        assert (again.taken, again.done) == (5, 0)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", "200ms")
    with pytest.raises(NoCluster, match=r"no Dask scheduler answers at .*127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(NoCluster, match=r"no Dask scheduler answers at .*nonsense"):
        Cluster("nonsense://x")


def test_one_without_workers_is_named(started):
    with pytest.raises(NoCluster, match="has no workers: start some with `dask worker tcp"):
        Cluster(started(0))


@pytest.mark.parametrize("name", ["python", "lockstep", "numpy", "torch", "sources"])
def test_workers_of_another_version_are_refused(address, name, monkeypatch):
    here, real = module.described() | {name: "0.0.1"}, module.check_worker

    def check(worker, found):
        monkeypatch.setattr(module, "described", lambda: here)
        return real(worker, found)

    monkeypatch.setattr(module, "check_worker", check)
    with pytest.raises(NoCluster, match=f"has another {name} than this process .*127.0.0.1.*0.0.1"):
        Cluster(address)


def test_workers_on_several_threads_are_refused(started):
    with pytest.raises(NoCluster, match="has another threads than this process"):
        Cluster(started(1, 2))


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoCluster, match=r"pip install 'lockstep\[distributed\]'"):
        Cluster("tcp://127.0.0.1:8786")


def test_workers_and_a_scheduler_are_not_both_asked_for():
    with pytest.raises(ValueError, match="--workers or --scheduler"):
        workers_of("tcp://127.0.0.1:8786", 2)
