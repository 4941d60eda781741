"""torch.nn's cross-entropies, the counterparts of reference/layers/loss.py."""

import torch

from torch_impl.layers.layer import Layer


class BCELoss(Layer):
    """torch.nn.BCELoss, fed from NumPy; arguments as there."""

    counterpart = torch.nn.BCELoss


class BCEWithLogitsLoss(Layer):
    """torch.nn.BCEWithLogitsLoss, fed from NumPy; arguments as there."""

    counterpart = torch.nn.BCEWithLogitsLoss

    def shown(self, tensors):
        """log σ(z), from a second run of its kernel."""
        return {"log_sigmoid": torch.nn.functional.logsigmoid(tensors[0].detach()).numpy()}


class CrossEntropyLoss(Layer):
    """torch.nn.CrossEntropyLoss, fed from NumPy; arguments as there; the classes are integers."""

    counterpart = torch.nn.CrossEntropyLoss

    def run(self, tensors):
        z, t = tensors
        return self.module(z, t.long())

    def shown(self, tensors):
        """The logarithm of the softmax, from a second run of its kernel."""
        return {"log_p": torch.log_softmax(tensors[0].detach(), 1).numpy()}
