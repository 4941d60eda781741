"""The notebook, whole, on both sides: its runs, the numbers it prints, and what its claims rest on."""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np

from lockstep.cases.layers import LayerCase
from lockstep.cases.models import Training
from lockstep.cases.notebook import (
    ADAM_STEPS,
    DEEP,
    LARGE,
    LARGE_ONES,
    LATER,
    RATES,
    REGULAR,
    SAMPLES,
    STEPS,
    TUNING_STEPS,
)
from lockstep.experiments.notebook.chapters import chapter_of, chapters, taking_part
from lockstep.experiments.notebook.claims import OWN, Facts, Gain, Rate, Spot, claims
from lockstep.experiments.notebook.parts import SIDES, Losses
from lockstep.numerics.environment import environment
from lockstep.numerics.shapes import Array, Flat
from lockstep.records.kinds.experiment import ExperimentRecord, PrintedNumber, RunEntry
from lockstep.records.kinds.run import RunRecord
from lockstep.records.schema import plain, read
from lockstep.subjects.registry import choose, find
from lockstep.text import message

PRINTED = {  # by what `printed.NAME` calls it
    "position.sgd": "[-1.43895475 2.07827576]",
    "position.rmsprop": "[-1.44510831 2.10798598]",
    "position.adam": "[-1.53115606 2.35174454]",
    "loss.none": "0.0007",
    "loss.l2": "0.0176",
    "loss.dropout": "0.0017",
    "norm.none": "2.6515",
    "norm.l2": "2.2032",
    "norm.dropout": "2.8845",
    "batchnorm.first": "[-1.34163542 -0.44721181 0.44721181 1.34163542]",
    "batchnorm.second": "[-1.34163542 -0.44721181 0.44721181 1.34163542]",
    "batchnorm.deviation": "[0.999996 0.999996]",
}


def plan() -> dict[str, dict[str, Any]]:
    """Every run of the study, as the subjects declare them: its name, and the arguments of `lockstep.run`."""
    return {
        name: {"subject": path, **arguments} for path, shown in taking_part() for name, arguments in shown.runs.items()
    }


def optimizers() -> list[str]:
    """What the optimizers are called in it, in its order."""
    return [name.removeprefix("optim/") for name in plan() if name.startswith("optim/")]


def part(name: str) -> tuple[str, dict[str, Any], str]:
    """What a run of `plan` is made of: the arguments of `lockstep.experiments.notebook.parts.part`."""
    arguments = plan()[name]
    case = choose(find(arguments["subject"]), arguments["case"])
    after = next((shown.then[name] for _, shown in taking_part() if name in shown.then), "")
    return name, arguments | {"case": case}, after


def record(parts: Mapping[str, RunRecord]) -> ExperimentRecord:
    """The record of the experiment.

    Arguments:
        parts: what `part` made of each run of `plan`.
    """
    arrays = dict(drawn(parts))
    facts = {side: measured(parts, side, arrays) for side in SIDES}
    return ExperimentRecord(
        subject="notebook",
        environment=environment(),
        title="The notebook's experiments",
        optimum=(1.0, 1.0),
        chapters=chapters(plan()),
        settings=settings(),
        printed=printed(arrays),
        claims=claims(facts["ours"], facts["theirs"]),
        runs=tuple(
            RunEntry(
                subject=part.subject,
                case=part.desc,
                dtype=part.dtype,
                steps=part.steps,
                verdict=part.verdict,
                used=part.used,
            )
            for part in parts.values()
        ),
        arrays=arrays,
    )


def settings() -> dict[str, Any]:
    """What the notebook promises and does not write, and what was chosen for it; and its hyperparameters."""
    cases = {name: choose(find(arguments["subject"]), arguments["case"]) for name, arguments in plan().items()}
    chosen = {name: cases[f"optim/{name}"].hyperparameters for name in optimizers()}
    networks = {name: cast(Training, cases[f"regular/{name}"]).network for name in REGULAR}
    added = {name: message(f"claim.added.{name}") for name in ("adagrad", "l1")}
    return read(Any, plain({"optim": chosen, "regular": networks, "added": added}))


def drawn(parts: Mapping[str, RunRecord]) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of the notebook's figures, on both sides, in its layout."""
    for name in optimizers():
        arrays = parts[f"optim/{name}"].arrays
        for side in SIDES:
            yield f"nb/optim/{name}/{side}/path", arrays[f"trace/path/{side}"]
            yield f"nb/optim/{name}/{side}/loss", arrays[f"nb/loss/{side}"]
    for name in REGULAR:
        arrays = parts[f"regular/{name}"].arrays
        for side in SIDES:
            yield f"nb/regular/{name}/{side}/losses", arrays[f"trace/loss/{side}"]
            yield f"nb/regular/{name}/{side}/W1", arrays[f"nb/W1/{side}"]
    example = plan()["batchnorm"]
    layer = choose(find(example["subject"]), example["case"])
    yield "nb/batchnorm/before", cast(LayerCase, layer).inputs(np.random.default_rng(0), 1, "float64")[0].T.copy()
    for side in SIDES:
        yield f"nb/batchnorm/{side}", parts["batchnorm"].arrays[f"nb/output/{side}"]
    x, y = np.linspace(-2, 2, 100), np.linspace(-1, 3, 100)
    function = importlib.import_module("reference.functions").FUNCTIONS["rosenbrock"]
    yield "trace/contour/x", x
    yield "trace/contour/y", y
    yield "trace/contour/z", function.evaluate({"theta": np.stack(np.meshgrid(x, y))}).value


