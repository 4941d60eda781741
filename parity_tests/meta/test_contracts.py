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


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_forbidden_import_is_caught(name, tmp_path):
    contract = CONTRACTS[name]
    (tree,) = contract["source_modules"]
    forbidden = contract["forbidden_modules"]
    imports = {f"{tree}/imports_{other}.py": f"def later():\n    import {other}\n" for other in forbidden}
    status, text = lint(houses(tmp_path, imports))
    assert status == 1, text
    missed = [other for other in forbidden if f"{tree} is not allowed to import {other}" not in text]
    assert not missed, text


def test_a_detour_is_caught(tmp_path):
    detour = {"reports/page.py": "import lockstep.record\n", "lockstep/record.py": "import torch\n"}
    status, text = lint(houses(tmp_path, detour))
    assert status == 1, text
    assert "reports is not allowed to import torch" in text
