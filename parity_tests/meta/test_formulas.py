"""A line of a formula is one thing under one name: the assignment in the source, the field, the equation.

Pages, failure messages and the causes catalogue (which exchanges a line by its name) rest on this.
"""

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

import pytest

from lockstep.subjects.registry import subjects
from reference.arithmetic import Arithmetic

# What a formula may call, because it must run on error-carrying numbers as on arrays.
FUNCTIONS = {
    "sqrt", "exp", "log", "log1p", "expm1", "abs", "sign", "maximum", "minimum", "clip", "where", "tanh", "zeros_like",
    "isfinite"
}  # fmt: skip
METHODS = {"sum", "mean", "max", "min", "item", "reshape", "transpose", "swapaxes", "astype", "copy"}
PRIMITIVES = {name for name in dir(Arithmetic) if not name.startswith("_")} - {"replacing"}
SIZES = {"shape", "ndim", "size", "dtype"}
MOVES = {"reshape", "transpose", "swapaxes", "copy"}


class Formula(NamedTuple):
    """A formula as a module of the reference has it."""

    name: str
    order: str
    function: Callable
    equations: Mapping[str, str]


def formulas(module: ModuleType) -> Iterator[Formula]:
    """The formulas of a module: those its classes, or its problems, state in ORDERS, and the other forms of them."""
    owners = [
        value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    owners += list(getattr(module, "PROBLEMS", {}).values())
    for owner in owners:
        orders = getattr(owner, "ORDERS", {})
        equations = module.EQUATIONS if orders else {}
        if any(isinstance(lines, Mapping) for lines in equations.values()):
            equations = getattr(owner, "EQUATIONS", None) or equations[owner.__name__]
        forms = {f"form {number}": form for number, form in enumerate(getattr(owner, "FORMS", ()), 1)}
        for order, functions in (orders | forms).items():
            for function in functions if isinstance(functions, tuple) else (functions,):
                yield Formula(function.__name__, order, function, equations)


def named_tuples(module: ModuleType) -> dict[str, tuple[str, ...]]:
    return {name: value._fields for name, value in vars(module).items() if hasattr(value, "_fields")}


def parsed(function: Callable) -> ast.FunctionDef:
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]  # type: ignore[return-value]


