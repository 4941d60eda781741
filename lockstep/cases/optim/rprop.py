"""Cases of optim.rprop."""

from lockstep.cases import Bad, Case
from lockstep.cases.optim import SIZES, situations

# What `situations` has for any optimizer, but for decay, which Rprop has not.
SITUATIONS = [case for case in situations() if "weight_decay" not in case.hyperparameters]

CASES = [
    Case("defaults"),
    Case("lr", lr=0.1),
    Case("maximize", maximize=True),
    Case("etas", etas=(0.3, 1.7)),
    Case("etas that are no binary numbers", etas=(0.1, 1.1), problem="quadratic"),
    Case("step sizes that are soon reached", step_sizes=(0.009, 0.011)),
    Case("step sizes on either side of lr", lr=0.1, step_sizes=(0.2, 0.3)),
    Case("a step size that is not let grow", lr=0.1, step_sizes=(1e-6, 0.05)),
    Case("the sign never turns", problem="shrinking"),
    Case("the sign turns around the minimum", problem="quadratic", lr=0.5, steps=40),
    Case("a gradient of 0 after one that turned", zero_from=3),
    Case(
        "everything at once",
        lr=0.02,
        etas=(0.4, 1.3),
        step_sizes=(0.001, 0.03),
        maximize=True,
        shapes=SIZES,
        none_at=3,
        lr_at={6: 0.05},
    ),
    Case("a tensor thawed after lr has changed", frozen=(1, 5), lr_at={4: 0.05}),
    *SITUATIONS,
]

BAD = [
    Bad("negative lr", (ValueError, "Invalid learning rate: -0.1"), lr=-0.1),
    Bad("lr is NaN", (ValueError, "Invalid learning rate: nan"), lr=float("nan")),
    Bad("η⁻ is 0", (ValueError, "Invalid eta values: 0.0, 1.2"), etas=(0.0, 1.2)),
    Bad("η⁻ is 1", (ValueError, "Invalid eta values: 1.0, 1.2"), etas=(1.0, 1.2)),
    Bad("η⁺ is 1", (ValueError, "Invalid eta values: 0.5, 1.0"), etas=(0.5, 1.0)),
    Bad("η⁻ and η⁺ exchanged", (ValueError, "Invalid eta values: 1.2, 0.5"), etas=(1.2, 0.5)),
    Bad("a misspelt name", (TypeError, "Rprop.__init__() got an unexpected keyword argument 'eta'"), eta=0.5),
]

CLIMBED = {}  # the paper's order is PyTorch's, to the bit: a step is a step size and a sign

TRAINED = ("Rprop", {"lr": 1e-3})  # made for whole batches: on mini-batches it learns, but its loss does not settle
