"""lr_scheduler.linear_lr beside torch.optim.lr_scheduler.LinearLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestLinearLR(ScheduleTests):
    path = "lr_scheduler.linear_lr"
