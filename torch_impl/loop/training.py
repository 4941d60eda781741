"""A training loop of PyTorch's own parts, the counterpart of reference/loop/training.py."""

from math import inf
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn

from torch_impl.average.averaged import module_of
from torch_impl.tensors import array, tensor


class Training:
    """SGD, StepLR, clip_grad_norm_ and AveragedModel around losses whose gradients are given; arguments as there."""

    paths = ("single",)

    def __init__(
        self, base_lr, momentum=0.0, accumulation=1, scale=1.0, max_norm=inf, norm_type=2.0, step_size=1, gamma=1.0,
        decay=0.0, samples=None, per_epoch=2, *, path="single",
    ):  # fmt: skip
        if path not in self.paths:
            raise ValueError(f"{type(self).__name__} has no path {path!r}; it has {', '.join(self.paths)}")
        self.lr, self.momentum, self.scale, self.samples = base_lr, momentum, scale, samples
        self.max_norm, self.norm_type = max_norm, norm_type
        self.step_size, self.gamma, self.decay, self.per_epoch = step_size, gamma, decay, per_epoch
        self.made: dict[str, Any] = {}

    def step(self, arrays) -> dict[str, np.ndarray]:
        """One step, from where `made` says the loop is, with the gradients of its micro-batches."""
        taken, samples = int(self.made["n_averaged"]), self.samples or [1] * len(next(iter(arrays.values())))
        model = module_of(self.made["param"])
        average = AveragedModel(module_of(self.made["averaged"]), avg_fn=get_ema_avg_fn(self.decay))
        average.n_averaged.fill_(taken)
        parameters = dict(zip(arrays, model.parameters(), strict=True))
        optimizer = torch.optim.SGD(model.parameters(), lr=self.lr, momentum=self.momentum, foreach=False)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, self.step_size, self.gamma)
        optimizer.step()  # which has no gradients yet, and no effect
        for _ in range(taken // self.per_epoch):
            schedule.step()
        if taken and self.momentum:
            for name, buffer in self.made["momentum_buffer"].items():
                optimizer.state[parameters[name]]["momentum_buffer"] = tensor(buffer)
        for name, left in self.made["left"].items():
            parameters[name].grad = tensor(left)
        loss: Any
        for place, count in enumerate(samples):
            loss = sum((parameters[name] * tensor(grads[place])).sum() for name, grads in arrays.items())
            (loss * (self.scale * (count / sum(samples)))).backward()
        grads: dict[str, Any] = {name: parameter.grad for name, parameter in parameters.items()}
        for grad in grads.values():
            grad.mul_(1 / self.scale)
        total_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), self.max_norm, self.norm_type, foreach=False)
        (lr,) = schedule.get_last_lr()
        optimizer.step()
        average.update_parameters(model)
        buffers = {name: optimizer.state[one].get("momentum_buffer") for name, one in parameters.items()}
        clipped = {name: array(grad).copy() for name, grad in grads.items()}
        optimizer.zero_grad(set_to_none=False)
        self.made = {
            "param": {name: array(one) for name, one in parameters.items()},
            "momentum_buffer": {name: clipped[name] if b is None else array(b) for name, b in buffers.items()},
            "averaged": dict(zip(arrays, map(array, average.module.parameters()), strict=True)),
            "left": {name: array(grad) for name, grad in grads.items()},
            "lr": np.float64(lr),
            "total_norm": array(total_norm)[()],
            "n_averaged": np.float64(taken + 1),
        }
        return self.made["param"]
