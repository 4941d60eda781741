"""How long a check takes on one core: implementations from outside, the slowest first.

What is stated depends on what the answer is: 3 s for nothing wrong, 4 s for one cause, 10 s for no known one. Of
several causes at once nothing is stated. Each is what `lockstep check` takes: what a process loads for it is counted,
once measured and added to every check, for here they share a process.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

import lockstep
from bench import nobody
from bench.timing import Row
from lockstep.numerics import compiler
from parity_tests.checking import test_foreign_averages as averages
from parity_tests.checking.test_foreign_layers import RIGHT as RIGHT_LAYERS
from parity_tests.gradients import test_clip_grad_norm as clipping
from parity_tests.loop import test_training as loops
from parity_tests.lr_scheduler import test_step_lr as step_lr
from parity_tests.subjects.driven import test_schedules as schedules
from parity_tests.support import foreign_layers as layers
from parity_tests.support import foreign_modules as modules
from parity_tests.support.strangers import TRUTH

RIGHT, WRONG, UNKNOWN = 3.0, 4.0, 10.0
BCE, CROSS, LINEAR = "layers.loss.BCEWithLogitsLoss", "layers.loss.CrossEntropyLoss", "layers.linear"
OTHERS = {
    "lr_scheduler.exponential_lr": (
        schedules.function, schedules.generator, schedules.OnGroups, schedules.wrong, schedules.wrong_factor,
        schedules.wrong_generator, nobody.exponential,
    ),
    "lr_scheduler.cosine_annealing_lr": (schedules.cosine, schedules.cosine_held),
    "lr_scheduler.step_lr": (step_lr.right, step_lr.Groups, step_lr.one_ahead, step_lr.other_default),
    "gradients.clip_grad_norm": (
        clipping.right, clipping.by_pytorch, clipping.Clipper, clipping.each_tensor, clipping.without_eps,
        nobody.clipped,
    ),
    "average.ema": (
        averages.function, averages.FirstCopied, averages.ByName, averages.Swapped, averages.OfModule,
        averages.OfParameters, nobody.averaged,
    ),
    "loop": (
        loops.in_numpy, loops.divided_again, loops.clipped_too_early, loops.with_torch, loops.zeroed_each_batch,
        loops.rate_in_the_buffer, nobody.loop,
    ),
    "penalty.l2": (nobody.l2,),
    "optim.adam": (nobody.Adam,),
    "layers.batchnorm": (layers.SwapsStatistics, nobody.BatchNorm),
    LINEAR: (layers.DenseOfTheTranspose, modules.TurnedTwice, nobody.Linear),
    "layers.dropout": (layers.DropsABitMore, nobody.DropoutOfRoots),
    "layers.layernorm": (modules.OfSpread,),
    "layers.activation.Tanh": (nobody.tanh,),
    BCE: (layers.AlwaysMean, layers.AlwaysSum, layers.HalfPrecise, nobody.BCEWithLogits),
    CROSS: (layers.score_loss_of_half, layers.SumsAlways, layers.Overflows),
}  # fmt: skip


def implementations() -> Iterator[tuple[Any, str]]:
    """Those of the tests, of every kind of subject, and one of each kind with no known mistake."""
    yield from ((stranger, path) for stranger, (path, _) in TRUTH.items())
    yield from ((target, path) for target, path, _ in RIGHT_LAYERS)
    yield from ((target, path) for path, targets in OTHERS.items() for target in targets)


LOADED = """
import json, time
from lockstep.numerics import compiler
compiler.defer()
import lockstep.cli.main, torch
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1).step()
print(json.dumps(time.process_time()))
"""


def loading() -> float:
    """Processor time that a process of `lockstep check` takes before it begins."""
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def rows() -> Iterator[Row]:
    compiler.defer()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        loaded = loading()
        yield from sorted((of_one(one, like, loaded) for one, like in implementations()), key=slowest)
    finally:
        torch.set_num_threads(threads)


def slowest(row: Row) -> float:
    return -float(row.ours.split()[0])


def of_one(implementation, like: str, loaded: float) -> Row:
    """Processor time, of which another program takes nothing; what had been `loaded` is part of it."""
    begun = time.process_time()
    found = lockstep.check(implementation, like=like)
    taken = time.process_time() - begun + loaded
    causes = len(found.causes)
    stated = {0: RIGHT if found.verdict.passes else UNKNOWN, 1: WRONG}.get(causes)
    return Row(
        what=f"{implementation.__name__} like {like}",
        ours=f"{taken:.2f} s",
        other=f"{found.verdict}, causes: {causes}",
        theirs="",
        found="",
        stated="" if stated is None else f"<= {stated:g} s",
        kept=stated is None or taken <= stated,
    )
