"""What a report is made of: which runs, in which order, on which data; and the records they leave."""

import hashlib
import importlib
import struct
import sys

import numpy as np
import pytest

import lockstep
import reference.datasets
from lockstep.cases.models import Training, with_every_optimizer
from lockstep.cli import main as cli
from lockstep.errors import BadFile, BadValue
from lockstep.experiments import collect, ladders, names, planned, selection
from lockstep.experiments.detection import detections
from lockstep.numerics import probe
from lockstep.numerics.verdict import Verdict
from lockstep.records.loading import load
from lockstep.subjects.families import draws, models
from lockstep.subjects.families.models import TrainingSide
from lockstep.subjects.registry import families, find, subjects
from lockstep.tasks.workers import Alone, cores
from lockstep.text import ENGLISH

pytestmark = pytest.mark.slow

GENERAL = importlib.import_module("lockstep.cases.optim")  # whose tables are those of every optimizer
CLIMBED = {
    name: arguments
    for subject in subjects()
    if subject.path != "models.mlp"
    for name, arguments in ladders.ladders(subject).items()
}

DEEP = "digits, SGD with momentum, dropout and BatchNorm"
SELDOM = {"judge_every": 1000, "drift_every": 1000}


def bytes_of(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


# What is asked for


def test_everything_is_collected_where_nothing_is_named():
    assert names(None) == [s.path for s in subjects() if s.path != "models.mlp"] + ["digits", "notebook"]


def test_the_order_is_the_reports_and_a_name_counts_once():
    assert names(["notebook", "optim.adam", "optim.adam", "models.mlp"]) == ["optim.adam", "digits", "notebook"]


@pytest.mark.parametrize("name", ["optim.adma", "mnist", ""])
def test_an_unknown_name_is_refused_before_anything_is_run(tmp_path, name):
    seen = []
    with pytest.raises(ValueError, match=r"no subject .*'digits', 'notebook'"):
        collect(tmp_path / "out", only=["optim.sgd", name], tell=seen.append)
    assert not seen
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("data", "only", "error"),
    [
        ({"mnist": "nowhere"}, ["digits"], BadFile),
        ({"imagenet": "nowhere"}, ["digits"], ValueError),
        ({"mnist": "nowhere"}, ["optim.sgd"], ValueError),
    ],
)
def test_data_that_cannot_be_read_is_refused_before_anything_is_run(tmp_path, data, only, error):
    seen = []
    with pytest.raises(error, match=r"nowhere|imagenet|digits"):
        collect(tmp_path / "out", only=only, data=data, tell=seen.append)
    assert not seen


# Records


def test_the_same_records_byte_for_byte_and_a_progress_that_ends(tmp_path):
    told = []
    first = collect(tmp_path / "a", only=["penalty.l1", "layers.dropout"], tell=told.append)
    second = collect(tmp_path / "b", only=["layers.dropout", "penalty.l1"], workers=Alone())  # in this process
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    assert [now.done for now in told] == list(range(len(first) + 1))
    assert {now.tasks for now in told} == {len(first)}
    assert told[0].left == told[0].total > told[1].left
    assert told[-1].left == 0
    assert all(1 <= len(now.running) <= cores() for now in told[:-1])
    known = {task.name for name in ("penalty.l1", "layers.dropout") for task in planned(name, {})}
    assert {name for now in told for name in now.running} == known
    found = [load(path).subject for path in first]
    assert list(dict.fromkeys(found)) == names(["layers.dropout", "penalty.l1"])


# The selection


@pytest.mark.parametrize("subject", [s for s in subjects() if s.path != "models.mlp"], ids=lambda s: s.path)
def test_every_subject_has_telling_runs(subject):
    plan = selection.plan(subject)
    table = {case.desc for case in subject.cases.CASES}
    assert plan
    assert {arguments["case"].desc for arguments in plan.values()} <= table
    runs = [(one["case"].desc, one["dtype"], one["path"] or "single") for one in plan.values()]
    assert len(set(runs)) == len(runs)


