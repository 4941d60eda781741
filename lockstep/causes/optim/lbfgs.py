"""Causes of optim.lbfgs: a wrong direction is another line of the formula, a wrong line search another search."""

import dataclasses
import functools
from typing import Any

from lockstep.causes.behaviour import named
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim.optimizer import ascends, lr_factor
from lockstep.causes.tables import table
from lockstep.subjects.registry import find

PLAIN, TWO, LINEAR = "one direction a step, beale", "two pairs are kept", "another linear function at each step"
WOLFE = "strong Wolfe from a small lr"

KNOWN = {case.desc: case for case in find("optim.lbfgs").cases.CASES}
SCENARIOS = [
    *(Scenario(KNOWN[name]) for name in (PLAIN, TWO, LINEAR)),
    Scenario(KNOWN[WOLFE].replaced(dtypes=("float64",))),  # in float32 rounding decides which way it goes
]


def searches_with_c1_for_c2(base: Any) -> type:
    """The constants of sufficient decrease and of curvature in each other's place."""

    class Planted(base):
        search = staticmethod(functools.partial(base.search, c1=0.9, c2=1e-4))

    return named(Planted, base)


def searches_as_conjugate_gradients(base: Any) -> type:
    """The curvature that Nocedal and Wright ask for along a conjugate direction."""

    class Planted(base):
        search = staticmethod(functools.partial(base.search, c2=0.1))

    return named(Planted, base)


def halves_the_step(base: Any) -> type:
    """The step is halved until the function falls enough, and its slope is not looked at."""

    class Planted(base):
        @staticmethod
        def search(at, start, t, d_norm, tolerance_change, max_ls, ops):
            point, tried = at(t), 1
            while tried <= max_ls and point.f > start.f + 1e-4 * point.t * start.gtd:
                point, tried = at(point.t / 2), tried + 1
            return point, tried

    return named(Planted, base)


CAUSES = table(
    "optim.lbfgs",
    SCENARIOS,
    [
        Cause(
            id="pairs-without-curvature-kept",
            lines={"curved": "n_iter > 1"},
            formula=r"y_i^\top s_i \text{ of any sign}",
            seen="google-deepmind/optax#1708, argmin-rs/argmin#657",
            shows=LINEAR,
            first=First(2, "old_dirs"),
        ),
        Cause(
            id="initial-scaling-left-out",
            lines={"H_diag": "H_diag"},
            formula=r"\gamma_k = 1",
            seen="cusp-ai-oss/kUPS#165",
            first=First(2, "H_diag"),
        ),
        Cause(
            id="initial-scaling-of-steps",
            lines={"H_diag": "(s @ s) / ys if curved else H_diag"},
            formula=r"\gamma_k = s_{k-1}^\top s_{k-1} / y_{k-1}^\top s_{k-1}",
            first=First(2, "H_diag"),
        ),
        Cause(
            id="rho-inverted",
            lines={"ro": "kept(ro, ys, history_size) if curved else ro"},
            formula=r"\rho_i = y_i^\top s_i",
            first=First(2, "ro"),
        ),
        Cause(
            id="history-one-longer",
            arguments={"history_size": "history_size + 1"},
            formula=r"i = k-m-1,\, \dots,\, k-1",
            shows=TWO,
            first=First(4, "old_dirs"),
        ),
        Cause(
            id="first-loop-from-the-oldest",
            lines={
                "al": "alphas(-grad, old_dirs[::-1], old_stps[::-1], ro[::-1])[::-1]",
                "q": "descended(-grad, old_dirs[::-1], al[::-1])",
            },
            formula=r"\alpha_i,\, q: \quad i = k-m,\, \dots,\, k-1",
            first=First(3, "al"),
        ),
        Cause(
            id="second-loop-from-the-newest",
            lines={"d": "ascended(r, old_dirs[::-1], old_stps[::-1], ro[::-1], al[::-1])"},
            formula=r"\beta_i,\, r: \quad i = k-1,\, \dots,\, k-m",
            first=First(3, "d"),
        ),
        Cause(
            id="pairs-interchanged",
            lines={
                "old_dirs": "kept(old_dirs, s, history_size) if curved else old_dirs",
                "old_stps": "kept(old_stps, y, history_size) if curved else old_stps",
            },
            formula=r"s_i,\, y_i \text{ for } y_i,\, s_i",
            first=First(2, "old_dirs"),
        ),
        Cause(
            id="step-length-not-in-s",
            lines={"s": "d"},
            formula=r"s_{k-1} = d_{k-1}",
            first=First(2, "old_stps"),
        ),
        Cause(
            id="first-step-not-shortened",
            lines={"t": "lr"},
            formula=r"t_1 = \eta",
            seen="gonum/optimize#8",
            first=First(1, "t"),
        ),
        Cause(
            id="wolfe-constants-interchanged",
            behaviour=searches_with_c1_for_c2,
            formula=r"c_1 = 0.9,\, c_2 = 10^{-4}",
            shows=WOLFE,
            first=First(1, "func_evals"),
        ),
        Cause(
            id="curvature-of-conjugate-gradients",
            behaviour=searches_as_conjugate_gradients,
            formula=r"c_2 = 0.1",
            shows=WOLFE,
            first=First(1, "func_evals"),
        ),
        Cause(
            id="step-halved",
            behaviour=halves_the_step,
            formula=r"t \leftarrow t / 2 \text{ until } f(t) \le f(0) + c_1 t f'(0)",
            shows=WOLFE,
            first=First(1, "func_evals"),
        ),
        dataclasses.replace(ascends("param - t * d"), shows=PLAIN),
        dataclasses.replace(lr_factor(0.1), shows=PLAIN, first=First(1, "t")),
    ],
)
