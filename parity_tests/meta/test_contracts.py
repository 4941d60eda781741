"""The import contracts of pyproject.toml keep what they name: each is broken on purpose, import by import."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SETTINGS = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in SETTINGS["contracts"]}


def houses(folder: Path, imports: dict[str, str]) -> Path:
    """Empty trees in `folder`, and in them the modules of `imports`: path to text."""
    for package in SETTINGS["root_packages"]:
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
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
    imports = {f"{tree}/imports_{other}.py": f"def later():\n    import {other}\n" for other in forbidden}
    status, text = lint(houses(tmp_path, imports))
    assert status == 1, text
    missed = [other for other in forbidden if f"{tree} is not allowed to import {other}" not in text]
    assert not missed, text


@pytest.mark.parametrize("tree", SETTINGS["root_packages"])
def test_a_circle_is_caught(tree, tmp_path):
    """Of three modules, one of them in a package of its own, and though the last import is made late."""
    folder = houses(
        tmp_path, {f"{tree}/one.py": f"from {tree} import two\n", f"{tree}/two.py": f"import {tree}.far.three\n"}
    )
    (folder / tree / "far").mkdir()
    (folder / tree / "far" / "__init__.py").touch()
    (folder / tree / "far" / "three.py").write_text(f"def later():\n    from {tree} import one\n", "utf-8")
    status, text = lint(folder)
    assert status == 1, text
    assert "data flows one way: no two modules of a package lead to each other BROKEN" in text


def test_a_detour_is_caught(tmp_path):
    detour = {"reports/page.py": "import lockstep.record\n", "lockstep/record.py": "import torch\n"}
    status, text = lint(houses(tmp_path, detour))
    assert status == 1, text
    assert "reports is not allowed to import torch" in text
