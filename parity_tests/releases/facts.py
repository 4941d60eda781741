"""What is to be known of the PyTorch that is installed, as JSON on standard output.

    python parity_tests/releases/facts.py > parity_tests/releases/recordings/RELEASE.json

Options: the hyperparameters of its optimizers, schedules and layers, with their defaults. Refusals: what it says of
values that some release takes and another does not. Operations: what an optimizer's step and a layer run. Random
streams: the bits of what it draws from seed 0. Kernels: the bits of what it works out from the same numbers, held to
the plainest instructions (ATEN_CPU_CAPABILITY=default) and as this processor does it, on one thread. It needs torch and
NumPy and nothing else, so that it runs under any release.
"""

import hashlib
import inspect
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

LAYERS = ("Linear", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "Dropout", "ReLU", "Sigmoid", "Tanh")
LOSSES = ("CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss", "MSELoss")
DTYPES = (torch.float32, torch.float64)


def bits(*tensors: torch.Tensor) -> str:
    """Twelve digits that stand for every bit of them."""
    held = b"".join(np.ascontiguousarray(tensor.detach().numpy()).tobytes() for tensor in tensors)
    return hashlib.sha256(held).hexdigest()[:12]


def options() -> dict[str, dict[str, str]]:
    """Class to hyperparameter to default."""
    schedules = torch.optim.lr_scheduler
    kinds = {f"optim.{name}": kind for name, kind in vars(torch.optim).items() if is_of(kind, torch.optim.Optimizer)}
    kinds |= {
        f"lr_scheduler.{name}": kind for name, kind in vars(schedules).items() if is_of(kind, schedules.LRScheduler)
    }
    kinds |= {f"nn.{name}": getattr(nn, name) for name in (*LAYERS, *LOSSES)}
    return {name: hyperparameters(kind) for name, kind in sorted(kinds.items())}


def is_of(kind: Any, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base) and kind is not base and not kind.__name__.startswith("_")


def hyperparameters(kind: type) -> dict[str, str]:
    return {
        name: "" if parameter.default is parameter.empty else repr(parameter.default)
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }


def refusals() -> dict[str, str]:
    """A call to what is said of it; nothing where it is taken."""
    weight = [nn.Parameter(torch.ones(3))]
    rows = torch.ones(4, 3)
    calls: dict[str, Callable[[], Any]] = {
        "batch_norm(eps=0)": lambda: functional.batch_norm(rows, None, None, training=True, eps=0.0),
        "layer_norm(eps=0)": lambda: functional.layer_norm(rows, (3,), eps=0.0),
        "SGD(lr=-1)": lambda: torch.optim.SGD(weight, lr=-1),
        "Adam(lr=0)": lambda: torch.optim.Adam(weight, lr=0.0),
        "Adam(betas=(1, 0.999))": lambda: torch.optim.Adam(weight, betas=(1.0, 0.999)),
        "Adam(betas=(0, 0))": lambda: torch.optim.Adam(weight, betas=(0.0, 0.0)),
        "Adam(fused=True, foreach=True)": lambda: torch.optim.Adam(weight, fused=True, foreach=True),
        "StepLR(step_size=0)": lambda: torch.optim.lr_scheduler.StepLR(torch.optim.SGD(weight, lr=1.0), 0),
        "Dropout(p=2)": lambda: nn.Dropout(2.0),
    }
    return {call: refusal(run) for call, run in calls.items()}


def refusal(run: Callable[[], Any]) -> str:
    try:
        run()
    except Exception as error:  # whatever it says is the fact
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return ""


