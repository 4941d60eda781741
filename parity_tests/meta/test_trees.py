"""The trees mirror each other: swap the first segment of a path and you stand at the counterpart."""

import ast
import importlib
import inspect
import sys
import types
from pathlib import Path

import pytest
import torch

from lockstep.subjects.registry import families

ROOT = Path(__file__).parents[2]

# What one tree has alone, and why.
ALONE = {
    "torch_impl": {
        "box_muller": "PyTorch's generator has its own",
        "datasets": "both sides get the same arrays",
        "fma": "PyTorch has the processor's",
        "strong_wolfe": "PyTorch has its own beside the optimizer",
        "summation": "PyTorch has kernels of its own",
        "state": "PyTorch keeps what its own step makes",
        "tape": "PyTorch has kernels of its own",
    },
    "reference": {
        "checkpoint": "reference imports no safetensors: files of arrays are written by lockstep.records.checkpoint",
        "ledger": "what PyTorch runs is noted as it runs; what NumPy does stands in the formula",
        "loop.model": "a loop over arrays is given their gradients by a function",
        "tensors": "an array is an array",
    },
}
OTHER = {"torch_impl": "reference", "reference": "torch_impl"}

# Besides the standard library and the tree itself; what may import which tree is a contract of import-linter.
MAY_IMPORT = {
    "reference": {"numpy"},
    "torch_impl": {"numpy", "torch"},
    "lockstep": {"joblib", "numpy", "pytest", "rich", "safetensors", "typer"},  # pytest in its plugin alone
    "reports": {"jinja2", "latex2mathml", "lockstep", "markupsafe", "matplotlib", "numpy", "pygments", "rich", "typer"},
}


def modules(folder: Path, prefix: str = "") -> set[str]:
    """Dotted paths of the modules below `folder` whose name starts with `prefix`, without it."""
    files = [path.relative_to(folder).with_suffix("") for path in folder.rglob(f"{prefix}*.py")]
    return {".".join((*file.parts[:-1], file.name.removeprefix(prefix))) for file in files if file.name != "__init__"}


def subjects(root: Path, paths: set[str]) -> set[str]:
    """Those of `paths` that lie in a family and are not what its files share: a reference without a formula."""
    inside = [path for path in paths if path.split(".")[0] in families()]
    files = {path: root / "reference" / f"{path.replace('.', '/')}.py" for path in inside}
    return {path for path, file in files.items() if not file.exists() or "EQUATIONS =" in file.read_text("utf-8")}


def without_counterpart(root: Path) -> list[str]:
    """Every file that has no counterpart in another tree, in words."""
    ours = modules(root / "reference")
    theirs = modules(root / "torch_impl")
    cases, causes = (modules(root / "lockstep" / folder) for folder in ("cases", "causes"))
    tests = modules(root / "parity_tests", "test_")
    wanted = {
        "torch_impl": ours - set(ALONE["torch_impl"]) - theirs,
        "reference": ((theirs - set(ALONE["reference"])) | subjects(root, cases | causes | tests)) - ours,
        "lockstep/cases": subjects(root, ours) - cases,
        "parity_tests": subjects(root, ours) - tests,
    }
    return [f"{tree} has no {path}" for tree, missing in wanted.items() for path in sorted(missing)]


def imported(text: str) -> set[str]:
    """The top-level packages that a file imports, at its top or later."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names}


def not_allowed(tree: str, text: str) -> set[str]:
    return imported(text) - MAY_IMPORT[tree] - {tree} - sys.stdlib_module_names


def own_classes(module) -> dict[str, type]:
    """The classes a module defines, but for the lines of a formula and torch's own kind."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not issubclass(value, tuple | torch.nn.Module)
    }


def without_twin(ours, theirs) -> set[str]:
    """The classes with a formula that `theirs` lacks, and those of `theirs` that `ours` lacks."""
    stated = {name for name, value in own_classes(ours).items() if hasattr(value, "ORDERS")}
    return (stated - set(own_classes(theirs))) | (set(own_classes(theirs)) - set(own_classes(ours)))


