"""Causes of optim.sgd."""

from lockstep.cases import Case
from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = [
    *optimizer.situations(momentum=0.9),
    *optimizer.seldom(momentum=0.9),
    Scenario(Case("no momentum, weight decay", lr=0.1, weight_decay=0.1, steps=6)),
    Scenario(Case("dampening", lr=0.1, momentum=0.9, dampening=0.5, steps=6)),
    Scenario(Case("nesterov", lr=0.1, momentum=0.9, nesterov=True, steps=6)),
    Scenario(Case("nesterov, lr changes", lr=0.1, momentum=0.9, nesterov=True, lr_at={4: 0.01}, steps=6)),
]

CAUSES = table(
    "optim.sgd",
    SCENARIOS,
    [
        Cause(
            id="lr-inside-momentum",
            lines={
                "buf": "d if momentum_buffer is None else "
                "momentum * lr_before / lr * momentum_buffer + (1 - dampening) * d"
            },
            formula=r"b_t = \mu\,b_{t-1} - \alpha\,d_t, \quad \theta_t = \theta_{t-1} + b_t",
            seen="Keras, Sutskever et al., numpy-ml, scikit-learn; pytorch/pytorch#1099, jax-ml/jax#1528",
            shows="lr changes",
            first=First(4, "buf"),
        ),
        Cause(
            id="ema-momentum",
            lines={
                "buf": "was if momentum == 0 else (1 - momentum) * d if momentum_buffer is None else "
                "momentum * momentum_buffer + (1 - momentum) * d"
            },
            formula=r"b_t = \mu\,b_{t-1} + (1 - \mu)\,d_t",
            first=First(1, "buf"),
        ),
        Cause(
            id="dampening-on-first-step",
            lines={"buf": "(1 - dampening) * d if momentum != 0 and momentum_buffer is None else was"},
            formula=r"b_1 = (1 - \tau)\,d_1",
            seen="ml-explore/mlx#473, pytorch/pytorch#152833",
            shows="dampening",
            first=First(1, "buf"),
        ),
        Cause(
            id="nesterov-ignored",
            lines={"update": "buf"},
            formula=r"u_t = b_t",
            seen="pytorch/pytorch#5920, ml-explore/mlx#87",
            shows="nesterov",
        ),
        Cause(
            id="nesterov-on",
            lines={"update": "d + momentum * buf if momentum != 0 else was"},
            formula=r"u_t = d_t + \mu\,b_t \quad \text{without nesterov}",
            seen="jax-ml/jax",
        ),
        Cause(
            id="nesterov-lookahead",
            lines={
                "buf": "was if not nesterov or momentum_buffer is None else "
                "momentum * lr_before / lr * momentum_buffer + d"
            },
            formula=r"b_t = \mu\,b_{t-1} - \alpha\,d_t, \quad \theta_t = \theta_{t-1} - \mu\,b_{t-1} + (1 + \mu)\,b_t",
            seen="Sutskever et al. (2013), CS231n",
            shows="nesterov, lr changes",
            first=First(4, "buf"),
        ),
        Cause(
            id="decoupled-for-l2",
            lines={"d": "g", "param": "was - lr * weight_decay * param if weight_decay else was"},
            formula=r"d_t = g_t, \quad \theta_t = \theta_{t-1} - \alpha\,u_t - \alpha\lambda\,\theta_{t-1}",
            seen="facebookresearch/detectron2#2127",
            shows="weight decay",
            first=First(1, "buf"),
        ),
        Cause(
            id="decay-ignored-without-momentum",
            lines={"d": "was if momentum != 0 else g"},
            formula=r"d_t = g_t \quad \text{if } \mu = 0",
            seen="ml-explore/mlx#440, #473",
            shows="no momentum, weight decay",
        ),
        Cause(
            id="momentum-reset",
            lines={"buf": "d if momentum_buffer is None else 0 * momentum_buffer + (1 - dampening) * d"},
            formula=r"b_t = (1 - \tau)\,d_t",
            seen="kozistr/pytorch_optimizer#516",
            first=First(2, "buf"),
        ),
        Cause(
            id="ema-momentum",
            variant="and Nesterov's step",
            words="nesterov",
            lines={
                "buf": "was if momentum == 0 else (1 - momentum) * d if momentum_buffer is None else "
                "momentum * momentum_buffer + (1 - momentum) * d",
                "update": "(1 - momentum) * d + momentum * buf if nesterov else was",
            },
            formula=r"b_t = \mu\,b_{t-1} + (1 - \mu)\,d_t, \quad u_t = (1 - \mu)\,d_t + \mu\,b_t",
            shows="nesterov",
            first=First(1, "buf"),
        ),
        optimizer.l2_and_decoupled({"param": "was - lr * weight_decay * param if weight_decay else was"}),
        optimizer.decay_without_parameter({"d": "g + weight_decay if weight_decay else g"}, "buf"),
        optimizer.clipped_inside("buf"),
        *optimizer.anyones("buf", First(2, "buf"), count=""),
        *optimizer.shared_state("buf", count=""),
        *optimizer.other_decays("d", "g", "buf"),
        optimizer.decay_ascends("buf"),
        Cause(
            id="ema-momentum",
            variant="corrected",
            words="corrected",
            lines={
                "buf": "was if momentum == 0 else (1 - momentum) * d if momentum_buffer is None else "
                "momentum * momentum_buffer + (1 - momentum) * d",
                "update": "was / (1 - momentum**updates)",
            },
            formula=r"b_t = \mu\,b_{t-1} + (1 - \mu)\,d_t, \quad u_t = b_t / (1 - \mu^t)",
            first=First(1, "buf"),
        ),
        optimizer.l2_twice("buf"),
        optimizer.none_gradient_decays("buf"),
        optimizer.tied_updated_twice("buf"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        optimizer.low_precision("momentum", "float32(momentum)", "buf", first=First(2, "buf")),
        optimizer.other_value("momentum", 0.5, "buf", first=First(2, "buf")),
        optimizer.ascends("param + lr * update"),
        optimizer.lr_factor(10, seen="Keras"),
        optimizer.l2_divided_by_batch("buf"),
        optimizer.decay_factor(0.1, "buf"),
    ],
)
