"""Formulas in JavaScript: the syntax tree of a step, a line of it at a time, as an expression that a page can evaluate.

A formula is straight-line code on operators and a few functions. Every one of them becomes a call of `F`, the numbers
that the page computes in (`static/lab/numbers.js`), so that the same text runs in float32, in float64 and on numbers
that carry an error; every name becomes a property of `s`. What is an array and what a number is known when it runs.
"""

import ast
import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from lockstep.errors import BadSubject

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "plus",
    ast.Sub: "minus",
    ast.Mult: "times",
    ast.Div: "over",
    ast.FloorDiv: "wholes",
    ast.Mod: "remainder",
    ast.Pow: "power",
    ast.USub: "negative",
    ast.Lt: "less",
    ast.LtE: "lessEqual",
    ast.Gt: "greater",
    ast.GtE: "greaterEqual",
    ast.Eq: "equal",
    ast.NotEq: "notEqual",
}
FUNCTIONS = ("sqrt", "maximum", "minimum", "where", "sign", "clip", "exp", "log", "log1p", "tanh")
HELPERS = (
    "abs", "min", "max", "item", "like", "root", "float32", "float32_power", "float32_product", "single", "range",
    "bisect_right",
)  # fmt: skip
METHODS = ("sum", "mean", "reshape", "copy", "item", "count")
PROPERTIES = ("shape", "size", "ndim")
PRIMITIVES = (
    "add", "mul", "div", "lerp", "addcmul", "addcdiv", "fma", "sum_of_products", "minus_product", "sqrt", "pow", "sum",
    "mean", "norm", "rsqrt", "matmul", "wide", "narrow", "channel_sum", "channel_square", "channel_grad_sum",
    "channel_grad_dot",
)  # fmt: skip
OUTSIDE = {"np", "ops"}  # of which functions are taken
CONSTANTS = {None: "null", True: "true", False: "false"}


class Untranslatable(BadSubject):
    """A formula with something that has no translation; the message names it."""


class Line(NamedTuple):
    """An assignment: its name, its right-hand side in Python, and the same in JavaScript."""

    name: str
    code: str
    js: str


class Formula(NamedTuple):
    """A step: what it takes, its lines in order, and what is returned under each name."""

    name: str
    arguments: tuple[str, ...]
    lines: tuple[Line, ...]
    result: tuple[Line, ...]


def translated(source: str, fields: Iterable[str] = ()) -> Formula:
    """A formula.

    Arguments:
        source: the Python text of one function.
        fields: the names under which it returns, where they are not the names of what it returns.

    Raises:
        Untranslatable: naming what is no straight-line code on the operators and functions that there are.
    """
    definition = parsed(source).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise untranslatable(definition)
    arguments = [argument.arg for argument in (*definition.args.args, *definition.args.kwonlyargs)]
    *body, last = [node for node in definition.body if not is_docstring(node)]
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Call):
        raise untranslatable(last)
    lines = [line for node in body for line in assigned(node)]
    check_names([*body, last], {*arguments, *(line.name for line in lines)})
    returned = [line(name, node) for name, node in zip(names(last.value, fields), last.value.args, strict=True)]
    return Formula(definition.name, tuple(name for name in arguments if name != "ops"), tuple(lines), tuple(returned))


