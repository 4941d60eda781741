"""PyTorch's compiler, loaded when somebody asks for it: each torch.optim does, to say that it compiles nothing."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

NAME = "torch._dynamo"


class Compiler(ModuleType):
    """Stands in for `torch._dynamo` as long as nothing is compiled, which is the second half of a first step's time.

    `torch.optim` asks it where not to compile (torch/_compile.py, torch/optim/optimizer.py, 2.13). Whatever else
    anybody wants of it, the package itself by an import included, loads the real one, which takes its place.
    """

    @staticmethod
    def graph_break(*message: Any, **more: Any) -> None:
        """Where a compiler would stop: does nothing in the real one, too, unless that is at work."""

    @staticmethod
    def disable(function: Callable[..., Any], *settings: Any, **more: Any) -> Callable[..., Any]:
        """A function as it is until the real one is there, and from then on never compiled."""

        def plain(*arguments: Any, **keywords: Any) -> Any:
            if isinstance(sys.modules.get(NAME), Compiler):
                return function(*arguments, **keywords)
            return importlib.import_module("torch._dynamo").disable(function, *settings, **more)(*arguments, **keywords)

        return plain

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # what is asked of every module that there is
            raise AttributeError(name)
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
        return getattr(importlib.import_module("torch._dynamo"), name)


def defer() -> None:
    """Put it in the compiler's place, unless that is loaded; for a process that is Lockstep's own."""
    sys.modules.setdefault(NAME, Compiler(NAME))
