"""The lines that make somebody's code checkable where it is not taken: an adapter made for what was seen of it."""

import inspect
from typing import Any

from lockstep.adapters.names import Names, match, named, required

DOTS = "\N{HORIZONTAL ELLIPSIS}"


def optimizer_wrapper(target: Any, wanted: tuple[str, ...]) -> list[str]:
    """Of an optimizer: what it is made with, and the method that most looks like a step, under its own names."""
    kind, name = kind_of(target), name_of(target)
    function = kind if not inspect.isclass(kind) else method_of(kind, ("step", "update", "optim", "apply", "train"))
    own = match(named(target), wanted)
    taken = ", ".join(f"{key}={parameter_default(target, part)}" for key, part in own.items() if isinstance(part, str))
    made = "None" if not inspect.isclass(target) else f"{name}({constructed(target, own)})"
    made = "theirs" if kind is not target and not inspect.isroutine(target) else made
    if function is None:
        call = f"self.own.{DOTS}({DOTS})"
    else:
        call = f"{'' if function is kind else 'self.own.'}{function.__name__}({called(function, own)})"
    return [
        "class Wrapped(lockstep.Adapter):",
        f"    def start(self, params{', ' + taken if taken else ''}): self.params, self.own = params, {made}",
        f"    def step(self, grads): {call}",
    ]


def layer_wrapper(target: Any, wanted: tuple[str, ...]) -> list[str]:
    """Of a layer: what it is made with, its way there and its way back, under its own names."""
    kind, name = kind_of(target), name_of(target)
    own = match(named(target), wanted) if inspect.isclass(target) else {}
    made = f"{name}({constructed(target, own)})" if inspect.isclass(target) else "theirs"
    forward = kind if not inspect.isclass(kind) else method_of(kind, ("forward", "call", "predict", "apply", "loss"))
    backward = (
        method_of(kind, ("backward", "backprop", "grad", "derivative"), any_=False) if inspect.isclass(kind) else None
    )
    own_call = forward is not kind and forward is not None and forward.__name__ == "__call__"
    there = "" if forward is kind else "self.own" if own_call else "self.own."
    there += f"{'' if own_call else forward.__name__ if forward is not None else DOTS}(*inputs)"
    back = f", self.own.{backward.__name__}(upstream)" if backward is not None else ""
    return [
        "class Wrapped(lockstep.LayerAdapter):",
        f"    def start(self, params, buffers, **told): self.own = {made}  # params, buffers",
        f"    def run(self, training, inputs, upstream): return lockstep.Made({there}{back})",
    ]


def indented(lines: list[str]) -> str:
    """As they stand in a message."""
    return "\n".join(f"  {line}" for line in lines)


def kind_of(target: Any) -> Any:
    return target if inspect.isclass(target) or inspect.isroutine(target) else type(target)


def name_of(target: Any) -> str:
    return getattr(target, "__name__", type(target).__name__)


def method_of(kind: type, words: tuple[str, ...], *, any_: bool = True) -> Any:
    """The method of its own that most looks like one of these; else any that it has."""
    own = {n: f for n, f in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_") or n == "__call__"}
    hits = [function for word in words for name, function in own.items() if word in name.lower()]
    return next(iter([*hits, *(own.values() if any_ else ())]), None)


def arguments_of(function: Any) -> list[str]:
    return [name for name in named(function) if name != "self"] if function is not None else []


def parameter_default(target: Any, name: str) -> str:
    default = named(target)[name].default
    return DOTS if default is inspect.Parameter.empty else repr(default)


def constructed(target: Any, own: Names) -> str:
    """What a class is made with: what PyTorch knows by PyTorch's names, what else it needs left open."""
    told = {part: key for key, part in own.items() if isinstance(part, str)}
    others = [name for name in required(target) if name not in told]
    return ", ".join([*(f"{part}={key}" for part, key in told.items()), *(f"{name}={DOTS}" for name in others)])


def called(function: Any, own: Names) -> str:
    """The arguments of a step: gradients, parameters, a count, and what is left open."""
    values = []
    for name in arguments_of(function):
        plain = name.lower()
        if any(word in plain for word in ("grad", "slope", "deriv")) or (plain.startswith("d") and len(plain) < 4):
            values.append(f"{name}=grads")
        elif any(word in plain for word in ("param", "tensor", "var", "weight", "theta")) or plain in ("w", "p", "x"):
            values.append(f"{name}=self.params")
        elif name in required(function):
            values.append(f"{name}={DOTS}")
    return ", ".join(values)
