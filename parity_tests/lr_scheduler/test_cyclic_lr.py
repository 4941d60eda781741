"""lr_scheduler.cyclic_lr beside torch.optim.lr_scheduler.CyclicLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestCyclicLR(ScheduleTests):
    path = "lr_scheduler.cyclic_lr"
