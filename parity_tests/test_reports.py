"""The report: what it shows is what the records say, it is the same every time, and nothing in a record can harm it."""

import html
import html.parser
import json
import os
import re
import subprocess
import sys
import types
import zlib
from pathlib import Path

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import reports
from lockstep.record import SCHEMA, VERSION, BadRecord, Record, load
from lockstep.verdict import Verdict
from reports import facts, figures, pages, palette, style, words
from reports.__main__ import main
from reports.figures import drift, heat, ladder, loss, notebook, path
from reports.rails import rails, trace
from reports.sparkline import sparkline

ROOT = Path(__file__).parents[1]
STEPS = 12
QUANTITIES = {"grad": "grad", "param": "param", "exp_avg": "m"}
HOSTILE = "<script>alert(1)</script> $\\frac{x}{$ & \"'><img src=x onerror=alert(2)> 한글 \u202e{{ 7 * 7 }}"


def finding(**changes):
    return {
        "step": 3, "quantity": "param", "tensor": "theta", "line": "param", "index": [1], "shape": [2],
        "numpy": 0.25, "torch": 0.250000030, "numpy_bits": "0x3e800000", "torch_bits": "0x3e800001",
        "exact": 0.25000001, "dtype": "float32",
        "allowed": 4e-8, "absolute": 3e-8, "relative": 1.2e-7, "ulp": 1.0, "used": 0.37, "nearer": "numpy",
        "verdict": "rounding", **changes,
    }  # fmt: skip


def run_record(**changes) -> Record:
    """A run of an optimizer on a function of two variables, made up: equal at first, apart from step 3 on."""
    steps = np.arange(1, STEPS + 1)
    apart = np.where(steps < 3, 0.0, 1e-8 * steps)
    defect = np.where(steps % 3 == 0, 3e-8, 0.0)
    arrays = {}
    for place, quantity in enumerate(QUANTITIES):
        arrays |= {
            f"drift/{quantity}/{figure}": values
            for figure, values in {"absolute": apart * 2.0**place, "differing": (apart > 0) + 0.0}.items()
        }
        arrays[f"drift/{quantity}/elements"] = np.full(STEPS, 2.0)
        arrays |= {
            f"defect/{quantity}/absolute": defect,
            f"defect/{quantity}/scaled_ulp": np.where(defect > 0, 0.6 + place, 0.0),
            f"defect/{quantity}/differing": (defect > 0) + 0.0,
            f"defect/{quantity}/elements": np.full(STEPS, 2.0),
            f"defect/{quantity}/used": np.where(defect > 0, 0.37, 0.0),
            f"defect/{quantity}/band": np.where(defect > 0, 4e-8, np.nan),
            f"heat/defect/{quantity}": np.stack([defect / 5e-8, np.zeros(STEPS)], axis=1).astype(np.float32),
            f"heat/drift/{quantity}": np.stack([apart / 5e-8, np.zeros(STEPS)], axis=1).astype(np.float32),
        }
    way = np.linspace((-1.5, 2.5), (-1.4, 2.0), STEPS + 1)
    x = np.linspace(-2, 0, 21)
    arrays |= {
        "trace/path/numpy": way,
        "trace/path/torch": way + np.concatenate([[0.0], apart])[:, None],
        "trace/loss/numpy": np.geomspace(12, 0.5, STEPS),
        "trace/loss/torch": np.geomspace(12, 0.5, STEPS) + apart,
        "trace/contour/x": x,
        "trace/contour/y": x + 4,
        "trace/contour/z": x[None, :] ** 2 + x[:, None] ** 2,
    }
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "run", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS,
        "environment": {"python": "3.11.7", "threads": 1},
        "verdict": "rounding", "used": 0.37, "broken": None, "first_difference": finding(), "evidence": finding(),
        "closest_call": finding(), "first_drift": 3, "equations": {},
        "quantities": {name: {"line": line, "verdict": "rounding"} for name, line in QUANTITIES.items()},
        "rerun": "lockstep run optim.adam --case plain", **changes,
    }  # fmt: skip
    return Record(data, arrays)


def identical_record(**changes) -> Record:
    record = run_record(
        verdict="identical", used=0.0, first_difference=None, evidence=None, closest_call=None, **changes
    )
    record.data["quantities"] = {name: {"line": name, "verdict": "identical"} for name in QUANTITIES}
    zeros = {key: 0 * np.nan_to_num(array) for key, array in record.arrays.items() if not key.startswith("trace")}
    record.arrays = zeros | {"drift/param/elements": np.full(STEPS, 2.0)}
    return record


