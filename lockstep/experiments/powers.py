"""Python's powers, which are the C library's: where they are not correctly rounded, as a page's are."""

import ast
import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from lockstep.causes.source import parsed

POWER = "power_of"
DIGITS = Context(prec=80, Emin=-9999, Emax=9999)
WHOLE = 2**12  # exponents up to which a whole one is worked out with integers

Known = tuple[float, float, float]  # x, y and what Python makes of x**y


def misrounded(kind: Any, hyperparameters: Mapping[str, Any], steps: int) -> list[Known]:
    """The powers in an optimizer's coefficients over so many steps whose last bit is not the correctly rounded one's.

    A coefficient goes by step and hyperparameters alone, so that a tensor of one zero will do.
    """
    met: dict[tuple[float, float], float] = {}

    def power(x: Any, y: Any) -> Any:
        value = x**y
        if isinstance(x, float | int) and isinstance(y, float | int) and not isinstance(value, complex | np.generic):
            met[float(x), float(y)] = float(value)
        return value

    for formula in kind.ORDERS.values():
        optimizer = kind({"tensor": np.zeros(1)}, **hyperparameters)
        optimizer.formula = with_powers(formula, power)
        with np.errstate(all="ignore"):
            for _ in range(steps):
                optimizer.step({"tensor": optimizer.no_gradient("tensor")})
    return [(x, y, value) for (x, y), value in met.items() if value != correctly_rounded(x, y)]


def with_powers(formula: Callable[..., Any], power: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The formula with every power worked out by `power`."""
    tree = ast.fix_missing_locations(ast.Module([Powers().visit(parsed(formula))], []))
    namespace = {**formula.__globals__, POWER: power}
    exec(compile(tree, f"<{formula.__module__}.{formula.__name__}, its powers>", "exec"), namespace)
    return namespace[formula.__name__]


class Powers(ast.NodeTransformer):
    """Every power as a call."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        return ast.Call(ast.Name(POWER, ast.Load()), [node.left, node.right], [])


def correctly_rounded(x: float, y: float) -> float:
    """x**y of two floats, rounded once; of a negative x to a whole power alone.

    No power but one that is exact comes nearer to the middle of two floats than 80 digits tell.
    """
    if not (math.isfinite(x) and math.isfinite(y)) or x == 0 or y == 0:
        return x**y
    if y.is_integer() and abs(y) <= WHOLE:
        exact = Fraction(x) ** int(y)
        return exact.numerator / exact.denominator
    return float(DIGITS.exp(DIGITS.multiply(DIGITS.ln(Decimal(x)), Decimal(y))))
