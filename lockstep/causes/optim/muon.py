"""Causes of optim.muon."""

import dataclasses

from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

# Small, so that their bounds are; and without the stream in which rounding decides at once.
SCENARIOS = [
    Scenario(one.case.replaced(shapes={"weight": (3, 2), "wide": (2, 4)}))
    for one in optimizer.situations()
    if one.case.problem != "sparse"
]

NORMAL, TINY = "normal gradients", "gradients near eps"


CAUSES = table(
    "optim.muon",
    SCENARIOS,
    [
        Cause(
            id="iterated-in-full-precision",
            lines={
                "x": "wide / np.maximum(np.sqrt((wide**2).sum()), eps)",
                "o": "exactly_iterated(x, a, b, c, ns_steps)",
            },
            formula=r"X_0,\, A_i,\, X_i \text{ in the format of } \theta",
            seen="optax, tracel-ai/burn#3925",
        ),
        Cause(
            id="momentum-not-averaged",
            lines={
                "buf": "momentum * momentum_buffer + grad",
                "update": "grad + momentum * buf if nesterov else buf",
            },
            formula=r"B_t = \mu B_{t-1} + G_t",
            seen="PyTorch docs, Moonlight",
            first=First(1, "buf"),
        ),
        Cause(
            id="nesterov-ignored",
            lines={"update": "buf"},
            formula=r"\tilde B_t = B_t",
            words="muon",
        ),
        Cause(
            id="step-not-scaled-by-shape",
            lines={"adjusted": "lr"},
            formula=r"s = 1",
            seen="google-deepmind/optax#1249, fernand/sentence-jepa",
        ),
        Cause(
            id="scaled-by-transposed-shape",
            lines={"adjusted": "lr * SCALES[adjust_lr_fn](param.shape[1], param.shape[0])"},
            formula=r"s = \sqrt{\max(1,\, m/n)}",
            seen="optax",
        ),
        Cause(
            id="scaled-as-adamw",
            lines={"adjusted": "lr * SCALES['match_rms_adamw'](param.shape[0], param.shape[1])"},
            formula=r"s = 0.2\sqrt{\max(n,\, m)}",
            seen="Moonlight",
        ),
        Cause(
            id="coefficients-of-the-limit",
            arguments={"ns_coefficients": "(1.875, -1.25, 0.375)"},
            formula=r"(a, b, c) = (15/8,\, -5/4,\, 3/8)",
        ),
        Cause(
            id="coefficients-of-the-limit",
            variant="of degree 3",
            arguments={"ns_coefficients": "(1.5, -0.5, 0.0)"},
            formula=r"(a, b, c) = (3/2,\, -1/2,\, 0)",
            seen="TheAlgorithms/Python#13719",
        ),
        Cause(
            id="one-iteration-less",
            arguments={"ns_steps": "ns_steps - 1"},
            formula=r"O_t = X_{k-1}",
        ),
        Cause(
            id="eps-added-to-norm",
            lines={
                "x": "PLAIN.bfloat16(PLAIN.bfloat16(wide)"
                " / PLAIN.bfloat16(PLAIN.bfloat16_norm(PLAIN.bfloat16(wide)) + eps))"
            },
            formula=r"X_0 = \tilde B_t / (\lVert \tilde B_t \rVert_F + \epsilon)",
            seen="KellerJordan/Muon, Moonlight, optax",
            shows=TINY,
        ),
        Cause(
            id="decay-by-adjusted-step",
            lines={"decayed": "param - adjusted * weight_decay * param"},
            formula=r"\theta'_t = \theta_{t-1} - \alpha s\lambda\,\theta_{t-1}",
        ),
        Cause(
            id="decay-without-lr",
            lines={"decayed": "param - weight_decay * param"},
            formula=r"\theta'_t = \theta_{t-1} - \lambda\,\theta_{t-1}",
            seen="fernand/sentence-jepa",
            words="plain",
        ),
        Cause(
            id="l2-for-decoupled",
            lines={
                "buf": "momentum * momentum_buffer + (1 - momentum) * (grad + weight_decay * param)",
                "update": "(1 - momentum) * (grad + weight_decay * param) + momentum * buf if nesterov else buf",
                "decayed": "param",
            },
            formula=r"G_t \leftarrow G_t + \lambda\,\theta_{t-1}, \quad \theta'_t = \theta_{t-1}",
            words="plain",
            first=First(1, "buf"),
        ),
        optimizer.none_gradient_decays("buf"),
        optimizer.tied_updated_twice("buf"),
        optimizer.ascends("decayed + adjusted * (o.T if tall else o).astype(decayed.dtype)"),
        optimizer.lr_factor(0.1),
        dataclasses.replace(optimizer.decay_factor(0.1, "param"), shows=NORMAL),  # its decay is never 0
    ],
)