def streams() -> dict[str, str]:
    """A draw from seed 0 to its bits and those of the generator after it."""
    draws: dict[str, Callable[[], torch.Tensor]] = {}
    for dtype in DTYPES:
        name = str(dtype).removeprefix("torch.")
        draws |= {
            f"rand(15), {name}": lambda d=dtype: torch.rand(15, dtype=d),
            f"rand(1000), {name}": lambda d=dtype: torch.rand(1000, dtype=d),
            f"randn(15), {name}": lambda d=dtype: torch.randn(15, dtype=d),
            f"randn(1000), {name}": lambda d=dtype: torch.randn(1000, dtype=d),
            f"uniform_(-1e30, 1e30), {name}": lambda d=dtype: torch.empty(100, dtype=d).uniform_(-1e30, 1e30),
            f"bernoulli_(0.3), {name}": lambda d=dtype: torch.empty(1000, dtype=d).bernoulli_(0.3),
            f"exponential_(), {name}": lambda d=dtype: torch.empty(100, dtype=d).exponential_(),
            f"dropout(0.3), {name}": lambda d=dtype: functional.dropout(torch.ones(1000, dtype=d), 0.3),
            f"Linear(7, 5), {name}": lambda d=dtype: nn.Linear(7, 5, dtype=d).weight,
        }
    draws |= {
        "randint(10)": lambda: torch.randint(10, (1000,)),
        "randint(2**40)": lambda: torch.randint(2**40, (1000,)),
        "randint(2**32 + 1)": lambda: torch.randint(2**32 + 1, (1000,)),
        "randint(2**28)": lambda: torch.randint(2**28, (1000,)),
        "randint(2**63 - 1)": lambda: torch.randint(2**63 - 1, (1000,)),
        "randperm(10)": lambda: torch.randperm(10),
        "randperm(1000)": lambda: torch.randperm(1000),
    }
    drawn = {}
    for name, draw in draws.items():
        torch.manual_seed(0)
        drawn[name] = bits(draw(), torch.get_rng_state())
    return drawn


def numbers(shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


def kernels() -> dict[str, str]:
    """What is worked out to its bits."""
    found = {}
    for dtype in DTYPES:
        worked_out = pointwise(dtype)
        for name, (layer, shape) in layers(dtype).items():
            worked_out[f"{name} forward"], worked_out[f"{name} backward"] = passed(layer, shape, dtype)
        worked_out |= {name: stepped(kind, settings, dtype) for name, (kind, settings) in optimizers().items()}
        found |= {f"{of}, {str(dtype).removeprefix('torch.')}": value for of, value in worked_out.items()}
    return found


def pointwise(dtype: torch.dtype) -> dict[str, str]:
    x, y, z = (numbers((1003,), dtype, seed) for seed in range(3))
    table, positive = numbers((61, 53), dtype), x.abs() + 0.1
    values = {
        "exp": x.exp(), "log": positive.log(), "log1p": positive.log1p(), "expm1": x.expm1(), "tanh": x.tanh(),
        "sigmoid": x.sigmoid(), "sqrt": positive.sqrt(), "rsqrt": positive.rsqrt(), "pow(1.5)": positive.pow(1.5),
        "addcmul": x.addcmul(y, z, value=0.3), "addcdiv": x.addcdiv(y, positive, value=0.3), "lerp": x.lerp(y, 0.1),
        "sum": table.sum(), "sum of columns": table.sum(0), "sum of rows": table.sum(1), "mean": table.mean(),
        "var": table.var(0), "norm": torch.linalg.vector_norm(table), "softmax": table.softmax(1),
        "log_softmax": table.log_softmax(1), "cumsum": x.cumsum(0),
    }  # fmt: skip
    return {name: bits(value) for name, value in values.items()}


def layers(dtype: torch.dtype) -> dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[int, ...]]]:
    """Each with the shape of its input."""
    target = torch.arange(33) % 17
    shapes = {"17": (33, 17), "3": (257, 3), "300": (9, 300), "9x9 of 3": (4, 3, 9, 9), "20x20 of 16": (2, 16, 20, 20)}
    losses: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "CrossEntropyLoss": lambda x: functional.cross_entropy(x, target),
        "BCEWithLogitsLoss": lambda x: functional.binary_cross_entropy_with_logits(x, (x > 0).to(dtype)),
        "BCELoss": lambda x: functional.binary_cross_entropy(x.sigmoid(), (x > 0).to(dtype)),
        "MSELoss": lambda x: functional.mse_loss(x, x.detach().flip(0)),
        "Sigmoid": nn.Sigmoid(),
        "Tanh": nn.Tanh(),
    }
    made: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[int, ...]]] = {
        name: (layer, (33, 17)) for name, layer in losses.items()
    }
    for name, shape in shapes.items():
        norm = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
        made |= {
            f"BatchNorm of {name}": (norm(shape[1], dtype=dtype), shape),
            f"BatchNorm of {name} in evaluation": (norm(shape[1], dtype=dtype).eval(), shape),
            f"LayerNorm of {name}": (nn.LayerNorm(shape[-1], dtype=dtype), shape),
        }
    return made


