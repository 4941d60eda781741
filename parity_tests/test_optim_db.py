"""Every input of PyTorch's own table of optimizers, `torch.testing._internal.common_optimizers.optim_db`."""

import functools
import json
import subprocess
import sys
from typing import Any

import pytest
import torch

import lockstep
from lockstep.cases import DTYPES, Case
from lockstep.engine.stepping import run_pair
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import asked, subjects
from parity_tests.support.families import SAME

pytestmark = pytest.mark.slow

# In a process of its own, as the import changes settings; its tests' `expecttest` is not needed to read the table.
READER = """
import json, sys, types, unittest
sys.modules["expecttest"] = types.SimpleNamespace(TestCase=unittest.TestCase)
import torch
from torch.testing._internal.common_optimizers import optim_db

def plain(value):
    return {"tensor": value.item()} if isinstance(value, torch.Tensor) else value

table = {}
for info in optim_db:
    inputs = info.optim_inputs_func("cpu")
    table[info.optim_cls.__name__] = [[one.desc, {k: plain(v) for k, v in one.kwargs.items()}] for one in inputs]
print(json.dumps(table))
"""

OURS = {subject.theirs().counterpart.__name__: subject for subject in subjects() if subject.family.name == "optim"}
FUNCTIONS = ("quadratic", "rosenbrock", "beale")  # of what calls a closure as often as it wants


def steps_of(name: str) -> int:
    """How many; each of what calls a closure is twenty directions."""
    return 8 if OURS[name].family.recorded == "steps" else 3


@functools.cache
def table() -> dict[str, list[Any]]:
    """Class to (description, arguments) of each input."""
    done = subprocess.run([sys.executable, "-c", READER], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


# With an lr that is a float32 tensor PyTorch works out the whole step size in float32, beside float64 parameters too.
COARSE = {("SparseAdam", "Tensor lr", "float64"), ("Muon", "Tensor lr", "float64")}


# In bfloat16 one number in the middle of two decides on all others: no bound is of use, and the bits have to be met.
# Likewise where a test of a line search is nearly undecided.
UNBOUNDED = {"Muon", "LBFGS"}


def explained(name: str, desc: str, arguments: dict[str, Any], dtype: str, path: str) -> bool:
    """Whether not one bit is left once ours rounds as PyTorch's kernels do."""
    plain = {key: value["tensor"] if isinstance(value, dict) else value for key, value in arguments.items()}
    case = Case(desc, **{key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()})
    steps = steps_of(name)
    return lockstep.explain(OURS[name].path, case=case, dtype=dtype, path=path, steps=steps, thorough=False).explained


def outcome(name: str, desc: str, arguments: dict[str, Any], dtype: str, path: str, lr_dtype: Any = torch.float32):
    """The run of one input. An lr that is a tensor is that number here, and stays a tensor on PyTorch's side."""
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    tensors = {key: value["tensor"] for key, value in given.items() if isinstance(value, dict)}
    pair = asked(OURS[name], Case(desc, **(given | tensors)), dtype, path).pair()

    def theirs():
        side: Any = pair.theirs()
        held = {key: torch.tensor(value, dtype=lr_dtype) for key, value in tensors.items()}
        side.optimizer.optimizer.param_groups[0].update(held)
        return side

    return run_pair(pair._replace(theirs=theirs), steps_of(name))


def test_the_whole_table_is_here():
    assert set(table()) == set(OURS)
    assert len(table()) == 15


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OURS)
def test_every_input_is_identical_or_rounding(name, dtype):
    problems = ("normal",) if OURS[name].family.recorded == "steps" else FUNCTIONS
    inputs = [(desc, arguments | {"problem": one}) for desc, arguments in table()[name] for one in problems]
    assert inputs
    for desc, arguments in inputs:
        held = any(isinstance(value, dict) for value in arguments.values())
        for path in OURS[name].theirs().paths:
            if held and path == "foreach":
                continue  # PyTorch refuses a tensor there, but for a graph that is captured
            done = outcome(name, desc, arguments, dtype, path)
            if (name, desc, dtype) in COARSE:
                assert (done.verdict, done.evidence and done.evidence.nearer) == (Verdict.DIFFERENT, "ours")
                done = outcome(name, desc, arguments, dtype, path, torch.float64)
            if name in UNBOUNDED and done.verdict is Verdict.ILL_CONDITIONED:
                assert explained(name, desc, arguments, dtype, path), (name, desc, dtype)
            else:
                assert done.verdict in SAME, (name, desc, dtype, path, done.evidence, done.broken)


def test_an_input_that_is_not_followed_is_noticed():
    """PyTorch's lr is a tensor of another number."""
    desc, arguments = next(one for one in table()["SGD"] if "tensor" in one[0])
    pair = asked(OURS["SGD"], Case(desc, lr=2 * arguments["lr"]["tensor"]), "float32", "single").pair()
    side: Any = pair.theirs()
    side.optimizer.optimizer.param_groups[0]["lr"] = torch.tensor(arguments["lr"]["tensor"])
    assert run_pair(pair._replace(theirs=lambda: side), 2).verdict not in SAME
