"""lr_scheduler.sequential_lr beside torch.optim.lr_scheduler.SequentialLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestSequentialLR(ScheduleTests):
    path = "lr_scheduler.sequential_lr"
