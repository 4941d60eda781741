"""Every formula that is one slip away from the reference's: its own syntax tree with one thing changed.

A mutant is a `Cause` that no catalogue has. It says what was done in words of its own (`mutation.…` in the messages),
and the line in the reference's words; it is planted, screened and replayed like any other.
"""

import ast
import copy
import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from lockstep.causes.cause import Cause, First
from lockstep.causes.source import WAS, Replace, everywhere, given_beside
from lockstep.diagnose.by_line.lines import Line, Numbers, Script, Trail
from lockstep.text import Message, message

# How much of a slip each is: of two that explain the same, the first is the simpler reading.
KINDS = (
    "left-out",
    "sign",
    "times-for-over",
    "over-for-times",
    "function-left-out",
    "interchanged",
    "instead",
    "twice",
    "put-in",
    "kept",
    "factor",
    "clipped",
    "far",
    "in-one-mode",
    "narrow",
    "both",
)
ALONE = ("far", "in-one-mode", "narrow")  # so many that they are not tried two at once
BEGIN = First(1, "")
FUNCTIONS = ("np.sqrt({})", "({})**2", "abs({})")
FAR_FUNCTIONS = (
    "np.sign({})",
    "({}).sum()",
    "({}).mean()",
    "np.clip({}, -1, 1)",
    "np.clip({}, -lr, lr)",
    "{0} - ({0}).mean()",
    "{0} / np.sqrt((({0})**2).sum())",
)
IN_ONE_MODE = ("left-out", "times-for-over", "over-for-times", "function-left-out", "twice")
FORMATS = ("float32",)  # no narrower one: what its bounds leave open explains anything
ELEMENTWISE = ("np.sqrt", "root", "np.exp", "np.log", "np.log1p", "np.tanh", "abs")
COMPARISONS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)
REDUCTIONS = ("sum", "mean", "max")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutant(Cause):
    """A formula with one slip in it.

    Attributes:
        kind: of `KINDS`. details: values of its message. was: the line as the reference has it.
    """

    id: str = "not-in-the-catalogue"
    formula: str = ""
    shows: str = ""
    first: First = BEGIN
    kind: str
    was: str = ""
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def name(self) -> str:
        """The line, in the reference's words."""
        edits = {**self.lines, **self.backward, **self.arguments}
        lines = [f"{line} = {self.written(text)}" for line, text in edits.items()]
        return "; ".join([*lines, *(f"{line} kept as {text}" for line, text in self.kept.items())])

    def written(self, text: str) -> str:
        if not (self.free or self.was):
            return text
        free = {name: f"({value:.9g})" if isinstance(value, float) else value for name, value in self.free.items()}
        names = {name: parse(value) for name, value in free.items()} | {WAS: parse(self.was or WAS)}
        return ast.unparse(Replace(names).visit(parse(text)))

    def solved(self, **numbers: float) -> "Mutant":
        """The same slip with other numbers in place of those of `free`."""
        return dataclasses.replace(self, free={**self.free, **numbers})

    @property
    def kin(self) -> tuple:
        """Every slip is of a kind of its own."""
        return self.id, self.kind, self.name

    @property
    def fix(self) -> Message:
        """What was done instead, in words."""
        return message("mutation.says", what=self.what)

    @property
    def what(self) -> Message:
        numbers = {name: f"{value:.9g}" for name, value in self.free.items() if not isinstance(value, str)}
        return message(f"mutation.{self.kind}", **{**self.details, **numbers})

    @property
    def rank(self) -> tuple[int, int]:
        """How far-fetched it is."""
        return KINDS.index(self.kind), len(self.name)


class Slip(NamedTuple):
    """An expression in the place of another, and what that is: a kind, and the values of its message."""

    new: ast.expr
    kind: str
    details: dict[str, str]


class Scope(NamedTuple):
    """What a line can see. arrays, numbers: names of arguments and earlier lines.

    first: the argument that there is always. tensor: whether all arrays are of one tensor.
    """

    arrays: tuple[str, ...]
    numbers: tuple[str, ...]
    first: str
    tensor: bool


