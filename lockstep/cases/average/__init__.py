"""Cases of averages of weights: what comes in are the parameters after each step."""

from lockstep.cases.gradients import Gradients

BUFFERED = {"linear.weight": (7, 5), "linear.bias": (7,), "norm.running_mean": (7,), "norm.running_var": (7,)}


class Average(Gradients):
    """One way to run an average; arguments as of `Gradients`, whose stream is taken for parameters."""


# What a report shows of any average, as lockstep/experiments/selection.py takes it.
RUNS = ["defaults"]
WALKED = {"defaults": 2}
CLIMBED = {}  # the same to the bit already
