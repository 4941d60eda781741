"""Which of our files a piece of work runs through, read off their imports; and one digest of them.

Followed are import statements and what `importlib.import_module` and `find` are called with. A name that is put
together there, f"reference.{self.path}", stands for the subjects that the work is about, one of a family for theirs,
any other part of it for one word; and it counts where somebody names the function that imports it. What a package's
`__init__` imports for others counts only for who imports from it, so a module may do nothing but define when it is
imported; none of ours does more. Whoever runs the work sees what else it imported (lockstep/tasks/workers.py).
"""

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lockstep.subjects.registry import subjects
from lockstep.text import LANGUAGES, texts

ROOT = Path(__file__).parents[2]
TREES = ("reference", "torch_impl", "lockstep", "reports")
ASKED, ASKING = ("cause.", "scenario."), "first_known"  # messages of which it is asked whether they are there, and how


class UnknownImport(ValueError):
    """An import by a name that nobody can tell beforehand; the message says where."""


class Source(NamedTuple):
    """What a file says of others.

    imports: modules it imports. asks: functions and patterns of modules that they import by names put together, {path}
    and {family} in place of the subject's. finds: paths of subjects. names: what is called or looked up in it.
    strings: every text in it.
    """

    digest: str
    imports: frozenset[str]
    asks: frozenset[tuple[str, str]]
    finds: frozenset[str]
    names: frozenset[str]
    strings: frozenset[str]


def sources(modules: Iterable[str], words: Iterable[str] = ()) -> str:
    """A digest of all files that work runs through, and of which messages there are that it asks for.

    Arguments:
        modules: in which its functions stand.
        words: texts it is given; those that are paths of subjects say what it is about.
    """
    return digested(frozenset(modules), named(words))


@functools.cache
def digested(modules: frozenset[str], words: frozenset[str]) -> str:
    files, about = closed(modules, words)
    told = hashlib.sha256()
    asks, strings = False, set()
    for name in sorted(files):
        path = known()[name]
        source = read(path)
        asks |= ASKING in source.names
        strings |= source.strings
        told.update(f"{name} {source.digest}\n".encode())
        for beside in sorted(set(source.strings) & data_beside(path.parent)):
            told.update(f"{beside} {hashed((path.parent / beside).read_bytes())}\n".encode())
    told.update("\n".join(sorted(about)).encode())
    told.update("\n".join(asked(strings) if asks else ()).encode())
    return told.hexdigest()


def closure(modules: Iterable[str], words: Iterable[str] = ()) -> tuple[frozenset[str], frozenset[str]]:
    """Every module of ours that work runs through, and the subjects that it is about."""
    return closed(frozenset(modules), named(words))