def experiment_record(**changes) -> Record:
    """The notebook's record, made up: 20 steps of each optimizer, 60 of training."""
    way = {name: np.linspace((-1.5, 2.5), (-1.4 + i / 10, 2.0), 21) for i, name in enumerate(("adam", "sgd", "lion"))}
    arrays = {"trace/contour/x": np.linspace(-2, 2, 21), "trace/contour/y": np.linspace(-1, 3, 21)}
    arrays["trace/contour/z"] = arrays["trace/contour/x"][None, :] ** 2 + arrays["trace/contour/y"][:, None] ** 2
    for name, values in way.items():
        for side, shift in (("numpy", 0.0), ("torch", 2e-15)):
            arrays[f"nb/optim/{name}/{side}/path"] = values + shift
            arrays[f"nb/optim/{name}/{side}/loss"] = np.geomspace(12, 6, 21) + shift
    for scale, name in enumerate(("none", "l2", "l1", "dropout"), start=1):
        for side, shift in (("numpy", 0.0), ("torch", 1e-16)):
            arrays[f"nb/regular/{name}/{side}/losses"] = np.geomspace(0.7, 0.01 * scale, 60) + shift
            arrays[f"nb/regular/{name}/{side}/W1"] = np.linspace(-1, 1, 40).reshape(20, 2) / scale + shift
    before = np.array([[2.0, 3, 4, 5], [1, 2, 3, 4]])
    after = (before - before.mean(axis=1, keepdims=True)) / np.sqrt(before.var(axis=1, keepdims=True) + 1e-5)
    arrays |= {"nb/batchnorm/before": before, "nb/batchnorm/numpy": after, "nb/batchnorm/torch": after}
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "experiment", "subject": "notebook", "title": "The notebook",
        "optimum": [1, 1],
        "environment": {"python": "3.11.7"},
        "claims": [
            {"claim": "Adam converges fastest", "holds": False, "found": "it is last", "why": "short steps"},
            {"claim": "L2 limits the weights", "holds": True, "found": "2.2 against 2.6", "why": "it pulls"},
            {"claim": "higher learning rates", "holds": None, "found": "nothing tests it", "why": "no run"},
        ],
        "printed": [
            {"name": "SGD", "notebook": "[-1.4 2.07]", "numpy": "[-1.4 2.07]", "torch": "[-1.4 2.08]", "equal": False}
        ],
        **changes,
    }  # fmt: skip
    return Record(data, arrays)


