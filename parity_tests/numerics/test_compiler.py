"""PyTorch's compiler is loaded when somebody asks for it, and is then the real one for everybody."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import importlib, inspect, sys
from lockstep.numerics.compiler import Compiler, defer
{deferred}
import torch

def stepped():
    weight = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.5)
    weight.grad = torch.ones(2)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.zero_grad()
    return weight.tolist()

before = stepped()
inspect.getmodule(defer)  # looks at every module there is
print(before, isinstance(sys.modules["torch._dynamo"], Compiler), "sympy" in sys.modules)
never = torch._dynamo.disable(lambda x: x + 1)
import torch._dynamo.config
defer()
real = sys.modules["torch._dynamo"]
print(stepped(), isinstance(real, Compiler), torch._dynamo is real, "sympy" in sys.modules, never(1))
print(torch.compile(lambda x: never(x) * 2, backend="eager")(torch.ones(1)).tolist())
"""


def said(deferred: str) -> list[str]:
    words = [sys.executable, "-c", SCRIPT.format(deferred=deferred)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


def test_it_is_there_when_it_is_asked_for():
    steps = "[0.5, 0.5]"
    later = [f"{steps} False True True 2", "[4.0]"]
    assert said("defer()") == [f"{steps} True False", *later]
    assert said("") == [f"{steps} False True", *later]
