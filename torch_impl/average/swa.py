"""torch.optim.swa_utils' mean, the counterpart of reference/average/swa.py."""

from torch.optim.swa_utils import get_swa_avg_fn, get_swa_multi_avg_fn

from torch_impl.average.averaged import Averaged


class SWA(Averaged):
    """AveragedModel with get_swa_avg_fn or get_swa_multi_avg_fn."""

    counterpart = staticmethod(get_swa_avg_fn)

    def single(self):
        return get_swa_avg_fn()

    def foreach(self):
        return get_swa_multi_avg_fn()
