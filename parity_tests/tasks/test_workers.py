"""Work shared out among processes: the same results whoever does it, the first failure by name, nothing done twice."""

import os
import pathlib
import signal
import time
import zipfile

import numpy as np
import pytest

from lockstep.errors import BadPlace, BadValue
from lockstep.tasks import workers as sharing
from lockstep.tasks.kept import Kept
from lockstep.tasks.task import Task, plain
from lockstep.tasks.workers import Alone, TaskFailed, Workers
from parity_tests.reports.made import run_record
from parity_tests.reports.page import tree
from parity_tests.support.work import gone, importing, nowhere, refused, report, told, wrong

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    """Of these tasks none hangs on versions or processors, of which a worker tells only once it has imported torch."""
    monkeypatch.setattr(sharing, "world", nowhere)


def tasks() -> list[Task]:
    return [Task(f"task {number}", told, ("x", number), seconds=number) for number in range(6)]


def made(count: int, kept: Kept | None = None, of: list[Task] | None = None) -> tuple[dict, Workers]:
    with Workers(count, kept) as workers:
        return {task.name: files for task, files in workers.run(tasks() if of is None else of)}, workers


def test_whoever_does_it_the_result_is_the_same():
    alone = {task.name: files for task, files in Alone().run(tasks())}
    for count in (1, 2, 4):
        assert made(count)[0] == alone
    assert alone["task 3"] == {"text": b"xxx", "threads": b"1"}


def test_the_longest_comes_first_and_what_runs_is_told():
    seen = []
    with Workers(2) as workers:
        list(workers.run(tasks(), seen.append))
    assert seen[0].running == ("task 5", "task 4")
    assert [now.done for now in seen] == sorted(now.done for now in seen)
    assert seen[-1] == (6, 6, (), 0.0, 15.0)


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (wrong, TaskFailed, "odd: ZeroDivisionError: x"),
        (refused, BadValue, "odd: x"),
        (gone, TaskFailed, "odd.*Terminated"),
    ],
)
def test_the_first_failure_is_told_with_its_task_and_what_was_finished_is_kept(tmp_path, function, error, words):
    odd = Task("odd", function, () if function is gone else ("x",), seconds=3.5)
    with pytest.raises(error, match=words):
        made(1, Kept(tmp_path), [*tasks(), odd])
    assert len(list(tmp_path.glob("*.zip"))) == 2
    again, workers = made(2, Kept(tmp_path))
    assert (workers.taken, workers.done) == (2, 4)
    assert again == made(1)[0]


def test_nothing_is_done_twice_unless_it_is_asked_for(tmp_path):
    first, _ = made(2, Kept(tmp_path))
    again, workers = made(2, Kept(tmp_path))
    assert (workers.taken, workers.done, again) == (6, 0, first)
    anew, workers = made(2, Kept(tmp_path, fresh=True))
    assert (workers.taken, workers.done, anew) == (0, 6, first)


def test_what_is_spoilt_is_made_anew(tmp_path):
    first, _ = made(1, Kept(tmp_path))
    for number, path in enumerate(sorted(tmp_path.glob("*.zip"))):
        content = bytearray(path.read_bytes())
        content[content.index(b"threads") + len("threads")] ^= 1  # in what it holds: its checksum says otherwise
        path.write_bytes(content[:60] if number % 2 else content)
    again, workers = made(1, Kept(tmp_path))
    assert (workers.taken, workers.done, again) == (0, 6, first)


def test_other_arguments_another_world_and_another_function_have_other_keys():
    record = run_record()
    other = run_record()
    loss = other.arrays["trace/loss/ours"]
    loss[-1] = np.nextafter(loss[-1], 9.0)
    keys = [
        Task("a", told, ("x", 1)).key({}),
        Task("a", told, ("x", 2)).key({}),
        Task("a", told, ("x", 1.0)).key({}),
        Task("a", wrong, ("x", 1)).key({}),
        Task("a", told, ("x", 1)).key({"numpy": "3"}),
        Task("a", told, (record,)).key({}),
        Task("a", told, (other,)).key({}),
        Task("a", told, ("x", 1), reads=(ROOT / "README.md",)).key({}),
    ]
    assert len(set(keys)) == len(keys)
    assert Task("a", told, ("x", 1)).key({}) == keys[0]


