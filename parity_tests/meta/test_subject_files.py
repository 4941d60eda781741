"""What a subject costs: its own files and its words, and no other file names it."""

import ast
import re
from pathlib import Path

import pytest

from lockstep.subjects.registry import subjects

ROOT = Path(__file__).parents[2]
TREES = ("reference", "torch_impl", "lockstep", "reports")
WORDS = {"lockstep/text/en.toml", "lockstep/text/ko.toml"}
KINDS = {".py", ".toml", ".json", ".j2", ".js"}


def own(family: str, name: str) -> set[str]:
    """The files of a subject: both sides, its cases and its causes."""
    return {
        f"reference/{family}/{name}.py",
        f"torch_impl/{family}/{name}.py",
        f"lockstep/cases/{family}/{name}.py",
        f"lockstep/causes/{family}/{name}.py",
    }


def proofs(family: str, name: str) -> set[str]:
    """Its test, and what PyTorch ran for it."""
    return {
        f"parity_tests/{family}/test_{name}.py",
        f"parity_tests/explanation/operations/{family}.{name}.json",
    }


def naming(root: Path, name: str) -> set[str]:
    """The files below `root` that name a subject, in their text or by their own name."""
    files = [path for tree in TREES for path in (root / tree).rglob("*") if path.suffix in KINDS]
    word = re.compile(rf"(?<![a-z]){name}(?![a-z])", re.IGNORECASE)
    return {
        path.relative_to(root).as_posix() for path in files if word.search(f"{path.name} {path.read_text('utf-8')}")
    }


SCHEDULES = (
    *("step_lr", "multistep_lr", "constant_lr", "linear_lr", "exponential_lr", "polynomial_lr", "lambda_lr"),
    *("multiplicative_lr", "cosine_annealing_lr", "cosine_annealing_warm_restarts", "cyclic_lr", "one_cycle_lr"),
    *("reduce_lr_on_plateau", "sequential_lr", "chained_scheduler"),
)

# That came after the files they are counted in.
ADDED = [
    *(
        ("optim", name)
        for name in (
            "adadelta",
            "adafactor",
            "adamax",
            "asgd",
            "lbfgs",
            "muon",
            "nadam",
            "radam",
            "rprop",
            "sparse_adam",
        )
    ),
    ("layers", "layernorm"),
    *(("lr_scheduler", name) for name in SCHEDULES),
]


PARTS = {
    "step_lr": {"lockstep/causes/loop/training.py"},  # a loop is made of it
    "lbfgs": {"reference/strong_wolfe.py"},  # its line search
}


@pytest.mark.parametrize(("family", "name"), ADDED)
def test_a_subject_is_its_own_files_and_its_words_and_no_other_file_names_it(family, name):
    assert f"{family}.{name}" in {subject.path for subject in subjects()}
    assert naming(ROOT, name) == own(family, name) | WORDS | PARTS.get(name, set())
    assert all((ROOT / path).exists() for path in proofs(family, name))


def paths_in(source: str, known: set[str]) -> set[str]:
    """The subjects whose path, or a class of theirs, stands as a text of its own in a file."""
    texts = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    return {path for path in known for text in texts if isinstance(text, str) and f"{text}.".startswith(f"{path}.")}


def test_no_module_but_a_subjects_own_names_one():
    """What a network, a loop or the notebook is made of stands in their own cases and causes."""
    known = {subject.path for subject in subjects()}
    own = {f"lockstep/{table}/{path.replace('.', '/')}.py" for table in ("cases", "causes") for path in known}
    files = {path.relative_to(ROOT).as_posix(): path for tree in TREES[2:] for path in (ROOT / tree).rglob("*.py")}
    others = {name: paths_in(path.read_text("utf-8"), known) for name, path in files.items() if name not in own}
    assert {name: paths for name, paths in others.items() if paths} == {}


def test_a_path_in_a_module_is_found():
    source = 'def f():\n    """As optim.adam, say."""\n    return find("layers.loss.BCELoss"), "optim", "optim.adamw"'
    assert paths_in(source, {"optim.adam", "optim.adamw", "layers.loss"}) == {"layers.loss", "optim.adamw"}


def test_a_file_that_names_it_is_counted(tmp_path):
    for tree in TREES:
        (tmp_path / tree).mkdir()
    (tmp_path / "lockstep" / "experiments.py").write_text('RUNS = ["optim.nadam"]', "utf-8")
    (tmp_path / "reports" / "other.py").write_text('RUNS = ["optim.adam"]', "utf-8")
    assert naming(tmp_path, "nadam") == {"lockstep/experiments.py"}