def mutants(script: Script, trail: Trail, subject: str, layer: str = "") -> list[Mutant]:
    """All that are one slip away from a formula, each once.

    Arguments:
        script: the formula. trail: what shows which names are arrays and which are numbers.
        subject, layer: of what.
    """
    simplest: dict[tuple, Mutant] = {}
    for made in (*of_lines(script, trail), *of_arguments(script, trail), *of_what_is_kept(script, trail)):
        key = tuple(sorted((*made.lines.items(), *made.backward.items(), *made.arguments.items(), *made.kept.items())))
        if key not in simplest or KINDS.index(made.kind) < KINDS.index(simplest[key].kind):
            simplest[key] = made
    return [dataclasses.replace(made, subject=subject, layer=layer) for made in simplest.values()]


def of_lines(script: Script, trail: Trail) -> Iterator[Mutant]:
    for line, scope in scopes(script, trail):
        if len(line.names) == 1:
            before = ast.unparse(line.tree)
            field = "backward" if line.function else "lines"
            for change in rewritten(line.tree, scope):
                text = ast.unparse(change.new)
                if text != before:
                    yield mutant(field, line.names[0], text, change.kind, change.details)
                    if script.modes[line.function]:
                        yield from in_one_mode(field, line.names[0], before, text, change)
            yield from applied_twice(field, line, scope)
            yield from with_numbers(field, line)


def mutant(field: str, line: str, text: str, kind: str, details: Mapping[str, Any], **others: Any) -> Mutant:
    said = {"line": line, **details}
    return Mutant(kind=kind, details=said, first=First(1, line), **{field: {line: text}}, **others)


def applied_twice(field: str, line: Line, scope: Scope) -> Iterator[Mutant]:
    """A line in which its own result stands in the place of an array."""
    for name in sorted({node.id for node in ast.walk(line.tree) if isinstance(node, ast.Name)} & set(scope.arrays)):
        text = ast.unparse(Replace({name: line.tree}).visit(copy.deepcopy(line.tree)))
        if not isinstance(line.tree, ast.Name):
            yield mutant(field, line.names[0], text, "far", {"was": name, "new": ast.unparse(line.tree)})


def with_numbers(field: str, line: Line) -> Iterator[Mutant]:
    """A line with a number in it that has to be solved for."""
    name, was = line.names[0], ast.unparse(line.tree)
    yield mutant(field, name, "factor * (was)", "factor", {}, free={"factor": 2.0}, was=was)
    yield mutant(field, name, "np.clip(was, -bound, bound)", "clipped", {}, free={"bound": 1.0}, was=was)


def in_one_mode(field: str, line: str, before: str, text: str, change: Slip) -> Iterator[Mutant]:
    """A slip that is made in training alone, or in evaluation alone."""
    if change.kind in IN_ONE_MODE:
        said = message(f"mutation.{change.kind}", line=line, **change.details)
        for mode, chosen in (
            ("training", f"({text}) if training else was"),
            ("evaluation", f"was if training else {text}"),
        ):
            yield mutant(field, line, chosen, "in-one-mode", {"mode": mode, "what": said}, was=before)


def scopes(script: Script, trail: Trail) -> Iterator[tuple[Line, Scope]]:
    """Every line with the names that it could read, as they are in the call in which there are most."""
    state: list[Numbers] = []
    trace: list[list[Numbers]] = []
    call = max(trail.calls, key=lambda one: sum(value is not None for given in one.given for value in given.values()))
    state.append(script.begun(call, {}, script.exchange(())))
    with np.errstate(all="ignore"):
        script.go(state, script.everything, call, script.exchange(()), trace)
    for line, there in zip(script.lines, trace, strict=False):
        world = script.worlds[line.function].keys() - set(call.given[line.function])
        known = {name: value for name, value in there[-1].items() if name not in world and not given_beside(name)}
        known.pop("ops", None)
        earlier = {
            f"lines.{name}": value
            for name, value in vars(there[-1].get("lines", NOTHING_MADE)).items()
            if name in made_by(script)
        }
        known = {name: value for name, value in known.items() if name != "lines"} | earlier
        yield (
            line,
            Scope(
                tuple(
                    name for name, value in known.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"
                ),
                tuple(name for name, value in known.items() if type(value) in (int, float)),
                script.definitions[line.function].args.args[0].arg,
                tensor=not script.definitions[1:],
            ),
        )


