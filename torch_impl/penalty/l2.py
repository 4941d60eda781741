"""L2 in torch, the counterpart of reference/penalty/l2.py."""

from torch_impl.penalty.penalty import Penalty


class L2(Penalty):
    """λ/2m · Σ w², differentiated by autograd."""

    def term(self, w):
        return w.pow(2).sum() * (self.lam / (2 * self.m))