class Page(html.parser.HTMLParser):
    """What a browser would make of a page: its tags, its addresses, its text."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.attributes: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "action", "data")]

    def handle_data(self, data):
        self.words.append(data)


def page_of(*records) -> Page:
    """The page without drawing its pictures."""
    for record in records:
        facts.check(record)
    text, _ = pages.index(records, lambda *_: b"")
    return Page(text)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


# The same every time, without torch, whatever the user's settings.


def command(arguments, code=None, **environment):
    call = ["-c", code, *arguments] if code else ["-m", "reports", *arguments]
    return subprocess.run(
        [sys.executable, *call], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torch_impl", "reference", "sklearn"}:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
try:
    import torch
except ModuleNotFoundError:
    pass
else:
    sys.exit("the block does not hold")
from reports.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_two_processes_one_without_torch_write_the_same_bytes(tmp_path):
    run_record().save(tmp_path / "records/a.json")
    identical_record(case={"desc": "zero"}).save(tmp_path / "records/b.json")
    for name, code, seed in (("one", None, "1"), ("two", BLOCKED, "2")):
        done = command(
            ["--records", str(tmp_path / "records"), "--out", str(tmp_path / name)], code, PYTHONHASHSEED=seed
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"report: {tmp_path / name / 'index.html'}\n"
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert len(one) == 5  # the page; path, loss, drift and heat of the run in which something differs
    assert one == two


def test_order_of_records_makes_no_difference():
    records = [
        run_record(),
        run_record(subject="optim.sgd"),
        identical_record(case={"desc": "zero"}),
        experiment_record(),
    ]
    texts = {pages.index(order, lambda *_: b"")[0] for order in (records, records[::-1])}
    assert len(texts) == 1


def test_the_users_settings_stay_and_change_nothing():
    record = run_record()
    expected = style.png(loss.draw(record))
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 20, "savefig.dpi": 30, "text.usetex": True}):
        before = dict(mpl.rcParams)
        assert style.png(loss.draw(record)) == expected
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    ("array", "step"),
    [("drift/param/absolute", -1), ("defect/param/scaled_ulp", 2), ("trace/path/torch", -1), ("trace/loss/numpy", -1)],
)
def test_another_value_makes_another_picture_and_page(array, step, tmp_path):
    record, other = run_record(), run_record()
    other.arrays[array] = other.arrays[array].copy()
    other.arrays[array][step] *= 3
    assert any(style.png(module.draw(record)) != style.png(module.draw(other)) for module in figures.of_run(record))
    assert page_of(record).text != page_of(other).text or "trace" in array


# What is said is what the record says.


def test_titles_quote_the_record():
    record = run_record()
    assert drift.finding(record) == (
        "after 12 steps no parameter is more than 2.4e-7 apart; one step by itself adds at most 1.6 ulp"
    )
    distance = np.hypot(*(record.arrays["trace/path/torch"][-1] - record.arrays["trace/path/numpy"][-1]))
    assert f"after 12 steps the paths are {distance:.1e}".replace("e-0", "e-") in path.finding(record)
    assert "first apart at step 3" in path.finding(record)
    assert loss.finding(record) == (
        "after 12 steps the loss is 0.5 on both sides; "
        "the losses are 1.2e-7 apart at the end, 1.2e-7 at most, first at step 3"
    )
    assert (
        heat.finding(record)
        == "of 24 values of param, 4 are changed by a single step, at most by 0.6 ulp (element 0, step 3)"
    )


def test_titles_say_when_nothing_differs():
    record = identical_record()
    assert drift.finding(record) == "12 steps, 3 quantities: not a bit apart"
    assert not heat.applies(record)
    same = run_record()
    for name in ("path", "loss"):
        same.arrays[f"trace/{name}/torch"] = same.arrays[f"trace/{name}/numpy"]
    assert path.finding(same) == "after 12 steps the paths are not a bit apart"
    assert loss.finding(same).endswith("equal to the last bit all the way")


def test_the_title_is_in_the_picture():
    texts = [" ".join(text.get_text().split()) for text in drift.draw(run_record()).texts]
    assert texts == [drift.finding(run_record()), facts.label(run_record())]


def test_the_page_says_what_the_records_say():
    page = page_of(
        run_record(),
        identical_record(case={"desc": "zero"}),
        run_record(
            subject="optim.sgd", case={"desc": "worse"}, used=0.81, closest_call=finding(quantity="exp_avg", step=7)
        ),
    )
    assert (
        "NumPy and PyTorch agree in all 3 runs: 1 identical to the last bit and 2 apart by rounding alone" in page.text
    )
    assert "2 subjects, 36 steps compared. The closest call used 81 % of what rounding allows" in page.text
    assert "exp_avg at step 7 of optim.sgd · worse" in page.text
    assert "0x3e800000" in page.text
    assert "0x3e800001" in page.text
    assert "used 37 %" in page.text
    assert "drift of param, 12 steps: from step 3 on, 2.4e-7 at the end, at most 2.4e-7" in page.text


def test_what_fails_is_said_first():
    broken = identical_record(case={"desc": "stuck"}, broken={"id": "nothing-moved", "message": "no param changed"})
    broken.data["verdict"] = "broken"
    other = run_record(verdict="different", used="inf", evidence=finding(used="inf"), case={"desc": "wrong"})
    page = page_of(run_record(), other, broken)
    assert "NumPy and PyTorch part in 2 of 3 runs: 1 follows another formula, 1 is not to be trusted" in page.text
    assert "nothing-moved : no param changed" in page.text
    assert "used ∞ %" in page.text
    assert "Elsewhere the closest call used 37 %" in page.text
    table = page.text.split("Every subject, every case")[1]
    assert table.index("stuck") < table.index("wrong") < table.index("plain")


def test_failing_cases_are_never_folded_away():
    fine = [run_record(case={"desc": f"fine {i}"}) for i in range(9)]
    bad = [run_record(case={"desc": f"bad {i}"}, verdict="different", used=3.0) for i in range(7)]
    (section,) = [pages.section("optim.adam", [*fine, *bad], pages.Gallery(lambda *_: b""))]
    assert section.folded == 7
    assert [row.case for row, _ in section.cases[:7]] == [f"bad {i}" for i in range(7)]
    assert "9 more cases, none worse" in page_of(*fine, *bad).text


def test_every_verdict_has_a_word_and_a_sign():
    assert list(words.SIGNS) == [str(verdict) for verdict in Verdict] == list(words.MEANING)
    assert len(set(words.SIGNS.values())) == len(Verdict)
    assert [words.fails(verdict) for verdict in Verdict] == [not verdict.passes for verdict in Verdict]
    text, _ = pages.index([run_record(), identical_record()], lambda *_: b"")
    cells = re.findall(
        r'<span class="verdict ([\w-]+)"><span class="sign" aria-hidden="true">(.)</span> ([\w-]+)', text
    )
    assert cells
    assert all(name == word and words.SIGNS[name] == sign for name, sign, word in cells)


def test_the_notebook_is_quoted():
    record = experiment_record()
    page = page_of(record)
    assert "✗ does not hold it is last short steps" in re.sub(r"\s+", " ", page.text)
    assert "✓ holds 2.2 against 2.6" in page.text
    assert "? not tested" in page.text
    assert "[-1.4 2.07]" in page.text
    assert "≠ differs" in page.text
    assert "1 experiment, no runs to judge" in page.text


def test_the_notebooks_figures_are_drawn_and_say_what_they_show():
    record = experiment_record()
    modules = figures.of_experiment(record)
    assert modules == list(figures.EXPERIMENT[:-1])
    assert notebook.paths.finding(record).startswith("after 20 steps lion has 2.42, sgd".replace("sgd", "SGD"))
    assert "never more than 2.2e-15 apart" in notebook.paths.finding(record)
    assert notebook.weights.finding(record).startswith(
        "norm of W1 against no regularisation: L2 -50 %, dropout -75 %, L1 -67 %"
    )
    assert notebook.training.finding(record).startswith("training loss after 60 steps: none 0.0100, L2 0.0200")
    assert notebook.batchnorm.finding(record) == (
        "means 3.5 and 2.5 become 0, deviation 0.999996; equal on both sides to the last bit"
    )
    pictures = [style.png(module.draw(record)) for module in modules]
    assert len(set(pictures)) == len(pictures)


def digits_record() -> Record:
    arrays = {}
    for name, end in (("adam", 0.975), ("sgd", 0.964)):
        for side, shift in (("numpy", 0.0), ("torch", 1e-7)):
            arrays[f"digits/{name}/{side}/loss"] = np.geomspace(2.3, 0.1, 30) + shift
            arrays[f"digits/{name}/{side}/accuracy"] = np.linspace(0.1, end, 30)
    data = experiment_record(subject="digits", title="The digits", claims=[], printed=[], optimum=None).data
    return Record(data, arrays)


def test_the_digits_are_drawn_and_say_what_they_show():
    record = digits_record()
    facts.check(record)
    assert figures.of_experiment(record) == [figures.digits]
    assert figures.digits.finding(record) == (
        "accuracy after 30 steps: Adam 97.5 % and SGD 96.4 %; "
        "PyTorch's end at the same, the losses are at most 1e-7 apart"
    )
    record.arrays["digits/sgd/torch/accuracy"][-1] -= 0.01
    assert "PyTorch's end at most 1.0 points away" in figures.digits.finding(record)
    assert style.png(figures.digits.draw(record))


def test_an_experiment_names_its_pictures():
    record = experiment_record(figures=["weights", "paths"])
    assert [module.NAME for module in figures.of_experiment(record)] == ["weights", "paths"]
    with pytest.raises(BadRecord, match=r"no picture 'pie'; there are paths, convergence"):
        figures.of_experiment(experiment_record(figures=["pie"]))
    del record.arrays["nb/optim/adam/torch/path"], record.arrays["nb/optim/sgd/torch/path"]
    del record.arrays["nb/optim/lion/torch/path"]
    with pytest.raises(BadRecord, match="arrays of its picture 'paths' are missing"):
        figures.of_experiment(record)


# To the last bit.

RUNGS = ("the paper's order", "PyTorch's order", "fused multiply-add", "PyTorch's sqrt")
FINDINGS = {
    "missing": None,
    "machine": {"python": "3.11.7", "cpu": "a CPU", "threads": 2},
    "contraction": {"addcmul": "fused", "addcdiv": "either"},
    "kernels": {
        "sqrt": {
            "float32": {
                "numpy": {"error": 0.4999, "off": 0.0, "at": 1.0},
                "torch": {"error": 0.5459, "off": 0.00608, "at": 2.0},
            }
        }
    },
    "random": {"rand_float32": "mersenne"},
    "threads": {"sum": "shares"},
    "seconds": 0.9,
}


def explanation_record(names=RUNGS, /, **changes) -> Record:
    """A ladder, made up: 339 ulp at first, a few fewer on each rung, nothing on the last."""
    sizes = np.array([339.0, 144.0, 14.0])[: len(names) - 1]
    arrays = {}
    for number, size in enumerate([*sizes, 0.0]):
        ulp = np.where(np.arange(1, STEPS + 1) < 3, 0.0, size) * np.linspace(0.5, 1, STEPS)
        arrays |= {f"rung/{number}/param/scaled_ulp": ulp, f"rung/{number}/exp_avg/scaled_ulp": ulp / 2}
        arrays[f"rung/{number}/param/differing"] = 2.0 * (ulp > 0)
    table = [
        {
            "name": name,
            "differing": 4 * (size > 0),
            "elements": 6,
            "max_ulp": 3 * size,
            "first_step": 3 if size else None,
        }
        for name, size in zip(names, [*map(int, sizes), 0], strict=True)
    ]
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "explanation", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS, "environment": {"python": "3.11.7"},
        "rungs": table, "explained": True, "kernels": ["sqrt"], "equations": {}, "left": None, "findings": FINDINGS,
        "rerun": "lockstep explain optim.adam --case plain", **changes,
    }  # fmt: skip
    return Record(data, arrays)


def growth_record(**changes) -> Record:
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "growth", "subject": "models.mlp", "case": {"desc": "a bias"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS, "environment": {"python": "3.11.7"},
        "start": 1e-8, "differing": 9, "elements": 20, "ill_conditioned": {"linear1.bias": 5, "linear1.weight": 0},
        "classes": {"added by the steps": 0, "multiplied by the problem": 4, "ill-conditioned": 5},
        "worst": ["linear1.bias", [7], "ill-conditioned"], **changes,
    }  # fmt: skip
    arrays = {"growth/drift": np.geomspace(1e-8, 0.028, STEPS), "growth/defect": np.full(STEPS, 1e-8)}
    return Record(data, arrays | {"growth/spread": np.geomspace(1e-8, 2e-3, STEPS)})


def left(**changes):
    """The first element that is left."""
    return {
        "step": 3, "stage": "update", "line": "denom", "quantity": "param", "tensor": "theta", "index": [1],
        "shape": [2], "dtype": "float32", "numpy": 0.25, "torch": 0.250000030, "numpy_bits": "0x3e800000",
        "torch_bits": "0x3e800001", "ulp": 1.0, **changes,
    }  # fmt: skip


def unexplained_record() -> Record:
    record = explanation_record(explained=False, left=left())
    record.arrays["rung/3/param/scaled_ulp"] = np.where(np.arange(STEPS) < 2, 0.0, 7.0)
    record.data["rungs"][-1] |= {"differing": 2, "max_ulp": 7.0, "first_step": 3}
    return record


def test_a_ladder_says_what_is_left_on_its_first_rung_and_its_last():
    assert ladder.finding(explanation_record()) == (
        "339 ulp in the paper's order, 0 with PyTorch's sqrt, at every one of 12 steps"
    )
    assert ladder.finding(explanation_record(RUNGS[:1])) == (
        "0 ulp in the paper's order already, at every one of 12 steps"
    )
    assert ladder.finding(unexplained_record()) == (
        "not explained: 339 ulp in the paper's order, 7 ulp still with PyTorch's sqrt, from step 3, line denom"
    )
    other = explanation_record()
    other.arrays["rung/0/exp_avg/scaled_ulp"][4] = 512.0  # the largest of all quantities, wherever it is
    assert ladder.finding(other).startswith("512 ulp")


def last_curve(record: Record) -> np.ndarray:
    """Where the last rung's black curve runs, and where its dots are."""
    (axis,) = ladder.draw(record).axes
    points = [line.get_xydata() for line in axis.lines if line.get_color() == style.INK]
    return np.asarray([y for x, y in np.concatenate(points) if not np.isnan(y)])