class Nothing:
    """Has made no line."""


NOTHING_MADE = Nothing()


def made_by(script: Script) -> set[str]:
    return {name for line in script.lines if line.function == 0 for name in line.names}


# one line


def rewritten(node: ast.expr, scope: Scope) -> Iterator[Slip]:
    """The expression with one thing in it changed."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) not in COMPARISONS:
        return  # whether there is something
    yield from changed(node, scope)
    yield from renamed(node, scope)
    for field, child in ast.iter_fields(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Attribute) and not is_line(node)):
            for change in rewritten(child, scope) if not is_function(node, field) else inside(child, scope):
                yield change._replace(new=with_field(node, field, change.new))
        elif isinstance(child, list):
            for place, part in enumerate(child):
                value = part.value if isinstance(part, ast.keyword) else part
                if isinstance(value, ast.expr) and not isinstance(value, ast.Starred):
                    for change in rewritten(value, scope):
                        new = ast.keyword(part.arg, change.new) if isinstance(part, ast.keyword) else change.new
                        yield change._replace(new=with_field(node, field, [*child[:place], new, *child[place + 1 :]]))


def is_function(node: ast.expr, field: str) -> bool:
    return isinstance(node, ast.Call) and field == "func"


def inside(function: ast.expr, scope: Scope) -> Iterator[Slip]:
    """What a method is called of, changed; a function is left as it is."""
    if isinstance(function, ast.Attribute) and not (isinstance(function.value, ast.Name) and function.value.id == "np"):
        for change in rewritten(function.value, scope):
            yield change._replace(new=with_field(function, "value", change.new))


def is_line(node: ast.expr) -> bool:
    """Whether it is a line of the way there, read on the way back."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lines"


def with_field(node: ast.expr, field: str, value: Any) -> Any:
    new = copy.copy(node)
    setattr(new, field, value)
    return new


def changed(node: ast.expr, scope: Scope) -> Iterator[Slip]:
    """What may stand in the place of this very expression."""
    text = ast.unparse(node)
    yield from moved(node)
    if isinstance(node, ast.BinOp):
        yield from operation(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield Slip(node.operand, "sign", {"part": text})
    elif isinstance(node, ast.IfExp):
        for part in (node.body, node.orelse):
            yield instead(node, part)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        for kind in COMPARISONS:
            if not isinstance(node.ops[0], kind):
                yield instead(node, ast.Compare(node.left, [kind()], node.comparators))
    elif isinstance(node, ast.Call):
        yield from call(node, text)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value: Any = node.value
        for beside in dict.fromkeys((0, 1, 2, value + 1, value - 1, -value)):
            if beside != value:
                yield instead(node, parse(repr(beside)))
    if text in scope.numbers:
        yield from number(node, text, scope)
    elif text in scope.arrays:
        for other in scope.arrays:
            if other != text:
                yield instead(node, parse(other))
                if scope.tensor:
                    yield instead(node, parse(f"{text} - {other}"), "far")
    if of_arrays(node, scope):
        yield from narrowed(node, text, scope)
        for form in FAR_FUNCTIONS if scope.tensor else ():
            yield instead(node, parse(form.format(text)), "far")
    if (of_arrays(node, scope) and not isinstance(node, ast.Call | ast.IfExp)) or is_root(node):
        for form in FUNCTIONS:
            yield instead(node, parse(form.format(text)), "put-in")
        yield Slip(parse(f"-({text})"), "sign", {"part": text})


def renamed(node: ast.expr, scope: Scope) -> Iterator[Slip]:
    """One name for another, or narrower, wherever it stands in the expression, if that is in several places."""
    read = [ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute)]
    for names in (scope.arrays, scope.numbers):
        for was in dict.fromkeys(name for name in read if name in names and read.count(name) > 1):
            for new in names:
                if new != was:
                    yield Slip(everywhere(node, {was: new}), "instead", {"was": was, "new": new})
            for dtype in FORMATS if names is scope.arrays else ():
                held = f"as_wide_as(as_{dtype}({was}), {scope.first})"
                yield Slip(everywhere(node, {was: held}), "narrow", {"part": was, "dtype": dtype})


