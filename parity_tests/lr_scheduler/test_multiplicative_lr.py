"""lr_scheduler.multiplicative_lr beside torch.optim.lr_scheduler.MultiplicativeLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestMultiplicativeLR(ScheduleTests):
    path = "lr_scheduler.multiplicative_lr"
