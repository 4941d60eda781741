"""torch.nn.BatchNorm1d and BatchNorm2d, the counterparts of reference/layers/batchnorm.py."""

import torch

from torch_impl.layers.layer import Layer


class AnyRank(torch.nn.modules.batchnorm._BatchNorm):
    def _check_input_dim(self, input):  # noqa: A002 torch's name
        if input.dim() not in {2, 3, 4}:
            raise ValueError(f"expected 2D or 3D or 4D input (got {input.dim()}D input)")


class BatchNorm(Layer):
    """torch.nn.BatchNorm1d or 2d by the rank of the input, fed from NumPy; arguments as there."""

    counterpart = AnyRank

    def shown(self, tensors):
        """The batch's mean and 1/√(σ² + ε), from a second run of the kernel without side effects."""
        if not self.training and self.module.running_mean is not None:
            return {}
        with torch.no_grad():
            _, mean, invstd = torch.native_batch_norm(tensors[0], None, None, None, None, True, 0.0, self.module.eps)
        return {"mu": mean.numpy(), "invstd": invstd.numpy()}


class BatchNorm1d(BatchNorm):
    """torch.nn.BatchNorm1d, fed from NumPy; arguments as there."""

    counterpart = torch.nn.BatchNorm1d


class BatchNorm2d(BatchNorm):
    """torch.nn.BatchNorm2d, fed from NumPy; arguments as there."""

    counterpart = torch.nn.BatchNorm2d
