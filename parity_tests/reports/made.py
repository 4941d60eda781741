"""Records as a report meets them, made up, and hostile ones."""

import numpy as np

from lockstep.records.record import SCHEMA, VERSION, Record

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
        "worst": ["linear1.bias", [7], "ill-conditioned"], "worst_added": 1.2e-7, **changes,
    }  # fmt: skip
    arrays = {"growth/drift": np.geomspace(1e-8, 0.028, STEPS), "growth/defect": np.full(STEPS, 1e-8)}
    arrays["growth/alone"] = np.geomspace(1e-8, 1.2e-7, STEPS)
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


def line(name: str, **changes):
    """A line of a walk, equal on both sides."""
    return {
        "line": name, "code": f"{name} = beta1 * exp_avg + (1 - beta1) * d", "shape": [6], "index": [1],
        "torch_code": f"{name} = ops.lerp(exp_avg, d, 1 - beta1)", "numpy": 0.25, "numpy_bits": "0x3e800000",
        "torch": 0.25, "torch_bits": "0x3e800000", "operations": [{"name": "lerp_", "value": 0.25}], "shown": True,
        "idle": False, "ulp_here": 0.0, "differing": 0, "elements": 6, "ulp": 0.0, "scaled_ulp": 0.0, **changes,
    }  # fmt: skip


def apart():
    """What is otherwise of a line that is one ulp apart in two elements of six."""
    value = float(np.uint32(0x3E800001).view(np.float32))
    ulps = {"ulp_here": 1.0, "ulp": 1.0, "scaled_ulp": 1.0}
    return {"torch": value, "torch_bits": "0x3e800001", "differing": 2, **ulps}


def walked(number: int, first: str | None = None):
    """A step of a walk; from line `first` on they are apart."""
    hidden = {
        "shown": False, "torch": None, "torch_bits": None, "operations": [], "torch_code": None, "ulp_here": None,
        "elements": 0,
    }  # fmt: skip
    lines = [
        line("d", idle=True, code="d = g", operations=[]), line("m", **(apart() if first == "m" else {})),
        line("m_hat", **hidden), line("param", **(apart() if first else {})),
    ]  # fmt: skip
    stage = {
        "stage": "update", "tensor": "theta", "shape": [6], "lines": lines, "first": first, "equations": EQUATIONS,
        "operations": ["lerp_", "lerp_"],
    }  # fmt: skip
    return {"step": number, "stages": [stage]}


EQUATIONS = {
    "d": "d_t = g_t",
    "m": r"m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,d_t",
    "m_hat": r"\hat m_t = m_t / (1 - \beta_1^t)",
    "param": r"\theta_t = \theta_{t-1} - \alpha\,\hat m_t",
}


def walk_record(**changes) -> Record:
    """Four steps, made up: the sides part at the third, at line m."""
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "walk", "subject": "optim.adam", "case": {"desc": "plain"},
        "dtype": "float32", "path": "single", "seed": 0, "steps": 4, "environment": {"python": "3.11.7"},
        "equations": EQUATIONS, "first_step": 3,
        "state": {"exp_avg": "m"}, "rerun": "lockstep ledger optim.adam --step 3",
        "source": {"paper": "def paper(exp_avg, d):\n    m = beta1 * exp_avg + (1 - beta1) * d\n    return m"},
        "walked": [walked(1), walked(2), walked(3, "m"), walked(4, "m")], **changes,
    }  # fmt: skip
    return Record(data, {})


def cell(used: float, error: float, **changes):
    shows = used > 1
    found = {"error": error, "state": None, "used": used, "step": 1 if shows else None, "line": "v" if shows else None}
    return found | changes


FAITHFUL = {"name": "faithful", "id": None, "twins": []}
WORDS = {"key": "verdict.broken.meaning", "values": {}}
MET = {"key": "cause.met", "values": {"seen": "somebody/something#1"}}


def cause(name: str, **changes):
    """A cause of a detection."""
    return {
        "id": name.split(" ", 1)[0], "variant": "", "name": name, "formula": r"s_t = \sqrt{\hat v_t + \epsilon}",
        "equations": {"denom": r"s_t = \sqrt{\hat v_t} + \epsilon"},
        "changes": [
            {"of": "line", "line": "denom", "ours": "np.sqrt(v_hat) + eps", "theirs": "np.sqrt(v_hat + eps)"}
        ],
        "behaviour": None, "code": None, "free": {}, "seen": MET, "threads": [],
        "fix": WORDS, "first_shows": WORDS, "note": None, "first": {"step": 1, "line": "param"}, "shows": "tiny",
        "verdict": "different", "dtypes": ["float32"], "twins": [], "steps": STEPS, "dtype": "float32",
        "quantity": "param", "tensor": "theta", "index": [1], **changes,
    }  # fmt: skip


def scenario(name: str):
    return {"name": name, "why": WORDS, "case": {"desc": name}, "steps": 8}


def detection_record(**changes) -> Record:
    """Two causes in two scenarios, made up: one shows in one of them, the other in both."""
    cells = [
        [cell(0.3, 6e-5), cell(0.2, 3e-5)], [cell(2e4, 0.98), cell(0.4, 6e-5)], [cell(9e3, 0.5), cell(11.0, 2e-3)],
    ]  # fmt: skip
    data = {
        "schema": SCHEMA, "version": VERSION, "kind": "detection", "subject": "optim.adam", "dtype": "float32",
        "seed": 0, "steps": STEPS, "environment": {"python": "3.11.7"}, "unit": "lr", "equations": EQUATIONS,
        "scenarios": [scenario("tiny"), scenario("plain")], "rerun": "lockstep causes optim.adam",
        "causes": [FAITHFUL, cause("eps-inside-sqrt"), cause("eps-value (1e-06)")], "cells": cells, **changes,
    }  # fmt: skip
    way = np.linspace(0, 1, STEPS)
    arrays = {}
    for number in (1, 2):
        arrays |= {f"trajectory/{number}/numpy": way * number, f"trajectory/{number}/torch": way}
        arrays[f"trajectory/{number}/drift"] = way * number
    return Record(data, arrays)
