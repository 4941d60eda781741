"""lr_scheduler.cosine_annealing_warm_restarts beside torch.optim.lr_scheduler.CosineAnnealingWarmRestarts."""

from lockstep.cases.lr_scheduler import Schedule
from lockstep.subjects.registry import asked
from parity_tests.lr_scheduler.scheduler import ScheduleTests
from reference.lr_scheduler.cosine_annealing_warm_restarts import CosineAnnealingWarmRestarts


class TestCosineAnnealingWarmRestarts(ScheduleTests):
    path = "lr_scheduler.cosine_annealing_warm_restarts"


def test_told_the_epoch_pytorch_misses_a_restart_that_is_due():
    """log(243, 3) is 4.999…: at epoch 121 its rate is eta_min, where its own count of epochs restarts."""
    subject, case = "lr_scheduler.cosine_annealing_warm_restarts", Schedule("told", T_0=1, T_mult=3)
    theirs, told = (asked(subject, case, path=path).pair().theirs() for path in ("stepped", "told"))
    ours = CosineAnnealingWarmRestarts([0.1], 1, 3)
    for step in range(1, 123):
        theirs.advance("epoch", step)
        told.advance("epoch", step)
        if step > 1:
            ours.step()
    assert ours.last_epoch == 121
    assert ours.lrs == [0.1] == [*theirs.traces().values()]
    assert told.traces() == {"lr 0": 0.0}
