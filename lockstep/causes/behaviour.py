"""Wrong behaviour around a right formula. Each function takes a class of the reference and returns it wrapped."""

from typing import Any

import numpy as np


def missing_is_zero(base: Any) -> type:
    """A tensor without a gradient is stepped with zeros."""

    class Planted(base):
        def step(self, grads):
            given = {name: grads.get(name) for name in self.params}
            super().step({name: self.no_gradient(name) if g is None else g for name, g in given.items()})

    return named(Planted, base)


def counts_tensors(base: Any) -> type:
    """One counter for all tensors, raised with each of them."""
    key, _ = count_of(base)

    class Planted(base):
        def step(self, grads):
            count = max((float(entries[key]) for entries in self.state.values() if key in entries), default=0)
            for name, grad in grads.items():
                if grad is not None:
                    state = self.new_state(self.params[name]) | self.state[name]
                    self.state[name] = state | {key: np.asarray(count, np.float32)}
                    super().step({name: grad})
                    count += 1

    return named(Planted, base)


def counts_calls(base: Any) -> type:
    """One counter for all tensors, raised once a call: one that is skipped gets older, too."""
    key, entry = count_of(base)

    class Planted(base):
        def step(self, grads):
            super().step(grads)
            for name in self.params:
                if grads.get(name) is None:
                    count = self.state[name].get(key, np.float32(0))
                    self.state[name] = self.state[name] | {key: entry.raised(count)}

    return named(Planted, base)


def count_of(base: Any) -> tuple[str, Any]:
    """The entry of an optimizer's state that counts its steps, and its key."""
    return next((key, entry) for key, entry in base.STATE.items() if entry.kind == "count")


def steps_first_twice(base: Any) -> type:
    """The first tensor, as if tied to another, is stepped once for each of its two names."""

    class Planted(base):
        def step_one(self, name, grad):
            super().step_one(name, grad)
            if name == next(iter(self.params)):
                super().step_one(name, grad)

    return named(Planted, base)


def skips_zero_gradients(base: Any) -> type:
    """A tensor whose gradient is nothing but zeros is not stepped."""

    class Planted(base):
        def step_one(self, name, grad):
            if np.any(grad != 0):
                super().step_one(name, grad)

    return named(Planted, base)


def skips_zero_entries(base: Any) -> type:
    """An element whose gradient is zero is not stepped, nor is what is kept of it."""

    class Planted(base):
        def step_one(self, name, grad):
            param, entries = copied(self.params[name]), {k: copied(value) for k, value in self.state[name].items()}
            super().step_one(name, grad)
            self.params[name] = put_back(self.params[name], param, grad == 0)
            for key, before in entries.items():
                now = self.state[name].get(key)
                if before is not None and now is not None and self.STATE[key].kind == "array":
                    self.state[name][key] = put_back(now, before, grad == 0)

    return named(Planted, base)


def copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def put_back(now: Any, before: Any, where: Any) -> Any:
    """What it was before, in some places; in the same array, where it is one."""
    if not isinstance(now, np.ndarray):
        return np.where(where, before, now)
    np.copyto(now, before, where=where)
    return now


def keeps_one_state(base: Any) -> type:
    """All tensors share the moments of one, which begin anew where the next has another shape."""

    class Planted(base):
        latest = ""

        def step_one(self, name, grad):
            arrays = {key: entry for key, entry in self.entries(self.params[name]).items() if entry.kind == "array"}
            own = [key for key, entry in arrays.items() if not entry.when] or [*arrays]
            alike = bool(self.latest) and self.params[self.latest].shape == self.params[name].shape
            fresh = self.state[self.latest] if alike else self.new_state(self.params[name])
            if self.latest:
                self.state[name] = (
                    self.new_state(self.params[name]) | self.state[name] | {k: copied(fresh[k]) for k in own}
                )
            super().step_one(name, grad)
            self.latest = name

    return named(Planted, base)


