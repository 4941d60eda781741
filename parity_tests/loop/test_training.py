"""loop.training beside a loop of PyTorch's own parts; and somebody's own loops, faithful and not."""

import itertools
import random

import numpy as np
import pytest
import torch

import lockstep
from lockstep.causes import causes, plant
from lockstep.causes.loop import training as table
from lockstep.causes.planting import may_join
from lockstep.checking.torch_recordings import of_pytorch as recordings_of
from lockstep.numerics.verdict import Verdict
from lockstep.recordings.recording import load
from lockstep.subjects.registry import asked, find
from parity_tests.loop.loops import faithful, loop_of
from parity_tests.support.families import SubjectTests, mirrored, run_of, swapped
from torch_impl.loop import training as theirs

PATH = "loop.training"
CAUSES = {cause.id: cause for cause in causes(PATH)}


class TestTraining(SubjectTests):
    path = PATH

    def test_the_ladder_ends_at_0(self, case, dtype, torch_path):
        found = lockstep.explain(self.path, case=case, dtype=dtype, path=torch_path)
        assert found.explained
        assert not found.kernels


def test_the_name_of_the_family_is_enough():
    assert find("loop") == find(PATH)
    with pytest.raises(ValueError, match="no subject"):
        find("layers")


def test_a_path_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="has no path 'fused'"):
        theirs.Training(0.1, path="fused")


def test_swapped_sides_show_one_difference_from_either_end():
    case = find(PATH).cases.CASES[-1]
    pair = asked(PATH, case).pair()
    mirrored(*(run_of(find(PATH), case, "float32", one) for one in (pair, swapped(pair))))


def test_its_pieces_are_the_subjects_whose_lines_it_has_word_by_word():
    known = {piece.path for piece in table.pieces()}
    assert known == {"lr_scheduler.step_lr", "gradients.clip_grad_norm", "average.ema"}
    taken = {cause.id for piece in known for cause in causes(piece) if cause.shows in table.KNOWN}
    assert taken < CAUSES.keys()
    assert {cause.id for piece in known for cause in causes(piece)} - taken == {"buffers-left-out", "buffers-averaged"}


def test_a_recording_of_pytorch_is_rounding_and_goes_through_a_folder(tmp_path):
    made = recordings_of(PATH)
    for number, recording in enumerate(made):
        recording.save(tmp_path / f"{number:02d}")
    assert lockstep.check_recordings(load(tmp_path)).verdict in (Verdict.IDENTICAL, Verdict.ROUNDING)


# loops that are driven

SHAPES = ("a plain loop", "gradients that are too long", "several batches a step", "a scaled loss")


def with_torch(model, loader, loss_fn, epochs, lr, momentum=0.0, accumulation_steps=1, max_norm=None, loss_scale=1.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    for _ in range(epochs):
        for number, (x, y) in enumerate(loader, 1):
            (loss_fn(model(x), y) / accumulation_steps * loss_scale).backward()
            if number % accumulation_steps:
                continue
            for parameter in model.parameters():
                parameter.grad /= loss_scale
            if max_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            optimizer.step()
            optimizer.zero_grad()


def clipped_too_early(model, loader, loss_fn, epochs, lr, max_norm=None, loss_scale=1.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            (loss_fn(model(x), y) * loss_scale).backward()
            if max_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
            for parameter in model.parameters():
                parameter.grad /= loss_scale
            optimizer.step()


def zeroed_each_batch(model, loader, loss_fn, epochs, lr, accumulation_steps=1):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for number, (x, y) in enumerate(loader, 1):
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            if number % accumulation_steps == 0:
                optimizer.step()


def in_numpy(params, batches, grad_fn, lr, max_grad_norm=None):
    """It is told of no epochs, so that it is given all batches, end to end."""
    for x, y in batches:
        grads = grad_fn(params, x, y)
        norm = float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in grads.values())))
        factor = 1.0 if max_grad_norm is None else min(1.0, max_grad_norm / (norm + 1e-6))
        params = {name: w - lr * (factor * grads[name]).astype(w.dtype) for name, w in params.items()}
    return params


def divided_again(params, batches, grad_fn, lr):
    for x, y in batches:
        grads = grad_fn(params, x, y)
        params = {name: w - lr * grads[name] / len(x) for name, w in params.items()}
    return params