def test_every_file_has_its_counterparts():
    assert without_counterpart(ROOT) == []


@pytest.mark.parametrize(("tree", "path"), [(tree, path) for tree, paths in ALONE.items() for path in paths])
def test_an_exception_is_still_needed(tree, path):
    assert path in modules(ROOT / OTHER[tree])
    assert path not in modules(ROOT / tree)


@pytest.mark.parametrize("path", sorted(subjects(ROOT, modules(ROOT / "reference")) & modules(ROOT / "torch_impl")))
def test_both_sides_define_the_same_classes(path):
    ours, theirs = (importlib.import_module(f"{tree}.{path}") for tree in ("reference", "torch_impl"))
    assert without_twin(ours, theirs) == set()
    assert own_classes(theirs)


@pytest.mark.parametrize("tree", MAY_IMPORT)
def test_imports_are_on_the_list(tree):
    files = sorted((ROOT / tree).rglob("*.py"))
    found = {str(path.relative_to(ROOT)): not_allowed(tree, path.read_text(encoding="utf-8")) for path in files}
    assert found
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("tree", MAY_IMPORT)
def test_every_folder_is_a_package(tree):
    folders = {path.parent for path in (ROOT / tree).rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
    assert (ROOT / tree / "py.typed").exists()


# Each check, seen to fail.


@pytest.fixture
def house(tmp_path):
    """Trees with one subject, complete."""
    for path in (
        "reference/optim/adam.py",
        "reference/optim/optimizer.py",
        "reference/box_muller.py",
        "torch_impl/optim/adam.py",
        "torch_impl/optim/optimizer.py",
        "lockstep/cases/optim/adam.py",
        "lockstep/causes/optim/adam.py",
        "parity_tests/optim/test_adam.py",
        "parity_tests/meta/test_trees.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("EQUATIONS = {}\n" if "adam" in path else "", "utf-8")
    assert without_counterpart(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize(
    ("gone", "missed"),
    [
        ("reference/optim/adam.py", "reference has no optim.adam"),
        ("torch_impl/optim/adam.py", "torch_impl has no optim.adam"),
        ("torch_impl/optim/optimizer.py", "torch_impl has no optim.optimizer"),
        ("lockstep/cases/optim/adam.py", "lockstep/cases has no optim.adam"),
        ("parity_tests/optim/test_adam.py", "parity_tests has no optim.adam"),
    ],
)
def test_a_missing_file_is_noticed(house, gone, missed):
    (house / gone).unlink()
    assert without_counterpart(house) == [missed]


@pytest.mark.parametrize(
    "extra",
    [
        "torch_impl/optim/lion.py",
        "lockstep/cases/optim/lion.py",
        "lockstep/causes/optim/lion.py",
        "parity_tests/optim/test_lion.py",
    ],
)
def test_a_file_without_a_reference_is_noticed(house, extra):
    (house / extra).touch()
    assert without_counterpart(house) == ["reference has no optim.lion"]


@pytest.mark.parametrize(
    "text",
    ["import scipy", "from scipy.special import expit", "def late():\n    import numpy as np, scipy.special as s"],
)
def test_an_import_that_is_not_on_the_list_is_noticed(text):
    assert not_allowed("reference", text) == {"scipy"}


def test_a_class_without_a_twin_is_noticed():
    def side(name: str, **classes) -> types.ModuleType:
        module = types.ModuleType(name)
        for key, stated in classes.items():
            setattr(module, key, type(key, (), {"__module__": name} | stated))
        return module

    stated = {"ORDERS": {}}
    ours = side("ours", Adam=stated, Helper={})
    assert without_twin(ours, side("theirs", Adam={})) == set()
    assert without_twin(ours, side("theirs")) == {"Adam"}
    assert without_twin(ours, side("theirs", Adam={}, Lion={})) == {"Lion"}
