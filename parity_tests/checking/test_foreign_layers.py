"""Nothing passes that was not compared, and nobody is accused who is right: layers and losses of other people's."""

import fractions
import importlib
import math
import random

import numpy as np
import pytest

import lockstep
from lockstep.adapters.adapter import CannotCheck
from lockstep.adapters.layer.adapter import Made
from lockstep.adapters.layer.object import LayerObject
from lockstep.adapters.making import maker_of
from lockstep.checking import chance
from lockstep.checking.driving.trials import trials
from lockstep.checking.layers import meant
from lockstep.diagnose import search
from lockstep.numerics.counts import log_tail
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.registry import find_class
from parity_tests.support import foreign_layers as foreign
from parity_tests.support import foreign_modules as modules

pytestmark = pytest.mark.slow

STATISTICS, ROLE = ("running_mean", "running_var"), ("nothing", "scale")
DROPOUT, BATCHNORM, LINEAR = "layers.dropout", "layers.batchnorm", "layers.linear"
LAYERNORM, TANH, SIGMOID = "layers.layernorm", "layers.activation.Tanh", "layers.activation.Sigmoid"
BCE, CROSS = "layers.loss.BCEWithLogitsLoss", "layers.loss.CrossEntropyLoss"


def checked(target, like, **options):
    return lockstep.check(target, like=like, **options)


