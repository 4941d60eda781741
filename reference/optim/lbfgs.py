"""L-BFGS: a quasi-Newton direction from the last steps and what the gradient changed along them."""

from typing import Any, NamedTuple

import numpy as np

from reference.arithmetic import PLAIN, item
from reference.optim.optimizer import Optimizer, check_hyperparameter, check_numbers, named
from reference.sparse import Sparse
from reference.state import Double, Entry, History, Like, Number, Whole
from reference.strong_wolfe import Point, strong_wolfe

EQUATIONS = {
    "prev_flat_grad": r"g_k",
    "prev_loss": r"f_k",
    "y": r"y_{k-1} = g_k - g_{k-1}",
    "s": r"s_{k-1} = t_{k-1}\,d_{k-1}",
    "ys": r"y_{k-1}^\top s_{k-1}",
    "old_dirs": r"y_{k-m},\, \dots,\, y_{k-1} \text{ where } y_i^\top s_i > 10^{-10}",
    "old_stps": r"s_{k-m},\, \dots,\, s_{k-1} \text{ of the same}",
    "ro": r"\rho_i = 1 / y_i^\top s_i",
    "H_diag": r"\gamma_k = y_{k-1}^\top s_{k-1} / y_{k-1}^\top y_{k-1}, \quad 1 \text{ at first}",
    "al": r"\alpha_i = \rho_i\,s_i^\top q, \quad q \leftarrow q - \alpha_i y_i, \quad i = k-1,\, \dots,\, k-m",
    "q": r"q = -g_k - \textstyle\sum_i \alpha_i y_i",
    "r": r"r = \gamma_k\,q",
    "d": r"d_k = r + \textstyle\sum_i (\alpha_i - \beta_i)\,s_i, \quad \beta_i = \rho_i\,y_i^\top r,"
    r" \quad i = k-m,\, \dots,\, k-1",
    "t": r"t_k = \eta, \quad \min(1,\, 1 / \lVert g_k \rVert_1)\,\eta \text{ at first}",
    "gtd": r"g_k^\top d_k",
    "param": r"\theta_{k+1} = \theta_k + t_k\,d_k",
}

CURVED = 1e-10  # a pair with less curvature than that is not kept


class Lines(NamedTuple):
    prev_flat_grad: Any
    prev_loss: Any
    y: Any
    s: Any
    ys: Any
    old_dirs: Any
    old_stps: Any
    ro: Any
    H_diag: Any
    al: Any
    q: Any
    r: Any
    d: Any
    t: Any
    gtd: Any
    param: Any


def kept(history, newest, size):
    """The history with one more, and no more than there may be."""
    return (*history[max(len(history) + 1 - size, 0) :], newest)


def alphas(q, old_dirs, old_stps, ro, ops=PLAIN):
    """The first loop, from the newest pair to the oldest: αᵢ of each."""
    return before(q, ops.mul(ops.matmul(old_stps[-1], q), ro[-1]), old_dirs, old_stps, ro, ops) if ro else ()


def before(q, alpha, old_dirs, old_stps, ro, ops=PLAIN):
    """What the older pairs make of q after the newest, and α of that."""
    return (*alphas(ops.add(q, old_dirs[-1], alpha=-item(alpha)), old_dirs[:-1], old_stps[:-1], ro[:-1], ops), alpha)


def descended(q, old_dirs, al, ops=PLAIN):
    """q - Σ αᵢyᵢ, from the newest pair to the oldest."""
    return descended(ops.add(q, old_dirs[-1], alpha=-item(al[-1])), old_dirs[:-1], al[:-1], ops) if al else q


def ascended(r, old_dirs, old_stps, ro, al, ops=PLAIN):
    """The second loop, from the oldest pair to the newest: r + Σ (αᵢ - βᵢ)sᵢ."""
    return (
        ascended(
            corrected(r, old_dirs[0], old_stps[0], ro[0], al[0], ops), old_dirs[1:], old_stps[1:], ro[1:], al[1:], ops
        )
        if al
        else r
    )