def test_no_line_of_a_table_is_idle():
    """Each is of a case there is; of what a family declares, of a case that one of its subjects has."""
    for name in ("RUNS", "LONGER", "WALKED", "CLIMBED", "GROWN"):
        for family in families():
            of_family = [s for s in subjects() if s.family.name == family]
            every = {case.desc for s in of_family for case in s.cases.CASES}
            for place in (importlib.import_module(f"lockstep.cases.{family}"), *(s.cases for s in of_family)):
                cases = {case.desc for case in getattr(place, "CASES", ())} or every
                lines = [line for line in getattr(place, name, ()) if line not in getattr(GENERAL, name, ())]
                assert {line if isinstance(line, str) else line[0] for line in lines} <= cases, (place, name)
    for line in GENERAL.RUNS:
        assert any(tuple(one[key] for key in ("dtype", "path")) == line[1:] and one["case"].desc == line[0]
                   for s in subjects() for one in selection.plan(s).values()), line  # fmt: skip


# Ladders


def test_every_ladder_and_growth_goes_with_its_subject():
    titles = [task.name for task in planned("digits", {})]
    assert len(set(titles)) == len(titles)
    network = find("models.mlp")
    assert [title for title in titles if "bit" in title or "accumulated" in title] == [
        *ladders.ladders(network), *ladders.growths(network),
    ]  # fmt: skip


def test_every_subject_climbs_but_those_whose_first_rung_closes():
    level = {subject.path: subject.cases.CASES[0] for subject in subjects() if not ladders.ladders(subject)}
    level["layers.dropout"] = find("layers.dropout").cases.CASES[1]
    assert {"optim.rprop", "lr_scheduler.lambda_lr"} < set(level)
    assert all(lockstep.explain(path, case=case).rungs[0].closes for path, case in level.items())
    moving = {s.path for s in subjects() if s.family.name in ("optim", "models") and s.family.recorded != "states"}
    assert {s.path for s in subjects() if ladders.growths(s)} == moving


@pytest.mark.parametrize("arguments", CLIMBED.values(), ids=CLIMBED)
def test_a_ladder_has_something_to_explain_and_closes(arguments):
    subject = arguments["subject"]
    found = lockstep.explain(**arguments | {"steps": min(arguments["steps"], 40)})
    # SGD multiplies and adds in one order only: where no kernel fuses, both sides are the same to the bit
    same = subject == "optim.sgd" and probe.findings().contraction["add"] != "fused"
    assert found.rungs[0].closes is same
    assert found.explained


def test_only_some_subjects_climb_only_their_ladders(tmp_path, monkeypatch):
    none = {"RUNS": ["none"], "WALKED": {}, "CLIMBED": {}, "GROWN": {}, "CURVES": {}}
    wanted = {
        "layers.batchnorm": none | {"CLIMBED": {"features, in training": None}},
        "optim.adam": none | {"GROWN": {"defaults": 5}},
        "optim.sgd": none,
    }
    for path, tables in wanted.items():
        for name, table in tables.items():
            monkeypatch.setattr(find(path).cases, name, table, raising=False)
    monkeypatch.setattr(detections, "detections", lambda path: {})
    found = [load(path) for path in collect(tmp_path, only=list(wanted), workers=Alone())]
    found = [record for record in found if record.kind != "laboratory"]
    kinds = [(record.kind, record.subject) for record in found]
    assert sorted(kinds) == [("explanation", "layers.batchnorm"), ("growth", "optim.adam")]
    climbed, grown = sorted(found, key=lambda record: record.kind)
    assert climbed.explained
    assert climbed.rungs[-1].closes
    assert climbed.findings.kernels
    assert grown.steps == len(grown.drift) == 5


# Networks on real data


def test_every_optimizer_trains_one_network():
    cases = with_every_optimizer(find("models.mlp").cases.CASES)
    assert {case.optimizer for case in cases} == {s.path for s in subjects() if getattr(s.cases, "TRAINED", None)}
    assert len({str(case.network) for case in cases}) == 1
    assert all(case.network["dropout"] and case.network["batchnorm"] for case in cases)