def narrowed(node: ast.expr, text: str, scope: Scope) -> Iterator[Slip]:
    """An array that is held, or worked out, in a narrower format."""
    inside_it = ast.unparse(everywhere(node, {name: f"HELD({name})" for name in scope.arrays}))
    for dtype in FORMATS:
        for held in dict.fromkeys((f"HELD({text})", inside_it)):
            new = f"as_wide_as({held.replace('HELD', f'as_{dtype}')}, {scope.first})"
            yield Slip(parse(new), "narrow", {"part": text, "dtype": dtype})


def moved(node: ast.expr) -> Iterator[Slip]:
    """What stands within a function beside it, and the other way."""
    if is_elementwise(node) and isinstance(node.args[0], ast.BinOp):
        within = node.args[0]
        for field, side in (("left", within.left), ("right", within.right)):
            yield instead(node, with_field(within, field, with_field(node, "args", [side])))
    if isinstance(node, ast.BinOp):
        for field, side in (("left", node.left), ("right", node.right)):
            if is_elementwise(side):
                yield instead(node, with_field(side, "args", [with_field(node, field, side.args[0])]))


def is_elementwise(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ELEMENTWISE


def is_root(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.sqrt", "root")


def operation(node: ast.BinOp) -> Iterator[Slip]:
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    a, b = f"({left})", f"({right})"
    if isinstance(node.op, ast.Mult):
        yield Slip(node.right, "left-out", {"part": left})
        yield Slip(node.left, "left-out", {"part": right})
        yield Slip(parse(f"{a} / {b}"), "over-for-times", {"part": right})
        yield Slip(parse(f"{b} / {a}"), "over-for-times", {"part": left})
        yield Slip(parse(f"{a} * {b} * {b}"), "twice", {"part": right})
        yield Slip(parse(f"{a} * {a} * {b}"), "twice", {"part": left})
        yield instead(node, parse(f"{a} + {b}"))
    elif isinstance(node.op, ast.Div):
        yield Slip(node.left, "left-out", {"part": right})
        yield Slip(parse(f"1 / {b}"), "left-out", {"part": left})
        yield Slip(parse(f"{a} * {b}"), "times-for-over", {"part": right})
        yield instead(node, parse(f"{b} / {a}"))
        yield Slip(parse(f"{a} / {b} / {b}"), "twice", {"part": right})
        yield Slip(parse(f"{a} * {a} / {b}"), "twice", {"part": left})
    elif isinstance(node.op, ast.Add):
        yield Slip(node.left, "left-out", {"part": right})
        yield Slip(node.right, "left-out", {"part": left})
        yield Slip(parse(f"{a} - {b}"), "sign", {"part": right})
        yield Slip(parse(f"{b} - {a}"), "sign", {"part": left})
        yield Slip(parse(f"{a} + 2 * {b}"), "twice", {"part": right})
        yield Slip(parse(f"2 * {a} + {b}"), "twice", {"part": left})
        yield instead(node, parse(f"{a} * {b}"))
    elif isinstance(node.op, ast.Sub):
        yield Slip(node.left, "left-out", {"part": right})
        yield Slip(parse(f"-{b}"), "left-out", {"part": left})
        yield Slip(parse(f"{a} + {b}"), "sign", {"part": right})
        yield instead(node, parse(f"{b} - {a}"))
        yield Slip(parse(f"{a} - 2 * {b}"), "twice", {"part": right})
        yield Slip(parse(f"2 * {a} - {b}"), "twice", {"part": left})
    elif isinstance(node.op, ast.Pow):
        yield instead(node, node.left)
        for text in (f"{a}**({right} + 1)", f"{a}**({right} - 1)", f"{a} * {b}"):
            yield instead(node, parse(text))
        if right == "2":
            yield instead(node, parse(f"abs({left})"))


def call(node: ast.Call, text: str) -> Iterator[Slip]:
    name = ast.unparse(node.func)
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in (
        "np.sqrt",
        "np.exp",
        "np.log",
        "np.log1p",
        "np.tanh",
        "np.maximum",
        "np.clip",
        "abs",
        "np.where",
        "root",
    ):
        for argument in node.args[1:] if name == "np.where" else node.args:
            yield Slip(argument, "function-left-out", {"function": name, "part": text})
    if name == "np.where":
        turned = ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], [])
        yield instead(node, turned)
    if is_root(node):
        yield instead(node, parse(f"({ast.unparse(node.args[0])})**2"))
    if name == "np.maximum":
        yield instead(node, parse(text.replace("np.maximum", "np.minimum", 1)))
    if name == "np.log1p":
        yield instead(node, parse(text.replace("np.log1p", "np.log", 1)))
    if method in REDUCTIONS and name != f"np.{method}":
        for other in REDUCTIONS:
            if other != method:
                new = with_field(node, "func", with_field(node.func, "attr", other))
                yield instead(node, new)
        for axis in ("0", "1", "-1", "None"):
            kept = [one for one in node.keywords if one.arg != "axis"]
            new = with_field(node, "keywords", [ast.keyword("axis", parse(axis)), *kept])
            if ast.unparse(new) != text:
                yield instead(node, new)


