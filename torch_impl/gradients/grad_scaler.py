"""torch.amp.GradScaler, the counterpart of reference/gradients/grad_scaler.py."""

import numpy as np
import torch

from torch_impl.gradients.transformation import Transformation
from torch_impl.tensors import array, tensor


class GradScaler(Transformation):
    """torch.amp.GradScaler on the CPU; arguments as there."""

    counterpart = torch.amp.GradScaler
    paths = ("single",)
    TENSORS = ("unscaled",)
    NUMBERS = ("found_inf", "scale", "growth_tracker")

    def __init__(self, *, path="single", **hyperparameters):
        super().__init__(path=path, **hyperparameters)
        self.scaler = torch.amp.GradScaler("cpu", **hyperparameters)

    def step(self, arrays):
        state = {"scale": self.made["scale"], "_growth_tracker": int(self.made["growth_tracker"])} if self.made else {}
        self.scaler.load_state_dict(self.scaler.state_dict() | state)
        grads = {name: tensor(given) for name, given in arrays.items()}
        parameters = [torch.zeros_like(grad, requires_grad=True) for grad in grads.values()]
        optimizer = torch.optim.SGD(parameters, foreach=False)
        pairs = zip(parameters, grads.values(), strict=True)
        loss = torch.stack([(parameter * grad).sum() for parameter, grad in pairs]).sum()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(optimizer)
        found = self.scaler._found_inf_per_device(optimizer).values()
        found_inf = max(float(one) for one in found)
        made = {
            name: array(one.grad).copy() for name, one in zip(grads, parameters, strict=True) if one.grad is not None
        }
        self.scaler.step(optimizer)
        self.scaler.update()
        self.made = {
            "unscaled": made,
            "found_inf": np.float64(found_inf),
            "scale": np.float32(self.scaler.get_scale()),
            "growth_tracker": np.float64(self.scaler._get_growth_tracker()),
        }
        return made
