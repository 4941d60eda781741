"""Causes of optim.adam; those about the moments are AdamW's too."""

from lockstep.cases import Case
from lockstep.causes.behaviour import counts_calls, counts_tensors, hidden_maximum
from lockstep.causes.cause import DTYPES, Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(),
    *optimizer.seldom(),
    Scenario(Case("amsgrad, gradients shrink", problem="shrinking", amsgrad=True, steps=6)),
]

TINY = "gradients near eps"

MOMENTS = [
    Cause(
        id="eps-hat",
        lines={"v_hat": "v_max", "denom": "(was) / root(1 - beta2**step)"},
        formula=r"s_t = (\sqrt{v_t} + \epsilon) / \sqrt{1 - \beta_2^t}",
        seen="tensorflow/tensorflow#9047, keras-team/keras#17391, google-deepmind/optax#571, pytorch/pytorch#2060",
        shows=TINY,
    ),
    Cause(
        id="eps-inside-sqrt",
        lines={"denom": "np.sqrt(v_hat + eps)"},
        formula=r"s_t = \sqrt{\hat v_t + \epsilon}",
        words="adam",
        shows=TINY,
    ),
    Cause(
        id="eps-twice",
        lines={"denom": "np.sqrt(v_hat + eps_root) + eps"},
        free={"eps_root": 1e-8},
        formula=r"s_t = \sqrt{\hat v_t + \epsilon'} + \epsilon",
        seen="optax",
        shows=TINY,
    ),
    Cause(
        id="eps-outside-quotient",
        lines={"param": "decayed - (lr * m_hat / np.sqrt(v_hat) + eps)"},
        formula=r"\theta_t = \theta'_t - (\alpha\,\hat m_t / \sqrt{\hat v_t} + \epsilon)",
        seen="d2l",
        shows=TINY,
    ),
    Cause(
        id="no-bias-correction",
        variant="neither",
        words="both",
        lines={"m_hat": "m", "v_hat": "v_max"},
        formula=r"\hat m_t = m_t, \quad \hat v_t = v_t",
    ),
    Cause(
        id="no-bias-correction",
        variant="only of v",
        words="m",
        lines={"m_hat": "m"},
        formula=r"\hat m_t = m_t",
    ),
    Cause(
        id="no-bias-correction",
        variant="only of m",
        words="v",
        lines={"v_hat": "v_max"},
        formula=r"\hat v_t = v_t",
    ),
    Cause(
        id="step-off-by-one",
        variant="t + 1",
        words="ahead",
        arguments={"step": "step + 1"},
        formula=r"\hat m_t = m_t / (1 - \beta_1^{t+1}), \quad \hat v_t = v_t / (1 - \beta_2^{t+1})",
        seen="tracel-ai/burn#621, #630",
    ),
    Cause(
        id="step-off-by-one",
        variant="t - 1",
        words="behind",
        arguments={"step": "step - 1"},
        formula=r"\hat m_t = m_t / (1 - \beta_1^{t-1}), \quad \hat v_t = v_t / (1 - \beta_2^{t-1})",
        seen="tracel-ai/burn#621, #630",
    ),
    Cause(
        id="step-per-parameter",
        behaviour=counts_tensors,
        formula=r"t \leftarrow t + 1 \quad \text{for each tensor}",
        seen="DiffSharp/DiffSharp#292",
        first=First(1, "step"),
    ),
    Cause(
        id="step-shared",
        behaviour=counts_calls,
        formula=r"t \leftarrow t + 1 \quad \text{for a tensor without gradient, too}",
        shows="a step without gradient",
        first=First(3, "step"),
    ),
    Cause(
        id="beta-powers-low-precision",
        variant="power",
        everywhere={"beta1**step": "float32_power(beta1, step)", "beta2**step": "float32_power(beta2, step)"},
        formula=r"\hat v_t = v_t / (1 - \operatorname{fl}_{32}(\beta_2^t))",
        seen="PaddlePaddle/Paddle#58378, pytorch/pytorch#88173",
        shows="gradients of many sizes",
    ),
    Cause(
        id="beta-powers-low-precision",
        variant="repeated product",
        words="product",
        everywhere={"beta1**step": "float32_product(beta1, step)", "beta2**step": "float32_product(beta2, step)"},
        formula=r"\hat v_t = v_t / (1 - \operatorname{fl}_{32}(\beta_2 \cdots \beta_2))",
        seen="PaddlePaddle/Paddle#58378, pytorch/pytorch#88173",
        shows="gradients of many sizes",
    ),
    Cause(
        id="amsgrad-of-corrected",
        lines={
            "v_max": "np.maximum(max_exp_avg_sq, v / (1 - beta2**step)) if amsgrad else v",
            "v_hat": "v_max if amsgrad else v_max / (1 - beta2**step)",
        },
        formula=r"\hat v_t = \max(\hat v_{t-1},\, v_t / (1 - \beta_2^t))",
        seen="google-deepmind/optax#1389, pytorch/pytorch#142323",
        shows="amsgrad, gradients shrink",
        first=First(1, "v_max"),
    ),
    Cause(
        id="amsgrad-ignored",
        lines={"v_max": "v"},
        formula=r"v^{\max}_t = v_t",
        shows="amsgrad, gradients shrink",
        first=First(2, "v_max"),
    ),
    Cause(
        id="amsgrad-on",
        behaviour=hidden_maximum,
        formula=r"v^{\max}_t = \max(v^{\max}_{t-1},\, v_t) \quad \text{without amsgrad}",
        shows="gradients shrink",
        first=First(2),
    ),
    Cause(
        id="state-aliased",
        variant="v becomes its root",
        words="root",
        kept={"v": "np.sqrt(v)"},
        formula=r"v_t \leftarrow \sqrt{v_t}",
        seen="metaopt/torchopt#8",
        first=First(1, "v"),
    ),
    Cause(
        id="state-aliased",
        variant="v becomes the denominator",
        words="denominator",
        kept={"v": "denom"},
        formula=r"v_t \leftarrow s_t",
        seen="metaopt/torchopt#8",
        first=First(1, "v"),
    ),
    optimizer.low_precision("lr", "float32(lr)", "param"),
    optimizer.low_precision("betas", "(betas[0], float32(betas[1]))", "v", dtypes=DTYPES),
    optimizer.none_gradient_decays("step"),
    optimizer.tied_updated_twice("step"),
    *(
        optimizer.other_value("eps", value, "param", seen=seen, shows=TINY)
        for value, seen in ((1e-7, "Keras, TensorFlow, numpy-ml"), (1e-6, "d2l"), (1e-5, "burn"))
    ),
    *(
        Cause(
            id="beta-value",
            variant=f"β₁ = {value:g}",
            arguments={"betas": "(beta1, betas[1])"},
            free={"beta1": value},
            formula=rf"\beta_1 = {value:g}",
            seen=seen,
            first=First(1, "m"),
        )
        for value, seen in ((0.5, "GANs, Radford et al. (2015)"), (0.95, "neupy"))
    ),
    *(
        Cause(
            id="beta-value",
            variant=f"β₂ = {value:g}",
            words="beta2",
            arguments={"betas": "(betas[0], beta2)"},
            free={"beta2": value},
            formula=rf"\beta_2 = {value:g}",
            seen=seen,
            first=First(1, "v"),
        )
        for value, seen in ((0.99609375, "tenstorrent/tt-metal#55935"), (0.99, ""))
    ),
    Cause(
        id="bias-correction-frozen",
        everywhere={"beta1**step": "beta1", "beta2**step": "beta2"},
        formula=r"\hat m_t = m_t / (1 - \beta_1), \quad \hat v_t = v_t / (1 - \beta_2)",
        seen="eriklindernoren/ML-From-Scratch",
        first=First(2),
    ),
    Cause(
        id="bias-correction-multiplied",
        lines={"m_hat": "m * (1 - beta1**step)", "v_hat": "v_max * (1 - beta2**step)"},
        formula=r"\hat m_t = m_t\,(1 - \beta_1^t), \quad \hat v_t = v_t\,(1 - \beta_2^t)",
        seen="karpathy/convnetjs#70, #107",
    ),
    Cause(
        id="bias-correction-squared",
        lines={"m_hat": "m / (1 - beta1**step)**2", "v_hat": "v_max / (1 - beta2**step)**2"},
        formula=r"\hat m_t = m_t / (1 - \beta_1^t)^2, \quad \hat v_t = v_t / (1 - \beta_2^t)^2",
    ),
    Cause(
        id="bias-correction-complement",
        lines={"m_hat": "m / beta1**step", "v_hat": "v_max / beta2**step"},
        formula=r"\hat m_t = m_t / (1 - (1 - \beta_1^t))",
        seen="kozistr/pytorch_optimizer#308",
    ),
    Cause(
        id="denominator-multiplied",
        lines={"param": "decayed - lr * m_hat * denom"},
        formula=r"\theta_t = \theta'_t - \alpha\,\hat m_t \cdot s_t",
        seen="oracle/tribuo#401",
    ),
    Cause(
        id="first-moment-summed",
        lines={"m": "beta1 * exp_avg + d"},
        formula=r"m_t = \beta_1 m_{t-1} + d_t",
        seen="PennyLaneAI/pennylane#1928",
        first=First(1, "m"),
    ),
    Cause(
        id="root-forgotten",
        lines={"denom": "v_hat + eps"},
        formula=r"s_t = \hat v_t + \epsilon",
    ),
    Cause(
        id="betas-interchanged",
        variant="in the corrections alone",
        everywhere={"beta1**step": "beta2**step", "beta2**step": "beta1**step"},
        formula=r"\hat m_t = m_t / (1 - \beta_2^t), \quad \hat v_t = v_t / (1 - \beta_1^t)",
    ),
    Cause(
        id="betas-interchanged",
        variant="in the moments alone",
        lines={"m": "beta2 * exp_avg + (1 - beta2) * d", "v": "beta1 * exp_avg_sq + (1 - beta1) * d**2"},
        formula=r"m_t = \beta_2 m_{t-1} + (1 - \beta_2)\,d_t, \quad v_t = \beta_1 v_{t-1} + (1 - \beta_1)\,d_t^2",
        first=First(1, "m"),
    ),
    Cause(
        id="betas-interchanged",
        arguments={"betas": "(betas[1], betas[0])"},
        formula=r"\beta_1 \leftrightarrow \beta_2",
        first=First(1, "m"),
    ),
    optimizer.state_low_precision("m", "v"),
    *optimizer.shared_state("m"),
    *optimizer.resets("exp_avg", "exp_avg_sq"),
    *(
        Cause(
            id="variance-about-the-mean",
            variant=variant,
            lines={"v": f"beta2 * exp_avg_sq + (1 - beta2) * (d - m)**2{added}"},
            formula=r"v_t = \beta_2 v_{t-1} + (1 - \beta_2)(d_t - m_t)^2",
            seen="AdaBelief, arXiv:2010.07468",
            first=First(1, "v"),
        )
        for variant, added in (("", ""), ("eps added", " + eps"))
    ),
    Cause(
        id="step-size-compounded",
        lines={"m_hat": "m", "v_hat": "v_max"},
        arguments={"lr": "compounded(lr, betas, step)"},
        formula=r"\alpha_t = \alpha_{t-1}\,\sqrt{1 - \beta_2^t} / (1 - \beta_1^t)",
        seen="PennyLaneAI/pennylane#1929",
    ),
    optimizer.starts_at_first_square(),
    optimizer.clipped_inside("m"),
    optimizer.ascends("decayed + lr * m_hat / denom"),
    optimizer.lr_factor(10),
]

