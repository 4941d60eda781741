"""Adam in the shapes in which courses, books and small engines have it: taken as they are, each faithful.

`update` steps a weight and `update_bias` what stands beside it, so that a test can make either of them wrong.
"""

import dataclasses

import numpy as np


def update(p, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), m, v


def update_bias(*arguments):
    return update(*arguments)


# whole layers


class OfALayer:
    """update_params(layer), one layer at a time; the state lies on the layer, the count before and after."""

    def __init__(self, learning_rate=1e-3, decay=0.0, epsilon=1e-8, beta_1=0.9, beta_2=0.999):
        self.learning_rate = self.current_learning_rate = learning_rate
        self.decay, self.epsilon, self.beta_1, self.beta_2, self.iterations = decay, epsilon, beta_1, beta_2, 0

    def pre_update_params(self):
        if self.decay:
            self.current_learning_rate = self.learning_rate / (1 + self.decay * self.iterations)

    def update_params(self, layer):
        if not hasattr(layer, "weight_cache"):
            layer.weight_momentums, layer.weight_cache = np.zeros_like(layer.weights), np.zeros_like(layer.weights)
            layer.bias_momentums, layer.bias_cache = np.zeros_like(layer.biases), np.zeros_like(layer.biases)
        told = self.iterations + 1, self.current_learning_rate, self.beta_1, self.beta_2, self.epsilon
        layer.weights, layer.weight_momentums, layer.weight_cache = update(
            layer.weights, layer.dweights, layer.weight_momentums, layer.weight_cache, *told
        )
        layer.biases, layer.bias_momentums, layer.bias_cache = update_bias(
            layer.biases, layer.dbiases, layer.bias_momentums, layer.bias_cache, *told
        )

    def post_update_params(self):
        self.iterations += 1


