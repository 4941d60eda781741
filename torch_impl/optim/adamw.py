"""torch.optim.AdamW, the counterpart of reference/optim/adamw.py."""

import torch

from torch_impl.optim.optimizer import Optimizer


class AdamW(Optimizer):
    """torch.optim.AdamW, fed from NumPy; arguments and state as there, `path` as in `Optimizer`."""

    counterpart = torch.optim.AdamW
