"""The import contracts of pyproject.toml keep what they name: each is broken on purpose, import by import."""

import ast
import itertools
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from lockstep.subjects.registry import families

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SETTINGS = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in SETTINGS["contracts"]}
ROOMS = next(contract["layers"] for contract in SETTINGS["contracts"] if contract["type"] == "layers")
INSIDE = {"lockstep": "lockstep/cli"}  # where a tree has rooms, a module stands in one


def houses(folder: Path, imports: dict[str, str]) -> Path:
    """Empty trees in `folder`, and in them the modules of `imports`: path to text."""
    for package in SETTINGS["root_packages"]:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    for room in ROOMS:
        (folder / "lockstep" / room).mkdir()
        (folder / "lockstep" / room / "__init__.py").touch()
    for path, text in imports.items():
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_bytes(PYPROJECT.read_bytes())
    return folder


def lint(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"}
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return run.returncode, run.stdout + run.stderr


def test_empty_trees_are_kept(tmp_path):
    status, text = lint(houses(tmp_path, {}))
    assert status == 0, text


@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract["type"] == "forbidden"])
def test_every_forbidden_import_is_caught(name, tmp_path):
    contract = CONTRACTS[name]
    (tree,) = contract["source_modules"]
    forbidden = contract["forbidden_modules"]
    imports = {
        f"{INSIDE.get(tree, tree)}/imports_{other}.py": f"def later():\n    import {other}\n" for other in forbidden
    }
    status, text = lint(houses(tmp_path, imports))
    assert status == 1, text
    missed = [other for other in forbidden if f"{tree} is not allowed to import {other}" not in text]
    assert not missed, text


@pytest.mark.parametrize("tree", SETTINGS["root_packages"])
def test_a_circle_is_caught(tree, tmp_path):
    """Of three modules, one of them in a package of its own, and though the last import is made late."""
    place = INSIDE.get(tree, tree)
    home = place.replace("/", ".")
    modules = {"one": f"from {home} import two\n", "two": f"import {home}.far.three\n"}
    folder = houses(tmp_path, {f"{place}/{name}.py": text for name, text in modules.items()})
    (folder / place / "far").mkdir()
    (folder / place / "far" / "__init__.py").touch()
    (folder / place / "far" / "three.py").write_text(f"def later():\n    from {home} import one\n", "utf-8")
    status, text = lint(folder)
    assert status == 1, text
    assert "data flows one way: no two modules of a package lead to each other BROKEN" in text


def test_a_detour_is_caught(tmp_path):
    detour = {"reports/page.py": "import lockstep.records.record\n", "lockstep/records/record.py": "import torch\n"}
    status, text = lint(houses(tmp_path, detour))
    assert status == 1, text
    assert "reports is not allowed to import torch" in text


@pytest.mark.parametrize(("upper", "lower"), list(itertools.pairwise(ROOMS)))
def test_an_import_of_the_room_above_is_caught(upper, lower, tmp_path):
    status, text = lint(
        houses(tmp_path, {f"lockstep/{lower}/climbs.py": f"def later():\n    import lockstep.{upper}\n"})
    )
    assert status == 1, text
    assert f"lockstep.{lower} is not allowed to import lockstep.{upper}" in text


def test_a_room_on_no_floor_is_caught(tmp_path):
    status, text = lint(houses(tmp_path, {"lockstep/utils.py": ""}))
    assert status == 1, text
    assert "lockstep.utils" in text


def test_there_are_at_most_25_rooms():
    """What has no room of its own are the public names, the command line's entry, and the errors."""
    loose = [path for path in (PYPROJECT.parent / "lockstep").iterdir() if path.suffix == ".py"]
    assert len(ROOMS) <= 25
    assert {path.stem for path in loose} == {"__init__", "__main__", "errors"}


# The house: how many rooms, how high, how full.

MOST_ROOMS, HIGHEST, FULLEST = 25, 10, 10


def between_rooms(imports: set[tuple[str, str]]) -> dict[str, set[str]]:
    """Room to the rooms that it imports from, of pairs of modules below one package."""
    rooms: dict[str, set[str]] = {}
    for importer, imported in imports:
        above, below = (module.split(".")[1] for module in (importer, imported))
        if above != below:
            rooms.setdefault(above, set()).add(below)
    return rooms


def longest(rooms: dict[str, set[str]], top: str) -> list[str]:
    """The longest chain of rooms that begins with one of them; there is no circle."""
    return [top, *max((longest(rooms, below) for below in rooms.get(top, ())), key=len, default=[])]


def crowded(root: Path) -> list[str]:
    """The packages that have too many modules, but for those whose modules are subjects."""
    folders = {path.parent for path in root.rglob("*.py")}
    many = [folder for folder in folders if len([*folder.glob("[!_]*.py")]) > FULLEST]
    of_subjects = {root / table / family for table in ("cases", "causes") for family in families()}
    return [str(folder.relative_to(root)) for folder in sorted(many) if folder not in of_subjects]


def named_twice(sources: dict[str, str]) -> dict[str, list[str]]:
    """The classes that several modules define under one name, which then is none."""
    where: dict[str, list[str]] = {}
    for path, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                where.setdefault(node.name, []).append(path)
    return {name: paths for name, paths in where.items() if len(paths) > 1}


def test_a_class_has_a_name_of_its_own():
    root = PYPROJECT.parent / "lockstep"
    assert (
        named_twice({path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.py")}) == {}
    )
    assert named_twice({"a": "class Outcome: ...\nclass One: ...", "b": "class Outcome: ..."}) == {
        "Outcome": ["a", "b"]
    }


def test_the_house_is_no_larger_than_somebody_can_see():
    graph = grimp.build_graph("lockstep", cache_dir=None)
    inside = [module for module in graph.modules if module.count(".")]
    imports = {
        (module, other)
        for module in inside
        for other in graph.find_modules_directly_imported_by(module)
        if "." in other
    }
    rooms = between_rooms(imports)
    assert len(ROOMS) <= MOST_ROOMS
    assert max((longest(rooms, room) for room in ROOMS), key=len)[HIGHEST:] == []
    assert crowded(PYPROJECT.parent / "lockstep") == []


def test_a_house_that_is_too_high_or_too_full_is_noticed(tmp_path):
    rooms = between_rooms({("l.a.x", "l.b"), ("l.b.y", "l.c.z"), ("l.c", "l.c.z"), ("l.a", "l.c")})
    assert longest(rooms, "a") == ["a", "b", "c"]
    for number in range(FULLEST + 1):
        for folder in ("full", "cases/optim"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / f"module{number}.py").touch()
    assert crowded(tmp_path) == ["full"]