CAUSES = table(
    "optim.adam",
    SCENARIOS,
    [
        Cause(
            id="decoupled-for-l2",
            lines={
                "d": "g",
                "decayed": "param - lr * weight_decay * param if weight_decay else param",
            },
            formula=r"d_t = g_t, \quad \theta'_t = \theta_{t-1} - \alpha\lambda\,\theta_{t-1}",
            seen="FlagOpen/FlagGems#4988, bitsandbytes-foundation/bitsandbytes#10",
            words="with-lr",
            shows="weight decay",
            first=First(1, "m"),
        ),
        Cause(
            id="decoupled-for-l2",
            variant="without lr",
            lines={
                "d": "g",
                "decayed": "param - weight_decay * param if weight_decay else param",
            },
            formula=r"d_t = g_t, \quad \theta'_t = \theta_{t-1} - \lambda\,\theta_{t-1}",
            seen="Chainer",
            words="without-lr",
            shows="weight decay",
            first=First(1, "m"),
        ),
        optimizer.l2_and_decoupled({"decayed": "param - lr * weight_decay * param if weight_decay else param"}),
        optimizer.decay_without_parameter({"d": "g + weight_decay if weight_decay else g"}, "m"),
        Cause(
            id="decoupled-for-l2",
            variant="after the update",
            lines={"d": "g", "param": "was * (1 - lr * weight_decay) if weight_decay else was"},
            formula=r"d_t = g_t, \quad \theta_t \leftarrow (1 - \alpha\lambda)\,\theta_t",
            words="with-lr",
            shows="weight decay",
            first=First(1, "m"),
        ),
        *optimizer.other_decays("d", "g", "m"),
        optimizer.decay_ascends("m"),
        *optimizer.anyones("m", First(2, "m")),
        optimizer.l2_twice("m"),
        *MOMENTS,
        optimizer.l2_divided_by_batch("m"),
        optimizer.decay_factor(0.1, "m"),
    ],
)
