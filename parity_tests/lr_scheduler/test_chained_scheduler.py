"""lr_scheduler.chained_scheduler beside torch.optim.lr_scheduler.ChainedScheduler."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestChainedScheduler(ScheduleTests):
    path = "lr_scheduler.chained_scheduler"
