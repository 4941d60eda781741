"""torch.optim.swa_utils' exponential moving average, the counterpart of reference/average/ema.py."""

from torch.optim.swa_utils import get_ema_avg_fn, get_ema_multi_avg_fn

from torch_impl.average.averaged import Averaged


class EMA(Averaged):
    """AveragedModel with get_ema_avg_fn or get_ema_multi_avg_fn."""

    counterpart = staticmethod(get_ema_avg_fn)

    def single(self, decay=0.999):
        return get_ema_avg_fn(decay)

    def foreach(self, decay=0.999):
        return get_ema_multi_avg_fn(decay)