def check_names(body: Iterable[ast.stmt], known: set[str]) -> None:
    """Refuse what a formula reads that it neither was given nor made: a page does not have it."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    called_there = {node.func for node in nodes if isinstance(node, ast.Call)}
    repeated_there = {ast.unparse(node.target) for node in nodes if isinstance(node, ast.comprehension)}
    for node in nodes:
        if isinstance(node, ast.Name) and node not in called_there and node.id not in known | repeated_there | OUTSIDE:
            raise untranslatable(node)


def expression(text: str) -> str:
    """An expression in JavaScript.

    Raises:
        Untranslatable: naming what has no translation.
    """
    node = parsed(text).body[0]
    if not isinstance(node, ast.Expr):
        raise untranslatable(node)
    return js(node.value)


def script(formula: Formula) -> str:
    """A formula as an object of JavaScript: each line, and what is returned, a function of `s` and `F`."""
    parts = {"lines": formula.lines, "result": formula.result}
    written = {
        key: ", ".join(f"[{json.dumps(own.name)}, {function(own)}]" for own in lines) for key, lines in parts.items()
    }
    return f"{{lines: [{written['lines']}], result: [{written['result']}]}}"


def function(own: Line) -> str:
    return f"(s, F) => {own.js}"


def names(call: ast.Call, fields: Iterable[str]) -> list[str]:
    given = list(fields)
    return given or [node.id if isinstance(node, ast.Name) else "" for node in call.args]


def parsed(text: str) -> ast.Module:
    try:
        made = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Untranslatable(f"no Python: {text!r:.80}") from error
    if not made.body:
        raise Untranslatable("nothing stands there")
    return made


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def assigned(node: ast.stmt) -> list[Line]:
    """The lines that an assignment makes: one, or one for each name that a tuple is taken apart into."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        raise untranslatable(node)
    target = node.targets[0]
    if isinstance(target, ast.Name):
        return [line(target.id, node.value)]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Name):
        parts = [ast.Subscript(node.value, ast.Constant(place)) for place in range(len(target.elts))]
        return [line(part.id, own) for part, own in zip(target.elts, parts, strict=True) if isinstance(part, ast.Name)]
    raise untranslatable(node)


def line(name: str, node: ast.expr) -> Line:
    return Line(name, ast.unparse(node), js(node))


def untranslatable(node: ast.AST) -> Untranslatable:
    return Untranslatable(f"no translation of {ast.unparse(node)!r}")


def js(node: ast.expr, own: frozenset[str] = frozenset()) -> str:
    """An expression in JavaScript; `own` names are a comprehension's, not the environment's."""
    for kind, write in WRITERS.items():
        if isinstance(node, kind):
            return write(node, own)
    raise untranslatable(node)


def called(function: str, nodes: Iterable[ast.expr], own: frozenset[str], keywords: Iterable[ast.keyword] = ()) -> str:
    arguments = [js(node, own) for node in nodes]
    named = [f"{keyword.arg}: {js(keyword.value, own)}" for keyword in keywords]
    settings = [f"{{{', '.join(named)}}}"] if named else []
    return f"F.{function}({', '.join([*arguments, *settings])})"


def constant(node: ast.Constant, own: frozenset[str]) -> str:
    if node.value is None or isinstance(node.value, bool):
        return CONSTANTS[node.value]
    if isinstance(node.value, int | float | str):
        return json.dumps(node.value)  # as Python, the shortest digits that are this double
    raise untranslatable(node)


def name(node: ast.Name, own: frozenset[str]) -> str:
    return node.id if node.id in own else f"s.{node.id}"


def binary(node: ast.BinOp, own: frozenset[str]) -> str:
    return called(operator(node.op, node), [node.left, node.right], own)


def unary(node: ast.UnaryOp, own: frozenset[str]) -> str:
    if isinstance(node.op, ast.Not):
        return f"!F.truth({js(node.operand, own)})"
    if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return f"-{js(node.operand, own)}"
    return called(operator(node.op, node), [node.operand], own)


def compare(node: ast.Compare, own: frozenset[str]) -> str:
    if len(node.ops) != 1:
        ends = [node.left, *node.comparators]
        pairs = zip(ends, node.ops, ends[1:], strict=False)
        return both(ast.BoolOp(ast.And(), [ast.Compare(left, [sign], [right]) for left, sign, right in pairs]), own)
    left, right = node.left, node.comparators[0]
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        sign = "===" if isinstance(node.ops[0], ast.Is) else "!=="
        return f"({js(left, own)} {sign} {js(right, own)})"
    return called(operator(node.ops[0], node), [left, right], own)


def operator(node: ast.AST, whole: ast.AST) -> str:
    known = OPERATORS.get(type(node))
    if known is None:
        raise untranslatable(whole)
    return known