def printed(arrays: dict[str, Array]) -> tuple[PrintedNumber, ...]:
    """The notebook's numbers beside ours, in its format."""
    ours, theirs = (texts(arrays, side) for side in SIDES)
    return tuple(
        PrintedNumber(
            name=message(f"printed.{name}"),
            notebook=text,
            ours=ours[name],
            theirs=theirs[name],
            equal=ours[name] == text,
            chapter=chapter_of(name),
        )
        for name, text in PRINTED.items()
    )


def texts(arrays: dict[str, Array], side: str) -> dict[str, str]:
    """What one side would have the notebook print."""
    numbers = {}
    for name in OWN:
        numbers[f"position.{name}"] = as_printed(arrays[f"nb/optim/{name}/{side}/path"][-1])
    for name in REGULAR:
        numbers[f"loss.{name}"] = f"{arrays[f'nb/regular/{name}/{side}/losses'][-1]:.4f}"
        numbers[f"norm.{name}"] = f"{np.linalg.norm(arrays[f'nb/regular/{name}/{side}/W1']):.4f}"
    out = arrays[f"nb/batchnorm/{side}"]
    numbers |= {"batchnorm.first": as_printed(out[0]), "batchnorm.second": as_printed(out[1])}
    return numbers | {"batchnorm.deviation": as_printed(np.std(out, axis=1))}


def as_printed(array: Array) -> str:
    """An array as `print` shows it by default, a space between the numbers."""
    text = np.array2string(array, precision=8, suppress_small=False, floatmode="maxprec", max_line_width=1000)
    return " ".join(text.replace("[", "[ ").split()).replace("[ ", "[")


def gain(better: Flat) -> Gain:
    """The mean of a gain over samples, and the standard error of that mean."""
    return Gain(float(better.mean()), float(better.std(ddof=1) / np.sqrt(better.size)))


def measured(parts: Mapping[str, RunRecord], side: str, arrays: Mapping[str, Array]) -> Facts:
    """What the claims are about, on one side."""

    def of(name: str, what: str) -> np.ndarray:
        return parts[name].arrays[f"{what}/{side}"]

    def spot(name: str) -> Spot:
        place = of(name, "trace/path")[-1]
        return Spot(float(np.hypot(*(place - 1))), float(of(name, "nb/loss")[-1]))

    def accuracy(name: str) -> float:
        return float(of(name, "trace/accuracy")[-1])

    def rate(name: str) -> Rate:
        loss = of(name, "trace/loss")
        return Rate(accuracy(name), float(np.max(np.diff(loss))), float(loss[-1] / loss[0]))

    def gains(chapter: str, names: tuple[str, ...]) -> dict[str, Gain]:
        fresh = {name: of(f"{chapter}/{name}", "nb/fresh") for name in ("none", *names)}
        return {name: gain(fresh["none"] - fresh[name]) for name in names}

    adam, then_sgd = of("tuned/adam", "nb/right"), of("tuned/start", "nb/tuned")
    fits = {
        name: Losses(of(f"regular/{name}", "nb/seen"), of(f"regular/{name}", "nb/fresh")) for name in (*REGULAR, "both")
    }
    out, before = arrays[f"nb/batchnorm/{side}"], arrays["nb/batchnorm/before"]
    variance, eps = float(np.var(before[0])), 1e-5
    return Facts(
        steps=STEPS,
        left={name: spot(f"optim/{name}") for name in optimizers()},
        later_steps=LATER,
        later={name: spot(f"later/{name}") for name in OWN},
        norms={name: float(np.linalg.norm(arrays[f"nb/regular/{name}/{side}/W1"])) for name in REGULAR},
        samples=SAMPLES,
        seen={name: float(fit.seen.mean()) for name, fit in fits.items()},
        fresh={name: float(fit.fresh.mean()) for name, fit in fits.items()},
        gains=gains("regular", ("l2", "l1", "dropout", "both")),
        large=LARGE,
        fresh_large={name: float(of(f"large/{name}", "nb/fresh").mean()) for name in LARGE_ONES},
        gains_large=gains("large", ("l2", "dropout")),
        mean=float(np.max(np.abs(out.mean(axis=1)))),
        variance=float(out.var(axis=1)[0]),
        expected_variance=variance / (variance + eps),
        # m terms are added and each has been rounded at most 8 times on its way from x
        rounding=float((out.shape[1] + 8) * np.finfo(np.float64).eps * np.max(out**2)),
        rate_steps=100,
        rates={bool(b): {lr: rate(f"rates/{b}/{lr}") for lr in RATES} for b in (0, 1)},
        depth=len(DEEP),
        deep={name: (accuracy(f"deep/0/{name}"), accuracy(f"deep/1/{name}")) for name in ("sgd", "adam")},
        adam=float(adam.mean()),
        tuned=gain(then_sgd - adam),
        held_back=adam.size,
        adam_steps=ADAM_STEPS,
        tuning_steps=TUNING_STEPS,
    )
