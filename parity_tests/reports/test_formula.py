"""Formulas as MathML, and the symbols in them."""

import re
from xml.etree import ElementTree

import pytest

from lockstep.subjects.registry import find, subjects
from lockstep.subjects.subject import Subject
from reports.formula import mathml, parsed
from reports.symbols import Symbols, left, symbols


def equations(subject: Subject):
    """Every formula of a subject, a class at a time."""
    stated = subject.reference.EQUATIONS
    return list(stated.values()) if isinstance(next(iter(stated.values())), dict) else [stated]


def of(path: str) -> Symbols:
    subject = find(path)
    return symbols(subject.family.name, subject.reference.EQUATIONS, subject.family.state(subject))


def marks(latex: str, known: Symbols) -> list[str]:
    return re.findall(r'data-symbol="(\w+)"', mathml(latex, known.of_formula))


@pytest.mark.parametrize("subject", subjects(), ids=lambda one: one.path)
def test_every_formula_is_mathml_and_its_left_side_is_its_symbol(subject):
    for table in equations(subject):
        known = symbols(subject.family.name, table, {})
        names = {latex: name for name, latex in reversed({one.name: one.latex for one in known.symbols}.items())}
        for name, latex in table.items():
            assert "<mtext>" not in parsed(left(latex)) or "\\text" in latex
            assert names[left(latex)] in marks(latex, known)[:1], name


def test_the_symbols_of_adam():
    known = of("optim.adam")
    lines = find("optim.adam").reference.EQUATIONS
    assert marks(lines["m"], known) == ["m", "beta1", "exp_avg", "beta1", "d"]
    assert marks(lines["v_hat"], known) == ["v_hat", "v_max", "beta2"]
    assert marks(lines["denom"], known) == ["denom", "v_hat", "eps"]
    assert marks(lines["param"], known) == ["param", "decayed", "lr", "m_hat", "denom"]
    assert next(one.state for one in known.symbols if one.name == "m") == "exp_avg"


def test_a_derivative_is_not_what_it_is_of():
    known = of("layers.batchnorm")
    lines = find("layers.batchnorm").reference.EQUATIONS
    assert marks(lines["dbeta"], known) == ["dbeta"]
    assert marks(lines["dx_hat"], known) == ["dx_hat", "gamma"]


def test_marking_leaves_the_formula_as_it_was():
    for latex in find("layers.batchnorm").reference.EQUATIONS.values():
        marked = ElementTree.fromstring(mathml(latex, of("layers.batchnorm").of_formula))
        assert "".join(marked.itertext()) == "".join(ElementTree.fromstring(parsed(latex)).itertext())


@pytest.mark.parametrize("text", [r"\frac{x}{", "<script>", "a < b & c", "", "{{ 7 * 7 }}", r"\unknown{x}", "\x00"])
def test_what_is_no_formula_is_shown_and_not_obeyed(text):
    made = mathml(text, {})
    assert "<script" not in made
    root = ElementTree.fromstring(made)
    assert root.tag == "{http://www.w3.org/1998/Math/MathML}math"
