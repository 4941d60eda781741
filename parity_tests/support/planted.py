"""A module of ours with a line exchanged, for tests of whether its tests would notice."""

import inspect
from types import ModuleType


def planted(module: ModuleType, old: str, new: str) -> ModuleType:
    """A copy of `module` in which `new` stands for the text `old`, which must stand there once."""
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {module.__name__}"
    copy = ModuleType(module.__name__)
    copy.__file__ = module.__file__
    exec(compile(source.replace(old, new), f"<{module.__name__}, planted>", "exec"), vars(copy))
    return copy
