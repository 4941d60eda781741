"""Formulas as JavaScript, and the modules that they run on as one script."""

import re

import pytest

from lockstep.causes.source import text_of
from lockstep.subjects.registry import find
from reports import bundle as bundling
from reports.bundle import BadScript, bundle
from reports.translation import (
    FUNCTIONS,
    HELPERS,
    METHODS,
    OPERATORS,
    PRIMITIVES,
    Untranslatable,
    expression,
    script,
    translated,
)


def test_a_formula_line_by_line():
    made = translated(text_of(find("optim.adagrad").ours().ORDERS["pytorch"]))
    assert made.arguments[:3] == ("param", "grad", "sum")
    assert "ops" not in made.arguments
    assert [line.name for line in made.lines] == ["g", "d", "v", "denom", "step_size", "param"]
    assert made.lines[0].js == "(F.truth(s.maximize) ? F.negative(s.grad) : s.grad)"
    assert made.lines[3].code == "ops.add(ops.sqrt(v), eps)"
    assert made.lines[5].js == "F.ops.addcdiv(s.param, s.d, s.denom, {value: F.negative(s.step_size)})"
    assert [(line.name, line.js) for line in made.result][:2] == [("g", "s.g"), ("d", "s.d")]
    assert '["denom", (s, F) => F.ops.add(F.ops.sqrt(s.v), s.eps)]' in script(made)


def test_names_that_a_line_takes_apart_are_lines():
    made = translated("def f(betas):\n    beta1, beta2 = betas\n    return Lines(beta1, beta2)")
    assert [(line.name, line.js) for line in made.lines] == [("beta1", "s.betas[0]"), ("beta2", "s.betas[1]")]


def test_what_a_cause_keeps_stands_under_its_field():
    made = translated("def f(v):\n    m = v\n    return Lines(m, np.sqrt(v))", ["m", "v"])
    assert [(line.name, line.js) for line in made.result] == [("m", "s.m"), ("v", "F.sqrt(s.v)")]


@pytest.mark.parametrize(
    ("text", "js"),
    [
        ("1e-08", "1e-08"),
        ("-1", "-1"),
        ("2 * -x", "F.times(2, F.negative(s.x))"),
        ("d if buf is None else buf", "(F.truth((s.buf === null)) ? s.d : s.buf)"),
        ("a and b", "((first) => (F.truth(first) ? s.b : first))(s.a)"),
        ("a or not b", "((first) => (F.truth(first) ? first : !F.truth(s.b)))(s.a)"),
        ("x.mean(axis=axes, keepdims=True)", "F.mean(s.x, {axis: s.axes, keepdims: true})"),
        ("(0, *range(2, x.ndim))", "[0, ...F.range(2, s.x.ndim)]"),
        ("(1, *(1 for _ in axes[1:]))", "[1, ...s.axes.slice(1).map((_) => 1)]"),
        ("lines.x_hat", "s.lines.x_hat"),
        ("0 < t <= T", "((first) => (F.truth(first) ? F.lessEqual(s.t, s.T) : first))(F.less(0, s.t))"),
        ("mode == 'max'", 'F.equal(s.mode, "max")'),
        ("t % tuple(range(-len(shape), 0))[0]", "F.remainder(s.t, F.range(F.negative(s.shape.length), 0)[0])"),
        ("g.shape[-1]", "s.g.shape.at(-1)"),
        ("r[..., 0]", "F.firsts(s.r)"),
        ("r[..., None, None]", "F.reshape(s.r, ...s.r.shape, 1, 1)"),
    ],
)
def test_an_expression(text, js):
    assert expression(text) == js


@pytest.mark.parametrize(
    "text",
    [
        "np.linalg.norm(x)", "open(x)", "x @ y", "lambda: 1", "x.__class__", "[x for x in y]", "b'text'", "x if",
        "x = 1", "ops.exp2(x)", "np.float64(1)", "x[::2]", "f'{x}'", "alert(1)", "1j",
        "x.shape.constructor.name",
    ],
)  # fmt: skip
def test_what_is_none_of_its_language_is_refused(text):
    with pytest.raises(Untranslatable):
        expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        "def f(x):\n    return x",
        "def f(x):\n    x += 1\n    return Lines(x)",
        "def f(x):\n    y = x * UNKNOWN\n    return Lines(y)",
    ],
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(Untranslatable):
        translated(text)


def test_every_function_that_a_translation_calls_is_there():
    numbers, primitives = bundling.read("numbers.js"), bundling.read("ops.js")
    there = re.findall(r"\b\w+", numbers[numbers.index("export const NUMPY = {") :])
    for name in (*OPERATORS.values(), *FUNCTIONS, *HELPERS, *METHODS, "truth", "range", "firsts"):
        assert name in there, name
    for name in PRIMITIVES:
        assert re.search(rf"\b{name}[:,]", primitives), name


def test_a_bundle_has_each_module_once_and_after_what_it_imports():
    made = bundle('import {Optimizer} from "./optimizer.js";\nimport {numpy} from "./ops.js";\nnew Optimizer();\n')
    assert made.count("class Tensor") == 1
    places = [made.index(text) for text in ("function fma64", "class Tensor", "function fused", "new Optimizer()")]
    assert places == sorted(places)
    assert not re.search(r"^(import|export)\b", made, re.MULTILINE)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("export default 1;\n", "cannot be joined"),
        ('import * as fma from "./fma.js";\n', "cannot be joined"),
        ('import {fma64} from "./fma.js";\nconst fma32 = fma64;\n', "both declare 'fma32'"),
    ],
)
def test_modules_that_cannot_be_joined_are_refused(entry, why):
    with pytest.raises(BadScript, match=re.escape(why)):
        bundle(entry)
