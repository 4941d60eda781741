"""Exchanges lines of a formula in its own source: a wrong variant is our text with another right-hand side."""

import ast
import builtins
import copy
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lockstep.causes.precision import (
    as_float32,
    as_wide_as,
    compounded,
    float32,
    float32_power,
    float32_product,
    single,
)
from lockstep.errors import BadSubject
from lockstep.text import Voice

AS_IT_IS = "as it is"  # an argument, where another stands in its place
WAS = "was"  # stands for the right-hand side that is replaced, so that edits of one line compose
BEFORE = "_before"  # `lr_before` is the lr of the step before
UPDATES = "updates"  # how many updates a tensor has had, with this one
NORM_OF_ALL = "norm_of_all"  # the norm of all gradients of a step together

HELPERS: dict[str, Any] = {
    "np": np,
    **{
        function.__name__: function
        for function in (
            compounded,
            as_wide_as,
            as_float32,
            float32,
            float32_power,
            float32_product,
            single,
        )
    },
}


class BadEdit(BadSubject):
    """An edit that fits no line, or changes nothing; the message says which and what there is."""


class Edit(NamedTuple):
    """What is exchanged in one formula; every expression is Python text.

    lines: name of an assignment to its new right-hand side, in which `was` is the old one.
    arguments: argument to an expression that replaces it before the first line.
    kept: field of the result to what is stored in its place after everything is computed.
    everywhere: an expression to what stands in its place wherever it stood, in the lines as they are after all edits.
    free: name to the number it stands for in the expressions, or to the name of an argument that the
        function gets for it.
    """

    lines: Mapping[str, str] = {}
    arguments: Mapping[str, str] = {}
    kept: Mapping[str, str] = {}
    free: Mapping[str, float | str] = {}
    everywhere: Mapping[str, str] = {}


class Change(NamedTuple):
    """One exchanged line as text: `ours` is the reference's right-hand side, `theirs` what replaces it."""

    line: str
    ours: str
    theirs: str

    def rows(self, voice: Voice, ours: str = "ours") -> Iterator[tuple[str, str]]:
        """Theirs and ours, each with the label of its row, which `ours` is of the second."""
        yield "theirs", f"{self.line} = {self.theirs}"
        yield ours, f"{self.line} = {voice('cause.as-it-is') if self.ours == AS_IT_IS else self.ours}"


def patched(function: Callable, edits: list[Edit]) -> Callable:
    """`function` with `edits` made in its source, one after the other, compiled in its own module.

    Raises:
        BadEdit: for a line or an argument that is not there, an unknown name, or no change at all.
    """
    tree = ast.Module([exchanged(function, edits)], [])
    namespace = {**function.__globals__, **HELPERS}
    exec(compile(tree, f"<{function.__module__}.{function.__name__}, planted>", "exec"), namespace)
    return namespace[function.__name__]


def exchanged(function: Callable, edits: list[Edit]) -> ast.FunctionDef:
    """The syntax tree of `function` after the edits."""
    definition = parsed(function)
    first = []
    for edit in edits:
        take(definition, [name for name in edit.free.values() if isinstance(name, str)])
        for name, text in edit.lines.items():
            exchange(function, definition, name, expression(text, edit.free))
        for name, text in edit.kept.items():
            keep(function, definition, name, expression(text, edit.free))
        for name, text in edit.arguments.items():
            first.append(argument(function, name, expression(text, edit.free)))
    for statement in definition.body:
        if isinstance(statement, ast.Assign):
            statement.value = everywhere(
                statement.value, {old: new for e in edits for old, new in e.everywhere.items()}
            )
    if any(BEFORE in text for edit in edits for text in texts(edit)):
        first = remembered(definition, first) + first
    read = read_in(definition) | {name for line in first for name in read_in(line)}
    for name in {UPDATES, NORM_OF_ALL} & read:
        definition.args.kwonlyargs.append(ast.fix_missing_locations(ast.arg(name)))
        definition.args.kw_defaults.append(None)
    start = 1 if ast.get_docstring(definition) else 0
    definition.body[start:start] = first
    if len(edits) == 1:  # edits that are right by themselves are right together: no line changes its place
        check_names(function, definition)
    return definition


def texts(edit: Edit) -> list[str]:
    return [*edit.lines.values(), *edit.arguments.values(), *edit.kept.values(), *edit.everywhere.values()]


def changes(function: Callable, edit: Edit) -> list[Change]:
    """The lines that `edit` exchanges in `function`, ours beside theirs."""
    after = exchanged(function, [edit])
    ours, theirs = assignments(parsed(function)), assignments(after)
    texts_of = {name: (ast.unparse(ours[name].value), ast.unparse(theirs[name].value)) for name in ours}
    edited = [name for name, (one, other) in texts_of.items() if one != other]
    lines = [Change(name, *texts_of[name]) for name in edited]
    others = {**edit.arguments, **edit.kept}
    return lines + [Change(name, AS_IT_IS, ast.unparse(expression(text, edit.free))) for name, text in others.items()]


