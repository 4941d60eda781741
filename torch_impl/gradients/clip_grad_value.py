"""torch.nn.utils.clip_grad_value_, the counterpart of reference/gradients/clip_grad_value.py."""

import torch

from torch_impl.gradients.transformation import Transformation


class ClipGradValue(Transformation):
    """torch.nn.utils.clip_grad_value_; arguments as there."""

    counterpart = torch.nn.utils.clip_grad_value_

    def run(self, parameters):
        return torch.nn.utils.clip_grad_value_(parameters, **self.hyperparameters, foreach=self.foreach)