@functools.cache
def closed(modules: frozenset[str], words: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    about = set(words)
    while True:
        reached = reach(set(modules), frozenset(about))
        more = {found for name in reached for found in read(known()[name]).finds if is_path(found)} - about
        if not more:
            parents = {name for one in reached for name in above(one)}
            return frozenset(reached | parents), frozenset(about)
        about |= more


def reach(modules: set[str], about: frozenset[str]) -> set[str]:
    """What can be reached from modules by imports, with names put together of those subjects."""
    reached: set[str] = set()
    waiting = modules & known().keys()
    while waiting:
        reached |= waiting
        read_so_far = [read(known()[name]) for name in reached]
        named = {full for source in read_so_far for imported in source.imports for full in [longest(imported)] if full}
        called = {name for source in read_so_far for name in source.names}
        asks = {pattern for source in read_so_far for function, pattern in source.asks if function in called}
        waiting = (named | {module for pattern in asks for module in matching(pattern, about)}) - reached
    return reached


def longest(name: str) -> str | None:
    """The module that an imported name is, or stands in; none of ours for a library's."""
    while name not in known():
        name, _, rest = name.rpartition(".")
        if not name or not rest:
            return None
    return name


def above(name: str) -> Iterator[str]:
    """The packages around a module."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def named(words: Iterable[str]) -> frozenset[str]:
    """The paths of subjects among words; where there are none, nobody asks for the sides."""
    return frozenset(filter(is_path, words))


def is_path(word: str) -> bool:
    """Whether it is a subject's; the sides are imported only where there is a file of that name."""
    return f"reference.{word}" in known() and word in paths()


@functools.cache
def paths() -> frozenset[str]:
    return frozenset(subject.path for subject in subjects())


@functools.cache
def matching(pattern: str, about: frozenset[str]) -> set[str]:
    """The modules of a pattern, where it is about these subjects."""
    fields = [{"path": path, "family": path.split(".")[0]} for path in about] or [{"path": " ", "family": " "}]
    wanted = {
        pattern.format(**{name: re.escape(part) for name, part in pattern_fields.items()}) for pattern_fields in fields
    }
    matches = re.compile("|".join(sorted(wanted))).fullmatch
    return {module for module in known() if matches(module)}


@functools.cache
def known() -> dict[str, Path]:
    """Every module of ours and its file."""
    files = (path for tree in TREES for path in sorted((ROOT / tree).rglob("*.py")))
    return {module_of(path): path for path in files}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def data_beside(folder: Path) -> frozenset[str]:
    """The names of what lies in a folder of ours and is no module."""
    return frozenset(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py")


def asked(strings: set[str]) -> list[str]:
    """The names of the messages that are there to be asked for by one of these texts."""
    return sorted(
        f"{language}.{key}"
        for language in LANGUAGES[:1]  # both have the same
        for key in texts(language)
        if key.startswith(ASKED) and any(part in strings for part in key.split(".")[1:])
    )


def written() -> dict[str, tuple[int, int]]:
    """Of every module of ours its size and when it was written: the same where nobody has touched any."""
    return {name: (found.st_size, found.st_mtime_ns) for name, path in known().items() for found in [path.stat()]}


@functools.cache
def everything() -> str:
    """A digest of all our files, modules and what lies beside them."""
    folders = {path.parent for path in known().values()}
    files = {*known().values(), *(folder / name for folder in folders for name in data_beside(folder))}
    told = "\n".join(f"{path.relative_to(ROOT)} {hashed(path.read_bytes())}" for path in sorted(files))
    return hashed(told.encode())


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@functools.cache
def read(path: Path) -> Source:
    """What a file says of others.

    Raises:
        UnknownImport: for an import by a name that is not written where it is imported.
    """
    content = path.read_bytes()
    tree = ast.parse(content)
    nodes = list(ast.walk(tree))
    imports: set[str] = set()
    finds, asks = set(), set()
    asking = any(isinstance(node, ast.Call) and called(node) == "import_module" for node in nodes)
    functions = [node for node in nodes if asking and isinstance(node, ast.FunctionDef)]
    within = {id(node): function.name for function in functions for node in ast.walk(function)}
    for node in nodes:
        if isinstance(node, ast.Import):
            imports |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports |= set(imported(node, path))
        elif isinstance(node, ast.Call) and node.args and called(node) == "import_module":
            name = node.args[0]
            if isinstance(name, ast.Constant):
                imports.add(str(name.value))
            elif isinstance(name, ast.JoinedStr) and id(node) in within:
                asks.add((within[id(node)], "".join(map(piece, name.values))))
            else:
                raise UnknownImport(f"{path}:{name.lineno}: imports by a name that is not written there")
        elif isinstance(node, ast.Call) and node.args and called(node) == "find":
            finds |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    strings = frozenset(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    looked_up = [node.args[1] for node in nodes if isinstance(node, ast.Call) and called(node) == "getattr"]
    names |= {str(name.value) for name in looked_up if isinstance(name, ast.Constant)}
    return Source(
        hashed(content), frozenset(imports), frozenset(asks), frozenset(map(str, finds)), frozenset(names), strings
    )


def imported(node: ast.ImportFrom, path: Path) -> Iterator[str]:
    """What a `from` imports: the modules of those names, and the package itself for names of its own."""
    if node.level:
        raise UnknownImport(f"{path}:{node.lineno}: imports by a relative name")
    package = node.module or ""
    for name in node.names:
        inside = f"{package}.{name.name}"
        yield inside if inside in known() else package


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def piece(part: ast.expr) -> str:
    """A piece of a name put together, as a pattern."""
    if isinstance(part, ast.Constant):
        return re.escape(str(part.value)).replace("{", "{{").replace("}", "}}")
    hole = ast.unparse(part.value if isinstance(part, ast.FormattedValue) else part)
    if "family" in hole or ".partition(" in hole:
        return "{family}"
    return "{path}" if hole.rpartition(".")[2] == "path" else r"\w+"
