"""What a batch's size does to the running variance, and which units dropout keeps, as records."""

import functools

import numpy as np
import pytest
import torch

from lockstep.cases.layers import dropout
from lockstep.experiments import curves, planned
from lockstep.records.loading import load
from lockstep.records.record import BadRecord, Record
from lockstep.subjects.registry import find, subjects
from reference.random import Generator

pytestmark = pytest.mark.slow

CURVES = {"layers.batchnorm": "batch sizes", "layers.dropout": "keep rate"}
TITLES = {path: f"{path} {name}" for path, name in CURVES.items()}


@pytest.fixture(scope="module")
def records():
    return {path: curves.drawn({"subject": path, "curve": name}) for path, name in CURVES.items()}


def test_each_goes_with_its_subject():
    found = {subject.path: [*curves.curves(subject)] for subject in subjects()}
    assert {path: titles for path, titles in found.items() if titles} == {path: [t] for path, t in TITLES.items()}
    for path, title in TITLES.items():
        assert title in [task.name for task in planned(path, {})]


def test_the_running_variance_is_the_biased_one_times_n_by_n_less_1(records):
    arrays = records["layers.batchnorm"].arrays
    assert arrays["batch/size"].tolist() == [2, 3, 4, 8, 16, 32, 64, 128, 256]
    exact = arrays["batch/biased"] * arrays["batch/ratio"]
    spacing = np.spacing(arrays["batch/theirs"]).astype(np.float64)
    for side in ("ours", "theirs"):
        # float32 rounds each of n squares and n sums once; the exact one is half of that away at most
        assert (np.abs(arrays[f"batch/{side}"] - exact) <= arrays["batch/size"] * spacing).all()
        biased = np.abs(arrays[f"batch/{side}"] - arrays["batch/biased"])
        assert (biased > arrays["batch/size"] * spacing).all()
    assert arrays["batch/ratio"][0] == 2


def test_a_biased_running_variance_is_seen(records, monkeypatch):
    plain = find("layers.batchnorm").reference.BatchNorm1d
    paper = plain.ORDERS["paper"]

    @functools.wraps(paper.forward)
    def biased(*inputs, **arguments):
        lines = paper.forward(*inputs, **arguments)
        return lines._replace(running_var=lines.var.reshape(-1))

    monkeypatch.setattr(plain, "ORDERS", {"paper": paper._replace(forward=biased)})
    arrays = curves.drawn({"subject": "layers.batchnorm", "curve": CURVES["layers.batchnorm"]}).arrays
    assert arrays["batch/theirs"].tobytes() == records["layers.batchnorm"].arrays["batch/theirs"].tobytes()
    assert (arrays["batch/ours"] < arrays["batch/theirs"]).all()


def test_the_masks_are_those_of_the_two_generators(records):
    arrays = records["layers.dropout"].arrays
    assert arrays["keep/equal"].all()
    assert arrays["keep/ours"].tobytes() == arrays["keep/theirs"].tobytes()
    assert np.array_equal(arrays["keep/mask/ours"], arrays["keep/mask/theirs"])
    mask = Generator(0).dropout_mask(dropout.SHOWN, dropout.UNITS)
    assert np.array_equal(arrays["keep/mask/theirs"], mask[: dropout.CORNER, : dropout.CORNER])
    place = arrays["keep/p"].tolist().index(dropout.SHOWN)
    assert arrays["keep/theirs"][place] == np.mean(mask, dtype=np.float64)


def test_masks_that_differ_are_seen(monkeypatch):
    monkeypatch.setattr(Generator, "dropout_mask", lambda self, p, shape: np.ones(shape))
    arrays = curves.drawn({"subject": "layers.dropout", "curve": CURVES["layers.dropout"]}).arrays
    assert not arrays["keep/equal"].any()
    assert (arrays["keep/ours"] == 1).all()
    assert (arrays["keep/theirs"] < 1).all()


def test_the_global_generator_is_left_alone(records):
    before = torch.get_rng_state()
    curves.drawn({"subject": "layers.dropout", "curve": CURVES["layers.dropout"]})
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("path", TITLES)
def test_a_record_is_read_again_the_same_each_time(records, tmp_path, path):
    first = records[path].save(tmp_path / "a.json")
    again = curves.drawn({"subject": path, "curve": CURVES[path]}).save(tmp_path / "b" / "a.json")
    assert first.read_bytes() == again.read_bytes()
    record = load(first)
    assert record.subject == path


def without(name):
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


SPOILT = {
    "a row is missing": ("layers.batchnorm", without("batch/biased"), "without the arrays batch/biased"),
    "a row is short": ("layers.batchnorm", lambda a: a | {"batch/ratio": np.ones(3)}, "are no rows of one length"),
    "rows of rows": ("layers.batchnorm", lambda a: {k: v[None] for k, v in a.items()}, "are no rows of one length"),
    "no number": (
        "layers.batchnorm",
        lambda a: a | {"batch/theirs": np.full(9, np.nan)},
        "what is no number in batch/theirs",
    ),
    "texts": ("layers.dropout", lambda a: a | {"keep/p": np.array(["a"] * 9)}, "array 'keep/p' holds no numbers"),
    "a mask is missing": ("layers.dropout", without("keep/mask/theirs"), "other entries than 0 and 1"),
    "masks of two shapes": (
        "layers.dropout",
        lambda a: a | {"keep/mask/theirs": np.ones((2, 3))},
        "keep/mask has no two masks of one shape",
    ),
    "a mask of halves": (
        "layers.dropout",
        lambda a: a | {"keep/mask/theirs": a["keep/mask/theirs"] / 2},
        "other entries than 0 and 1 in keep/mask/theirs",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_curve_that_is_not_whole_is_refused(records, name):
    path, change, words = SPOILT[name]
    record = records[path]
    with pytest.raises(BadRecord, match=words):
        Record.from_json(record.to_json(), change(record.arrays))