def test_the_last_rung_is_flat_on_the_rail_and_the_others_are_not():
    record = explanation_record()
    figure = ladder.draw(record)
    (axis,) = figure.axes
    scale = rails(*ladder.drifts(record))
    assert axis.get_yticklabels()[0].get_text() == "identical 0"
    assert len(last_curve(record)) >= STEPS
    assert set(last_curve(record)) == {scale.bottom}
    curves = [line.get_ydata() for line in axis.lines if len(line.get_xdata()) == STEPS and line.get_linestyle() == "-"]
    assert any(np.array_equal(curve[2:], scale.place(ladder.drifts(record)[0])[2:]) for curve in curves)
    assert last_curve(unexplained_record()).max() > scale.low
    assert [" ".join(text.get_text().split()) for text in figure.texts] == [ladder.finding(record), facts.label(record)]
    assert style.png(figure) != style.png(ladder.draw(unexplained_record()))


def test_the_ladder_its_machine_and_the_growth_are_on_the_page():
    page = page_of(explanation_record(), unexplained_record(), growth_record())
    assert "1 of 2 ladders reach the last bit" in page.text
    assert "To the last bit" in page.text
    assert "fused multiply-add 4 6 14 42 3" in page.text
    assert "PyTorch's sqrt 0 6 0 0 none" in page.text
    assert "≠ not explained" in page.text
    assert "Left: param of theta [1] , step 3, line denom" in page.text
    assert (
        page.text.count("sqrt float32 PyTorch off at times 0.61 % 0.55 ulp") == 1
    )  # one machine, however many records
    assert "sqrt float32 NumPy = correct wherever tried 0 % 0.5 ulp" in page.text
    assert "addcmul multiply and add round once fused" in page.text
    assert "sum two threads add up half each shares" in page.text
    assert "linear1.bias[7] is furthest apart, by 0.028: ill-conditioned." in page.text
    assert (
        "The largest defects of all steps add up to 1.2e-7; the problem makes 2e5 ulp of one at the start." in page.text
    )
    assert "9 of 20: 4 multiplied by the problem, 5 ill-conditioned 5 of linear1.bias" in page.text


