"""layers.loss beside torch.nn.BCELoss, BCEWithLogitsLoss and CrossEntropyLoss."""

import numpy as np
import pytest

import lockstep
from lockstep.cases.layers import LayerCase
from lockstep.cases.layers.loss import REDUCTIONS
from lockstep.numerics.verdict import Verdict
from parity_tests.layers.layer import RefusingInputs
from parity_tests.support.digits import digits
from reference.layers import loss as ours
from torch_impl.layers import loss as theirs

KINDS = (
    ("BCELoss", "probabilities", "soft", (3, 2)),
    ("BCEWithLogitsLoss", "logits", "soft", (3, 2)),
    ("CrossEntropyLoss", "logits", "classes", (3, 4)),
)


class TestLoss(RefusingInputs):
    path = "layers.loss"
    left_out = {
        "BCELoss": {"weight", "size_average", "reduce"},
        "BCEWithLogitsLoss": {"weight", "size_average", "reduce", "pos_weight"},
        "CrossEntropyLoss": {"weight", "size_average", "reduce", "ignore_index", "label_smoothing"},
    }
    good = {
        "BCELoss": (np.full((3, 2), 0.3, np.float32), np.ones((3, 2), np.float32)),
        "BCEWithLogitsLoss": (np.full((3, 2), 0.3, np.float32), np.ones((3, 2), np.float32)),
        "CrossEntropyLoss": (np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 1])),
    }
    derivable = tuple(
        LayerCase(f"{name}, {reduction}, small", layer=name, kind=kind, target=target, shape=shape, reduction=reduction)
        for name, kind, target, shape in KINDS
        for reduction in REDUCTIONS
    )


def passed(module, name, *inputs):
    layer = getattr(module, name)(reduction="none")
    return layer.forward(*inputs), layer.backward(np.ones(inputs[0].shape, inputs[0].dtype))


def test_where_the_notebook_clips_and_where_pytorch_does():
    p, t = np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 1.0])
    losses, slopes = passed(ours, "BCELoss", p, t)
    assert [f"{loss:.2f}" for loss in losses] == ["23.03", "23.03", "0.00"]
    assert [f"{slope:.4g}" for slope in slopes] == ["-1e+10", "1e+10", "-1"]
    losses, slopes = passed(theirs, "BCELoss", p, t)
    assert losses.tolist() == [100, 100, 0]
    assert [f"{slope:.4g}" for slope in slopes] == ["-1e+12", "1e+12", "0"]


def test_on_small_probabilities_of_a_logit_numpy_is_nearer():
    """PyTorch's (1 - t)·z - log σ(z) cancels for a logit far below 0 of the class 0."""
    z, t = np.array([-15.0], np.float32), np.zeros(1, np.float32)
    exact = float(np.log1p(np.exp(digits(z)))[0])
    numpy, torch = (float(passed(module, "BCEWithLogitsLoss", z, t)[0][0]) for module in (ours, theirs))
    assert abs(numpy - exact) <= np.spacing(np.float32(exact))
    assert abs(torch - exact) > 0.9 * exact


@pytest.mark.parametrize(
    ("dtype", "output"),
    [
        # 1 - 1e-10, where the notebook clips, is 1 in float32, and how far its logarithm then may be off has no bound
        ("float32", Verdict.ILL_CONDITIONED),
        ("float64", Verdict.DIFFERENT),
    ],
)
def test_the_two_formulas_part_at_the_loss_and_at_its_slope(dtype, output):
    run = lockstep.run("layers.loss", case="BCELoss, probabilities of 0 and 1", dtype=dtype)
    assert run.outcome.verdicts == {"output": output, "grad_input": Verdict.DIFFERENT}
