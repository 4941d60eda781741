"""Modules under names and in layouts of their own: right ones, and ones with a single thing wrong."""

import torch
from torch import nn


class Stretched(nn.Module):
    """Batch normalisation, right, where nothing has a usual name."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.stretch, self.lift = nn.Parameter(torch.ones(num_features)), nn.Parameter(torch.zeros(num_features))
        self.register_buffer("centre", torch.zeros(num_features))
        self.register_buffer("spread", torch.ones(num_features))
        self.eps, self.momentum = eps, momentum

    def forward(self, x):
        axes = [0, *range(2, x.dim())]
        mean, var = (x.mean(axes), x.var(axes, correction=0)) if self.training else (self.centre, self.spread)
        if self.training:
            n = x.numel() / x.shape[1]
            self.centre = (1 - self.momentum) * self.centre + self.momentum * mean.detach()
            self.spread = (1 - self.momentum) * self.spread + self.momentum * var.detach() * n / (n - 1)
        mean, root, stretch, lift = (
            one.view(1, -1, *(1 for _ in axes[1:]))
            for one in (mean, torch.sqrt(var + self.eps), self.stretch, self.lift)
        )
        return stretch * (x - mean) / root + lift


class Turned(nn.Module):
    """x W + b with W (in, out): right."""

    heeds = True

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(in_features, out_features))
        self.b = nn.Parameter(torch.zeros(out_features)) if bias or not self.heeds else None

    def forward(self, x):
        return x @ self.W if self.b is None else x @ self.W + self.b


class AlwaysTurned(Turned):
    """Wrong: it has a bias that nobody asked for."""

    heeds = False


class TurnedTwice(Turned):
    def forward(self, x):
        return super().forward(2 * x)


class OfTheModel(nn.Module):
    """Layer normalisation of the last axis alone: right."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.a_2, self.b_2 = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def root(self, x):
        return torch.sqrt(x.var(-1, keepdim=True, correction=0) + self.eps)

    def forward(self, x):
        return self.a_2 * (x - x.mean(-1, keepdim=True)) / self.root(x) + self.b_2


class OfSpread(OfTheModel):
    """Wrong: the variance is torch's own."""

    def root(self, x):
        return torch.sqrt(x.var(-1, keepdim=True) + self.eps)


class LeavesTheInputBehind(nn.Linear):
    """Nothing of what it is made of learns what is behind it."""

    def forward(self, x):
        return nn.functional.linear(x.detach(), self.weight, self.bias)


class Shifted(torch.autograd.Function):
    """An offset that is never told its gradient."""

    @staticmethod
    def forward(ctx, x, offset):
        return x + offset

    @staticmethod
    def backward(ctx, above):
        return above, None


class KeepsItsOffset(nn.Linear):
    def forward(self, x):
        return Shifted.apply(nn.functional.linear(x, self.weight), self.bias)
