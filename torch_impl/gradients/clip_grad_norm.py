"""torch.nn.utils.clip_grad_norm_, the counterpart of reference/gradients/clip_grad_norm.py."""

import torch

from torch_impl.gradients.transformation import Transformation


class ClipGradNorm(Transformation):
    """torch.nn.utils.clip_grad_norm_; arguments as there."""

    counterpart = torch.nn.utils.clip_grad_norm_
    NUMBERS = ("total_norm",)

    def run(self, parameters):
        return torch.nn.utils.clip_grad_norm_(parameters, **self.hyperparameters, foreach=self.foreach)
