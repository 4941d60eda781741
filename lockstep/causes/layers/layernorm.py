"""Causes of layers.layernorm."""

from lockstep.cases.layers import LayerCase
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.tables import table


def scenario(desc: str, shape=(13, 7), axes: int = 1, words: str = "", **settings) -> Scenario:
    return Scenario(LayerCase(desc, layer="LayerNorm", shape=shape, normalized_shape=shape[-axes:], **settings), words)


SCENARIOS = [
    scenario("features"),
    scenario("few features", (13, 3)),
    scenario("several axes", (4, 3, 6), axes=2),
    scenario("small variance", kind="tiny"),
    scenario("large mean", kind="large offset", dtypes=("float64",)),  # float32 leaves PyTorch's own order three digits
]

CAUSES = table(
    "layers.layernorm",
    SCENARIOS,
    [
        Cause(
            id="variance-unbiased",
            lines={"var": "(centred * centred).sum(axis=axes, keepdims=True) / (int(np.prod(normalized_shape)) - 1)"},
            backward={
                "along_x_hat": "(dx_hat * lines.x_hat).sum(axis=axes, keepdims=True) "
                "/ (int(np.prod(normalized_shape)) - 1)"
            },
            formula=r"\sigma^2 = \tfrac{1}{n-1} \sum_j c_j^2",
            seen="torch.std's default; harvardnlp/annotated-transformer",
            shows="few features",
        ),
        Cause(
            id="variance-unbiased",
            variant="there alone",
            words="there",
            lines={"var": "(centred * centred).sum(axis=axes, keepdims=True) / (int(np.prod(normalized_shape)) - 1)"},
            formula=r"\sigma^2 = \tfrac{1}{n-1} \sum_j c_j^2",
            shows="few features",
        ),
        Cause(
            id="eps-added-to-deviation",
            lines={"sigma": "np.sqrt(var) + eps"},
            # where the variance is 0, torch.std has no slope
            backward={
                "along_x_hat": "np.where(lines.var > 0, was * lines.sigma, 0)"
                " / np.sqrt(np.where(lines.var > 0, lines.var, 1))"
            },
            formula=r"\sigma_\epsilon = \sqrt{\sigma^2} + \epsilon",
            seen="harvardnlp/annotated-transformer",
            shows="small variance",
        ),
        Cause(
            id="eps-added-to-deviation",
            variant="there alone",
            words="there",
            lines={"sigma": "np.sqrt(var) + eps"},
            formula=r"\sigma_\epsilon = \sqrt{\sigma^2} + \epsilon",
            shows="small variance",
        ),
        Cause(
            id="eps-value",
            variant="1e-06",
            arguments={"eps": "eps"},
            free={"eps": 1e-6},
            formula=r"\epsilon = 10^{-6}",
            seen="Flax, timm's transformers",
            shows="small variance",
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
            id="one-pass-variance",
            lines={"var": "(x * x).mean(axis=axes, keepdims=True) - mu * mu"},
            formula=r"\sigma^2 = \tfrac1n \sum_j x_j^2 - \mu^2",
            seen="Flax; google/flax#1491",
            shows="large mean",
            dtypes=("float64",),
        ),
        Cause(
            id="mean-not-taken-off",
            lines={"centred": "x.copy()"},
            backward={"along_one": "0 * was"},
            formula=r"c_j = x_j",
            seen="RMSNorm, arXiv:1910.07467",
        ),
        Cause(
            id="normalised-over-last-axis",
            lines={
                "mu": "x.mean(axis=-1, keepdims=True)",
                "var": "(centred * centred).mean(axis=-1, keepdims=True)",
            },
            backward={
                "along_one": "dx_hat.mean(axis=-1, keepdims=True)",
                "along_x_hat": "(dx_hat * lines.x_hat).mean(axis=-1, keepdims=True)",
            },
            formula=r"\mu = \tfrac{1}{n_k} \sum_{j_k} x_{j_k}",
            shows="several axes",
        ),
        Cause(
            id="scale-plus-one",
            lines={"y": "(1 + gamma) * x_hat + beta"},
            backward={"dx_hat": "dy * (1 + gamma)"},
            formula=r"y_j = (1 + \gamma_j)\,\hat x_j + \beta_j",
            seen="Gemma's norms",
        ),
        Cause(
            id="statistics-detached",
            backward={"dx": "dx_hat / lines.sigma"},
            formula=r"\partial x_j = \partial\hat x_j / \sigma_\epsilon",
            first=First(1, "dx"),
        ),
        Cause(
            id="mean-detached",
            backward={"dx": "(dx_hat - along_x_hat * lines.x_hat) / lines.sigma"},
            formula=r"\partial x_j = (\partial\hat x_j - h\,\hat x_j) / \sigma_\epsilon",
            first=First(1, "dx"),
        ),
    ],
    line="y",
)