def parsed(function: Callable) -> ast.FunctionDef:
    """A syntax tree of its own, to edit; parsing the text again is faster than copying a tree."""
    definition = ast.parse(text_of(function)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    return definition


@functools.cache
def text_of(function: Callable) -> str:
    return textwrap.dedent(inspect.getsource(function))


def take(definition: ast.FunctionDef, names: list[str]) -> None:
    """Give the function these arguments, by keyword."""
    definition.args.kwonlyargs += [ast.fix_missing_locations(ast.arg(name)) for name in names]
    definition.args.kw_defaults += [None for _ in names]


def expression(text: str, free: Mapping[str, float | str]) -> ast.expr:
    """The tree of an expression with its free names replaced by their numbers, or by arguments."""
    numbers = {
        name: ast.Name(value, ast.Load()) if isinstance(value, str) else ast.Constant(value)
        for name, value in free.items()
    }
    return ast.fix_missing_locations(Replace(numbers).visit(ast.parse(text, mode="eval"))).body


def everywhere(tree: ast.expr, texts: Mapping[str, str]) -> ast.expr:
    """The tree with some expressions replaced wherever they stand."""
    if not texts:
        return tree
    known = {ast.dump(ast.parse(old, mode="eval").body): ast.parse(new, mode="eval").body for old, new in texts.items()}
    replaced: ast.expr = Everywhere(known).visit(copy.deepcopy(tree))
    return ast.fix_missing_locations(replaced)


class Everywhere(ast.NodeTransformer):
    """Puts expressions in the places of others, which are known by what `ast.dump` makes of them."""

    def __init__(self, expressions: Mapping[str, ast.expr]):
        self.expressions = expressions

    def visit(self, node) -> Any:
        replacement = self.expressions.get(ast.dump(node)) if isinstance(node, ast.expr) else None
        return copy.deepcopy(replacement) if replacement is not None else self.generic_visit(node)


class Replace(ast.NodeTransformer):
    """Puts an expression in the place of a name."""

    def __init__(self, expressions: Mapping[str, ast.expr]):
        self.expressions = expressions

    def visit_Name(self, node):
        return copy.deepcopy(self.expressions[node.id]) if node.id in self.expressions else node


def assignments(definition: ast.FunctionDef) -> dict[str, ast.Assign]:
    """Name to the line that makes it. Names that a line makes together are none."""
    by_name = {}
    for statement in definition.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            by_name[statement.targets[0].id] = statement
    return by_name


def arguments_of(definition: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in (*definition.args.args, *definition.args.kwonlyargs)]


def exchange(function: Callable, definition: ast.FunctionDef, name: str, new: ast.expr) -> None:
    lines = assignments(definition)
    if name not in lines:
        raise BadEdit(f"{title(function)} has no line {name!r}; there are {', '.join(lines)}")
    old = lines[name].value
    new = Replace({WAS: old}).visit(new)
    if ast.dump(new) == ast.dump(old):
        raise BadEdit(f"line {name!r} of {title(function)} is {ast.unparse(old)!r} already: the edit changes nothing")
    lines[name].value = new


def keep(function: Callable, definition: ast.FunctionDef, name: str, new: ast.expr) -> None:
    """Let the result's field `name` hold `new`, which every line has been computed without."""
    result = definition.body[-1]
    assert isinstance(result, ast.Return)
    returned = result.value
    fields = [argument.id for argument in getattr(returned, "args", []) if isinstance(argument, ast.Name)]
    if name not in fields:
        raise BadEdit(f"{title(function)} returns no {name!r}; there are {', '.join(fields)}")
    if ast.dump(new) == ast.dump(ast.parse(name, mode="eval").body):
        raise BadEdit(f"{name!r} is what {title(function)} keeps already: the edit changes nothing")
    returned.args[fields.index(name)] = new  # type: ignore[union-attr]


def argument(function: Callable, name: str, new: ast.expr) -> ast.Assign:
    """The line that replaces an argument before the formula's first."""
    known = inspect.signature(function).parameters
    if name not in known:
        raise BadEdit(f"{title(function)} has no argument {name!r}; there are {', '.join(known)}")
    if ast.dump(new) == ast.dump(ast.parse(name, mode="eval").body):
        raise BadEdit(f"{name!r} is what {title(function)} is given already: the edit changes nothing")
    return assign(name, new)


def assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.fix_missing_locations(ast.Assign([ast.Name(name, ast.Store())], value))


def remembered(definition: ast.FunctionDef, first: list[ast.Assign]) -> list[ast.Assign]:
    """Let a formula that reads `lr_before` take it as an argument, which is lr where none is given.

    What replaces lr replaces `lr_before` too.
    """
    added = []
    hyperparameters = {argument.arg for argument in definition.args.kwonlyargs} - {"step"}
    for name in sorted(read_in(definition)):
        now = name.removesuffix(BEFORE)
        if name.endswith(BEFORE) and now in hyperparameters:
            definition.args.kwonlyargs.append(ast.fix_missing_locations(ast.arg(name)))
            definition.args.kw_defaults.append(ast.fix_missing_locations(ast.Constant(None)))
            added.append(assign(name, ast.parse(f"{now} if {name} is None else {name}", mode="eval").body))
            then = Replace({now: ast.Name(name, ast.Load())})
            added += [
                assign(name, then.visit(copy.deepcopy(line.value)))
                for line in first
                if isinstance(line.targets[0], ast.Name) and line.targets[0].id == now
            ]
    return added


def given_beside(name: str) -> bool:
    """Whether it is none of a formula's own arguments, but what an edit of it may read."""
    return name.endswith(BEFORE) or name in (UPDATES, NORM_OF_ALL)


def read_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def check_names(function: Callable, definition: ast.FunctionDef) -> None:
    """Refuse a line that reads what is not there, or not yet."""
    known = {*arguments_of(definition), *function.__globals__, *HELPERS, *vars(builtins)}
    for statement in definition.body:
        nodes = list(ast.walk(statement))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        own = made if any(isinstance(node, ast.comprehension) for node in nodes) else set()
        if unknown := read - known - own:
            line = ast.unparse(statement)
            raise BadEdit(f"{title(function)} does not know {', '.join(sorted(unknown))} in {line!r}")
        known |= made


def title(function: Callable) -> str:
    return f"{function.__module__}.{function.__name__}"


@functools.cache
def reads(text: str) -> set[str]:
    """The names that an expression reads."""
    return read_in(ast.parse(text, mode="eval"))
