"""Puts causes into a copy of the reference's class, which then is wrong in just these ways."""

import ast
import collections
import functools
import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from lockstep.causes.cause import Cause, parts, subject_class
from lockstep.causes.source import BEFORE, NORM_OF_ALL, UPDATES, WAS, BadEdit, given_beside, patched, reads
from lockstep.subjects.registry import find
from lockstep.subjects.subject import Subject


def plant(subject: Subject | str, causes: Iterable[Cause], base_class: Any = None) -> Any:
    """A class like the reference's, with these causes in it: usable wherever the reference's is.

    Arguments:
        subject: a subject or its path.
        causes: any number, from the subject's table. Those that replace a line outright come before
            those that only alter it, in whatever order they are given.
        base_class: which class of the reference; the one that states the formula if None.

    Raises:
        BadEdit: for an edit that fits no line or changes nothing, and for two that replace one line.
    """
    subject = find(subject) if isinstance(subject, str) else subject
    causes = in_order(causes)
    stating = next((cause.base for cause in causes if cause.layer), None)
    base = base_class or stating or subject_class(subject)
    check_together(causes)
    stated = {}
    if any(cause.edits_lines or cause.arguments for cause in causes):
        stated = planted_orders(base, causes)
    for cause in sorted(causes, key=lambda planted: planted.name):  # whatever order they are given in
        base = cause.behaviour(base) if cause.behaviour else base
    if stated.get("BESIDE"):
        base = remembering(base, stated["BESIDE"])
    label = ", ".join(cause.name for cause in causes)
    return type(base.__name__, (base,), stated | {"__doc__": f"{base.__name__} with {label}."})


def planted_orders(base, causes: list[Cause]) -> dict[str, Any]:
    """What the class states of its formula, with the edits in it: only the paper's order, where lines are edited."""
    names = ["paper"] if any(cause.edits_lines for cause in causes) else list(base.ORDERS)
    orders = {name: with_edits(base.ORDERS[name], causes) for name in names}
    stated: dict[str, Any] = {"ORDERS": orders, "BESIDE": remembered(orders["paper"])}
    if stated["BESIDE"] and not hasattr(base, "step_one"):
        raise BadEdit(f"{base.__name__} takes no steps, so that there is no {stated['BESIDE'][0]}")
    if getattr(base, "ELEMENTWISE", False) and any(map(of_whole_tensors, causes)):
        stated["ELEMENTWISE"] = False
    if hasattr(base, "ALLOWS"):
        stated["ALLOWS"] = tuple(name for name in base.ALLOWS if name in orders) or ("paper",)
    return stated


def with_edits(formula: Any, causes: list[Cause]):
    """`formula`, a function or a layer's two, with the edits of all `causes` in it."""
    functions = parts(formula)
    edits = [cause.edits(functions) for cause in causes]
    made = [patched(function, [own[place] for own in edits]) for place, function in enumerate(functions)]
    return made[0] if callable(formula) else type(formula)(*made)


@functools.cache
def condition(text: str) -> str | None:
    """Where an expression replaces what was there: "" everywhere, "training" for `… if training else was`, or None."""
    if WAS not in reads(text):
        return ""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.IfExp) and isinstance(tree.orelse, ast.Name) and WAS not in reads(ast.unparse(tree.body)):
        return ast.unparse(tree.test)
    return None


def in_order(causes: Iterable[Cause]) -> list[Cause]:
    """Those that replace something outright before those that only alter it."""
    ordered: list[Cause] = []
    for cause in sorted(causes, key=lambda planted: not any(planted.targets.values())):
        own = cause.targets
        altered = [
            place
            for place, planted in enumerate(ordered)
            if any(own.get(t) and not r for t, r in planted.targets.items())
        ]
        ordered.insert(min(altered, default=len(ordered)), cause)
    return ordered


def check_together(causes: list[Cause]) -> None:
    """Refuse causes of which one would undo another."""
    taken: dict[tuple[str, str], Cause] = {}
    under: dict[tuple[str, str, str], Cause] = {}
    for cause in in_order(causes):
        for kind, edited in (("lines", cause.lines), ("backward", cause.backward)):
            for name, text in edited.items():
                where = (kind, name, condition(text) or "")
                if where[2] and under.setdefault(where, cause) is not cause:
                    raise BadEdit(f"{under[where]} and {cause} both replace {name!r} if {where[2]}")
        for target, replaces in cause.targets.items():
            if replaces and target in taken:
                raise BadEdit(
                    f"{taken[target]} and {cause} both replace {target[1]!r}: they cannot be planted together"
                )
            taken[target] = cause


def may_join(causes: Iterable[Cause]) -> bool:
    """Whether the causes are of different kinds and can be planted together."""
    causes = list(causes)
    if len({cause.kin for cause in causes}) < len(causes):
        return False
    try:
        check_together(causes)
    except BadEdit:
        return False
    return True


def of_whole_tensors(cause: Cause) -> bool:
    """Whether an element of what it computes depends on the others of its tensor, or on its shape."""
    return not attributes_of(cause).isdisjoint((*OF_ALL_ELEMENTS, *OF_SHAPES))


def of_shapes(causes: Iterable[Cause]) -> bool:
    """Whether any of them looks at the shape of a tensor."""
    return any(not attributes_of(cause).isdisjoint(OF_SHAPES) for cause in causes)


def attributes_of(cause: Cause) -> set[str]:
    """What its texts ask of arrays."""
    texts = (*cause.lines.values(), *cause.arguments.values(), *cause.kept.values(), *cause.everywhere.values())
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


OF_ALL_ELEMENTS = ("sum", "mean", "max")
OF_SHAPES = ("ndim", "size", "shape")


def remembered(formula) -> tuple[str, ...]:
    """What the formula reads beside its arguments: a hyperparameter's value at the step before, a count, a norm."""
    names = (name for function in parts(formula) for name in inspect.signature(function).parameters)
    return tuple(name for name in names if given_beside(name))


def norm_of(grads: Iterable[Any]) -> Any:
    """The norm of all gradients together, of those that there are."""
    wholes = [grad.dense() if hasattr(grad, "dense") else grad for grad in grads if grad is not None]
    return np.sqrt(sum((whole * whole).sum() for whole in wholes))


def remembering(base: Any, names: tuple[str, ...]) -> type:
    """The optimizer giving its formula what these stand for: what was at a tensor's last step, a count, a norm."""

    class Remembering(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.last: dict[str, dict[str, Any]] = {}
            self.stepping = ""
            self.counts: collections.Counter = collections.Counter()
            self.norm: Any = 0.0

        def step(self, grads):
            self.norm = norm_of(grads.values() if isinstance(grads, dict) else grads)
            super().step(grads)

        def step_one(self, name, grad):
            self.stepping = name
            self.counts[name] += 1
            super().step_one(name, grad)
            self.last[name] = self.hyperparameters

        def constants(self, state):
            last = self.last.get(self.stepping) or self.hyperparameters
            known = {name + BEFORE: value for name, value in last.items()}
            known |= {UPDATES: self.counts[self.stepping], NORM_OF_ALL: self.norm}
            return super().constants(state) | {name: known[name] for name in names}

    Remembering.__name__ = base.__name__
    return Remembering