def test_two_machines_are_shown_beside_each_other():
    slower = explanation_record(findings=FINDINGS | {"seconds": 7.0})
    other = explanation_record(findings=FINDINGS | {"machine": {"cpu": "another CPU"}})
    assert len(pages.machines([explanation_record(), slower])) == 1
    assert len(pages.machines([explanation_record(), other])) == 2
    assert pages.machines([explanation_record(findings=None)]) == []


def test_a_ladder_that_was_saved_is_drawn_the_same(tmp_path):
    for name, record in (("ladder", unexplained_record()), ("growth", growth_record())):
        record.save(tmp_path / f"records/{name}.json")
    assert main(["--records", str(tmp_path / "records"), "--out", str(tmp_path / "out")]) == 0
    written = (tmp_path / "out/index.html").read_text("utf-8")
    assert Page(written).text == page_of(unexplained_record(), growth_record()).text
    assert [file.name for file in (tmp_path / "out/figures").iterdir()] == [
        "optim.adam-plain-float32-single-12-steps-ladder.png"
    ]


def test_hostile_ladders_are_shown_and_not_obeyed():
    def hostile(text):
        ladder = explanation_record(
            (*RUNGS[:3], text), subject=text, case={"desc": text}, rerun=text, kernels=[text], explained=False,
            left=left(tensor=text, line=text, numpy_bits=text),
            findings=FINDINGS | {"contraction": {text: text}, "machine": {"cpu": text}, "missing": text},
        )  # fmt: skip
        worst = [text, [1], text]
        return ladder, growth_record(subject=text, worst=worst, classes={text: 1}, ill_conditioned={text: 1})

    page, plain = page_of(*hostile(HOSTILE)), page_of(*hostile("harmless"))
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert page.text.count("<script>alert(1)</script>") > 10
    assert style.png(ladder.draw(hostile(HOSTILE)[0]))


