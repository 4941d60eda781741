"""lr_scheduler.lambda_lr beside torch.optim.lr_scheduler.LambdaLR."""

from parity_tests.lr_scheduler.scheduler import ScheduleTests


class TestLambdaLR(ScheduleTests):
    path = "lr_scheduler.lambda_lr"
