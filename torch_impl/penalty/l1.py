"""L1 in torch, the counterpart of reference/penalty/l1.py."""

from torch_impl.penalty.penalty import Penalty


class L1(Penalty):
    """λ/m · Σ |w|, differentiated by autograd."""

    def term(self, w):
        return w.abs().sum() * (self.lam / self.m)