def corrected(r, y, s, ro, alpha, ops=PLAIN):
    """r + (α - β)s, where β = ρ y·r."""
    return ops.add(r, s, alpha=item(alpha - ops.mul(ops.matmul(y, r), ro)))


def moved(param, d, t, ops=PLAIN):
    """t along the direction."""
    return ops.add(param, d, alpha=item(t))


def smaller(a, b):
    """The smaller of two numbers, in its own type."""
    return min(a, b)


def paper(
    param, grad, loss, d, t, old_dirs, old_stps, ro, H_diag, last, *, n_iter, lr, history_size,
):  # fmt: skip
    """One direction in the order of Nocedal & Wright's algorithm 7.4, of -g, and the step that is tried first."""
    prev_flat_grad = grad
    prev_loss = loss
    y = grad - last
    s = t * d
    ys = y @ s
    curved = ys > CURVED
    old_dirs = kept(old_dirs, y, history_size) if curved else old_dirs
    old_stps = kept(old_stps, s, history_size) if curved else old_stps
    ro = kept(ro, 1 / ys, history_size) if curved else ro
    H_diag = ys / (y @ y) if curved else H_diag
    al = alphas(-grad, old_dirs, old_stps, ro)
    q = descended(-grad, old_dirs, al)
    r = H_diag * q
    d = ascended(r, old_dirs, old_stps, ro, al)
    t = smaller(1.0, 1 / abs(grad).sum()) * lr if n_iter == 1 else lr
    gtd = grad @ d
    param = param + t * d
    return Lines(prev_flat_grad, prev_loss, y, s, ys, old_dirs, old_stps, ro, H_diag, al, q, r, d, t, gtd, param)


def pytorch(
    param, grad, loss, d, t, old_dirs, old_stps, ro, H_diag, last, *, n_iter, lr, history_size, ops=PLAIN,
):  # fmt: skip
    """One direction in the order of torch.optim.LBFGS (2.13)."""
    prev_flat_grad = grad
    prev_loss = loss
    y = grad - last
    s = ops.mul(d, t)
    ys = ops.matmul(y, s)
    curved = ys > CURVED
    old_dirs = kept(old_dirs, y, history_size) if curved else old_dirs
    old_stps = kept(old_stps, s, history_size) if curved else old_stps
    ro = kept(ro, 1 / ys, history_size) if curved else ro
    H_diag = ys / ops.matmul(y, y) if curved else H_diag
    al = alphas(-grad, old_dirs, old_stps, ro, ops)
    q = descended(-grad, old_dirs, al, ops)
    r = ops.mul(q, H_diag)
    d = ascended(r, old_dirs, old_stps, ro, al, ops)
    t = smaller(1.0, 1 / ops.sum(abs(grad))) * lr if n_iter == 1 else lr
    gtd = ops.matmul(grad, d)
    param = moved(param, d, t, ops)
    return Lines(prev_flat_grad, prev_loss, y, s, ys, old_dirs, old_stps, ro, H_diag, al, q, r, d, t, gtd, param)


def dense(array):
    """A sparse gradient is as good as one with zeros."""
    return array.dense() if isinstance(array, Sparse) else array


