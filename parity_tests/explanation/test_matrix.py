"""The matrix has every cell there is, in processes that run as they say, and is red where one is not explained."""

import contextlib
import json
import shutil

import numpy as np
import pytest

from lockstep.cli import main as cli
from lockstep.cli.commands import matrix as command
from lockstep.experiments import sweep
from lockstep.explanation import matrix
from lockstep.explanation.ladder import climb
from lockstep.explanation.matrix import ClimbedCell, Configuration
from lockstep.numerics.environment import environment
from lockstep.subjects.registry import subjects
from lockstep.tasks.kept import Kept
from lockstep.tasks.workers import Alone, TaskFailed, Workers
from lockstep.text import message
from torch_impl import arithmetic as kernels
from torch_impl.optim.optimizer import Optimizer

OWN = matrix.own_capability()


@pytest.fixture
def only(monkeypatch):
    """Restrict the matrix to some configurations."""

    def restrict(*wanted):
        monkeypatch.setattr(sweep, "configurations", lambda: list(wanted))

    return restrict


def test_every_configuration_this_machine_may_have():
    found = matrix.configurations()
    assert found[0] == Configuration(OWN, 1, True)
    assert {(one.capability, one.threads) for one in found} == {
        (c, t) for c in (OWN, "default", "avx2") for t in (1, 2)
    }
    assert len(found) == len(set(found))


def test_every_cell_there_is():
    found = {cell.label for cell in matrix.cells([], Configuration(OWN, 1, True))}
    for subject in subjects():
        paths = getattr(subject.theirs(subject.cases.CASES[0]), "paths", [None])
        for case in subject.cases.CASES:
            for dtype in case.dtypes:
                for path in case.paths or paths:
                    cell = ClimbedCell(subject.path, case.desc, dtype, path, 1, f"{OWN} × 1")
                    assert cell.label in found
                    found.remove(cell.label)
    assert not found


def test_as_many_steps_as_they_are_promised():
    own, lesser = Configuration(OWN, 1, True), Configuration("default", 1, False)
    assert {cell.steps for cell in matrix.cells(["optim.adam"], own)} == {500}
    assert {cell.steps for cell in matrix.cells(["models.mlp"], own)} == {200}
    assert {cell.steps for cell in matrix.cells(["optim.adam", "models.mlp"], lesser, 7)} == {7}


@pytest.mark.slow
def test_each_configuration_is_what_its_processes_run_as(only):
    """As the rungs tell: the threads that a sum is split over, and nothing fused where nothing contracts."""
    wanted = [Configuration(OWN, 2, True), Configuration("default", 1, False)]
    only(*wanted)
    cells = []
    found = sweep.matrix(["penalty.l1"], steps=1, on_cells=cells.extend)
    assert found.passes
    assert sorted(cell.label for cell in cells) == sorted(cell.label for cell in found.cells)
    sums = {cell.configuration: str(cell.rung) for cell in found.cells if cell.rung and cell.rung.key == "rung.sums"}
    assert sums == {
        "default × 1": "the order of sums, 1 thread",
        f"{OWN} × 2": "the order of sums, 2 threads",
    }
    assert [cell.label for cell in found.cells] == [
        cell.label for configuration in wanted for cell in matrix.cells(["penalty.l1"], configuration, 1)
    ]


@pytest.mark.slow
def test_a_capability_that_is_not_there_is_absent(only):
    wanted = Configuration("avx1024", 1, False)
    only(wanted)
    found = sweep.matrix(["penalty.l1"], steps=1)
    assert not found.cells
    assert not found.passes
    assert found.absent == {wanted.name: message("matrix.absent", wanted="avx1024", has=OWN)}


def test_a_cell_that_errs_is_not_explained():
    cell = ClimbedCell("optim.adam", "defaults", "float8", None, 2, "here")
    assert not matrix.Climber().explained(cell).explained
    assert matrix.Climber().explained(cell).left


PATHS = [ClimbedCell("optim.adam", "defaults", "float32", path, 5, "here") for path in ("single", "foreach", "fused")]


def test_a_path_that_takes_the_same_steps_shares_the_ladder(monkeypatch):
    climbs = []
    monkeypatch.setattr(
        matrix, "climb", lambda pair, *most, **others: climbs.append(pair) or climb(pair, *most, **others)
    )
    climber = matrix.Climber()
    found = [climber.explained(cell) for cell in PATHS]
    assert [pair.path for pair in climbs] == ["single", "fused"]
    assert [cell.explained for cell in found] == [True] * 3
    assert found == [matrix.Climber().explained(cell) for cell in PATHS]


