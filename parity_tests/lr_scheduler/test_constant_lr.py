"""lr_scheduler.constant_lr beside torch.optim.lr_scheduler.ConstantLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestConstantLR(ScheduleTests):
    path = "lr_scheduler.constant_lr"
