"""Causes of optim.adadelta."""

from lockstep.causes.cause import Cause, First
from lockstep.causes.optim import optimizer
from lockstep.causes.tables import table

SCENARIOS = optimizer.situations()

CAUSES = table(
    "optim.adadelta",
    SCENARIOS,
    [
        Cause(
            id="eps-outside-roots",
            lines={"rms": "np.sqrt(v) + eps", "delta": "(np.sqrt(acc_delta) + eps) / rms * d"},
            formula=r"\Delta_t = (\sqrt{w_{t-1}} + \epsilon) / (\sqrt{v_t} + \epsilon) \cdot d_t",
            first=First(1, "w"),
        ),
        Cause(
            id="lr-inside-mean-of-updates",
            lines={"w": "rho * acc_delta + (1 - rho) * (lr * delta) ** 2"},
            formula=r"w_t = \rho\,w_{t-1} + (1 - \rho)\,(\alpha\,\Delta_t)^2",
            seen="keras-team/keras#11532",
            first=First(1, "w"),
        ),
        Cause(
            id="mean-multiplied-out",
            lines={"v": "(rho * square_avg + (1 - rho)) * d**2"},
            formula=r"v_t = (\rho\,v_{t-1} + 1 - \rho)\,d_t^2",
            seen="deeplearning4j/nd4j#1239",
            first=First(2, "v"),
        ),
        Cause(
            id="updates-not-gathered",
            lines={"delta": "np.sqrt(eps) / rms * d"},
            formula=r"\Delta_t = \sqrt{\epsilon}\,/\,s_t \cdot d_t",
            first=First(2, "w"),
        ),
        Cause(
            id="mean-of-updates-too-early",
            lines={"delta": "np.sqrt(rho * acc_delta + (1 - rho) * acc_delta + eps) / np.sqrt(square_avg + eps) * d"},
            formula=r"\Delta_t = \sqrt{w_{t-1} + \epsilon}\,/\sqrt{v_{t-1} + \epsilon} \cdot d_t",
            seen="yacineMahdid/artificial-intelligence-and-machine-learning#43",
            first=First(1, "w"),
        ),
        Cause(
            id="rho-value",
            arguments={"rho": "share"},
            free={"share": 0.95},
            formula=r"\rho = 0.95",
            seen="Keras, TensorFlow, the paper",
            first=First(1, "v"),
        ),
        optimizer.l2_twice("v"),
        optimizer.none_gradient_decays("step"),
        optimizer.tied_updated_twice("step"),
        optimizer.low_precision("lr", "float32(lr)", "param"),
        *(
            optimizer.other_value("eps", value, "w", seen=seen)
            for value, seen in ((1e-7, "Keras"), (1e-8, "TensorFlow 1"))
        ),
        optimizer.ascends("param + lr * delta"),
        optimizer.lr_factor(0.001, seen="Keras, TensorFlow: 1e-3 for 1"),
        optimizer.l2_divided_by_batch("v"),
        optimizer.decay_factor(0.1, "v"),
    ],
)