def keeps_state_by_shape(base: Any) -> type:
    """All tensors of a shape share one state, its counter included."""

    class Planted(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.by_shape: dict[tuple[int, ...], dict[str, Any]] = {}

        def step_one(self, name, grad):
            shape = self.params[name].shape
            if shape in self.by_shape:
                self.state[name] = {key: copied(value) for key, value in self.by_shape[shape].items()}
            super().step_one(name, grad)
            self.by_shape[shape] = {key: copied(value) for key, value in self.state[name].items()}

    return named(Planted, base)


def hidden_maximum(base: Any) -> type:
    """The maximum of v is kept and used without amsgrad, out of sight of the state."""

    class Planted(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.maxima: dict[str, np.ndarray] = {}

        def step_one(self, name, grad):
            if self.amsgrad:
                super().step_one(name, grad)
                return
            self.amsgrad = True
            known = {"max_exp_avg_sq": self.maxima[name]} if name in self.maxima else {}
            self.state[name] = self.state[name] | known
            super().step_one(name, grad)
            self.maxima[name] = self.state[name].pop("max_exp_avg_sq")
            self.amsgrad = False

    return named(Planted, base)


def complements_mask(base: Any) -> type:
    """A unit is kept where u ≥ p, for the same u. Of a given mask that is the complement at p = ½."""

    class Planted(base):
        def accepted(self, inputs):
            x, *given = inputs
            return super().accepted((x, *(1 - mask for mask in given)))

        def draw(self, shape):
            p, self.p = self.p, 1 - self.p
            dropped = super().draw(shape)  # where u < p
            self.p = p
            return 1 - np.asarray(dropped, np.float64)

    return named(Planted, base)


def ignores_mode(base: Any) -> type:
    """The layer trains for ever, with masks of its own where it is given none."""

    class Planted(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.generator = self.generator or np.random.default_rng(0)

        def train(self, mode=True):
            return super().train(True)

    return named(Planted, base)


def keeps_training_pass(base: Any) -> type:
    """The way back is always that of the last training pass: evaluation leaves nothing for it."""

    class Planted(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.kept: Any = None

        def forward(self, *inputs):
            cache = self.cache
            output = super().forward(*inputs)
            if not self.training and cache is not None:
                self.cache = cache
            return output

        def evaluate(self, inputs, grad_output=None, params=None, buffers=None, **others):
            made = super().evaluate(inputs, grad_output, params, buffers, **others)
            if others.get("training", self.training):
                self.kept = inputs, params, buffers
            elif grad_output is not None and self.kept is not None:
                inputs, params, buffers = self.kept
                return made[0], super().evaluate(inputs, grad_output, params, buffers, **others | {"training": True})[1]
            return made

    return named(Planted, base)


def goes_back_over_the_batch(base: Any) -> type:
    """The way back takes the statistics of the batch and differentiates through them, in evaluation, too."""

    class Planted(base):
        def backward(self, grad_output):
            training, cache = self.training, self.cache
            if cache is not None:
                inputs, _, arguments = cache
                arguments = arguments | {"training": True}
                self.cache = inputs, self.run(self.formula.forward, inputs, arguments), arguments
            grad = super().backward(grad_output)
            self.training, self.cache = training, cache
            return grad

        def evaluate(self, inputs, grad_output=None, params=None, buffers=None, **others):
            made = super().evaluate(inputs, grad_output, params, buffers, **others)
            if others.get("training", self.training) or grad_output is None:
                return made
            return made[0], super().evaluate(inputs, grad_output, params, buffers, **others | {"training": True})[1]

    return named(Planted, base)


def penalises_biases(base: Any) -> type:
    """The network's penalties are taken of every parameter of a linear layer."""

    class Planted(base):
        def weights(self):
            return [name for weight in super().weights() for name in (weight, weight.replace(".weight", ".bias"))]

    return named(Planted, base)


def named(planted: type, base: type) -> type:
    planted.__name__ = base.__name__
    return planted