RIGHT = [
    (foreign.Dropout, DROPOUT, "forward and backward"),
    (foreign.KeepsWhatItSays, DROPOUT, "forward and backward"),
    (foreign.Normalise, BATCHNORM, "forward and backward"),
    (foreign.ChannelsLast, BATCHNORM, "forward and backward"),
    (foreign.LeavesOutput, LINEAR, "weights stored (in, out)"),
    (foreign.Dense, LINEAR, "weights stored (in, out) and gradients of the parameters divided by"),
    (foreign.DenseOfParameters, LINEAR, "weights stored (in, out)"),
    (foreign.MayHaveABias, LINEAR, "weights stored (in, out)"),
    (modules.Stretched, BATCHNORM, "an nn.Module"),
    (modules.Turned, LINEAR, "weights stored (in, out)"),
    (modules.OfTheModel, LAYERNORM, "an nn.Module"),
    (foreign.BySecant, TANH, "forward and backward"),
    (foreign.score_loss, CROSS, "score_loss"),
    (foreign.RowsOfOnes, CROSS, "one-hot targets"),
    (foreign.LeavesAveraging, CROSS, "the gradient of the mean is not divided"),
    (foreign.Logistic, BCE, "forward and backward"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as at the command line: a warning is no exception, which hides
@pytest.mark.parametrize(("target", "like", "words"), RIGHT, ids=lambda one: getattr(one, "__name__", None))
def test_who_is_right_is_not_accused(target, like, words):
    found = checked(target, like)
    assert found.verdict is Verdict.ROUNDING, str(found)
    assert words in str(found.words)
    assert found.causes == []
    assert found.exit_status == 0


DRAWN_WRONG = [
    (foreign.DropsNothing, "nothing-dropped", "nothing is dropped"),
    (foreign.DropsAll, "everything-dropped", "everything is dropped"),
    (foreign.DrawsOnce, "mask-shared", "the same mask every time"),
    (foreign.DrawsTwice, "mask-", "call"),
    (foreign.DrawsForRows, "mask-shared", "one mask a row"),
    (foreign.DrawsForTheBatch, "mask-shared", "one mask for the whole batch"),
    (foreign.DrawsForChannels, "mask-shared", "whole channels are dropped together"),
    (foreign.DropsExactly, "mask-counted", "too evenly"),
    (foreign.DropsExactlyOfEachRow, "mask-counted", "too evenly"),
    (foreign.DropsABitMore, "drop-rate", "another share is kept"),
    (foreign.AlwaysHalf, "drop-rate", "another share is kept"),
    (foreign.SparesTheFirst, "mask-constant", "some units are never drawn"),
    (foreign.MirrorsMasks, "mask-dependent", "not drawn each by itself"),
]


@pytest.mark.parametrize(("target", "cause", "words"), DRAWN_WRONG, ids=lambda one: getattr(one, "__name__", None))
def test_a_wrong_draw_is_refuted_by_counts(target, cause, words):
    found = checked(target, DROPOUT, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert next(one["id"] for one in found.causes).startswith(cause), str(found)
    assert words in str(found).splitlines()[0]


@pytest.mark.parametrize("target", [modules.LeavesTheInputBehind, modules.KeepsItsOffset])
def test_a_gradient_that_autograd_does_not_bring_is_zero_and_not_unseen(target):
    found = checked(target, LINEAR, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert found.exit_status == 1


def tails(target) -> set[str]:
    return {cause["id"] for cause in checked(target, SIGMOID).causes} & {"tail-cancelled"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_within_a_wide_allowance_alone_is_no_evidence(monkeypatch):
    assert tails(foreign.Guarded) == set()
    monkeypatch.setattr(search, "shows", lambda *_: True)
    assert tails(foreign.Guarded)


def test_what_a_count_cannot_show_is_shown_by_numbers():
    found = checked(foreign.NotANumberAtOne, DROPOUT)
    assert found.verdict is Verdict.DIFFERENT
    assert {one.recording.scenario for one in found.outcomes if one.verdict is Verdict.DIFFERENT} == {
        "p = 1.0, shared masks"
    }


def test_drawing_leaves_the_global_generators_as_they_were():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    checked(importlib.import_module("torch.nn").Dropout, DROPOUT, dtypes=("float64",))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_tails_are_exact():
    """Against the definition, in whole numbers, but for the roundings of sums of logarithms."""
    n, p = 40, fractions.Fraction(0.3)
    pmf = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    size = 3 * math.lgamma(n + 1) - n * (math.log(p) + math.log(1 - p))  # of the terms of a logarithm, at most
    roundings = n + (n + 4) + 5 * n  # of the factorials' sums and logarithms, the terms' and those of the tail's sum
    room = math.expm1(roundings * 2**-53 * size)
    for count in (0, 1, 5, 12, 20, 39, 40):
        wanted = min(1, 2 * min(sum(pmf[: count + 1]), sum(pmf[count:])))
        assert abs(fractions.Fraction(math.exp(log_tail(count, n, 0.3))) - wanted) <= wanted * fractions.Fraction(room)


def test_true_draws_are_never_refuted():
    """Twenty checks of what is right by construction: at a stated chance of 1e-9 a check none is refuted."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        masks = {p: [rng.random((64, 32, 32)) < 1 - p] for p in (0.1, 0.5)}
        assert not chance.judge(masks).refuted


def test_the_start_is_part_of_the_implementation():
    found = checked(foreign.BeginsAtHalf, BATCHNORM)
    assert found.verdict is Verdict.DIFFERENT
    assert "different before the first step: spread starts at 0.5, PyTorch's running_var at 1.0" in str(found)
    assert [one["id"] for one in found.causes] == ["start-differs"]
    assert all(outcome.residual.explains for outcome in found.outcomes)


def test_what_was_taken_for_what_is_said():
    found = checked(foreign.Normalise, BATCHNORM, dtypes=("float64",))
    names = {"weight": "stretch", "bias": "lift", "running_mean": "centre", "running_var": "spread"}
    assert found.names.items() >= names.items()
    assert found.unseen == []  # the gradients were found by what they are, too


def test_what_may_be_either_is_asked_for():
    found = checked(foreign.TwoScales, BATCHNORM, dtypes=("float64",))
    assert found.exit_status == 2
    assert "--names weight=stretch|second" in str(found)
    told = checked(foreign.TwoScales, BATCHNORM, dtypes=("float64",), names={"weight": "stretch", "bias": "lift"})
    assert told.exit_status == 0, str(told)
    wrong = checked(foreign.TwoScales, BATCHNORM, dtypes=("float64",), names={"weight": "scale"})
    assert wrong.exit_status == 2
    assert "it has no such thing; there are stretch" in str(wrong)


def test_float64_out_of_float32_is_a_finding_beside_the_verdict():
    found = checked(foreign.Promotes, BATCHNORM)
    assert found.verdict is Verdict.ROUNDING
    assert found.formats["output"] == ("float32", "float64")
    assert (found.exit_status, found.strict_status) == (0, 3)


def test_an_option_without_effect_is_named():
    found = checked(foreign.AlwaysMean, BCE, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT
    assert str(found).splitlines()[0].endswith("reduction has no effect: with 'none' it does what it does without")


@pytest.mark.parametrize(
    ("target", "like", "option"),
    [
        (foreign.AlwaysHasABias, LINEAR, "bias"),
        (modules.AlwaysTurned, LINEAR, "bias"),
        (foreign.AlwaysTracks, BATCHNORM, "track_running_stats"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_an_option_that_leaves_a_parameter_there_is_named(target, like, option):
    found = checked(target, like, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert [one["id"] for one in found.causes] == ["no-effect"], str(found)
    assert f"{option} has no effect" in str(found).splitlines()[0]


@pytest.mark.parametrize(
    ("target", "like"),
    [(foreign.score_loss_of_half, CROSS), (modules.OfSpread, LAYERNORM), (modules.TurnedTwice, LINEAR)],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_shape_that_is_taken_is_compared(target, like):
    found = checked(target, like, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT, str(found)
    assert found.unseen == []
    assert not any(one["id"] == "no-effect" for one in found.causes)


def test_what_it_decides_by_itself_is_a_difference_of_its_own():
    found = checked(foreign.AlwaysSum, BCE, dtypes=("float64",))
    assert [one["id"] for one in found.causes] == ["reduction-value"], str(found)
    assert all(outcome.residual.explains for outcome in found.outcomes)
    names = {outcome.recording.scenario for outcome in found.outcomes}
    assert not any(", mean" in name or ", none" in name for name in names)  # no scenario runs under another's name


def test_overflow_is_told_from_saturation():
    found = checked(foreign.Overflows, CROSS, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT
    assert "something overflows that PyTorch keeps finite" in str(found)
    found = checked(foreign.RowsOfOnes, CROSS, dtypes=("float64",))
    assert (found.exit_status, found.strict_status) == (0, 3)
    assert any("a probability becomes 0" in note for note in found.to_json()["reservations"])


def test_what_nearly_agrees_is_different():
    found = checked(foreign.HalfPrecise, BCE, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT


def test_a_wrong_way_back_is_not_taken_for_a_layout():
    found = checked(foreign.DenseOfTheTranspose, LINEAR, dtypes=("float64",))
    assert found.verdict is Verdict.DIFFERENT, str(found)


def test_where_nothing_could_be_tried_nothing_agrees():
    found = checked(foreign.Dense, LINEAR, only="without bias")
    assert found.outcomes == []
    assert (found.verdict, found.exit_status) == (Verdict.BROKEN, 2)
    found = checked(foreign.Overflows, CROSS, only="CrossEntropyLoss, extreme logits")
    assert found.outcomes
    assert found.exit_status == 2, str(found)


def draw(seed):
    """Somebody who is right, in one scenario from another start: what is said of it."""
    rng = random.Random(seed)
    target, like, _ = rng.choice(RIGHT)
    subject, layer = find_class(like)
    trial = rng.choice(trials(subject, layer or meant(target, subject)))
    dtype = rng.choice(["float64", "float32"])
    return target.__name__, trial.name, dtype, checked(target, like, only=trial.name, dtypes=(dtype,), seed=seed)


def accused(drawn):
    return [(name, scenario, dtype) for name, scenario, dtype, found in drawn if found.exit_status == 1]


# offsets so large that the role of a mean cannot be told in float32; two with one class, where sum and mean are one;
# two with scores so far apart that no layout makes a number; all of them drawn alone
ONCE_ACCUSED = [274, 486, 700, 204, 401, 368, 491]


def test_a_few_draws_accuse_nobody():
    assert accused(map(draw, [*range(30), *ONCE_ACCUSED])) == []


ALONE = [
    (foreign.SwapsStatistics, BATCHNORM, "features, large offset, in evaluation"),
    (foreign.SumsAlways, CROSS, "CrossEntropyLoss, 1 classes, sum"),
]


@pytest.mark.parametrize(("target", "like", "scenario"), ALONE, ids=lambda one: getattr(one, "__name__", None))
def test_who_is_wrong_is_so_in_one_scenario_alone(target, like, scenario):
    told = checked(target, like, only=scenario, dtypes=("float32",))
    assert told.verdict is Verdict.DIFFERENT, str(told)


def test_one_array_is_never_taken_for_two():
    adapter = LayerObject(maker_of(foreign.Normalise, ("num_features",)), roles=dict.fromkeys(STATISTICS, ROLE))
    start = {"running_mean": np.zeros(3), "running_var": np.ones(3)}
    adapter.start({}, start, num_features=3)
    with pytest.raises(CannotCheck, match="running_mean=spread,running_var=spread"):
        adapter.run(True, (np.ones((4, 3)),), np.ones((4, 3)))


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_thousand_draws_accuse_nobody():
    assert accused(map(draw, range(1000))) == []


class Straight(lockstep.LayerAdapter):
    """PyTorch's own BCELoss by an adapter; `clipped` as its logarithms are."""

    lowest = -100.0

    def start(self, params, buffers, reduction="mean"):
        self.reduction = reduction

    def run(self, training, inputs, upstream):
        p, t = inputs
        ones, zeros = (np.maximum(np.log(each), self.lowest) for each in (p, 1 - p))
        each = -(t * ones + (1 - t) * zeros)
        slope = (p - t) / np.maximum(p * (1 - p), float(np.float32(1e-12))) * upstream
        made = {"mean": each.mean, "sum": each.sum, "none": lambda: each}[self.reduction]()
        return Made(made, slope / (p.size if self.reduction == "mean" else 1))


class Unclipped(Straight):
    lowest = -np.inf


def test_where_pytorch_follows_another_formula_it_is_the_measure():
    assert checked(Straight, "layers.loss.BCELoss").verdict is Verdict.ROUNDING
    found = checked(Unclipped, "layers.loss.BCELoss")
    differing = {one.recording.scenario for one in found.outcomes if one.verdict is Verdict.DIFFERENT}
    saturated = "BCELoss, probabilities of 0 and 1"
    assert differing == {saturated, f"{saturated}, soft targets", f"{saturated} in float64"}
    assert "PyTorch's logarithms stop at -100" in str(found)
    # and no floor is made up for logarithms that have none
    assert [cause["id"] for cause in found.causes] == ["logarithm-of-zero"]
