"""Records as a report meets them, made up, and hostile ones."""

import dataclasses

import numpy as np

from lockstep.numerics.environment import Environment
from lockstep.numerics.probe import Machine
from lockstep.records.kinds.detection import DetectionRecord
from lockstep.records.kinds.experiment import ExperimentRecord
from lockstep.records.kinds.explanation import ExplanationRecord
from lockstep.records.kinds.growth import Growth
from lockstep.records.kinds.laboratory import LaboratoryRecord
from lockstep.records.kinds.run import RunRecord
from lockstep.records.kinds.walk import WalkRecord
from lockstep.records.record import SCHEMA, VERSION, Record
from lockstep.records.schema import plain

STEPS = 12
NEXT = 0.25 + 2.0**-25  # the float32 after 0.25
QUANTITIES = {"grad": "grad", "param": "param", "exp_avg": "m"}
HOSTILE = "<script>alert(1)</script> $\\frac{x}{$ & \"'><img src=x onerror=alert(2)> 한글 \u202e{{ 7 * 7 }}"


def made(data, arrays):
    """A record as it is read; `arrays` among the data are in the place of its own."""
    environment = plain(Environment(python="3.11.7", threads=1)) | data["environment"]
    return Record.from_json(
        {"schema": SCHEMA, "version": VERSION} | data | {"environment": environment}, data.get("arrays", arrays)
    )


def finding(**changes):
    return {
        "step": 3, "stage": "", "quantity": "param", "tensor": "theta", "line": "param", "index": [1], "shape": [2],
        "differing": 1, "elements": 2, "ours": 0.25, "theirs": NEXT, "ours_bits": "0x3e800000",
        "theirs_bits": "0x3e800001", "exact": 0.25000001, "dtype": "float32",
        "allowed": 4e-8, "absolute": 3e-8, "relative": 1.2e-7, "ulp": 1.0, "used": 0.37, "nearer": "ours",
        "verdict": "rounding", **changes,
    }  # fmt: skip


def run_record(**changes) -> RunRecord:
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
        "trace/path/ours": way,
        "trace/path/theirs": way + np.concatenate([[0.0], apart])[:, None],
        "trace/loss/ours": np.geomspace(12, 0.5, STEPS),
        "trace/loss/theirs": np.geomspace(12, 0.5, STEPS) + apart,
        "trace/contour/x": x,
        "trace/contour/y": x + 4,
        "trace/contour/z": x[None, :] ** 2 + x[:, None] ** 2,
    }
    data = {
        "kind": "run", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS,
        "environment": {},
        "verdict": "rounding", "used": 0.37, "broken": None, "first_difference": finding(), "evidence": finding(),
        "closest_call": finding(), "first_drift": 3, "equations": {}, "notes": [],
        "quantities": {name: {"line": line, "verdict": "rounding"} for name, line in QUANTITIES.items()},
        "rerun": "lockstep run optim.adam --case plain", **changes,
    }  # fmt: skip
    return made(data, arrays)


def identical_record(**changes) -> RunRecord:
    settings = {"used": 0.0, "first_difference": None, "evidence": None, "closest_call": None, **changes}
    quantities = {name: {"line": name, "verdict": "identical"} for name in QUANTITIES}
    record = run_record(**{"verdict": "identical", "quantities": quantities, **settings})
    zeros = {key: 0 * np.nan_to_num(array) for key, array in record.arrays.items() if not key.startswith("trace")}
    return dataclasses.replace(record, arrays=zeros | {"drift/param/elements": np.full(STEPS, 2.0)})


def claim(text: str, holds, found: str, why: str):
    return {"claim": text, "original": "", "holds": holds, "found": found, "why": why, "theirs": holds}


def printed(**changes):
    return {
        "name": "SGD", "notebook": "[-1.4 2.07]", "ours": "[-1.4 2.07]", "theirs": "[-1.4 2.08]", "equal": False,
        "chapter": "", **changes,
    }  # fmt: skip


def chapter(name: str, **changes):
    empty = {"figures": [], "printed": [], "runs": None, "subjects": [], "claims": False, "code": ""}
    return {"name": name} | empty | changes