def test_the_held_back_digits_are_read():
    arguments = selection.plan(find("models.mlp"))[DEEP]
    found = lockstep.run(**(arguments | SELDOM))
    assert found.verdict is Verdict.ROUNDING
    for side in ("ours", "theirs"):
        assert found.outcome.traces[f"accuracy/{side}"][-1] > 0.95
    assert np.isnan(found.drift["param"][1:-1]).all()
    assert found.drift["param"][-1] >= 0


@pytest.fixture
def mnist(tmp_path):
    """A folder with MNIST's four files, of images that a bright bar tells apart."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 128), ("t10k", 30)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 64, (count, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 6] += 150
        header = struct.pack(">IIII", 2051, count, 28, 28)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.tobytes())
    return tmp_path


@pytest.fixture
def cifar10(tmp_path, monkeypatch):
    """A folder with CIFAR-10's six files, of 64 images each."""
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        labels, pixels = rng.integers(0, 10, (64, 1)), rng.integers(0, 256, (64, 3072))
        (tmp_path / f"{name}.bin").write_bytes(np.hstack([labels, pixels]).astype(np.uint8).tobytes())
    whole = reference.datasets.cifar10
    monkeypatch.setattr(reference.datasets, "cifar10", lambda folder: whole(folder, images_per_file=64))
    return tmp_path


@pytest.mark.parametrize(("kind", "words", "inputs"), [("mnist", "MNIST", 784), ("cifar10", "CIFAR-10", 3072)])
def test_a_folder_of_images_is_trained_on_with_every_optimizer(request, kind, words, inputs):
    folder = request.getfixturevalue(kind)
    find("models.mlp").family.check_data(kind, folder)
    whole = selection.plan(find("models.mlp"), {kind: folder})
    plan = {name: arguments for name, arguments in whole.items() if name.startswith(words)}
    assert len(plan) == len([s for s in subjects() if getattr(s.cases, "TRAINED", None)])
    arguments = plan[f"{words}, Adam, dropout and BatchNorm"]
    found = lockstep.run(**(arguments | {"steps": 2, "judge_every": 1}))
    assert found.verdict.passes
    assert found.label.endswith(f"{words}, Adam, dropout and BatchNorm]")
    assert found.record.desc == f"{words}, Adam, dropout and BatchNorm"
    assert f"--problem {kind}:" in found.rerun.replace("'", "")
    sides = found.outcome.sides.values()
    assert {side.model.params["linear1.weight"].shape for side in sides} == {(64, inputs)}


def test_a_file_that_is_cut_short_is_told_by_its_name(mnist):
    path = mnist / "t10k-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte: truncated"):
        find("models.mlp").family.check_data("mnist", mnist)