def returned(tree: ast.FunctionDef, tuples: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The fields of what `tree` returns, if it ends in `return Lines(...)`."""
    last = tree.body[-1]
    if isinstance(last, ast.Return) and isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name):
        return tuples.get(last.value.func.id)
    return None


def names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def targets(statement: ast.Assign) -> list[str]:
    return [part.id for target in statement.targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def carries(node: ast.AST, arrays: set[str]) -> bool:
    """Whether the value of `node` depends on the numbers in `arrays`, and not on their shapes alone."""
    if isinstance(node, ast.Attribute) and node.attr in SIZES:
        return False
    if isinstance(node, ast.Compare) and all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
        return False
    if isinstance(node, ast.Name):
        return node.id in arrays
    return any(carries(child, arrays) for child in ast.iter_child_nodes(node))


def rounds(node: ast.AST, arrays: set[str]) -> bool:
    """Whether `node` computes on `arrays` more than a sign, a choice or another shape."""
    if not carries(node, arrays):
        return False
    if isinstance(node, ast.UnaryOp | ast.IfExp | ast.Name | ast.Attribute | ast.Subscript | ast.Compare):
        return any(rounds(child, arrays) for child in ast.iter_child_nodes(node))
    moves = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MOVES
    return not moves or rounds(node.func.value, arrays)  # type: ignore[attr-defined]


def helpers(module: ModuleType) -> set[str]:
    """The functions a module has that are one expression over what a formula may call; so it may call them."""
    found = set()
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__.startswith("reference."):
            tree = parsed(function)
            last = tree.body[-1]
            arrays = {argument.arg for argument in tree.args.args}
            calls = [
                node for node in ast.walk(last) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            ]
            single = len(tree.body) == (2 if ast.get_docstring(tree) else 1) and isinstance(last, ast.Return)
            if single and not any(forbidden_call(call, arrays, set()) for call in calls):
                found.add(name)
    return found


def forbidden_call(call: ast.Call, arrays: set[str], known: Collection[str]) -> bool:
    if not carries(call, arrays):
        return False
    if isinstance(call.func, ast.Name):
        return call.func.id != "abs" and call.func.id not in known
    if not isinstance(call.func, ast.Attribute):
        return True
    owner = call.func.value.id if isinstance(call.func.value, ast.Name) else None
    allowed = {"np": FUNCTIONS, "ops": PRIMITIVES}.get(owner or "", METHODS)
    return call.func.attr not in allowed


def faults(
    tree: ast.FunctionDef,
    tuples: Mapping[str, tuple[str, ...]],
    order: str = "paper",
    known: Collection[str] = (),
) -> list[str]:
    """What keeps `tree` from being a formula, in words."""
    fields = returned(tree, tuples)
    if fields is None:
        return ["does not end in `return` and a NamedTuple of its lines"]
    found = []
    body = tree.body[1:-1] if ast.get_docstring(tree) else tree.body[:-1]
    if not ast.get_docstring(tree):
        found.append("has no docstring")
    result = tree.body[-1].value  # type: ignore[attr-defined]
    if [part.id if isinstance(part, ast.Name) else None for part in result.args] != list(fields) or result.keywords:
        found.append(f"does not return {', '.join(fields)} by name and in this order")

    positional = tree.args.posonlyargs + tree.args.args
    defaults = [None] * (len(positional) - len(tree.args.defaults)) + tree.args.defaults
    arrays = {
        argument.arg
        for argument, default in zip(positional, defaults, strict=True)
        if default is None or (isinstance(default, ast.Constant) and default.value is None)
    }
    arguments = {argument.arg for argument in positional + tree.args.kwonlyargs}
    assigned: list[str] = []
    for statement in body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            found.append(f"line {statement.lineno} is no assignment: {type(statement).__name__}")
            continue
        target, value = statement.targets[0], statement.value
        calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and forbidden_call(node, arrays, known)]
        found += [f"calls {ast.unparse(call.func)}, which error-carrying numbers do not have" for call in calls]
        if any(isinstance(node, ast.NamedExpr) for node in ast.walk(value)):
            found.append(f"line {statement.lineno} assigns inside an expression")
        if isinstance(target, ast.Name):
            if target.id in arguments and target.id not in fields:
                found.append(f"rebinds its argument {target.id}")
            if order == "paper" and target.id not in fields and rounds(value, arrays):
                found.append(f"computes {target.id}, which is no field")
        elif not isinstance(target, ast.Tuple) or carries(value, arrays) or len(targets(statement)) < 2:
            found.append(f"line {statement.lineno} assigns to {ast.unparse(target)}")
        if carries(value, arrays):
            arrays |= set(targets(statement))
        assigned += targets(statement)
    found += [f"assigns {name} twice" for name in sorted(set(assigned)) if assigned.count(name) > 1]
    found += [f"never assigns its field {name}" for name in fields if name not in assigned]
    return found


def unequal(fields: tuple[str, ...], equations: Mapping[str, str]) -> list[str]:
    """Where the fields and the equations part, in words."""
    found = [f"no equation for {name}" for name in fields if name not in equations]
    known = [name for name in fields if name in equations]
    if known != [name for name in equations if name in known]:
        found.append(f"another order than the equations': {', '.join(known)}")
    return found


def tuples_of(formula: Formula, module: ModuleType) -> dict[str, tuple[str, ...]]:
    return named_tuples(module) | named_tuples(importlib.import_module(formula.function.__module__))


def nowhere(module: ModuleType) -> list[str]:
    """The equations that are a line of no formula."""
    groups: dict[str, Mapping[str, str]] = {}
    lines: set[tuple[str, str]] = set()
    for formula in formulas(module):
        group = str(sorted(formula.equations))
        groups[group] = formula.equations
        lines |= {(group, name) for name in returned(parsed(formula.function), tuples_of(formula, module)) or ()}
    return [name for group, equations in groups.items() for name in equations if (group, name) not in lines]


def escaped(module: ModuleType) -> set[str]:
    """The functions that return lines and are in no ORDERS, so that no check looks at them."""
    functions = [value for value in vars(module).values() if inspect.isfunction(value)]
    own = [function for function in functions if function.__module__ == module.__name__]
    returning = {function.__name__ for function in own if returned(parsed(function), named_tuples(module))}
    return returning - {formula.name for formula in formulas(module)}


def no_lines(module: ModuleType) -> list[str]:
    """What a class says becomes state, a buffer, a gradient or the output, and is no line of one of its orders."""
    found = []
    for owner in (value for value in vars(module).values() if inspect.isclass(value) and hasattr(value, "ORDERS")):
        wanted = {line for stated in ("BUFFERS", "GRADS") for line in getattr(owner, stated, {}).values()}
        wanted |= {entry.line for entry in getattr(owner, "STATE", {}).values() if entry.kind != "count"}
        wanted |= {getattr(owner, stated) for stated in ("OUTPUT", "GRAD_INPUT") if hasattr(owner, stated)}
        for order, functions in owner.ORDERS.items():
            group = functions if isinstance(functions, tuple) else (functions,)
            made = {
                line
                for function in group
                for line in returned(parsed(function), tuples_of(Formula("", order, function, {}), module)) or ()
            }
            found += [f"{owner.__name__}, order {order}: {line}" for line in sorted(wanted - made)]
    return found


PATHS = ["functions", *(subject.path for subject in subjects())]
MODULES = {path: importlib.import_module(f"reference.{path}") for path in PATHS}
FORMULAS = {f"{path}:{formula.name}": (MODULES[path], formula) for path in PATHS for formula in formulas(MODULES[path])}


@pytest.mark.parametrize("key", FORMULAS)
def test_a_formula_is_straight_and_named_throughout(key):
    module, formula = FORMULAS[key]
    home = importlib.import_module(formula.function.__module__)
    assert faults(parsed(formula.function), tuples_of(formula, module), formula.order, helpers(home)) == []


@pytest.mark.parametrize("key", FORMULAS)
def test_every_field_has_its_equation(key):
    module, formula = FORMULAS[key]
    fields = returned(parsed(formula.function), tuples_of(formula, module))
    assert fields
    assert unequal(fields, formula.equations) == []


@pytest.mark.parametrize("path", PATHS)
def test_the_parts_of_a_module_fit(path):
    module = MODULES[path]
    assert nowhere(module) == []
    assert escaped(module) == set()
    assert no_lines(module) == []
    assert path.split(".")[0] == "models" or list(formulas(module))


# Each check, seen to fail.

LINES = {"Lines": ("d", "buf", "param"), "Grad": ("dx",)}
GOOD = '''
def paper(param, grad, momentum_buffer=None, *, lr, momentum, betas, maximize):
    """One step."""
    beta1, beta2 = betas
    n = grad.shape[0]
    share = 1 / (n - 1) if n > 1 else beta1
    g = -grad if maximize else grad
    d = g + share * param
    buf = momentum * momentum_buffer + d if momentum else d
    param = param - lr * np.sqrt(abs(buf)).sum(axis=0, keepdims=True)
    return Lines(d, buf, param)
'''


def test_a_good_formula_has_no_faults():
    assert faults(ast.parse(GOOD).body[0], LINES) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"""One step."""', "pass", "has no docstring"),
        ("    return Lines(d, buf, param)", "    return d, buf, param", "does not end in `return`"),
        ("Lines(d, buf, param)", "Lines(d, param, buf)", "does not return d, buf, param by name"),
        ("Lines(d, buf, param)", "Lines(d, buf, param - 0)", "does not return d, buf, param by name"),
        ("Lines(d, buf, param)", "Lines(d, buf, param=param)", "does not return d, buf, param by name"),
        ("    d = g", "    if momentum:\n        d = g", "is no assignment: If"),
        ("    d = g", "    grad += 1\n    d = g", "is no assignment: AugAssign"),
        ("    d = g", "    grad[...] = 1\n    d = g", "assigns to grad[...]"),
        ("    d = g", "    d = buf = g", "is no assignment: Assign"),
        ("    d = g", "    a, b = g\n    d = g", "assigns to (a, b)"),
        ("    d = g", "    d = g\n    d = g", "assigns d twice"),
        ("    d = g", "    grad = 1 * g\n    d = g", "rebinds its argument grad"),
        ("    d = g", "    lr = 2 * lr\n    d = g", "rebinds its argument lr"),
        ("    d = g", "    param = g\n    d = g", "assigns param twice"),
        ("    d = g", "    g2 = g * g\n    d = g", "computes g2, which is no field"),
        ("    d = g", "    g2 = -np.exp(g)\n    d = g", "computes g2, which is no field"),
        ("    d = g", "    g2 = (g + 1).reshape(-1)\n    d = g", "computes g2, which is no field"),
        ("    d = g", "    d = (g2 := g)", "assigns inside an expression"),
        ("    d = g", "    e = g", "never assigns its field d"),
        ("abs(buf)", "np.array(buf)", "calls np.array"),
        ("abs(buf)", "float(buf)", "calls float"),
        ("abs(buf)", "buf.std()", "calls buf.std"),
        ("abs(buf)", "np.add(buf, 1, out=buf)", "calls np.add"),
    ],
)
def test_a_fault_is_found(old, new, fault):
    bad = GOOD.replace(old, new)
    assert bad != GOOD
    found = faults(ast.parse(bad).body[0], LINES)
    assert any(fault in words for words in found), found


def test_pytorchs_order_may_name_what_only_it_computes():
    text = GOOD.replace("    d = g", "    g2 = g * g\n    d = g2")
    assert faults(ast.parse(text).body[0], LINES, "pytorch") == []


def test_only_the_orders_of_arithmetic_may_be_called():
    text = GOOD.replace("abs(buf)", "ops.sqrt(buf)")
    assert faults(ast.parse(text).body[0], LINES) == []
    assert "calls ops.frobnicate" in faults(ast.parse(text.replace("ops.sqrt", "ops.frobnicate")).body[0], LINES)[0]


def test_fields_and_equations_that_part_are_found():
    assert unequal(("d", "buf"), {"d": "", "buf": "", "param": ""}) == []
    assert unequal(("d", "buf"), {"d": ""}) == ["no equation for buf"]
    assert unequal(("d", "buf"), {"buf": "", "d": ""}) == ["another order than the equations': d, buf"]


MODULE = """
from typing import Any, NamedTuple

from reference.state import Entry

EQUATIONS = {"buf": "b", "param": "p"}


class Lines(NamedTuple):
    buf: Any
    param: Any


class Last(NamedTuple):
    param: Any


def paper(param, grad, *, lr):
    buf = grad + 0
    param = param - lr * buf
    return Lines(buf, param)


class Subject:
    ORDERS = {"paper": paper}
    STATE = {"momentum_buffer": Entry("buf")}
"""
LAST = "def last(param, grad, *, lr):\n    param = param - lr * grad\n    return Last(param)\n\n\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """MODULE, with a change, as a module of its own."""

    def changed(old: str, new: str) -> ModuleType:
        text = MODULE.replace(old, new)
        assert text != MODULE or not old
        (tmp_path / "planted.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "planted", raising=False)
        return importlib.import_module("planted")

    yield changed
    sys.modules.pop("planted", None)


def test_a_module_whose_parts_fit(module):
    planted = module("", "")
    assert (nowhere(planted), escaped(planted), no_lines(planted)) == ([], set(), [])
    assert [formula.name for formula in formulas(planted)] == ["paper"]


def test_an_equation_of_no_line_is_found(module):
    assert nowhere(module('"param": "p"', '"param": "p", "denom": "s"')) == ["denom"]


def test_a_formula_in_no_order_is_found(module):
    assert escaped(module("class Subject", f"{LAST}class Subject")) == {"last"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Entry("buf")', 'Entry("v")'),
        ('STATE = {"momentum_buffer": Entry("buf")', 'BUFFERS = {"momentum_buffer": "v", "other": "buf"'),
        ('STATE = {"momentum_buffer": Entry("buf")', 'GRADS = {"momentum_buffer": "v", "other": "buf"'),
        ("    STATE", '    OUTPUT = "v"\n    STATE'),
        ("    STATE", '    GRAD_INPUT = "v"\n    STATE'),
    ],
)
def test_a_state_that_is_no_line_is_found(module, old, new):
    assert no_lines(module(old, new)) == ["Subject, order paper: v"]


def test_an_order_that_lacks_a_line_is_found(module):
    planted = module("class Subject:\n    ORDERS = {", LAST + 'class Subject:\n    ORDERS = {"pytorch": last, ')
    assert no_lines(planted) == ["Subject, order pytorch: buf"]