def test_what_cannot_be_told_apart_is_no_argument():
    with pytest.raises(TypeError, match="cannot be told"):
        plain(lambda: None)
    with pytest.raises(TypeError, match="cannot be told"):
        plain(object())


def test_a_task_that_runs_through_more_than_its_key_covers_fails(tmp_path):
    with pytest.raises(TaskFailed, match=r"odd: .*reference\.optim\.sgd, which its key doesn't cover"):
        made(1, Kept(tmp_path), [Task("odd", importing, ("reference.optim.sgd",))])
    assert not list(tmp_path.glob("*.zip"))


def test_what_ran_while_sources_changed_is_not_kept(tmp_path, monkeypatch):
    states = iter(range(100))
    monkeypatch.setattr(sharing, "written", lambda: next(states))
    made(1, Kept(tmp_path))
    assert not list(tmp_path.glob("*.zip"))


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(BadPlace, match="kept"):
        made(1, Kept(tmp_path / "kept"))


def test_what_nobody_asked_for_in_a_month_goes_and_so_does_what_was_left_half_written(tmp_path):
    made(1, Kept(tmp_path))
    known = sorted(tmp_path.glob("*.zip"))
    old = time.time() - 31 * 24 * 3600
    os.utime(known[0], (old, old))
    half = tmp_path / ".x.zip.abc"
    half.write_bytes(b"half")
    os.utime(half, (old, old))
    Kept(tmp_path)
    assert sorted(tmp_path.glob("*.zip")) == known[1:]
    assert not half.exists()
    assert all(zipfile.is_zipfile(path) for path in known[1:])


# The report


def test_the_bytes_do_not_depend_on_the_number_of_workers_nor_on_what_was_kept(near, tmp_path):
    first = tree(near)  # of two
    assert {"index.html", "ko/penalty/l1.html"} < set(first)
    for count in ("1", "4"):
        said = report(tmp_path / count, "--workers", count).communicate()
        assert "0 kept" in said[1], said
        assert tree(tmp_path / count) == first
    said = report(tmp_path / "1").communicate()
    assert "(0 made" in said[1]
    assert tree(tmp_path / "1") == first


def interruptible() -> None:
    """What a shell starts in the background does not hear an interrupt, nor does what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(out: pathlib.Path, by: signal.Signals, more: int) -> tuple[int, str]:
    """A report that is ended when so many more results are kept; its exit status and what it said."""
    kept = out.with_name("out.kept")
    wanted = len(list(kept.glob("*.zip"))) + more
    begun = report(out, start_new_session=True, preexec_fn=interruptible)
    limit = time.time() + 120
    while len(list(kept.glob("*.zip"))) < wanted and time.time() < limit:
        time.sleep(0.02)
    os.killpg(begun.pid, by) if by == signal.SIGINT else begun.kill()
    said = begun.communicate(timeout=60)
    assert not out.exists()
    return begun.returncode, said[1]


def test_one_that_is_ended_goes_on_from_there_and_leaves_no_half_folder(near, tmp_path):
    out = tmp_path / "out"
    status, said = ended(out, signal.SIGINT, 2)
    assert status == 130
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["out.kept"]
    ended(out, signal.SIGKILL, 2)
    assert len(list((tmp_path / "out.kept").glob("*.zip"))) >= 4
    for left in tmp_path.glob(".report-*"):
        old = time.time() - 3600
        os.utime(left, (old, old))
    said = report(out).communicate()
    assert (out / "index.html").exists(), said
    assert tree(out) == tree(near)
    assert "(0 made" not in said[1]
    assert " 0 kept" not in said[1].split("pictures")[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.kept"]