def rung(**changes):
    return {"name": "a rung", "differing": 0, "elements": 6, "max_ulp": 0.0, "first_step": None, **changes}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("rungs", [], "'rungs' is no list of rungs"),
        ("rungs", [rung(first_step="never")], "a rung has no proper first_step"),
        ("rungs", [rung(max_ulp="much")], "a rung has no proper max_ulp"),
        ("rungs", [rung(name=f"rung {number}") for number in range(5)], "rung 'rung 4' has no series of scaled_ulp"),
        ("rungs", [rung(name="first")], "'explained', and rung 'first' leaves a difference"),
        ("steps", True, "'steps' is True"),
        ("steps", 5, "has shape (12,), not a value for each of 5 steps"),
        ("explained", "yes", "'explained' is 'yes'"),
        ("kernels", "sqrt", "'kernels' is no list of primitives"),
        ("left", left(ulp="far"), "'left' has no proper ulp"),
        ("findings", FINDINGS | {"threads": {"sum": 2}}, "'threads' of the findings is no table of words"),
        ("findings", FINDINGS | {"kernels": {"exp": {"float32": {"numpy": {}}}}}, "function 'exp' of the findings"),
    ],
)
def test_a_malformed_explanation_is_refused(field, value, expected, tmp_path):
    with pytest.raises(BadRecord, match=re.escape(expected)):
        reports.render([explanation_record(**{field: value})], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_ladder_that_claims_too_much_is_refused():
    record = explanation_record()
    record.arrays["rung/3/exp_avg/scaled_ulp"] = record.arrays["rung/3/exp_avg/scaled_ulp"].copy()
    facts.check(record)
    record.arrays["rung/3/exp_avg/scaled_ulp"][5] = 0.1
    with pytest.raises(BadRecord, match='rung "PyTorch\'s sqrt" leaves a difference'):
        facts.check(record)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("worst", ["bias", 7, "ill"], "no proper worst"),
        ("classes", {"added": "many"}, "no proper classes"),
        ("start", None, "no proper start"),
        ("steps", 0, "'steps' is 0"),
    ],
)
def test_a_malformed_growth_is_refused(field, value, expected):
    with pytest.raises(BadRecord, match=expected):
        facts.check(growth_record(**{field: value}))
    short = growth_record()
    del short.arrays["growth/spread"]
    with pytest.raises(BadRecord, match="the arrays of spread are missing"):
        facts.check(short)


# Zeros, infinities and what is not a number.


@given(st.lists(st.floats(min_value=0) | st.just(np.nan), max_size=8))
def test_rails_have_a_place_for_every_value(values):
    scale = rails(values)
    for value in values:
        (place,) = scale.place([value])
        if np.isnan(value):
            assert np.isnan(place)
        elif value == 0:
            assert scale.zero
            assert place == scale.bottom < scale.low
        elif np.isinf(value):
            assert scale.infinite
            assert place == scale.top > scale.high
        else:
            assert scale.low <= place <= scale.high


def test_every_value_has_a_dot():
    values = [0.0, 0.0, 3e-8, 0.0, np.inf, 2e-7, np.nan, 1e-7]  # 3e-8 stands alone: no line would show it
    scale, axis = rails(values), Figure().subplots()
    trace(axis, range(8), values, scale, color="black")
    dots = [xy for line in axis.lines if line.get_marker() != "None" for xy in line.get_xydata().tolist()]
    expected = [[x, place] for x, place in enumerate(scale.place(values)) if not np.isnan(place)]
    assert sorted(xy for xy in dots if not np.isnan(xy[1])) == expected


