"""Causes of layers.batchnorm."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.behaviour import goes_back_over_the_batch, keeps_training_pass
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table


def scenario(desc: str, shape=(13, 7), layer="BatchNorm1d", words: str = "", **settings) -> Scenario:
    return Scenario(LayerCase(desc, layer=layer, shape=shape, num_features=shape[1], **settings), words)


SCENARIOS = [
    scenario("features"),
    scenario("a batch of 2", (2, 7)),
    scenario("training, then evaluation", words="running statistics", evaluate_from=3),
    scenario("small variance", kind="tiny"),
    scenario("large mean", kind="large offset"),
    scenario("images", (4, 3, 5, 5), "BatchNorm2d"),
]

UNBIASED = {"var": "was * (m / (m - 1)) if of_batch else was", "unbiased": "var"}

CAUSES = table(
    "layers.batchnorm",
    SCENARIOS,
    [
        Cause(
            id="running-variance-biased",
            lines={"unbiased": "var"},
            formula=r"\bar\sigma^2_t = (1 - \alpha)\,\bar\sigma^2_{t-1} + \alpha\,\sigma^2",
            seen="pytorch/pytorch#3122",
            shows="a batch of 2",
            first=First(1, "running_var"),
        ),
        Cause(
            id="variance-unbiased",
            lines=UNBIASED,
            backward={"dx": "dx_hat / lines.sigma + dvar * 2 * lines.centred / (m - 1) + dmu / m if of_batch else was"},
            formula=r"\sigma^2 = \tfrac{1}{m-1} \sum_i c_i^2",
        ),
        Cause(
            id="variance-unbiased",
            variant="there alone",
            words="there",
            lines=UNBIASED,
            formula=r"\sigma^2 = \tfrac{1}{m-1} \sum_i c_i^2",
        ),
        Cause(
            id="momentum-complement",
            arguments={"momentum": "momentum if momentum is None else 1 - momentum"},
            formula=r"\bar\mu_t = \alpha\,\bar\mu_{t-1} + (1 - \alpha)\,\mu",
            seen="Keras, TensorFlow, Flax, numpy-ml",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="eps-value",
            variant="0.001",
            arguments={"eps": "eps"},
            free={"eps": 1e-3},
            formula=r"\epsilon = 10^{-3}",
            seen="Keras, TensorFlow",
            shows="small variance",
        ),
        Cause(
            id="eps-added-to-deviation",
            lines={"sigma": "np.sqrt(var) + eps"},
            backward={
                "dvar": "(dx_hat * lines.centred).sum(axis=axes, keepdims=True) * -0.5 / lines.sigma**2 "
                "/ np.sqrt(lines.var) if of_batch else was"
            },
            formula=r"\sigma_\epsilon = \sqrt{\sigma^2} + \epsilon",
            seen="Tencent/ncnn#311",
            shows="small variance",
        ),
        Cause(
            id="eps-added-to-deviation",
            variant="there alone",
            words="there",
            lines={"sigma": "np.sqrt(var) + eps"},
            formula=r"\sigma_\epsilon = \sqrt{\sigma^2} + \epsilon",
            seen="Tencent/ncnn#311",
            shows="small variance",
        ),
        Cause(
            id="eps-missing-in-evaluation",
            lines={"sigma": "was if of_batch else np.sqrt(var)"},
            formula=r"\sigma_\epsilon = \bar\sigma \quad \text{in evaluation}",
            seen="chainer/chainer#2214, #2149",
            shows="training, then evaluation",
            first=First(3),
        ),
        Cause(
            id="one-pass-variance",
            lines={"var": "(x * x).mean(axis=axes, keepdims=True) - mu * mu if of_batch else was"},
            formula=r"\sigma^2 = \tfrac1m \sum_i x_i^2 - \mu^2",
            seen="Flax, Keras; google/flax#1491",
            shows="large mean",
        ),
        Cause(
            id="statistics-detached",
            backward={"dx": "dx_hat / lines.sigma"},
            formula=r"\partial x_i = \partial\hat x_i / \sigma_\epsilon",
            seen="keras-team/keras#19073",
            first=First(1, "dx"),
        ),
        Cause(
            id="gamma-missing-on-the-way-back",
            backward={"dx_hat": "dy"},
            formula=r"\partial\hat x_i = \partial y_i",
            seen="denizyuret/Knet.jl#288",
            first=First(1, "dx"),
        ),
        *(
            Cause(
                id="backward-term-twice",
                variant=variant,
                backward={line: f"{text} if of_batch else was"},
                formula=formula,
                seen="apache/mxnet#1053",
                first=First(1, "dx"),
            )
            for variant, line, text, formula in (
                ("of the mean", "dmu", "2 * (was)", r"\partial\mu \leftarrow 2\,\partial\mu"),
                ("of the variance", "dvar", "2 * (was)", r"\partial\sigma^2 \leftarrow 2\,\partial\sigma^2"),
            )
        ),
        Cause(
            id="dgamma-of-the-output",
            backward={"dgamma": "(dy * lines.y).sum(axis=axes)"},
            formula=r"\partial\gamma = \sum_i \partial y_i\,y_i",
            seen="sanglee325/cmu-11-785",
            first=First(1, "dgamma"),
        ),
        *(
            Cause(
                id="eps-in-running-variance",
                variant=variant,
                lines={"unbiased": text},
                formula=formula,
                seen="jariasf/CS231n",
                first=First(1, "running_var"),
            )
            for variant, text, formula in (
                ("biased", "var + eps if tracked else was", r"\bar\sigma^2_t \leftarrow \sigma^2 + \epsilon"),
                ("unbiased", "was + eps if tracked else was", r"\bar\sigma^2_t \leftarrow s^2 + \epsilon"),
            )
        ),
        Cause(
            id="running-statistics-swapped",
            lines={
                "running_mean": "(1 - share) * running_mean + share * unbiased.reshape(-1) if tracked else was",
                "running_var": "(1 - share) * running_var + share * mu.reshape(-1) if tracked else was",
            },
            formula=r"\bar\mu_t \leftarrow \sigma^2, \quad \bar\sigma^2_t \leftarrow \mu",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="statistics-not-updated",
            lines={"running_mean": "running_mean", "running_var": "running_var"},
            formula=r"\bar\mu_t = \bar\mu_{t-1}, \quad \bar\sigma^2_t = \bar\sigma^2_{t-1}",
            first=First(1, "running_mean"),
        ),
        Cause(
            id="batch-statistics-in-evaluation",
            lines={"of_batch": "True"},
            backward={"of_batch": "True"},
            formula=r"\mu = \tfrac1m \sum_i x_i \quad \text{in evaluation, too}",
            shows="training, then evaluation",
            first=First(3),
        ),
        Cause(
            id="backward-of-training",
            variant="the last pass",
            words="last-pass",
            behaviour=keeps_training_pass,
            formula=r"\partial x_t \text{ of the last training pass}",
            shows="training, then evaluation",
            first=First(3, "dgamma"),
        ),
        Cause(
            id="backward-of-training",
            variant="batch statistics",
            words="of-batch",
            behaviour=goes_back_over_the_batch,
            formula=r"\partial x_t \text{ through } \mu \text{ and } \sigma^2 \text{ of the batch, in evaluation, too}",
            shows="training, then evaluation",
            first=First(3, "dgamma"),
        ),
        Cause(
            id="backward-of-training",
            variant="the whole formula",
            words="of-running",
            backward={"of_batch": "True"},
            formula=r"\partial x_t \text{ through } \bar\mu \text{ and } \bar\sigma^2",
            shows="training, then evaluation",
            first=First(3, "dx"),
        ),
        Cause(
            id="backward-of-training",
            variant="the short formula",
            words="of-running",
            backward={"of_batch": "True", "dmu": "-dx_hat.sum(axis=axes, keepdims=True) / lines.sigma"},
            formula=r"\partial x_i = (\partial\hat x_i - \overline{\partial\hat x} - k\,\hat x_i) / \bar\sigma",
            shows="training, then evaluation",
            first=First(3, "dx"),
        ),
    ],
    line="y",
)
