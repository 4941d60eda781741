"""lr_scheduler.multistep_lr beside torch.optim.lr_scheduler.MultiStepLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestMultiStepLR(ScheduleTests):
    path = "lr_scheduler.multistep_lr"