def number(node: ast.expr, name: str, scope: Scope) -> Iterator[Slip]:
    """What may stand in the place of a plain number."""
    for other in scope.numbers:
        if other != name:
            yield instead(node, parse(other))
    for form in ("1 - {}", "{} + 1", "{} - 1", "1", "0"):
        yield instead(node, parse(form.format(name)))
    for form in ("{}**2", "np.sqrt({})", "2 * {}", "{} / 2"):
        yield instead(node, parse(form.format(name)), "put-in")


def instead(node: ast.expr, new: ast.expr, kind: str = "instead") -> Slip:
    return Slip(new, kind, {"was": ast.unparse(node), "new": ast.unparse(new)})


def parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def of_arrays(node: ast.expr, scope: Scope) -> bool:
    """Whether an array is in it, so that it is one."""
    return any(ast.unparse(one) in scope.arrays for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute))


# what all lines share


def of_arguments(script: Script, trail: Trail) -> Iterator[Mutant]:
    """An argument that is something else in every line that reads it."""
    given = trail.calls[0].given[0]
    for name, value in given.items():
        texts: tuple[str, ...] = ()
        if given_beside(name):
            continue
        if isinstance(value, tuple) and len(value) == 2:
            said = {"one": f"{name}[0]", "other": f"{name}[1]"}
            yield mutant("arguments", name, f"({name}[1], {name}[0])", "interchanged", said)
            both = (f"({name}[0], {name}[0])", f"({name}[1], {name}[1])")
            texts = (*both, f"(1 - {name}[0], {name}[1])", f"({name}[0], 1 - {name}[1])")
        elif script.definitions[1:] and isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield mutant("arguments", name, f"np.clip({name}, -bound, bound)", "clipped", {}, free={"bound": 1.0})
        elif name == "step":
            texts = ("step + 1", "step - 1", "1")
        elif type(value) is float:
            texts = tuple(text.format(name) for text in ("1 - {}", "-{}", "2 * {}", "{} / 2", "{}**2", "np.sqrt({})"))
        elif isinstance(value, bool):
            texts = (f"not {name}",)
        for text in texts:
            yield mutant("arguments", name, text, "instead", {"was": name, "new": text})


def of_what_is_kept(script: Script, trail: Trail) -> Iterator[Mutant]:
    """A line of which something else is kept for the next step."""
    lines = [line.names[0] for line in script.lines if line.function == 0 and len(line.names) == 1]
    known = [name for name in lines if name != "param"]
    for line in trail.state:
        for other in known:
            if other != line:
                yield mutant("kept", line, other, "kept", {"other": other})
        for text in (f"np.sqrt({line})", f"-{line}", f"lr * {line}"):
            yield mutant("kept", line, text, "kept", {"other": text})
