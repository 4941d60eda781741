"""Which of somebody's files a piece of work runs through, read off what they import and name; and their bytes.

Followed are imports, also by a text, from the folder of a file, the packages around it, the working directory, and
whatever else is on Python's path and was not installed; what was installed goes by its version. A text that names a
file stands for it. Where a name is put together, every module of that folder counts.
"""

import ast
import importlib.util
import itertools
import os
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lockstep.tasks.sources import ROOT, called

LEVELS = 4  # of packages around a file, as it is loaded (lockstep/cli/loading.py)
STANDARD = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
INSTALLED = {"site-packages", "dist-packages"}


class Theirs(NamedTuple):
    """files: place below a common folder to content. main: of them what was asked for; it may not be there.

    here: the place of the working directory. searched: places that Python's path has besides.
    """

    files: dict[str, bytes]
    main: str
    here: str
    searched: tuple[str, ...]


class Said(NamedTuple):
    """What a file says of others. modules: their names, those of relative imports as well, without the dots.

    texts: every text in it. unsaid: whether it imports by a name that is put together.
    """

    modules: frozenset[str]
    texts: frozenset[str]
    unsaid: bool


def gathered(where: str) -> Theirs:
    """All that a file, or a module by its name, runs through of somebody's own."""
    here = Path.cwd()
    is_file = where.endswith(".py")
    main = Path(os.path.abspath(where)) if is_file else here / f"{where.replace('.', '/')}.py"  # noqa: PTH100
    found = {main} if main.is_file() else set()
    outside: set[Path] = set()
    if not is_file:
        found |= modules(where, [here], outside)
    contents: dict[Path, bytes] = {}
    while waiting := found - contents.keys():
        for path in waiting:
            contents[path] = path.read_bytes()
            found |= led_to(path, contents[path], here, outside)
    folders = [here, main.parent, *(path.parent for path in contents), *outside]
    side_by_side = zip(*(folder.parts for folder in folders), strict=False)
    shared = sum(1 for _ in itertools.takewhile(lambda parts: len(set(parts)) == 1, side_by_side))

    def place(path: Path) -> str:
        return str(PurePosixPath(*path.parts[shared:]))

    files = {place(path): contents[path] for path in sorted(contents)}
    return Theirs(files, place(main), place(here), tuple(place(folder) for folder in sorted(outside)))


def led_to(path: Path, content: bytes, here: Path, outside: set[Path]) -> set[Path]:
    """The files that a file leads to; folders outside that are searched are added to `outside`."""
    around = list(itertools.islice(path.parents, LEVELS + 1))
    packages = {init for folder in around if (init := folder / "__init__.py").is_file()}
    if path.suffix != ".py":
        return set()
    said = read(content)
    roots = list(dict.fromkeys([*around, here]))
    reached = packages | set(path.parent.glob("*.py") if said.unsaid else ())
    for name in said.modules:
        reached |= modules(name, roots, outside)
    for text in said.texts:
        reached |= {file for folder in (path.parent, here) for file in named_file(folder / text)}
        if all(map(str.isidentifier, text.split("."))):
            reached |= modules(text, roots, None)
    return {one for one in reached if one.is_file()}


def modules(name: str, roots: Iterable[Path], outside: set[Path] | None) -> set[Path]:
    """The files of a module and of the packages that it stands in, wherever one of that name is."""
    reached = {file for root in roots for file in below(root, name.split("."))}
    if reached or outside is None:
        return reached
    folder = not_installed(name.partition(".")[0])
    if folder is None:
        return set()
    outside.add(folder)
    return set(below(folder, name.split(".")))


def below(root: Path, parts: list[str]) -> Iterator[Path]:
    for part in parts:
        if (file := root / f"{part}.py").is_file():
            yield file
        root /= part
        if (file := root / "__init__.py").is_file():
            yield file


def not_installed(name: str) -> Path | None:
    """The folder on Python's path in which a module lies that nobody installed; None for any other."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), spec.origin]
    paths = [Path(place).resolve() for place in places if place and Path(place).exists()]
    if not paths or INSTALLED & set(paths[0].parts) or any(base in paths[0].parents for base in (*STANDARD, ROOT)):
        return None
    return paths[0].parent


def named_file(path: Path) -> list[Path]:
    """The file of that name, if there is one."""
    try:
        return [Path(os.path.normpath(path))] if path.is_file() else []
    except (OSError, ValueError):  # a text that is no name of a file
        return []


def read(content: bytes) -> Said:
    """What a file says of others; nothing where it is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError):
        return Said(frozenset(), frozenset(), False)
    modules: set[str] = set()
    unsaid = False
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            around = [node.module] if node.module else []
            modules |= {*around, *(".".join([*around, alias.name]) for alias in node.names)}
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__", "run_path", "exec_module"):
            unsaid |= not (node.args and isinstance(node.args[0], ast.Constant))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return Said(frozenset(modules), frozenset(text for text in texts if text and len(text) < 200), unsaid)