def experiment_record(**changes) -> ExperimentRecord:
    """The notebook's record, made up: 20 steps of each optimizer, 60 of training."""
    way = {name: np.linspace((-1.5, 2.5), (-1.4 + i / 10, 2.0), 21) for i, name in enumerate(("adam", "sgd", "lion"))}
    arrays = {"trace/contour/x": np.linspace(-2, 2, 21), "trace/contour/y": np.linspace(-1, 3, 21)}
    arrays["trace/contour/z"] = arrays["trace/contour/x"][None, :] ** 2 + arrays["trace/contour/y"][:, None] ** 2
    for name, values in way.items():
        for side, shift in (("ours", 0.0), ("theirs", 2e-15)):
            arrays[f"nb/optim/{name}/{side}/path"] = values + shift
            arrays[f"nb/optim/{name}/{side}/loss"] = np.geomspace(12, 6, 21) + shift
    for scale, name in enumerate(("none", "l2", "l1", "dropout"), start=1):
        for side, shift in (("ours", 0.0), ("theirs", 1e-16)):
            arrays[f"nb/regular/{name}/{side}/losses"] = np.geomspace(0.7, 0.01 * scale, 60) + shift
            arrays[f"nb/regular/{name}/{side}/W1"] = np.linspace(-1, 1, 40).reshape(20, 2) / scale + shift
    before = np.array([[2.0, 3, 4, 5], [1, 2, 3, 4]])
    after = (before - before.mean(axis=1, keepdims=True)) / np.sqrt(before.var(axis=1, keepdims=True) + 1e-5)
    arrays |= {"nb/batchnorm/before": before, "nb/batchnorm/ours": after, "nb/batchnorm/theirs": after}
    data = {
        "kind": "experiment", "subject": "notebook", "title": "The notebook",
        "optimum": [1, 1],
        "environment": {},
        "claims": [
            claim("Adam converges fastest", False, "it is last", "short steps"),
            claim("L2 limits the weights", True, "2.2 against 2.6", "it pulls"),
            claim("higher learning rates", None, "nothing tests it", "no run"),
        ],
        "printed": [printed()], "settings": {}, "figures": [], "chapters": [], "runs": [],
        **changes,
    }  # fmt: skip
    return made(data, arrays)


RUNGS = tuple(
    {"key": f"rung.{key}", "values": values}
    for key, values in (("paper", {}), ("pytorch", {}), ("fused", {}), ("kernel", {"name": "sqrt"}))
)
FINDINGS = {
    "missing": None,
    "machine": plain(Machine(python="3.11.7", cpu="a CPU", threads=2)),
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
    "vector": {},
    "lanes": {},
    "halves": [],
    "kernel_ulps": {},
    "flushed": {},
}


def explanation_record(names=RUNGS, /, **changes) -> ExplanationRecord:
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
        "kind": "explanation", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS, "environment": {},
        "rungs": table, "explained": True, "kernels": ["sqrt"], "left": None, "findings": FINDINGS,
        "rerun": "lockstep explain optim.adam --case plain", **changes,
    }  # fmt: skip
    return made(data, arrays)