@pytest.mark.parametrize(
    ("target", "ids"),
    [(in_numpy, []), (divided_again, ["batch-averaged-twice"]), (clipped_too_early, ["clipped-before-unscaling"])],
)
def test_a_loop_is_judged_and_what_is_wrong_with_it_is_named(target, ids):
    found = lockstep.check(target, like="loop", dtypes=["float32"])
    assert [cause["id"] for cause in found.causes] == ids, str(found)
    assert found.verdict is (Verdict.DIFFERENT if ids else Verdict.ROUNDING)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "ids"),
    [(with_torch, ["mean-of-unequal-batches"]), (zeroed_each_batch, ["last-batch-alone"])],
)
def test_a_loop_of_pytorchs_is_driven_as_well(target, ids):
    """Dividing each loss by their number is the mean of means, where batches are unequal."""
    found = lockstep.check(target, like="loop")
    assert [cause["id"] for cause in found.causes] == ids, str(found)


def test_where_no_batch_is_smaller_pytorchs_own_loop_is_right():
    for shown in SHAPES:
        found = lockstep.check(with_torch, like="loop", only=shown)
        assert found.exit_status == 0, str(found)


def shuffled(params, batches, gradient, lr):
    for x, y in reversed(batches):
        for name, grad in gradient(params, x, y).items():
            params[name] -= lr * grad


def one_less(params, batches, gradient, lr):
    for x, y in list(batches)[:-1]:
        for name, grad in gradient(params, x, y).items():
            params[name] -= lr * grad


def each_batch_a_step(params, batches, gradient, lr, accumulation=1):
    for x, y in batches:
        for name, grad in gradient(params, x, y).items():
            params[name] -= lr * grad / accumulation


def of_another_world(params, batches, gradient, lr, temperature):
    raise AssertionError(temperature)


@pytest.mark.parametrize(
    ("target", "cause", "words"),
    [
        (shuffled, "data-order", "batch 1 of epoch 1 is another"),
        (one_less, "data-order", "it asked for the gradients of 5 batches, where there were 6"),
        (each_batch_a_step, "accumulation-ignored", "it steps before 4 batches are added up"),
    ],
)
def test_what_no_number_shows_is_said(target, cause, words):
    found = lockstep.check(target, like="loop", dtypes=["float64"])
    assert found.verdict is Verdict.DIFFERENT
    assert cause in [one["id"] for one in found.causes]
    assert words in str(found)


def test_a_loop_that_needs_what_nobody_knows_cannot_be_driven():
    found = lockstep.check(of_another_world, like="loop")
    assert found.verdict is Verdict.BROKEN
    assert "the loop needs temperature" in str(found)


def without_an_average(params, batches, gradient, lr, ema_decay=None):
    for x, y in batches:
        for name, grad in gradient(params, x, y).items():
            params[name] -= lr * grad


def test_an_average_that_is_not_returned_is_not_called_right():
    found = lockstep.check(without_an_average, like="loop", dtypes=["float64"])
    assert found.exit_status == 0
    assert [one["scenario"] for one in found.not_triggered if "average" in str(one["reason"].key)] == [
        "an average of parameters"
    ]


