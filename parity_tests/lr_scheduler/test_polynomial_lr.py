"""lr_scheduler.polynomial_lr beside torch.optim.lr_scheduler.PolynomialLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestPolynomialLR(ScheduleTests):
    path = "lr_scheduler.polynomial_lr"
