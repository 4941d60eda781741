"""Causes of layers.batchnorm."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.behaviour import keeps_training_pass
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table


def scenario(desc: str, why: str, shape=(13, 7), layer="BatchNorm1d", **settings) -> Scenario:
    return Scenario(LayerCase(desc, layer=layer, shape=shape, num_features=shape[1], **settings), why)


SCENARIOS = [
    scenario("features", "what is wrong from the first batch on; a random upstream gradient, for the way back"),
    scenario("a batch of 2", "where n/(n-1) is 2", (2, 7)),
    scenario("training, then evaluation", "evaluation is the first to use the running statistics", evaluate_from=3),
    scenario("small variance", "inputs of size 1e-3: a variance near eps", kind="tiny"),
    scenario(
        "large mean", "1000 deviations from 0: the square of the mean takes the variance's digits", kind="large offset"
    ),
    scenario("images", "one statistic a channel, over the batch and the pixels", (4, 3, 5, 5), "BatchNorm2d"),
]

CAUSES = table(
    "layers.batchnorm",
    SCENARIOS,
    [
        Cause(
            id="running-variance-biased",
            lines={"unbiased": "var"},
            formula=r"\bar\sigma^2_t = (1 - \alpha)\,\bar\sigma^2_{t-1} + \alpha\,\sigma^2",
            seen="Equinox, numpy-ml, ml-explore/mlx before #3817; pytorch/pytorch#3122 and seven like it",
            first_shows="running_var at step 1; outputs only in evaluation. 50 % at n = 2, 0.4 % at n = 256",
            fix="keep the variance times n/(n-1) in running_var",
            shows="a batch of 2",
            first=First(1, "running_var"),
        ),
        Cause(
            id="variance-unbiased",
            lines={"sigma": "np.sqrt(var * (m / (m - 1)) + eps) if of_batch else was"},
            backward={"dx": "dx_hat / lines.sigma + dvar * 2 * lines.centred / (m - 1) + dmu / m if of_batch else was"},
            formula=r"\sigma_\epsilon = \sqrt{\tfrac{m}{m-1}\,\sigma^2 + \epsilon}",
            first_shows="output at step 1",
            fix="normalise with the mean of the squares; n-1 is for running_var alone",
            shows="features",
            first=First(1, "y"),
        ),
        Cause(
            id="momentum-complement",
            arguments={"momentum": "momentum if momentum is None else 1 - momentum"},
            formula=r"\bar\mu_t = \alpha\,\bar\mu_{t-1} + (1 - \alpha)\,\mu",
            seen="Keras, TensorFlow, Flax, numpy-ml",
            first_shows="running statistics at step 1",
            fix="momentum is the share of the new batch",
            note="their momentum is 1 minus PyTorch's: 0.9 there is 0.1 here",
            shows="features",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="eps-value",
            variant="0.001",
            arguments={"eps": "eps"},
            free={"eps": 1e-3},
            formula=r"\epsilon = 10^{-3}",
            seen="Keras, TensorFlow",
            first_shows="at step 1",
            fix="set eps to 1e-5",
            shows="small variance",
            first=First(1, "y"),
        ),
        Cause(
            id="eps-added-to-deviation",
            lines={"sigma": "np.sqrt(var) + eps"},
            backward={
                "dvar": "(dx_hat * lines.centred).sum(axis=axes, keepdims=True) * -0.5 / lines.sigma**2 "
                "/ np.sqrt(lines.var) if of_batch else was"
            },
            formula=r"\sigma_\epsilon = \sqrt{\sigma^2} + \epsilon",
            seen="chainer/chainer#2214",
            first_shows="at step 1",
            fix="add eps to the variance, under the root",
            shows="small variance",
            first=First(1, "y"),
        ),
        Cause(
            id="one-pass-variance",
            lines={"var": "(x * x).mean(axis=axes, keepdims=True) - mu * mu if of_batch else was"},
            formula=r"\sigma^2 = \tfrac1m \sum_i x_i^2 - \mu^2",
            seen="Flax, Keras; google/flax#1491",
            first_shows="at a large mean: 16 % at 1000 deviations in float32",
            fix="take the mean off first, then square",
            note="the same formula in exact numbers; it is its rounding that is wrong",
            shows="large mean",
            first=First(1, "y"),
        ),
        Cause(
            id="statistics-detached",
            backward={"dx": "dx_hat / lines.sigma"},
            formula=r"\partial x_i = \partial\hat x_i / \sigma_\epsilon",
            seen="Keras' torch backend: keras-team/keras#19073",
            first_shows="gradient by the input at step 1, with a random upstream gradient only",
            fix="differentiate through the mean and the variance",
            shows="features",
            first=First(1, "dx"),
        ),
        Cause(
            id="running-statistics-swapped",
            lines={
                "running_mean": "(1 - share) * running_mean + share * unbiased.reshape(-1) if tracked else was",
                "running_var": "(1 - share) * running_var + share * mu.reshape(-1) if tracked else was",
            },
            formula=r"\bar\mu_t \leftarrow \sigma^2, \quad \bar\sigma^2_t \leftarrow \mu",
            first_shows="running statistics at step 1",
            fix="the mean goes into running_mean, the variance into running_var",
            shows="features",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="statistics-not-updated",
            lines={"running_mean": "running_mean", "running_var": "running_var"},
            formula=r"\bar\mu_t = \bar\mu_{t-1}, \quad \bar\sigma^2_t = \bar\sigma^2_{t-1}",
            first_shows="running statistics at step 1; outputs only in evaluation",
            fix="bring the running statistics up to date with every batch in training",
            shows="features",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="batch-statistics-in-evaluation",
            lines={"of_batch": "True"},
            backward={"of_batch": "True"},
            formula=r"\mu = \tfrac1m \sum_i x_i \quad \text{in evaluation, too}",
            first_shows="in evaluation",
            fix="normalise with the running statistics in evaluation",
            shows="training, then evaluation",
            first=First(3, "y"),
        ),
        Cause(
            id="backward-of-training",
            behaviour=keeps_training_pass,
            formula=r"\partial x_t \text{ of the last training pass}",
            seen="from-scratch layers whose evaluation returns early",
            first_shows="in evaluation, on the way back",
            fix="keep what evaluation used for the way back: its statistics are constants there",
            note="the same in training, and in evaluation there: it matters where a frozen layer is differentiated",
            shows="training, then evaluation",
            first=First(3, "dgamma"),
        ),
    ],
)