def test_what_is_written_out_in_the_loop_is_told_to_the_check():
    def hard_coded(params, batches, gradient, epochs):
        for epoch, (x, y) in itertools.product(range(epochs), batches):
            for name, grad in gradient(params, x, y).items():
                params[name] -= 0.25 * 0.5 ** (epoch // 2) * grad

    settings = {"base_lr": 0.25, "gamma": 0.5, "step_size": 2}
    found = lockstep.check(hard_coded, like="loop", hyperparameters=settings, only="several decays")
    assert found.exit_status == 0, str(found)
    wrong = settings | {"gamma": 0.37}
    found = lockstep.check(hard_coded, like="loop", hyperparameters=wrong, only="several decays", dtypes=["float64"])
    assert [(one["id"], one["hyperparameters"]) for one in found.causes] == [("gamma-value", {"gamma": 0.5})]


def test_a_decay_that_nobody_wrote_down_is_solved_for():
    def hard_coded(params, batches, gradient, epochs, lr):
        for epoch, (x, y) in itertools.product(range(epochs), batches):
            for name, grad in gradient(params, x, y).items():
                params[name] -= lr * 0.37 ** (epoch // 2) * grad

    settings = {"gamma": 0.5, "step_size": 2}
    found = lockstep.check(hard_coded, like="loop", hyperparameters=settings, only="several decays", dtypes=["float64"])
    assert [(one["id"], one["hyperparameters"]) for one in found.causes] == [("gamma-value", {"gamma": 0.37})]


# causes planted in a loop


def named(planted, dtype: str) -> list[str]:
    found = lockstep.check(loop_of(plant(PATH, planted)), like="loop", dtypes=[dtype])
    assert found.verdict is Verdict.DIFFERENT
    return sorted(one["id"] for one in found.causes)


def test_a_faithful_loop_is_not_accused():
    found = lockstep.check(faithful, like="loop")
    assert found.verdict is Verdict.ROUNDING
    assert not found.not_triggered


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [pytest.param("float64", marks=pytest.mark.exhaustive), "float32"])
def test_each_cause_alone_is_named(dtype):
    wrong = {cause: names for cause in CAUSES if (names := named([CAUSES[cause]], dtype)) != [cause]}
    assert wrong == {}


PIECE = {cause.id: piece.path for piece in table.pieces() for cause in causes(piece)}


def pairs() -> list[tuple[str, str]]:
    """Causes of two different pieces that can be planted together; what is between pieces is a piece of its own."""
    every = itertools.combinations(CAUSES, 2)
    apart = [(a, b) for a, b in every if PIECE.get(a, "between") != PIECE.get(b, "between")]
    return [(a, b) for a, b in apart if may_join([CAUSES[a], CAUSES[b]])]


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pairs_over_different_pieces_are_named(dtype):
    right = [named([CAUSES[a], CAUSES[b]], dtype) == sorted((a, b)) for a, b in pairs()]
    assert sum(right) >= 0.95 * len(right)


def drawn(seed: int):
    """The settings of a faithful loop, any of its pieces there or not."""
    rng = random.Random(seed)
    pieces = {
        "momentum": lambda: rng.choice([0.5, 0.9, 0.99]),
        "accumulation": lambda: rng.randint(2, 5),
        "scale": lambda: 2.0 ** rng.randint(1, 16),
        "max_norm": lambda: 10.0 ** rng.uniform(-3, 3),
        "gamma": lambda: rng.uniform(0.05, 1.2),
        "step_size": lambda: rng.randint(1, 4),
        "decay": lambda: rng.uniform(0.0, 1.0),
    }
    settings = {name: draw() for name, draw in pieces.items() if rng.random() < 0.5}
    return {"base_lr": 10.0 ** rng.uniform(-4, 1)} | settings


def accused(seed: int) -> bool:
    rng = random.Random(-seed)
    only = rng.choice(["a plain loop", "gradients hardly too long", "several decays", "an average of parameters"])
    found = lockstep.check(
        faithful, like="loop", hyperparameters=drawn(seed), only=only, dtypes=[rng.choice(["float64", "float32"])]
    )
    return found.exit_status != 0


@pytest.mark.exhaustive
def test_a_faithful_loop_is_never_accused_over_a_thousand_draws():
    assert [seed for seed in range(1000) if accused(seed)] == []


@pytest.mark.slow
def test_a_faithful_loop_is_not_accused_over_a_few_draws():
    assert [seed for seed in range(20) if accused(seed)] == []


def test_a_loop_that_is_told_how_many_batches_make_a_step_is_given_as_many():
    """In every scenario, also in those that have one batch a step by themselves."""
    found = lockstep.check(faithful, like="loop", hyperparameters={"accumulation": 3}, only="a plain loop")
    assert found.exit_status == 0, str(found)


def test_a_draw_with_a_cause_in_it_is_accused():
    wrong = loop_of(plant(PATH, [CAUSES["batch-averaged-twice"]]))
    settings = {"base_lr": drawn(3)["base_lr"]}
    found = lockstep.check(wrong, like="loop", hyperparameters=settings, only="a plain loop", dtypes=["float64"])
    assert found.verdict is Verdict.DIFFERENT
