"""Slips planted alone and two together, and what the diagnosis makes of them: the table that a slow test prints.

python -m parity_tests.support.mutants [--some N] [SUBJECT …]
"""

import collections
import dataclasses
import itertools
import random
import sys
from typing import Any

import numpy as np

from lockstep.causes import Scenario, scenarios
from lockstep.causes.planting import may_join
from lockstep.causes.source import BadEdit
from lockstep.checking.driving.trials import trials
from lockstep.diagnose.by_line.lines import Quick
from lockstep.diagnose.by_line.mutation import ALONE, Mutant, mutants
from lockstep.diagnose.diagnosis import diagnose
from lockstep.diagnose.replay import replay
from lockstep.recordings.recording import Recording, Step
from lockstep.subjects.registry import find, subjects
from parity_tests.support.reference_recordings import recordings

ANSWERED, PARTLY, UNNAMED, WRONG = "answered", "in part", "not named", "wrong"
Hypothesis = tuple[Any, ...]


def tried() -> list[tuple[str, str]]:
    """Every subject whose formula is one of lines, with each class of its file that states one.

    What takes the entries of a sparse gradient alone is no call on a tensor, and is not searched.
    """
    found = []
    for subject in subjects():
        if getattr(own_formula(subject), "SPARSE", "") == "alone" or subject.family.recorded == "states":
            continue
        if hasattr(own_formula(subject), "STATE") or hasattr(own_formula(subject), "GRADS"):  # steps or passes
            layers = dict.fromkeys(getattr(one.case, "layer", "") for one in trials(subject))
            found += [(subject.path, layer) for layer in layers if layer != "BatchNorm2d"]
    return found


def own_formula(subject: Any) -> type | None:
    """The class that states the formula; None where there is none, as of a network put together of others."""
    own = [value for value in vars(subject.reference).values() if isinstance(value, type) and hasattr(value, "ORDERS")]
    return next(iter(own), None) if subject.family.name in ("optim", "layers", "penalty") else None


def situations(path: str, layer: str) -> list[Scenario]:
    """What it is tried on: the scenarios of the catalogue, or the cases of a subject without any."""
    known = [one.scenario for one in trials(find(path)) if getattr(one.case, "layer", "") == layer and not one.mishap]
    if layer:
        return known[:8]
    return scenarios(path) or [one for one in known if not one.case.desc.startswith("its own")][:10]


def planted(path: str, layer: str, slips: Hypothesis, dtype: str, hidden: bool, seed: int = 0) -> list[Recording]:
    """What the reference does with these slips in it."""
    made = recordings(path, list(slips), dtype, situations(path, layer), seed)
    if not hidden:
        return made
    bare = [[dataclasses.replace(s, state={}) if isinstance(s, Step) else s for s in one.steps] for one in made]
    return [dataclasses.replace(one, steps=steps) for one, steps in zip(made, bare, strict=True)]


def slips(path: str, layer: str) -> list[Mutant]:
    """All single ones of a formula, with a number in those that have one."""
    recording = max(planted(path, layer, (), "float64", hidden=False), key=lambda one: len(one.hyperparameters))
    there = Quick([recording]).of(recording)
    assert there is not None
    made = mutants(*there, path, layer)
    numbers = {"factor": 0.37, "bound": 0.5}
    return [one.solved(**{name: numbers[name] for name in one.free}) if one.free else one for one in made]


def shows(path: str, layer: str, made: Hypothesis) -> list[Recording] | None:
    """The recordings, if it is a formula that makes other numbers than PyTorch's."""
    try:
        found = planted(path, layer, made, "float64", hidden=False)
    except (ArithmeticError, AttributeError, BadEdit, LookupError, NameError, TypeError, ValueError):
        return None
    finite = all(np.isfinite(array).any() for one in found for step in one.steps for array in after(step) if array.size)
    try:
        return found if finite and not all(replay(one).explains for one in found) else None
    except ValueError:
        return None


