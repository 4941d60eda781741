"""lr_scheduler.one_cycle_lr beside torch.optim.lr_scheduler.OneCycleLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestOneCycleLR(ScheduleTests):
    path = "lr_scheduler.one_cycle_lr"