def growth_record(**changes) -> Growth:
    data = {
        "kind": "growth", "subject": "models.mlp", "case": {"desc": "a bias"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS, "environment": {},
        "start": 1e-8, "differing": 9, "elements": 20, "ill_conditioned": {"linear1.bias": 5, "linear1.weight": 0},
        "classes": {"added by the steps": 0, "multiplied by the problem": 4, "ill-conditioned": 5},
        "worst": ["linear1.bias", [7], "ill-conditioned"], "worst_added": 1.2e-7, **changes,
    }  # fmt: skip
    arrays = {"growth/drift": np.geomspace(1e-8, 0.028, STEPS), "growth/defect": np.full(STEPS, 1e-8)}
    arrays["growth/alone"] = np.geomspace(1e-8, 1.2e-7, STEPS)
    return made(data, arrays | {"growth/spread": np.geomspace(1e-8, 2e-3, STEPS)})


def left(**changes):
    """The first element that is left."""
    unknown = {"exact": "nan", "allowed": "nan", "used": "nan", "nearer": "unknown", "verdict": None}
    return finding(stage="update", line="denom", **unknown) | changes


def unexplained_record() -> ExplanationRecord:
    record = explanation_record(explained=False, left=left())
    last = dataclasses.replace(record.rungs[-1], differing=2, max_ulp=7.0, first_step=3)
    arrays = record.arrays | {"rung/3/param/scaled_ulp": np.where(np.arange(STEPS) < 2, 0.0, 7.0)}
    return dataclasses.replace(record, rungs=(*record.rungs[:-1], last), arrays=arrays)


def line(name: str, **changes):
    """A line of a walk, equal on both sides."""
    return {
        "line": name, "code": f"{name} = beta1 * exp_avg + (1 - beta1) * d", "shape": [6], "index": [1],
        "their_code": f"{name} = ops.lerp(exp_avg, d, 1 - beta1)", "dtype": "float32", "ours": 0.25,
        "ours_bits": "0x3e800000", "theirs": 0.25, "theirs_bits": "0x3e800000",
        "operations": [{"name": "lerp_", "value": 0.25}], "idle": False,
        "ulp_here": 0.0, "differing": 0, "elements": 6, "ulp": 0.0, "scaled_ulp": 0.0, **changes,
    }  # fmt: skip


def apart():
    """What is otherwise of a line that is one ulp apart in two elements of six."""
    ulps = {"ulp_here": 1.0, "ulp": 1.0, "scaled_ulp": 1.0}
    return {"theirs": NEXT, "theirs_bits": "0x3e800001", "differing": 2, **ulps}


def walked(first: str | None = None):
    """The stages of a step of a walk; from line `first` on they are apart."""
    hidden = {
        "theirs": None,
        "theirs_bits": None,
        "operations": [],
        "their_code": None,
        "ulp_here": None,
        "elements": 0,
    }
    lines = [
        line("d", idle=True, code="d = g", operations=[]), line("m", **(apart() if first == "m" else {})),
        line("m_hat", **hidden), line("param", **(apart() if first else {})),
    ]  # fmt: skip
    return [{"stage": "update", "tensor": "theta", "shape": [6], "lines": lines, "equations": EQUATIONS}]


EQUATIONS = {
    "d": "d_t = g_t",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "m_hat": r"\hat m_t = m_t / (1 - \beta_1^t)",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,\hat m_t",
}


def walk_record(**changes) -> WalkRecord:
    """Four steps, made up: the sides part at the third, at line m."""
    data = {
        "kind": "walk", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": 4, "environment": {},
        "equations": EQUATIONS,
        "state": {"exp_avg": "m"}, "rerun": "lockstep ledger optim.adam --step 3", "panel": None,
        "source": {"paper": "def paper(exp_avg, d):\n    m = beta1 * exp_avg + (1 - beta1) * d\n    return m"},
        "walked": [walked(), walked(), walked("m"), walked("m")], **changes,
    }  # fmt: skip
    return made(data, {})


def cell(used: float, error: float, **changes):
    shows = used > 1
    found = {"error": error, "state": None, "used": used, "step": 1 if shows else None, "line": "v" if shows else None}
    return found | changes


WORDS = {"key": "verdict.broken.meaning", "values": {}}
MET = {"key": "cause.met", "values": {"seen": "somebody/something#1"}}


def cause(name: str, **changes):
    """A cause of a detection."""
    return {
        "id": name.split(" ", 1)[0], "variant": "", "formula": r"s_t = \sqrt{\hat v_t + \epsilon}",
        "equations": {"denom": r"s_t = \sqrt{\hat v_t} + \epsilon"},
        "changes": [
            {"of": "line", "line": "denom", "ours": "np.sqrt(v_hat) + eps", "theirs": "np.sqrt(v_hat + eps)"}
        ],
        "behaviour": None, "code": None, "free": {}, "seen": MET, "threads": [],
        "fix": WORDS, "first_shows": WORDS, "note": None, "first": {"step": 1, "line": "param"}, "shows": "tiny",
        "verdict": "different", "dtypes": ["float32"], "steps": STEPS, "dtype": "float32",
        "quantity": "param", "tensor": "theta", "index": [1], **changes,
    }  # fmt: skip


def scenario(name: str):
    return {"name": name, "why": WORDS, "case": {"desc": name}, "steps": 8}


ERRORS = (
    [cell(0.3, 6e-5), cell(0.2, 3e-5)], [cell(2e4, 0.98), cell(0.4, 6e-5)], [cell(9e3, 0.5), cell(11.0, 2e-3)],
)  # fmt: skip


def rows(causes=("eps-inside-sqrt", "eps-value (1e-06)"), cells=ERRORS):
    """The rows of a table of these causes, each a name or a cause of its own; the first is the faithful one."""
    entries = [(one, cause(one)) if isinstance(one, str) else one for one in causes]
    return [
        {"name": name, "cells": own, "cause": entry}
        for (name, entry), own in zip([("faithful", None), *entries], cells, strict=True)
    ]


def detection_record(**changes) -> DetectionRecord:
    """Two causes in two scenarios, made up: one shows in one of them, the other in both."""
    data = {
        "kind": "detection", "subject": "optim.adam", "dtype": "float32", "seed": 0, "steps": STEPS, "environment": {},
        "unit": "lr", "scenarios": [scenario("tiny"), scenario("plain")], "rerun": "lockstep causes optim.adam",
        "rows": rows(), **changes,
    }  # fmt: skip
    way = np.linspace(0, 1, STEPS)
    arrays = {}
    for number in range(1, len(data["rows"])):
        arrays |= {f"trajectory/{number}/ours": way * number, f"trajectory/{number}/theirs": way}
        arrays[f"trajectory/{number}/drift"] = way * number
    return made(data, arrays)


PAPER = """
def paper(param, grad, momentum_buffer, *, step, lr, maximize):
    g = -grad if maximize else grad
    buf = momentum_buffer + g
    param = param - lr * buf
    return Lines(g, buf, param)
"""
AXES = {"least_axes": 0, "most_axes": None, "axis": None}
FUNCTION = """
def bowl(x, y, curvature=2):
    value = 0.5 * (x**2 + curvature * y**2)
    dx = x
    dy = curvature * y
    return Slope(value, dx, dy)
"""


def setting(**changes):
    return {
        "name": "plain", "why": None, "case": {"desc": "plain", "problem": "bowl", "hyperparameters": {"lr": 0.1}},
        "dtype": "float32", "path": "single", "seed": 0, "steps": STEPS, "shape": [2],
        "hyperparameters": {"lr": 0.1, "maximize": False}, **changes,
    }  # fmt: skip


def laboratory_record(**changes) -> LaboratoryRecord:
    """A formula of three lines and one setting, made up."""
    data = {
        "kind": "laboratory", "subject": "optim.adam", "environment": {},
        "equations": {"g": "g_t", "buf": "b_t = b_{t-1} + g_t", "param": r"\theta_t = \theta_{t-1} - \alpha\,b_t"},
        "state": {
            "step": {"line": "step", "kind": "count", "start": 0.0, "when": "", **AXES},
            "momentum_buffer": {"line": "buf", "kind": "array", "start": 0.0, "when": "", **AXES},
        },
        "source": {"paper": PAPER, "pytorch": PAPER.replace("def paper", "def pytorch")},
        "functions": {"bowl": {"paper": FUNCTION, "pytorch": FUNCTION}}, "settings": [setting()], "powers": [],
        "sparse": False, "lead": None,
        **changes,
    }  # fmt: skip
    way = np.linspace((-2, 3), (0, 0), STEPS + 1, dtype=np.float32)
    arrays = {}
    for number, _ in enumerate(data["settings"]):
        arrays |= {f"{number}/param": way, f"{number}/grad": way[1:], f"{number}/state/momentum_buffer": way}
    return made(data, arrays)