def after(step: Any) -> list[np.ndarray]:
    return list(step.after.values()) if isinstance(step, Step) else [np.asarray(step.output)]


def answered(path: str, layer: str, made: Hypothesis, hidden: bool) -> tuple[str, str]:
    """How the diagnosis does: answered is a formula that is the same on numbers it has not been named for, too."""
    found = diagnose(planted(path, layer, made, "float64", hidden))
    named = " + ".join(cause.name for cause in found.causes)
    if found.answer:
        others = planted(path, layer, made, "float64", hidden, seed=1)
        return (ANSWERED if all(replay(one, found.causes).explains for one in others) else WRONG), named
    return (PARTLY if found.partly else UNNAMED), named


def counted(path: str, layer: str, made: list[Hypothesis], hidden: bool, say) -> collections.Counter:
    counts: collections.Counter = collections.Counter()
    for one in made:
        word, named = answered(path, layer, one, hidden)
        counts[word] += 1
        if word != ANSWERED:
            say(f"  {word}: {' + '.join(slip.name for slip in one)} gives {named or 'nothing'}")
    return counts


HEAD = f"{'':38}{'state':8}{'single':>8}{'answered':>10}{'wrong':>7}{'pairs':>7}{'answered':>10}{'wrong':>7}"


def row(path: str, layer: str, hidden: bool, single: collections.Counter, double: collections.Counter) -> str:
    def share(counts):
        return f"{counts[ANSWERED] / counts.total():.1%}" if counts.total() else "-"

    name = f"{path} {layer}"
    cells = f"{name:38}{'hidden' if hidden else 'seen':8}{single.total():8}{share(single):>10}{single[WRONG]:7}"
    return f"{cells}{double.total():7}{share(double):>10}{double[WRONG]:7}"


def table(paths, some: int | None = None, pairs: int = 1000, say=print):
    """Plant all slips of each subject, or some of them, and so many pairs over all; the rows, and all counts."""
    rows, single, double = [HEAD], collections.Counter(), collections.Counter()
    for path, layer in paths:
        draw = random.Random(f"{path} {layer}")
        every = slips(path, layer)
        draw.shuffle(every)
        alone = list(itertools.islice(((one,) for one in every if shows(path, layer, (one,))), some))
        near = [slip for slip in every if slip.kind not in ALONE]  # two of the others at once are not looked for
        both = itertools.combinations(draw.sample(near, min(len(near), 200)), 2)
        wanted = max(1, pairs // len(paths))
        candidates = list(both)
        draw.shuffle(candidates)
        two = [pair for pair in candidates[: 20 * wanted] if may_join(pair)]
        two = list(itertools.islice((pair for pair in two if both_show(path, layer, pair)), wanted))
        for hidden in (False, True) if not layer else (False,):
            one, more = counted(path, layer, alone, hidden, say), counted(path, layer, two, hidden, say)
            rows.append(row(path, layer, hidden, one, more))
            say(rows[-1])
            single, double = single + one, double + more
    rows.append(row("all", "", False, single, double))
    say("\n".join(rows))
    return single, double


def both_show(path: str, layer: str, pair: Hypothesis) -> bool:
    """Whether both make other numbers, alone and beside the other."""
    together = shows(path, layer, pair)
    return together is not None and all(
        shows(path, layer, (one,)) is not None and not all(explains(each, one) for each in together) for one in pair
    )


def explains(recording: Recording, one: Mutant) -> bool:
    return replay(recording, (one,)).explains


if __name__ == "__main__":
    arguments = sys.argv[1:]
    some = int(arguments.pop(arguments.index("--some") + 1)) if "--some" in arguments else None
    named = [one for one in arguments if one != "--some"]
    chosen = [one for one in tried() if not named or one[0] in named or one[1] in named]
    table(chosen, some, some * len(chosen) if some else 1000, lambda text: print(text, flush=True))