def passed(layer: Any, shape: tuple[int, ...], dtype: torch.dtype) -> tuple[str, str]:
    """Both ways through a layer."""
    x = numbers(shape, dtype).requires_grad_()
    output = layer(x)
    output.backward(numbers(tuple(output.shape), dtype, 1))
    grads = [parameter.grad for parameter in getattr(layer, "parameters", list)() if parameter.grad is not None]
    return bits(output), bits(x.grad, *grads)


def optimizers() -> dict[str, tuple[type, dict[str, Any]]]:
    """Each on every path that it has."""
    kinds = {name: kind for name, kind in vars(torch.optim).items() if is_of(kind, torch.optim.Optimizer)}
    found = {}
    for name, kind in sorted(kinds.items()):
        known = hyperparameters(kind)
        for path in ("single", "foreach", "fused"):
            if path == "single" or path in known:
                settings = {key: key == path for key in ("foreach", "fused") if key in known}
                found[f"{name} {path}"] = (kind, {"lr": 0.01, **settings})
    return found


def stepped(kind: type, settings: dict[str, Any], dtype: torch.dtype) -> str:
    """Five steps of an optimizer; the name of the error where it takes none."""
    param: Any = nn.Parameter(numbers((13, 7), dtype))

    def loss():
        return (param.detach() ** 2).sum()

    try:
        optimizer = kind([param], **settings)
        for step in range(1, 6):
            param.grad = numbers((13, 7), dtype, step)
            optimizer.step(*([loss] if kind.__name__ == "LBFGS" else []))
    except Exception as error:  # a sparse optimizer, one for matrices alone
        return type(error).__name__
    return bits(param)


class Noted(TorchDispatchMode):
    """Notes the names of what is run."""

    def __init__(self):
        super().__init__()
        self.names: dict[str, None] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names[func.__name__.partition(".")[0]] = None
        return func(*args, **(kwargs or {}))


def operations() -> dict[str, list[str]]:
    """A step or a pass to what it runs, each once, in order."""
    dtype, found = torch.float32, {}
    for name, (kind, settings) in optimizers().items():
        with Noted() as noted:
            stepped(kind, settings, dtype)
        found[name] = list(noted.names)
    for name, (layer, shape) in layers(dtype).items():
        with Noted() as noted:
            passed(layer, shape, dtype)
        found[name] = list(noted.names)
    return found


def facts() -> dict[str, Any]:
    release = torch.__version__.partition("+")[0]
    said = {"options": options(), "refusals": refusals(), "operations": operations()}
    return {"release": release, "machine": platform.machine(), **said}


def with_capability(capability: str) -> dict[str, Any]:
    """Streams and kernels of a process that is held to a capability; of what this processor has for "own"."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": capability}
    if capability == "own":
        del environment["ATEN_CPU_CAPABILITY"]
    command = [sys.executable, "-W", "ignore", __file__, "bits"]
    ran = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return json.loads(ran.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["bits"]:
        torch.set_num_threads(1)
        print(json.dumps({"streams": streams(), "kernels": kernels()}))
    else:
        print(json.dumps(facts() | {name: with_capability(name) for name in ("default", "own")}, indent=1))