def called(monkeypatch, *words) -> int:
    """The exit status of the command line."""
    monkeypatch.setattr(sys, "argv", ["lockstep", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def test_the_command_line_takes_a_folder_as_a_problem(monkeypatch, capsys, mnist):
    assert called(monkeypatch, "run", "models.mlp", "--problem", f"mnist:{mnist}", "--steps", 1) == 0
    assert "MNIST, Adam" in capsys.readouterr().out
    assert called(monkeypatch, "run", "models.mlp", "--problem", f"mnist:{mnist / 'none'}", "--steps", 1) == 2
    assert "no such folder" in capsys.readouterr().err


def test_the_report_takes_the_folders(monkeypatch, capsys, tmp_path, mnist):
    seen = {}

    def collected(out, only, data, workers, tell):
        seen.update(only=only, data=data)
        raise BadValue("enough seen")

    monkeypatch.setattr(lockstep.experiments, "collect", collected)
    words = ("report", "--out", tmp_path / "page", "--only", "digits", "--mnist", mnist, "--cifar10", tmp_path)
    assert called(monkeypatch, *words) == 2
    assert seen == {"only": ["digits"], "data": {"mnist": mnist, "cifar10": tmp_path}}
    assert "enough seen" in capsys.readouterr().err


# Long runs that are looked at now and then


CASE = Training(
    "a small network", optimizer="optim.sgd", network={"hidden": (8,), "dropout": 0.5}, batch_size=256, lr=0.1
)


def test_looking_seldom_changes_nothing_of_the_run():
    often, seldom = (lockstep.run("models.mlp", case=CASE, steps=9, judge_every=k, drift_every=k) for k in (1, 4))
    for side in ("ours", "theirs"):
        assert often.outcome.traces[f"loss/{side}"].tobytes() == seldom.outcome.traces[f"loss/{side}"].tobytes()
    looked = ~np.isnan(seldom.drift["param"])
    assert np.flatnonzero(looked).tolist() == [0, 3, 7, 8]
    assert np.array_equal(often.drift["param"][looked], seldom.drift["param"][looked])
    assert np.flatnonzero(~np.isnan(seldom.defect["param"])).tolist() == [0, 3, 7]
    assert seldom.verdict.passes  # across the end of an epoch, where a new order of samples is drawn


def test_a_side_that_misses_a_draw_is_noticed(monkeypatch):
    monkeypatch.setattr(TrainingSide, "unmissed", ())
    assert lockstep.run("models.mlp", case=CASE, steps=4, judge_every=4).verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("name", ["judge_every", "drift_every"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_rhythm_that_is_none_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number from 1 on"):
        lockstep.run("optim.sgd", **{name: value})


# Where the random numbers come from


def test_an_unknown_source_of_draws_is_refused():
    with pytest.raises(ValueError, match="draws must be one of pytorch, notebook, not 'dice'"):
        Training("x", optimizer="optim.sgd", draws="dice")


@pytest.mark.parametrize("same", [True, False])
def test_where_pytorch_has_masks_of_its_own_both_sides_get_them_and_it_is_said(monkeypatch, same):
    monkeypatch.setattr("lockstep.subjects.families.models.same_masks", lambda: same)
    monkeypatch.setattr(draws, "same_masks", lambda: same)
    found = lockstep.run("models.mlp", case=CASE, steps=2)
    assert found.verdict.passes
    assert found.notes == ([] if same else [draws.SHARED])
    assert list(found.record.notes) == found.notes
    assert (ENGLISH.say(draws.SHARED) in str(found)) is not same
    later = draws.generators("pytorch", "reference", 0)[1]
    assert type(later).__module__ == ("reference.random" if same else "torch_impl.random")


# Around a path


def test_a_function_of_two_variables_is_recorded_around_its_path():
    arrays = lockstep.run("optim.sgd", case="the notebook's run", dtype="float64", steps=20).record.arrays
    path, (x, y, z) = arrays["trace/path/ours"], (arrays[f"trace/contour/{name}"] for name in "xyz")
    assert (x[0] < path[:, 0]).all()
    assert (path[:, 0] < x[-1]).all()
    assert (y[0] < path[:, 1]).all()
    assert (path[:, 1] < y[-1]).all()
    assert z.shape == (y.size, x.size)
    assert z[3, 5] == (1 - x[5]) ** 2 + 100 * (y[3] - x[5] ** 2) ** 2


@pytest.mark.parametrize("problem", ["normal", "quadratic"])
def test_nothing_is_recorded_around_what_has_no_path_in_the_plane(problem):
    arrays = lockstep.run("optim.sgd", problem=problem, steps=2).record.arrays
    assert not [name for name in arrays if name.startswith("trace/contour")]


def test_a_path_that_leaves_the_finite_numbers_is_recorded_as_far_as_it_goes():
    around = find("optim.sgd").family.landscape
    case = next(case for case in find("optim.sgd").cases.CASES if case.desc == "the notebook's run")
    path = np.array([[-1.5, 2.5], [1.5, 4.5], [np.inf, 1.0], [np.nan, np.nan]])
    assert around(case, path)["x"][[0, -1]].tolist() == [-1.5 - 0.45, 1.5 + 0.45]
    assert around(case, path[2:]) == {}


def test_the_clusters_can_be_more_and_their_held_back_samples_are_fresh():
    load_data = models.load_data
    known, more = load_data("two clusters", "float64"), load_data("two clusters:400", "float64")
    assert (len(known.x), len(more.x)) == (40, 400)
    assert not set(known.x[:, 0]) & set(known.x_test[:, 0])
    with pytest.raises(ValueError, match="needs a whole number, not 'many'"):
        load_data("two clusters:many", "float64")