def either(node: ast.IfExp, own: frozenset[str]) -> str:
    return f"(F.truth({js(node.test, own)}) ? {js(node.body, own)} : {js(node.orelse, own)})"


def both(node: ast.BoolOp, own: frozenset[str]) -> str:
    """Python's `and` and `or`, which are one of their sides."""
    *others, last = [js(part, own) for part in node.values]
    for part in reversed(others):
        taken = f"{last} : first" if isinstance(node.op, ast.And) else f"first : {last}"
        last = f"((first) => (F.truth(first) ? {taken}))({part})"
    return last


def call(node: ast.Call, own: frozenset[str]) -> str:
    function = node.func
    if isinstance(function, ast.Name) and function.id in HELPERS:
        return called(function.id, node.args, own, node.keywords)
    if isinstance(function, ast.Name) and function.id == "tuple" and len(node.args) == 1:
        return js(node.args[0], own)  # an array of JavaScript, as any tuple is there
    if isinstance(function, ast.Name) and function.id == "len" and len(node.args) == 1:
        return f"{js(node.args[0], own)}.length"
    if isinstance(function, ast.Attribute):
        of = function.value.id if isinstance(function.value, ast.Name) else ""
        if of == "np" and function.attr in FUNCTIONS:
            return called(function.attr, node.args, own, node.keywords)
        if of == "ops" and function.attr in PRIMITIVES:
            return called(f"ops.{function.attr}", node.args, own, node.keywords)
        if of not in ("np", "ops") and function.attr in METHODS:
            return called(function.attr, [function.value, *node.args], own, node.keywords)
    raise untranslatable(node)


def attribute(node: ast.Attribute, own: frozenset[str]) -> str:
    """An array's shape, or a line of the way there (`lines.x_hat`)."""
    of_lines = isinstance(node.value, ast.Name) and node.value.id == "lines"
    if not of_lines and node.attr not in PROPERTIES:
        raise untranslatable(node)
    return f"{js(node.value, own)}.{node.attr}"


def subscript(node: ast.Subscript, own: frozenset[str]) -> str:
    """A part of a tuple, or the rest of it; of an array the first numbers along the last axis, or more axes."""
    of, place = js(node.value, own), node.slice
    if isinstance(place, ast.Slice) and place.lower and not place.upper and not place.step:
        return f"{of}.slice({js(place.lower, own)})"
    if isinstance(place, ast.Tuple) and isinstance(place.elts[0], ast.Constant) and place.elts[0].value is ...:
        after = [part.value if isinstance(part, ast.Constant) else part for part in place.elts[1:]]
        if after == [0]:
            return f"F.firsts({of})"
        if after and all(part is None for part in after):
            return f"F.reshape({of}, ...{of}.shape, {', '.join('1' for _ in after)})"
        raise untranslatable(node)
    if isinstance(place, ast.UnaryOp) and isinstance(place.op, ast.USub):
        return f"{of}.at({js(place, own)})"
    return f"{of}[{js(place, own)}]"


def several(node: ast.Tuple, own: frozenset[str]) -> str:
    return f"[{', '.join(js(part, own) for part in node.elts)}]"


def spread(node: ast.Starred, own: frozenset[str]) -> str:
    return f"...{js(node.value, own)}"


def repeated(node: ast.GeneratorExp, own: frozenset[str]) -> str:
    generator = node.generators[0]
    if len(node.generators) != 1 or generator.ifs or not isinstance(generator.target, ast.Name):
        raise untranslatable(node)
    target = generator.target.id
    return f"{js(generator.iter, own)}.map(({target}) => {js(node.elt, own | {target})})"


WRITERS: dict[type[ast.expr], Callable[..., str]] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.BinOp: binary,
    ast.UnaryOp: unary,
    ast.Compare: compare,
    ast.IfExp: either,
    ast.BoolOp: both,
    ast.Call: call,
    ast.Attribute: attribute,
    ast.Subscript: subscript,
    ast.Tuple: several,
    ast.Starred: spread,
    ast.GeneratorExp: repeated,
}
