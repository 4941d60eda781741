"""A line search for the strong Wolfe conditions: a bracket is opened, then closed in on by cubic interpolation."""

from collections.abc import Callable
from typing import Any, NamedTuple

from reference.arithmetic import PLAIN

C1, C2 = 1e-4, 0.9  # sufficient decrease and curvature: Nocedal & Wright's for a quasi-Newton direction


class Point(NamedTuple):
    """On the line: t, the function's value f, its gradient g, and its slope along the direction."""

    t: Any
    f: Any
    g: Any
    gtd: Any


def strong_wolfe(
    at: Callable[[Any], Point], start: Point, t: Any, d_norm: Any, tolerance_change: Any, max_ls: int,
    c1: float = C1, c2: float = C2, ops=PLAIN,
) -> tuple[Point, int]:  # fmt: skip
    """The point that is stepped to, and how many were tried.

    f(t) ≤ f(0) + c₁ t f'(0) and |f'(t)| ≤ c₂ |f'(0)| hold there, unless `max_ls` points were not enough, or the bracket
    has become shorter than `tolerance_change`: then it is the lower end of what is left.

    Arguments:
        at: t to the point there. start: that at 0. t: the first to be tried.
        d_norm: the largest entry of the direction.
        max_ls: how many may be tried after the first.

    PyTorch's is Schmidt's minFunc: algorithms 3.5 and 3.6 with (3.59), in which the bracket grows by what a cubic
    says, 10 times at most, and no point is tried nearer than a tenth of the bracket to its end twice in a row.

    Source: Nocedal & Wright, Numerical Optimization, 2nd ed., 3.5; torch.optim.lbfgs._strong_wolfe 2.13.
    """

    def too_high(point: Point) -> bool:
        return point.f > start.f + c1 * point.t * start.gtd

    def flat(point: Point) -> bool:
        return abs(point.gtd) <= -c2 * start.gtd

    before, new, tried = start, at(t), 0
    while tried < max_ls:
        if too_high(new) or (tried > 1 and new.f >= before.f):
            bracket = [before, new]
            break
        if flat(new):
            return new, tried + 1
        if new.gtd >= 0:
            bracket = [before, new]
            break
        t = cubic(before, new, new.t + 0.01 * (new.t - before.t), new.t * 10, ops)
        before, new, tried = new, at(t), tried + 1
    else:
        bracket = [start, new]
    low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
    stuck = False
    while tried < max_ls and not abs(bracket[1].t - bracket[0].t) * d_norm < tolerance_change:
        t, stuck = tried_next(bracket[0], bracket[1], stuck, ops)
        new, tried = at(t), tried + 1
        if too_high(new) or new.f >= bracket[low].f:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
            continue
        if flat(new):
            return new, tried + 1
        if new.gtd * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = new
    return bracket[low], tried + 1


def tried_next(one: Point, other: Point, stuck: bool, ops=PLAIN) -> tuple[Any, bool]:
    """Where the bracket is looked into; and whether that is so near an end that it must not happen again."""
    least, most = min(one.t, other.t), max(one.t, other.t)
    t, edge = cubic(one, other, least, most, ops), 0.1 * (most - least)
    if not min(most - t, t - least) < edge:
        return t, False
    if not (stuck or t >= most or t <= least):
        return t, True
    return (most - edge if abs(t - most) < abs(t - least) else least + edge), False


def cubic(one: Point, other: Point, least: Any, most: Any, ops=PLAIN) -> Any:
    """Where the cubic through two points and their slopes is lowest (3.59), within bounds; else in their middle."""
    d1 = one.gtd + other.gtd - quotient(3 * (one.f - other.f), one.t - other.t)
    square = d1 * d1 - one.gtd * other.gtd
    if not square >= 0:
        return (least + most) / 2
    left, right = (one, other) if one.t <= other.t else (other, one)
    d2 = ops.sqrt(square)
    share = (right.gtd + d2 - d1) / (right.gtd - left.gtd + 2 * d2)
    return min(max(right.t - (right.t - left.t) * share, least), most)


def quotient(number: Any, x: Any) -> Any:
    """number / x; by a tensor PyTorch divides a Python number as a product with its reciprocal."""
    return number / x if type(x) in (float, int) else number * (1 / x)