class OfLayers:
    """update(layers), with a list of dicts for its moments."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t, self.m, self.v = lr, beta1, beta2, eps, 0, [], []

    def update(self, layers):
        if not self.m:
            self.m = [{"W": np.zeros_like(one.W), "b": np.zeros_like(one.b)} for one in layers]
            self.v = [{"W": np.zeros_like(one.W), "b": np.zeros_like(one.b)} for one in layers]
        self.t += 1
        told = self.t, self.lr, self.beta1, self.beta2, self.eps
        for place, one in enumerate(layers):
            m, v = self.m[place], self.v[place]
            one.W, m["W"], v["W"] = update(one.W, one.dW, m["W"], v["W"], *told)
            one.b, m["b"], v["b"] = update_bias(one.b, one.db, m["b"], v["b"], *told)


class OfANetwork:
    """The network at the start, then step(); gradients are called grad_weights."""

    def __init__(self, network, learning_rate=1e-3):
        self.network, self.learning_rate, self.t, self.kept = network, learning_rate, 0, {}

    def step(self):
        self.t += 1
        for layer in self.network.layers:
            kept = self.kept.setdefault(layer, [0 * layer.weights, 0 * layer.weights, 0 * layer.bias, 0 * layer.bias])
            told = self.t, self.learning_rate
            layer.weights, *kept[:2] = update(layer.weights, layer.grad_weights, kept[0], kept[1], *told)
            layer.bias, *kept[2:] = update_bias(layer.bias, layer.grad_bias, kept[2], kept[3], *told)


class OfDictsOnLayers:
    """Layers with a dict of parameters and one of gradients, in which a d stands before the name."""

    def __init__(self, lr=1e-3):
        self.lr, self.t, self.kept = lr, 0, {}

    def step(self, layers):
        self.t += 1
        for place, layer in enumerate(layers):
            for key in layer.params:
                one = layer.params[key]
                m, v = self.kept.get((place, key), (0 * one, 0 * one))
                steps = update if one.ndim == 2 else update_bias
                new, *self.kept[place, key] = steps(one, layer.grads["d" + key], m, v, self.t, self.lr)
                layer.params[key] = new


class OfListsOnLayers:
    """Layers with a list of parameters and one of gradients, stepped in place; an optimizer for each of them."""

    def __init__(self, lr=1e-3):
        self.lr, self.t, self.kept = lr, 0, None

    def update(self, layer):
        self.t += 1
        self.kept = self.kept or [(0 * one, 0 * one) for one in layer.params]
        for place, (one, slope) in enumerate(zip(layer.params, layer.grads, strict=True)):
            steps = update if one.ndim == 2 else update_bias
            one[...], *self.kept[place] = steps(one, slope, *self.kept[place], self.t, self.lr)


class BesideALayer:
    """update(layer, dW, db): the gradients are handed over beside it."""

    def __init__(self, lr=1e-3):
        self.lr, self.t, self.kept = lr, 0, None

    def update(self, layer, dW, db):
        self.t += 1
        self.kept = self.kept or [0 * layer.W, 0 * layer.W, 0 * layer.b, 0 * layer.b]
        layer.W, *self.kept[:2] = update(layer.W, dW, *self.kept[:2], self.t, self.lr)
        layer.b, *self.kept[2:] = update_bias(layer.b, db, *self.kept[2:], self.t, self.lr)
        return layer


class OfFourArraysAfterTheStep:
    """update(t, w, b, dw, db), which counts outside."""

    def __init__(self, eta=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.eta, self.beta1, self.beta2, self.epsilon = eta, beta1, beta2, epsilon
        self.m_dw, self.v_dw, self.m_db, self.v_db = 0, 0, 0, 0

    def update(self, t, w, b, dw, db):
        told = t, self.eta, self.beta1, self.beta2, self.epsilon
        w, self.m_dw, self.v_dw = update(w, dw, self.m_dw, self.v_dw, *told)
        b, self.m_db, self.v_db = update_bias(b, db, self.m_db, self.v_db, *told)
        return w, b


def adam_init(params):
    return {
        "t": 0,
        "m": {name: 0 * array for name, array in params.items()},
        "v": {n: 0 * a for n, a in params.items()},
    }


def adam_with_a_state_made_beside(params, grads, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """The state is a dict that only the function beside it makes."""
    t, m, v, new = state["t"] + 1, {}, {}, {}
    for name, grad in grads.items():
        one = update_bias if "bias" in name else update
        told = t, lr, beta1, beta2, eps
        new[name], m[name], v[name] = one(params[name], grad, state["m"][name], state["v"][name], *told)
    return new, {"t": t, "m": m, "v": v}


class OfFourArrays:
    """update(weights, dweights, biases, dbiases), returning the two."""

    def __init__(self, lr=1e-3):
        self.lr, self.t, self.kept = lr, 0, None

    def update(self, weights, dweights, biases, dbiases):
        self.t += 1
        self.kept = self.kept or [0 * weights, 0 * weights, 0 * biases, 0 * biases]
        weights, *self.kept[:2] = update(weights, dweights, *self.kept[:2], self.t, self.lr)
        biases, *self.kept[2:] = update_bias(biases, dbiases, *self.kept[2:], self.t, self.lr)
        return weights, biases


# dicts of W1, b1, …


def initialize_adam(parameters):
    v = {"d" + key: np.zeros_like(value) for key, value in parameters.items()}
    return v, {key: value.copy() for key, value in v.items()}


def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """A well-known course's: v is the first moment and s the second, handed in and returned."""
    for layer in range(1, len(parameters) // 2 + 1):
        for steps, key in ((update, "W" + str(layer)), (update_bias, "b" + str(layer))):
            parameters[key], v["d" + key], s["d" + key] = steps(
                parameters[key], grads["d" + key], v["d" + key], s["d" + key], t, learning_rate, beta1, beta2, epsilon
            )
    return parameters, v, s


class OfTwoLayers:
    """The names of two layers are in its code; it changes the dict it is given and returns nothing."""

    def __init__(self, lr=1e-3):
        self.lr, self.t, self.m, self.v = lr, 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        for steps, key in ((update, "W1"), (update_bias, "b1"), (update, "W2"), (update_bias, "b2")):
            m, v = self.m.get(key, 0 * params[key]), self.v.get(key, 0 * params[key])
            params[key], self.m[key], self.v[key] = steps(params[key], grads["d" + key], m, v, self.t, self.lr)


class OfOneLayer:
    """One layer, whose weight is w and whose bias is b, without a number."""

    def __init__(self, learning_rate=1e-3):
        self.learning_rate, self.t, self.kept = learning_rate, 0, None

    def step(self, params, grads):
        self.t += 1
        self.kept = self.kept or [0 * params["w"], 0 * params["w"], 0 * params["b"], 0 * params["b"]]
        w, *self.kept[:2] = update(params["w"], grads["dw"], *self.kept[:2], self.t, self.learning_rate)
        b, *self.kept[2:] = update_bias(params["b"], grads["db"], *self.kept[2:], self.t, self.learning_rate)
        return {"w": w, "b": b}


# functions


def adam_with_variables_last(lr, beta1, beta2, eps, t, m, v, g, w):
    steps = update if w.ndim == 2 else update_bias
    return steps(w, g, m, v, t, lr, beta1, beta2, eps)


# tensors of small engines


class OfTensors:
    """Objects with .data, .grad and .shape at the start, in a list."""

    def __init__(self, parameters, lr=1e-3):
        self.parameters, self.lr, self.t = parameters, lr, [0 for _ in parameters]
        self.m, self.v = ([np.zeros(p.shape, p.dtype) for p in parameters] for _ in range(2))

    def step(self):
        for i, p in enumerate(self.parameters):
            if p.grad is not None:
                self.t[i] += 1
                steps = update if len(p.shape) == 2 else update_bias
                p.data, self.m[i], self.v[i] = steps(p.data, p.grad, self.m[i], self.v[i], self.t[i], self.lr)


class OfValues:
    """Objects with .values, whose gradient is such an object, too; a model at the start."""

    def __init__(self, model, lr=1e-3):
        self.model, self.lr, self.t, self.kept = model, lr, 0, {}

    def update(self):
        self.t += 1
        for p in self.model.parameters():
            m, v = self.kept.get(id(p), (0 * p.values, 0 * p.values))
            steps = update if p.values.ndim == 2 else update_bias
            p.values, *self.kept[id(p)] = steps(p.values, p.grad.values, m, v, self.t, self.lr)


class OfTensorsAtTheStep:
    """The tensors come with every step."""

    def __init__(self, lr=1e-3):
        self.lr, self.kept = lr, {}

    def step(self, tensors):
        for tensor in tensors:
            if tensor.gradient is not None:
                m, v, t = self.kept.get(id(tensor), (0 * tensor.value, 0 * tensor.value, 0))
                steps = update if tensor.value.ndim == 2 else update_bias
                tensor.value, m, v = steps(tensor.value, tensor.gradient, m, v, t + 1, self.lr)
                self.kept[id(tensor)] = m, v, t + 1


# how it is made


class OnDicts:
    def __init__(self, lr, beta1, beta2, epsilon):
        """All of them have to be told."""
        self.told, self.t, self.kept = (lr, beta1, beta2, epsilon), 0, {}

    def update(self, params, grads):
        self.t += 1
        for key, p in params.items():
            steps = update if p.ndim == 2 else update_bias
            params[key], *self.kept[key] = steps(p, grads[key], *self.kept.get(key, (0 * p, 0 * p)), self.t, *self.told)


class OfAConfiguration(OnDicts):
    def __init__(self, config):
        super().__init__(config["lr"], config["beta1"], config["beta2"], config["eps"])


class OfOptions(OnDicts):
    def __init__(self, cfg):
        super().__init__(cfg.get("learning_rate", 1e-3), cfg.get("beta1", 0.9), cfg.get("beta2", 0.999), 1e-8)


@dataclasses.dataclass
class Settings:
    learning_rate: float = 1e-3
    b1: float = 0.9
    b2: float = 0.999
    epsilon: float = 1e-8


class OfADataclass(OnDicts):
    def __init__(self, settings: Settings):
        super().__init__(settings.learning_rate, settings.b1, settings.b2, settings.epsilon)


TAKEN = {
    "a layer": OfALayer,
    "layers": OfLayers,
    "a network": OfANetwork,
    "dicts on layers": OfDictsOnLayers,
    "lists on layers": OfListsOnLayers,
    "beside a layer": BesideALayer,
    "four arrays": OfFourArrays,
    "four arrays after the step": OfFourArraysAfterTheStep,
    "a state made beside": adam_with_a_state_made_beside,
    "W1, b1, v, s": update_parameters_with_adam,
    "two layers by name": OfTwoLayers,
    "one layer by name": OfOneLayer,
    "variables last": adam_with_variables_last,
    "data and grad": OfTensors,
    "values": OfValues,
    "tensors at the step": OfTensorsAtTheStep,
    "all required": OnDicts,
    "a configuration": OfAConfiguration,
    "options": OfOptions,
    "a dataclass": OfADataclass,
}
