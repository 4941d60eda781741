"""Checkpoints come back as they were saved, and what is none is refused; PyTorch's own files as well."""

import pickle
from math import inf, nan

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from lockstep.errors import BadArgument, BadPlace
from lockstep.records import checkpoint
from lockstep.records.checkpoint import BadCheckpoint
from reference.optim.adam import Adam
from reference.random import Generator
from torch_impl import checkpoint as torchs

PARAMS = {"weight": np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2), "bias": np.ones(2, np.float32)}

TREE = {
    "state": {0: {"step": np.float32(3), "exp_avg": np.eye(3)}, 1: {"steps": 4, "history": [np.ones(2), None]}},
    "a.b": np.arange(3),
    "a": {"b": np.arange(4)},
    "param_groups": [{"lr": 0.1 + 0.2, "betas": (0.9, 0.999), "eps": 1e-300, "maximize": False, "params": [0, 1]}],
    "numbers": [inf, -inf, -0.0, 2**70, "β₁", True, None],
    "empty": [np.zeros((0, 2)), {}, [], ()],
    "narrow": np.ones(2, ml_dtypes.bfloat16),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "number": np.array(7, np.int64),
}


def same(one, other) -> bool:
    """The same kinds, keys, order and bits."""
    if isinstance(one, np.ndarray | np.generic):
        one, other = np.asarray(one), np.asarray(other)
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, dict):
        return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return (type(one), len(one)) == (type(other), len(other)) and all(map(same, one, other))
    return (type(one), repr(one)) == (type(other), repr(other))


def test_a_tree_comes_back_as_it_was(tmp_path):
    checkpoint.save(tmp_path / "deep" / "run.safetensors", TREE)
    read = checkpoint.load(tmp_path / "deep" / "run.safetensors")
    assert same(TREE, read)
    assert not same(TREE, read | {"number": np.array(7.0)})
    assert np.isnan(checkpoint.unpacked(checkpoint.packed([nan]))[0])
    assert [*(tmp_path / "deep").iterdir()] == [tmp_path / "deep" / "run.safetensors"]


def test_what_cannot_be_saved_is_refused_and_leaves_the_file_as_it_was(tmp_path):
    file = tmp_path / "run.safetensors"
    checkpoint.save(file, {"lr": 0.1})
    with pytest.raises(BadArgument, match=r"optimizer\.groups\.1 is of type Adam: a checkpoint holds"):
        checkpoint.save(file, {"optimizer": {"groups": [1, Adam({"weight": np.ones(2)})]}})
    assert checkpoint.load(file) == {"lr": 0.1}
    with pytest.raises(BadPlace):
        checkpoint.save(file / "below", {"lr": 0.1})
    assert [*tmp_path.iterdir()] == [file]


def damaged(content: bytes):
    yield "nothing", b""
    yield "cut off", content[: len(content) // 2]
    yield "a pickle", pickle.dumps({"lr": 0.1})
    yield "a later version", content.replace(b'"version":"1"', b'"version":"2"')
    yield "another schema", content.replace(b"lockstep-checkpoint", b"lockstep-checkpoinx")
    yield "a name that is not there", content.replace(b'\\"array\\": \\"weight', b'\\"array\\": \\"weighs')
    yield "a kind that is not known", content.replace(b"tuple", b"tupel")


@pytest.mark.parametrize("how", [how for how, _ in damaged(b"")])
def test_a_file_that_is_no_checkpoint_is_refused(how, tmp_path):
    content = checkpoint.packed({"betas": (0.9, 0.999), "weight": np.ones(3)})
    file = tmp_path / "run.safetensors"
    file.write_bytes(dict(damaged(content))[how])
    assert file.read_bytes() != content
    with pytest.raises(BadCheckpoint, match="no checkpoint, or truncated, or of a later version"):
        checkpoint.load(file)


def test_a_file_of_tensors_alone_and_one_that_is_not_there_are_refused(tmp_path):
    save_file({"weight": np.ones(3)}, tmp_path / "model.safetensors")
    with pytest.raises(BadCheckpoint, match="no checkpoint"):
        checkpoint.load(tmp_path / "model.safetensors")
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        checkpoint.load(tmp_path / "nowhere.safetensors")


def test_a_generator_goes_on_from_a_file(tmp_path):
    generator = Generator(7)
    generator.randn(5)
    checkpoint.save(tmp_path / "run.safetensors", {"generator": generator.get_state()})
    other = Generator().set_state(checkpoint.load(tmp_path / "run.safetensors")["generator"])
    assert np.array_equal(generator.randn(21), other.randn(21))


def test_a_file_of_pytorchs_is_taken_and_one_of_ours_is_taken_by_pytorch(tmp_path):
    """Either way the plain torch.optim.Adam and the reference's hold the same state."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in PARAMS.items()}
    theirs, ours = torch.optim.Adam(tensors.values(), lr=0.02), Adam({k: v.copy() for k, v in PARAMS.items()})
    for tensor in tensors.values():
        tensor.grad = torch.ones_like(tensor)
    theirs.step()
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    ours.load_state_dict(torchs.load(tmp_path / "theirs.pt"))
    assert ours.param_groups[0]["lr"] == 0.02
    assert same(ours.state["weight"]["exp_avg"], theirs.state[tensors["weight"]]["exp_avg"].numpy())
    ours.step({name: np.full_like(array, 2) for name, array in PARAMS.items()})
    torchs.save(tmp_path / "ours.pt", ours.state_dict())
    theirs.load_state_dict(torch.load(tmp_path / "ours.pt", weights_only=True))
    assert same(ours.state["bias"]["exp_avg_sq"], theirs.state[tensors["bias"]]["exp_avg_sq"].numpy())
    assert theirs.state[tensors["bias"]]["step"] == 2


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_nothing_of_pytorchs_is_unpickled_but_tensors_and_plain_values(tmp_path, capsys):
    torch.save({"state": Harmful()}, tmp_path / "harmful.pt")
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        torchs.load(tmp_path / "harmful.pt")
    assert not capsys.readouterr().out
    with pytest.raises(AttributeError):
        torchs.save(tmp_path / "local.pt", {"state": lambda: None})
    assert [*tmp_path.iterdir()] == [tmp_path / "harmful.pt"]