def test_rails_are_drawn():
    record = run_record()
    record.arrays["drift/param/absolute"][-1] = np.inf
    figure = drift.draw(record)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[0] == "identical 0"
    assert labels[-1] == "∞"
    assert "a parameter is infinitely far apart" in drift.finding(record)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_pictures_of_extreme_records_are_drawn(value):
    record = run_record()
    for key, array in record.arrays.items():
        if not key.startswith("trace/contour") and not key.endswith(("/elements", "/differing")):
            array[len(array) // 2 :] = value
    facts.check(record)
    drawn = [style.png(module.draw(record)) for module in figures.of_run(record)]
    assert len(drawn) >= 3
    assert page_of(record).tags


def test_a_run_of_one_step_is_drawn():
    record = run_record(steps=1, first_difference=finding(step=1))
    record.arrays = {
        key: array[: 2 if "path" in key else 1] if "contour" not in key else array
        for key, array in record.arrays.items()
    }
    facts.check(record)
    assert [module.NAME for module in figures.of_run(record)] == ["path", "drift"]
    assert all(style.png(module.draw(record)) for module in figures.of_run(record))


def test_a_spike_survives_drawing():
    tall = np.zeros((5000, 3))
    tall[3333, 1] = 9.0
    assert heat.worst_of(tall, 600).max() == 9.0
    record = run_record(steps=5000)
    record.arrays = {"drift/param/absolute": np.zeros(5000)}
    record.arrays["drift/param/absolute"][3333] = 1e-3
    points = sparkline(record).points.split()
    assert len({point.split(",")[1] for point in points}) == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.62, "0.62"), (1, "1"), (38.2, "38"), (339, "339"), (1234, "1234"), (2.4e-7, "2.4e-7"),
        (2e-15, "2e-15"), (0.00123, "0.0012"), (9.96e-4, "0.001"), (1.7e9, "1.7e9"), (99.99, "100"),
        (np.inf, "∞"), (np.nan, "–"),
    ],
)  # fmt: skip
def test_numbers_read_well(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (0.0, "0 %"), (1e-9, "under 1 %"), (0.37, "37 %"), (0.9999, "99 %"), (1.0, "100 %"), (1.0000001, "101 %"),
        (25.0, "25 times"), (np.inf, "∞ %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_across_the_whole(used, text):
    assert words.share(used) == text


# Nothing in a record can harm the page.


def test_hostile_text_is_shown_and_not_obeyed(tmp_path):
    record = run_record(
        subject=HOSTILE, case={"desc": HOSTILE}, path=HOSTILE, dtype="float32", rerun=HOSTILE,
        evidence=finding(tensor=HOSTILE, line=HOSTILE, numpy_bits=HOSTILE, nearer=HOSTILE),
        first_difference=finding(line=HOSTILE), environment={"python": HOSTILE, "cpu": HOSTILE},
    )  # fmt: skip
    record.data["quantities"]["param"]["line"] = HOSTILE
    claims = [dict.fromkeys(("claim", "original", "found", "why"), HOSTILE) | {"holds": "partly"}]
    runs = [dict.fromkeys(("subject", "case", "dtype"), HOSTILE) | {"verdict": "rounding", "used": 0.3}]
    printed = [dict.fromkeys(("name", "notebook", "numpy", "torch", "equal"), HOSTILE)]
    experiment = experiment_record(title=HOSTILE, claims=claims, printed=printed, runs=runs, figures=["weights"])
    written = reports.render([record, experiment], tmp_path / "out")
    text = written.read_text("utf-8")
    page = Page(text)
    claims[0]["original"], plain_runs = "weights", [runs[0] | {"subject": "a", "case": "b", "dtype": "float32"}]
    other = experiment_record(figures=["weights"], claims=claims, runs=plain_runs)
    plain = Page(pages.index([run_record(), other], lambda *_: b"")[0])
    assert set(page.tags) == set(plain.tags)
    assert set(page.attributes) == set(plain.attributes)
    assert page.text.count("<script>alert(1)</script>") > 10
    assert "49" not in re.sub(r"data:[^\"]*", "", html.unescape(text)).split("</style>")[1]
    names = list((tmp_path / "out").rglob("*"))
    assert all(re.fullmatch(r"[\w.-]+", file.name) and (tmp_path / "out") in file.parents for file in names)
    assert len(list((tmp_path / "out/figures").iterdir())) == 5


def test_runs_of_one_name_keep_their_own_files():
    _, files = pages.index([run_record(case={"desc": "a/b"}), run_record(case={"desc": "a b"})], lambda *_: b"")
    assert len(files) == 4 + 2  # in full, and path and loss of the other


def test_the_page_needs_nothing_from_outside(tmp_path):
    text = reports.render([run_record()], tmp_path / "out").read_text("utf-8")
    page = Page(text)
    assert page.addresses
    for address in page.addresses:
        if address.startswith("figures/"):
            assert (tmp_path / "out" / address).is_file()
        else:
            assert address.startswith(("data:image/png;base64,", "#"))
    for address in [a for a in page.addresses if a.startswith("#")]:
        assert f'id="{address[1:]}"' in text
    assert "script" not in page.tags
    assert "url(" not in text
    assert "@import" not in text


def spoil_json(change):
    def spoil(file):
        data = json.loads(file.read_text("utf-8"))
        change(data)
        file.write_text(json.dumps(data), "utf-8")

    return spoil


def spoil_arrays(**arrays):
    def spoil(file):
        record = load(file)
        record.arrays |= {name.replace("_of_", "/").replace("_slash_", "/"): array for name, array in arrays.items()}
        record.save(file)

    return spoil


MALFORMED = {
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:300]), "no JSON, or truncated"),
    "of a later schema": (spoil_json(lambda data: data.update(version=99)), "version 99 of the schema"),
    "another archive": (
        spoil_json(lambda data: data["arrays"].update(sha256="0")),
        "is not the archive it was written with",
    ),
    "no verdict": (spoil_json(lambda data: data.pop("verdict")), "without verdict"),
    "a verdict of its own": (
        spoil_json(lambda data: data.update(verdict="fine")),
        "'verdict' is 'fine', not one of identical",
    ),
    "no steps": (spoil_json(lambda data: data.update(steps=0)), "'steps' is 0"),
    "half a finding": (spoil_json(lambda data: data["evidence"].pop("ulp")), "'evidence' has no proper ulp"),
    "a text for a number": (spoil_json(lambda data: data.update(used="much")), "'used' is 'much', no number"),
    "a kind of its own": (spoil_json(lambda data: data.update(kind="dream")), "of kind 'dream'"),
    "a quantity without a verdict": (
        spoil_json(lambda data: data["quantities"].update(v=3)),
        "quantity 'v' has no verdict",
    ),
    "a short series": (
        spoil_arrays(drift_of_param_slash_absolute=np.zeros(3)),
        "'drift/param/absolute' has shape (3,)",
    ),
    "a flat heat map": (spoil_arrays(heat_of_drift_slash_param=np.zeros(12)), "'heat/drift/param' has shape (12,)"),
    "a short path": (spoil_arrays(trace_of_path_slash_numpy=np.zeros((2, 2))), "'trace/path/numpy' has shape (2, 2)"),
    "words in an array": (spoil_arrays(trace_of_loss_slash_numpy=np.array(["a"] * 12)), "holds no numbers"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_record_is_refused_and_the_old_report_stays(name, tmp_path, capsys):
    spoil, expected = MALFORMED[name]
    good, bad, out = tmp_path / "records/good.json", tmp_path / "records/z.json", tmp_path / "out"
    for file in (good, bad):
        identical_record().save(file) if file == good else run_record().save(file)
    (out / "figures").mkdir(parents=True)
    (out / "index.html").write_text(reports.publish.MARK + "the old one", "utf-8")
    before = tree(out)
    spoil(bad)
    assert main(["--records", str(tmp_path / "records"), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert expected in captured.err.replace("\n", " ")
    assert captured.out == ""
    assert tree(out) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "records"]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("title", None, "without a 'title'"),
        ("claims", [{"claim": "x"}], "an entry of 'claims' is without holds, found, why"),
        ("printed", "none", "'printed' is no list"),
        ("printed", [3], "an entry of 'printed' is without name"),
    ],
)
def test_a_malformed_experiment_is_refused(field, value, expected, tmp_path):
    with pytest.raises(BadRecord, match=re.escape(expected)):
        reports.render([experiment_record(**{field: value})], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# Whole, or not at all.


def test_a_failure_in_the_middle_leaves_the_old_report(tmp_path, monkeypatch):
    out = tmp_path / "out"
    reports.render([identical_record()], out)
    before = tree(out)

    def fail(record):
        raise RuntimeError("no paper")

    monkeypatch.setattr(heat, "draw", fail)
    with pytest.raises(RuntimeError, match="no paper"):
        reports.render([run_record()], out)
    assert tree(out) == before
    assert list(tmp_path.iterdir()) == [out]


def test_a_new_report_replaces_the_old_one_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    reports.render([run_record()], out)
    (out / "notes.txt").write_text("mine")
    (out / "records").mkdir()
    (out / "records/a.json").write_text("a record")
    reports.render([identical_record()], out)
    assert sorted(tree(out)) == [
        "figures/optim.adam-plain-float32-single-drift.png", "index.html", "notes.txt", "records/a.json",
    ]  # fmt: skip
    assert "identical to the last bit" in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize("entry", ["index.html", "figures/mine.png"])
def test_somebody_elses_folder_is_left_alone(entry, tmp_path, capsys):
    out = tmp_path / "thesis"
    (out / entry).parent.mkdir(parents=True)
    (out / entry).write_text("years of work")
    run_record().save(tmp_path / "records/a.json")
    assert main(["--records", str(tmp_path / "records"), "--out", str(out)]) == 2
    assert "that is not of a report; name another folder" in capsys.readouterr().err.replace("\n", " ")
    assert tree(out) == {entry: b"years of work"}


# The command.


def test_only_some_subjects(tmp_path, capsys):
    for subject in ("optim.adam", "optim.sgd"):
        identical_record(subject=subject, rerun=None).save(tmp_path / f"records/{subject}.json")
    call = ["--records", str(tmp_path / "records"), "--out", str(tmp_path / "out")]
    assert main([*call, "--only", "optim.sgd"]) == 0
    page = Page((tmp_path / "out/index.html").read_text("utf-8"))
    assert "optim.sgd" in page.text
    assert "optim.adam" not in page.text
    assert main([*call, "--only", "optim.lion"]) == 2
    assert "no record of optim.lion; there are optim.adam, optim.sgd" in capsys.readouterr().err.replace("\n", " ")


def test_no_records_is_an_error(tmp_path, capsys):
    assert main(["--records", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "no records (NAME.json) there" in capsys.readouterr().err.replace("\n", " ")
    assert main(["--frobnicate"]) == 2
    assert main(["--records", str(tmp_path), "--mnist", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "--records runs nothing, so it goes with no --mnist" in capsys.readouterr().err.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []


def test_without_records_the_experiments_are_run(tmp_path, monkeypatch, capsys):
    told = []

    def collect(out_dir, only=None, progress=None, data=None):
        told.append((only, out_dir.name, data))
        progress("optim.adam", 1, 2)
        return [identical_record().save(out_dir / "adam.json")]

    monkeypatch.setitem(sys.modules, "lockstep.experiments", types.SimpleNamespace(collect=collect))
    out = tmp_path / "build/report"
    assert main(["--out", str(out), "--only", "optim.adam", "--mnist", "data"]) == 0
    assert told == [(["optim.adam"], "records", {"mnist": Path("data")})]
    assert capsys.readouterr().out == f"report: {out / 'index.html'}\n"
    assert sorted(file.name for file in out.iterdir()) == ["figures", "index.html", "records"]
    assert load(out / "records/adam.json")["verdict"] == "identical"
    assert [file.name for file in out.parent.iterdir()] == ["report"]


# Pictures of few colours.


def test_a_palette_of_few_colours_is_exact(tmp_path):
    generator = np.random.default_rng(0)
    colours = generator.permutation(32)[:, None] * np.array([8, 1, 7]) % 256  # no two in one bin
    pixels = colours[generator.integers(0, 32, (40, 30))].astype(np.uint8)
    file = tmp_path / "picture.png"
    file.write_bytes(palette.encode(pixels))
    decoded = np.rint(255 * matplotlib.image.imread(file)).astype(np.uint8)
    assert np.array_equal(decoded[..., :3], pixels)


def test_a_palette_of_many_colours_is_near():
    ramp = np.arange(256, dtype=np.uint8)
    pixels = np.stack([*np.meshgrid(ramp, ramp), np.full((256, 256), 90, np.uint8)], axis=-1)
    indices, colours = palette.reduce(pixels)
    assert len(colours) == 256
    # The entries that go to the furthest lie no further apart than 256 / sqrt(128) ≈ 23, and a bin is 8 wide.
    assert np.hypot(*(colours[indices].astype(int) - pixels)[..., :2].reshape(-1, 2).T).max() < 23 + 8


def test_a_picture_carries_no_date_and_no_name():
    content = style.png(loss.draw(run_record()))
    kinds, place = [], len(palette.SIGNATURE)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(content[place + 8 + length : place + 12 + length], "big")
        kinds.append(kind)
        place += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
