"""A model for training loops of PyTorch's whose gradients are known: each sample's loss is linear in the parameters."""

from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from torch_impl.tensors import array, tensor


class Linear(torch.nn.Module):
    """Σ w·g for each sample: the gradient of the mean over a batch is the mean of its samples' g.

    Arguments:
        grads: name to one gradient a sample.
        start: name to the parameter that it is of.
        watched: told of every batch that is differentiated: its samples, and the parameters as they were.
    """

    def __init__(self, grads, start, watched: Any):
        super().__init__()
        self.grads, self.watched = {name: tensor(value) for name, value in grads.items()}, watched
        for name, value in start.items():
            self.register_parameter(name, torch.nn.Parameter(tensor(value)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters as they are."""
        return {name: array(one).copy() for name, one in self.named_parameters()}

    def forward(self, x):
        samples = x.detach().reshape(-1).long()
        pending = Pending(self, samples.numpy()) if torch.is_grad_enabled() else None
        return Losses.apply(samples, self.grads, list(self.grads), pending, *self.parameters())


class Pending:
    """A batch that has gone forward: it counts, in its place among the others, once it has gone back as well."""

    def __init__(self, model: Linear, samples: np.ndarray):
        self.model, self.training = model, model.training
        self.call = (samples, model.arrays())
        self.place = len(model.watched.calls)

    def differentiated(self) -> None:
        watched = self.model.watched
        watched.note(*self.call)
        watched.calls.insert(self.place, watched.calls.pop())
        watched.in_evaluation |= not self.training


class Losses(torch.autograd.Function):
    """One loss a sample; on the way back their mean is the mean of the samples' gradients, as NumPy takes it."""

    @staticmethod
    def forward(ctx, samples, grads, names, pending, *parameters):
        ctx.pending = pending
        ctx.picked = [grads[name][samples] for name in names]
        losses = [(one * picked).flatten(1).sum(1) for one, picked in zip(parameters, ctx.picked, strict=True)]
        return torch.stack(losses).sum(0)[:, None]

    @staticmethod
    def backward(ctx, upstream):
        ctx.pending.differentiated()
        made, upstream = [], upstream.reshape(-1)
        for picked in ctx.picked:
            alike = bool((upstream == upstream[0]).all())
            mean = torch.from_numpy(np.asarray(picked.numpy().mean(axis=0), picked.numpy().dtype))
            weighted = upstream.reshape(-1, *[1] * (picked.ndim - 1)) * picked
            made.append(mean * (upstream[0] * len(picked)) if alike else weighted.sum(0))
        return None, None, None, None, *made


def mean(output, *targets):
    """The mean loss of a batch."""
    return output.mean()


class Loader(list):
    """Batches, and the samples they are made of."""

    def __init__(self, batches, dataset):
        super().__init__(batches)
        self.dataset, self.batch_size = dataset, len(batches[0][0])


def loader(batches) -> Loader:
    """The batches as tensors: which samples, and targets that nothing depends on."""
    made = [(torch.tensor(x), torch.tensor(t)) for x, t in batches]
    return Loader(made, torch.utils.data.TensorDataset(*samples(batches)))


def samples(batches) -> tuple[torch.Tensor, torch.Tensor]:
    """All samples of the batches, and their targets."""
    return torch.cat([torch.tensor(x) for x, _ in batches]), torch.cat([torch.tensor(t) for _, t in batches])


def optimizer(model: Linear, lr: float, momentum: float) -> torch.optim.SGD:
    """SGD, for a loop that is given its optimizer."""
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)


def scheduler(steps, step_size: int, gamma: float) -> torch.optim.lr_scheduler.StepLR:
    """StepLR, for a loop that is given its schedule."""
    return torch.optim.lr_scheduler.StepLR(steps, step_size, gamma)


def scaler(scale: float) -> torch.amp.GradScaler:
    """A scaler whose scale stays."""
    return torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=2**30)


def named(part):
    """A model, an average of one or named tensors as arrays by name; anything else as it is."""
    part = part.module if isinstance(part, AveragedModel) else part
    part = dict(part.named_parameters()) if isinstance(part, torch.nn.Module) else part
    tensors = isinstance(part, dict) and all(isinstance(one, torch.Tensor) for one in part.values())
    return {name: array(one) for name, one in part.items()} if tensors else part
