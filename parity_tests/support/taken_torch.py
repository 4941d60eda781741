"""Adam on torch tensors, by people who do not use torch.optim; each faithful."""

import torch


def update(p, g, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g * g
    return p - lr * (m / (1 - b1**t)) / (torch.sqrt(v / (1 - b2**t)) + eps), m, v


def update_bias(*arguments):
    return update(*arguments)


class OnTensorsAndGradients:
    """step(params, grads) on lists of tensors, in place."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.told, self.t, self.kept = (lr, beta1, beta2, eps), 0, None

    def step(self, params, grads):
        self.t += 1
        self.kept = self.kept or [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            steps = update if p.dim() == 2 else update_bias
            new, *self.kept[i] = steps(p, g, *self.kept[i], self.t, *self.told)
            p.copy_(new)


class OnLeaves:
    """Parameters at the start, step() on their .grad, no subclass of torch.optim.Optimizer."""

    def __init__(self, params, lr=1e-3):
        self.params, self.lr = list(params), lr
        self.t = [0 for _ in self.params]
        self.m, self.v = ([torch.zeros_like(p.data) for p in self.params] for _ in range(2))

    def step(self):
        with torch.no_grad():
            for i, p in enumerate(self.params):
                if p.grad is not None:
                    self.t[i] += 1
                    steps = update if p.dim() == 2 else update_bias
                    new, self.m[i], self.v[i] = steps(p, p.grad, self.m[i], self.v[i], self.t[i], self.lr)
                    p.copy_(new)

    def zero_grad(self):
        for p in self.params:
            p.grad = None


@torch.no_grad()
def adam_of_a_function(param, grad, m, v, t, lr=1e-3):
    steps = update if param.dim() == 2 else update_bias
    return steps(param, grad, m, v, t, lr)


TAKEN = {
    "tensors and gradients": OnTensorsAndGradients,
    "leaves": OnLeaves,
    "a function of tensors": adam_of_a_function,
}
