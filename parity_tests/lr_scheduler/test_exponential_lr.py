"""lr_scheduler.exponential_lr beside torch.optim.lr_scheduler.ExponentialLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestExponentialLR(ScheduleTests):
    path = "lr_scheduler.exponential_lr"