class LBFGS(Optimizer):
    """L-BFGS (Liu & Nocedal) over all parameters as one vector, with PyTorch's options.

    The direction is `EQUATIONS`; how far it is gone is lr, or what `strong_wolfe` finds. A step calls its closure, and
    takes up to `max_iter` directions. Its state is the first parameter's.

    Arguments:
        params: name to float32 or float64 array, updated in place.
        lr: η, how far a direction is gone, or where the line search begins; less at first (t).
        max_iter: directions a step.
        max_eval: calls of the closure a step; max_iter · 5/4 if None.
        tolerance_grad: a step ends where no entry of the gradient is larger.
        tolerance_change: or where the loss or every parameter changes by less.
        history_size: m, how many pairs are kept.
        line_search_fn: "strong_wolfe" or None.

    PyTorch differs from the book in what it keeps of a pair (`old_dirs` are the y, `old_stps` the s), in refusing pairs
    of little curvature, and in t at first.

    Raises:
        ValueError: for a negative lr, and for groups of parameters, with PyTorch's wording.
        TypeError: for a hyperparameter that is no number.

    Source: Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 7.5; torch.optim.LBFGS 2.13.
    """

    ORDERS = {"paper": paper, "pytorch": pytorch}
    ELEMENTWISE = False
    CLOSURE = True
    max_iter: int
    max_eval: int
    history_size: int
    tolerance_grad: float
    tolerance_change: float
    line_search_fn: str | None
    SPARSE = "whole"
    STATE = {
        "func_evals": Whole("func_evals"),
        "n_iter": Whole("n_iter"),
        "d": Entry("d", start=None),
        "t": Double("t", start=None),
        "old_dirs": History("old_dirs", start=None),
        "old_stps": History("old_stps", start=None),
        "ro": History("ro", start=None, single=True),
        "H_diag": Like("H_diag", start=None),
        "prev_flat_grad": Entry("prev_flat_grad", start=None),
        "prev_loss": Double("prev_loss", start=None),
        "al": History("al", start=None, single=True),
    }

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        check_numbers(lr=lr, tolerance_grad=tolerance_grad, tolerance_change=tolerance_change)
        check_numbers(max_iter=max_iter, max_eval=max_eval, history_size=history_size)
        check_hyperparameter(lr >= 0.0, f"Invalid learning rate: {lr}")
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        one = "LBFGS doesn't support per-parameter options (parameter groups)"
        check_hyperparameter(len(self.param_groups) == 1, one)
        self.ops = PLAIN

    def step(self, closure) -> float:
        """Up to `max_iter` directions of all parameters together; the loss that it began with.

        Arguments:
            closure: what the loss is at the parameters as they are, which are moved meanwhile, and its gradients: name
                to array of the parameter's shape and dtype, or to None, which is 0; or a list in their order.

        Raises:
            RuntimeError, AssertionError: for a line search that there is not, and for a second group, with PyTorch's
                wording, before anything is changed.
            KeyError, TypeError, ValueError: for a gradient that is none of a parameter.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        if self.line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")

        def evaluate(flat):
            for name, part in self.parts(flat).items():
                self.params[name][...] = part
            loss, grads = closure()
            return float(loss), self.end_to_end(self.checked(named(grads, [*self.params])))

        param, state, loss = self.stepped(self.end_to_end(self.params), self.unpacked(), evaluate)
        for name, part in self.parts(param).items():
            self.params[name][...] = part
        self.state[next(iter(self.params))] = self.packed(state, param)
        return loss

    def stepped(self, param, state, evaluate) -> tuple[Any, dict[str, Any], Any]:
        """The parameters end to end, the state and the loss at first, after a step from there; in numbers of any kind.

        Arguments:
            evaluate: parameters end to end to the loss there and its gradient.
        """
        loss, grad = evaluate(param)
        first, calls, turns = loss, 1, 0
        ended = abs(grad).max() <= self.tolerance_grad
        while turns < self.max_iter and not ended:
            turns, state = turns + 1, state | {"n_iter": state["n_iter"] + 1}
            lines = self.direction(param, grad, loss, state)
            state |= {key: getattr(lines, entry.line) for key, entry in self.STATE.items() if entry.kind != "count"}
            if lines.gtd > -self.tolerance_change:
                break
            last = turns == self.max_iter
            point, called = self.gone(
                param, Point(0, loss, grad, lines.gtd), lines, evaluate, self.max_eval - calls, last
            )
            param = lines.param if self.line_search_fn is None else moved(param, lines.d, point.t, self.ops)
            loss, grad, state["t"] = point.f, point.g, point.t
            calls += called
            ended = (
                last
                or calls >= self.max_eval
                or abs(grad).max() <= self.tolerance_grad
                or abs(self.ops.mul(lines.d, point.t)).max() <= self.tolerance_change
                or abs(loss - lines.prev_loss) < self.tolerance_change
            )
        return param, state | {"func_evals": state["func_evals"] + calls}, first

    def direction(self, param, grad, loss, state) -> Lines:
        """Every line of the formula, from the state before."""
        nothing = {"d": np.zeros_like(param), "t": 0.0, "old_dirs": (), "old_stps": (), "ro": (), "H_diag": 1}
        held = {key: state.get(key, value) for key, value in nothing.items()}
        held["last"] = state.get("prev_flat_grad", nothing["d"])
        return self.formula(
            param,
            grad,
            loss,
            **held,
            n_iter=state["n_iter"],
            lr=self.hyperparameters["lr"],
            history_size=self.history_size,
        )

    def gone(self, param, start, lines, evaluate, most, last) -> tuple[Point, int]:
        """How far a direction is gone, what is there, and how often the closure was called for it."""
        if self.line_search_fn is None:
            loss, grad = (start.f, start.g) if last else evaluate(lines.param)
            return Point(lines.t, loss, grad, None), int(not last)

        def at(t):
            loss, grad = evaluate(moved(param, lines.d, t, self.ops))
            return Point(t, loss, grad, self.ops.matmul(grad, lines.d))

        return self.search(at, start, lines.t, abs(lines.d).max(), self.tolerance_change, most, ops=self.ops)

    search = staticmethod(strong_wolfe)

    def end_to_end(self, arrays) -> Any:
        """Arrays by name, in the order of the parameters, as one vector; 0 for what there is none of."""
        given = {name: arrays.get(name) for name in self.params}
        whole = [np.zeros_like(self.params[name]) if array is None else dense(array) for name, array in given.items()]
        return np.concatenate([array.reshape(-1) for array in whole])

    def parts(self, flat) -> dict[str, Any]:
        """A vector as arrays by name again."""
        ends = np.cumsum([param.size for param in self.params.values()])
        return {
            name: flat[end - param.size : end].reshape(param.shape)
            for (name, param), end in zip(self.params.items(), ends, strict=True)
        }

    def unpacked(self) -> dict[str, Any]:
        """The state as a step takes it: histories as tuples, and what PyTorch has as Python numbers as such."""
        state = self.state[next(iter(self.params))]
        plain = {
            key: item(value) if isinstance(self.STATE[key], Whole | Double) else value for key, value in state.items()
        }
        histories = {key: tuple(value) for key, value in plain.items() if self.STATE[key].kind == "history"}
        return {"func_evals": 0.0, "n_iter": 0.0} | plain | histories

    def packed(self, state, like) -> dict[str, Any]:
        """The state as arrays, beside a vector of all parameters."""
        entries = {key: entry for key, entry in self.STATE.items() if key in state}
        return {
            key: entry.joined(state[key], like)
            if isinstance(entry, History)
            else np.asarray(state[key], entry.dtype(like.dtype))
            for key, entry in entries.items()
        }

    def state_dict(self):
        """As any optimizer's; of the α PyTorch has as many places as the history may have."""
        whole = super().state_dict()
        for entries in whole["state"].values():
            alphas = entries.pop("al", [])
            if alphas:
                entries["al"] = alphas + [None] * (self.history_size - len(alphas))
        return whole

    def checked_state(self, name, entries, whole=False):
        """As any optimizer's; of the first parameter alone, and without a direction yet or with all that one leaves."""
        like, begun = self.like(name), "d" in entries
        own = {"al": (), **entries} if begun else dict(entries)
        for key, entry in self.STATE.items():
            if isinstance(own.get(key), list | tuple) and isinstance(entry, History):
                own[key] = entry.joined([made for made in own[key] if made is not None], like)
            if key in own and isinstance(entry, Number):
                own[key] = np.asarray(own[key], entry.dtype(like.dtype))
        wanted = [key for key, entry in self.STATE.items() if begun or entry.kind == "count"]
        if own and (name != next(iter(self.params)) or [key for key in self.STATE if key in own] != wanted):
            raise KeyError(f"state of {name!r} has {list(entries)}, it takes {wanted}, of the first parameter alone")
        return super().checked_state(name, own, whole and begun)

    def like(self, name):
        """All parameters end to end, which the state is of."""
        return self.end_to_end(self.params)