def test_a_path_that_parts_by_one_bit_shares_no_ladder(monkeypatch):
    right = Optimizer.step

    def step(self, grads):
        right(self, grads)
        state = next(iter(self.state.values()))
        if self.hyperparameters["foreach"] and state["step"] == 4:
            state["exp_avg_sq"].reshape(-1)[-1:] += np.spacing(state["exp_avg_sq"].reshape(-1)[-1:])

    monkeypatch.setattr(Optimizer, "step", step)
    climber = matrix.Climber()
    found = [climber.explained(cell) for cell in PATHS]
    assert [cell.explained for cell in found] == [True, False, True]
    assert "step 4, line v" in str(found[1].left)


def test_the_paths_of_a_case_go_to_one_process():
    whole = matrix.cells([], Configuration(OWN, 1, True))
    parts = matrix.parts(whole)
    assert [cell for part in parts for cell in part] == whole
    assert all(len({cell.subject for cell in part}) == 1 and len(part) <= matrix.PART for part in parts)
    places = [{(cell.subject, cell.case, cell.dtype) for cell in part} for part in parts]
    assert len(set().union(*places)) == sum(map(len, places))


def test_a_process_that_is_lost_is_told_and_nothing_of_it_is_kept(only, monkeypatch):
    only(Configuration(OWN, 1, True))
    monkeypatch.setattr(matrix.sys, "executable", shutil.which("false"))
    with pytest.raises(TaskFailed, match=r"optim.adam, .*ended with status 1"):
        sweep.matrix(["optim.adam"], workers=Alone())


@pytest.mark.slow
def test_what_is_finished_is_kept_and_says_on_which_processor(only, tmp_path):
    only(Configuration(OWN, 1, True))
    found = []
    for _ in range(2):
        with Workers(1, Kept(tmp_path)) as workers:
            found.append(sweep.matrix(["penalty.l1"], steps=1, workers=workers))
    assert (workers.taken, workers.done) == (1, 0)
    assert found[0] == found[1]
    assert {cell.machine for cell in found[0].cells} == {environment().cpu or ""}


# on the command line


def status(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["lockstep", "matrix", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code


def worked_off(_, work):
    climber = matrix.Climber()
    return [climber.explained(cell) for cell in work], None


@pytest.fixture
def here(only, monkeypatch):
    """The cells of one configuration, worked off in this process."""
    only(Configuration(OWN, 1, True))
    monkeypatch.setattr(sweep, "in_process", worked_off)
    monkeypatch.setattr(command, "workers_of", lambda *_: contextlib.nullcontext(Alone()))


def test_a_table_the_share_and_every_cell(here, monkeypatch, tmp_path, capsys):
    path = tmp_path / "matrix.json"
    assert status(monkeypatch, "--only", "penalty.l1", "--only", "penalty.l2", "--json", str(path)) == 0
    printed = capsys.readouterr().out
    assert f"{OWN} × 1" in printed
    assert "total    52 of 52 explained (100.0%)" in printed
    written = json.loads(path.read_text("utf-8"))
    assert (written["explained"], written["total"], len(written["cells"])) == (52, 52, 52)
    first = path.read_bytes()
    assert status(monkeypatch, "--only", "penalty.l1", "--only", "penalty.l2", "--jobs", "3", "--json", str(path)) == 0
    assert path.read_bytes() == first


def test_one_cell_that_is_not_explained_is_told_and_fails(here, monkeypatch, capsys):
    right = kernels.log_sigmoid
    monkeypatch.setattr(kernels, "log_sigmoid", lambda x: 2 * right(x))
    assert status(monkeypatch, "--only", "layers.loss", "--steps", "1") == 1
    printed = capsys.readouterr().out
    assert "left     layers.loss[" in printed
    assert "line loss" in printed


def test_a_subject_that_there_is_not(monkeypatch, capsys):
    assert status(monkeypatch, "--only", "optim.adm") == 2
    assert "optim.adm" in capsys.readouterr().err


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_the_whole_matrix():
    found = sweep.matrix()
    assert found.passes, [cell.label for cell in found.cells if not cell.explained]
