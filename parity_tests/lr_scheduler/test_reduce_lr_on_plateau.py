"""lr_scheduler.reduce_lr_on_plateau beside torch.optim.lr_scheduler.ReduceLROnPlateau."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestReduceLROnPlateau(ScheduleTests):
    path = "lr_scheduler.reduce_lr_on_plateau"
