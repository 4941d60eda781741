"""Loops in the shapes that courses, books and trainers give them: faithful ones, and what is wrong with others."""

import copy

import numpy as np
import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader

import lockstep
from lockstep.numerics.verdict import Verdict


def an_epoch(dataloader, model, loss_fn, optimizer):
    """As PyTorch's quickstart has it: called once an epoch."""
    size = len(dataloader.dataset)
    model.train()
    for batch, (x, y) in enumerate(dataloader):
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        assert batch * len(x) < size


class Trainer:
    """Epochs and batches inside, held-back data evaluated, a schedule that may be left out."""

    def __init__(self, model, optimizer, criterion, scheduler=None, device="cpu", max_grad_norm=None):
        self.model, self.optimizer, self.criterion, self.scheduler = model.to(device), optimizer, criterion, scheduler
        self.device, self.max_grad_norm = device, max_grad_norm

    def fit(self, train_loader, val_loader, num_epochs):
        for _ in range(num_epochs):
            self.model.train()
            for x, y in train_loader:
                self.optimizer.zero_grad(set_to_none=True)
                self.criterion(self.model(x.to(self.device)), y.to(self.device)).backward()
                if self.max_grad_norm is not None:
                    clip_grad_norm_(self.model.parameters(), self.max_grad_norm)
                self.optimizer.step()
            if self.scheduler is not None:
                self.scheduler.step()
            self.model.eval()
            for x, y in val_loader:  # evaluated without no_grad: it costs time, and is not wrong
                self.criterion(self.model(x), y).item()


class Shuffling:
    """It makes the batches itself, in an order of its own, drops the last, and keeps all in attributes."""

    def __init__(self, params, grad_fn, lr=0.01, momentum=0.0, batch_size=4, seed=0):
        self.params, self.grad_fn, self.lr, self.momentum, self.batch_size = params, grad_fn, lr, momentum, batch_size
        self.rng = np.random.default_rng(seed)
        self.velocity = {name: np.zeros_like(array) for name, array in params.items()}

    def fit(self, X, y, epochs=10):
        count = len(X) // self.batch_size * self.batch_size
        for _ in range(epochs):
            order = self.rng.permutation(len(X))[:count]
            for begin in range(0, count, self.batch_size):
                rows = order[begin : begin + self.batch_size]
                grads = self.grad_fn(self.params, X[rows], y[rows])
                for name in self.params:
                    self.velocity[name] = self.momentum * self.velocity[name] + grads[name]
                    self.params[name] = self.params[name] - self.lr * self.velocity[name]
        return self


def with_a_loader_inside(model, dataset, criterion, epochs=3, lr=0.1, batch_size=4, momentum=0.0):
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True)
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum)
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()


def of_one_vector(grad, w, data, n_epochs, eta):
    for _ in range(n_epochs):
        for x, y in data:
            w = w - eta * grad(w, x, y)
    return w


def of_a_list(params, train_iter, loss_and_grads, num_epochs, lr):
    for _ in range(num_epochs):
        for x, y in train_iter:
            loss, grads = loss_and_grads(params, x, y)
            assert np.isfinite(loss)
            for place, grad in enumerate(grads):
                params[place] -= lr * grad


def scaled_by_pytorch(model, loader, criterion, optimizer, scaler, epochs, clip=None):
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            scaler.scale(criterion(model(x), y)).backward()
            if clip is not None:
                scaler.unscale_(optimizer)
                clip_grad_norm_(model.parameters(), clip)
            scaler.step(optimizer)
            scaler.update()


class Averaging:
    """Its parameters are other arrays after each step, and its average is an attribute."""

    def __init__(self, params, grad_fn, lr, ema_decay=0.0):
        self.params, self.grad_fn, self.lr, self.ema_decay, self.shadow = params, grad_fn, lr, ema_decay, {}

    def train(self, batches, epochs):
        for _ in range(epochs):
            for batch in batches:
                grads = self.grad_fn(self.params, batch)
                self.params = {name: array - self.lr * grads[name] for name, array in self.params.items()}
                before, keep = self.shadow or self.params, self.ema_decay
                self.shadow = {name: keep * before[name] + (1 - keep) * array for name, array in self.params.items()}


class ABatch:
    """It takes one batch at a time."""

    def __init__(self, model, optimizer, loss_fn):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn

    def train_step(self, x, y):
        self.optimizer.zero_grad()
        self.loss_fn(self.model(x), y).backward()
        self.optimizer.step()


def with_an_optimizer(params, x_train, t_train, gradient, optimizer, epochs, batch_size):
    for _ in range(epochs):
        order = np.random.permutation(len(x_train))  # noqa: NPY002
        for begin in range(0, len(order), batch_size):
            rows = order[begin : begin + batch_size]
            optimizer.update(params, gradient(params, x_train[rows], t_train[rows]))


FAITHFUL = [
    an_epoch, Trainer, Shuffling, with_a_loader_inside, of_one_vector, of_a_list, scaled_by_pytorch, Averaging, ABatch,
    with_an_optimizer,
]  # fmt: skip


QUICK = (Trainer, Shuffling, of_a_list)


@pytest.mark.parametrize("target", [pytest.param(t, marks=[] if t in QUICK else pytest.mark.slow) for t in FAITHFUL])
def test_a_faithful_loop_of_any_shape_is_not_accused(target):
    result = lockstep.check(target, like="loop", dtypes=["float64"])
    assert result.exit_status == 0, str(result)
    assert len(result.outcomes) > 1


def test_what_it_draws_is_drawn_again():
    first, again = (lockstep.check(with_an_optimizer, like="loop", only="a plain loop").to_json() for _ in range(2))
    assert first == again


# what is wrong


def with_replacement(params, x_train, t_train, gradient, lr, epochs, batch_size):
    rng = np.random.default_rng(0)
    for _ in range(epochs * (len(x_train) // batch_size)):
        rows = rng.choice(len(x_train), batch_size)
        for name, grad in gradient(params, x_train[rows], t_train[rows]).items():
            params[name] -= lr * grad


def with_an_optimizer_an_epoch(model, loader, loss_fn, epochs, lr, momentum=0.0):
    for _ in range(epochs):
        an_epoch(loader, model, loss_fn, torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum))


def clipped_each_batch(params, batches, grad_fn, epochs, lr, accumulation_steps=1, max_norm=float("inf")):
    waiting = []
    for _ in range(epochs):
        for x, y in batches:
            grads = grad_fn(params, x, y)
            norm = np.sqrt(sum(np.sum(grad**2) for grad in grads.values()))
            share = min(max_norm / (norm + 1e-6), 1) * len(x)
            waiting.append((len(x), {name: share * grad for name, grad in grads.items()}))
            if len(waiting) == accumulation_steps:
                for name in params:
                    params[name] -= lr * sum(grads[name] for _, grads in waiting) / sum(count for count, _ in waiting)
                waiting.clear()


def with_an_idle_schedule(model, loader, loss_fn, epochs, optimizer, scheduler=None):
    for _ in range(epochs):
        an_epoch(loader, model, loss_fn, optimizer)


def summed(params, batches, grad_fn, epochs, lr):
    for _ in range(epochs):
        for x, y in batches:
            for name, grad in grad_fn(params, x, y).items():
                params[name] -= lr * grad * len(x)


class AveragingBefore(Averaging):
    def train(self, batches, epochs):
        for _ in range(epochs):
            for batch in batches:
                grads, before, keep = self.grad_fn(self.params, batch), self.shadow or self.params, self.ema_decay
                self.shadow = {name: keep * before[name] + (1 - keep) * array for name, array in self.params.items()}
                self.params = {name: array - self.lr * grads[name] for name, array in self.params.items()}


def dampened(model, loader, loss_fn, epochs, lr, momentum=0.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, dampening=momentum)
    for _ in range(epochs):
        an_epoch(loader, model, loss_fn, optimizer)


def of_nesterov(model, loader, loss_fn, epochs, lr, momentum=0.0):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, nesterov=momentum > 0)
    for _ in range(epochs):
        an_epoch(loader, model, loss_fn, optimizer)


def rate_in_the_buffer(params, batches, gradient, epochs, lr, momentum=0.0, step_size=1, gamma=1.0):
    buffer = {name: np.zeros_like(array) for name, array in params.items()}
    for epoch in range(epochs):
        for x, y in batches:
            for name, grad in gradient(params, x, y).items():
                buffer[name] = momentum * buffer[name] - lr * gamma ** (epoch // step_size) * grad
                params[name] += buffer[name]


class NeverZeroed(ABatch):
    def train_step(self, x, y):
        self.loss_fn(self.model(x), y).backward()
        self.optimizer.step()


class ZeroedTooEarly(ABatch):
    def train_step(self, x, y):
        self.loss_fn(self.model(x), y).backward()
        self.optimizer.zero_grad()
        self.optimizer.step()


def not_reset(params, data, gradient, epochs, lr, accumulation_steps=1):
    summed, counts = dict.fromkeys(params, 0.0), []
    for _ in range(epochs):
        for x, y in data:
            counts.append(len(x))
            for name, grad in gradient(params, x, y).items():
                summed[name] = summed[name] + grad * len(x)
            if len(counts) == accumulation_steps:
                for name in params:
                    params[name] -= lr * summed[name] / sum(counts)
                counts.clear()


def clipped_too_late(model, loader, criterion, epochs, lr, max_norm=float("inf")):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            clip_grad_norm_(model.parameters(), max_norm)


def left_in_evaluation(model, loader, criterion, optimizer, epochs):
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
        model.eval()


def complement(model, loader, criterion, epochs, lr, ema_decay=0.0):
    optimizer, ema = torch.optim.SGD(model.parameters(), lr=lr), None
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            ema = ema or copy.deepcopy(model)
            with torch.no_grad():
                for mean, param in zip(ema.parameters(), model.parameters(), strict=True):
                    mean.mul_(1 - ema_decay).add_(param, alpha=ema_decay)
    return model, ema


WRONG = {
    with_replacement: "data-order",
    with_an_optimizer_an_epoch: "optimizer-made-anew",
    clipped_each_batch: "clipped-a-batch-at-a-time",
    with_an_idle_schedule: "schedule-never-stepped",
    summed: "batch-summed",
    AveragingBefore: "averaged-before-the-step",
    dampened: "ema-momentum",
    of_nesterov: "nesterov-on",
    rate_in_the_buffer: "lr-inside-momentum",
    NeverZeroed: "gradients-not-zeroed",
    ZeroedTooEarly: "zeroed-before-the-step",
    not_reset: "gradients-not-zeroed",
    clipped_too_late: "never-clipped",
    left_in_evaluation: "left-in-evaluation",
    complement: "decay-for-its-complement",
}

SHOWN = ("never-clipped", "lr-inside-momentum", "left-in-evaluation")
EVERY = [pytest.param(*pair, marks=[] if pair[1] in SHOWN else pytest.mark.slow) for pair in WRONG.items()]


@pytest.mark.parametrize(("target", "cause"), EVERY)
def test_what_is_wrong_with_a_loop_of_any_shape_is_named(target, cause):
    result = lockstep.check(target, like="loop", dtypes=["float64"])
    assert result.verdict is Verdict.DIFFERENT
    assert [named["id"] for named in result.causes] == [cause], str(result)


class Idle:
    def __init__(self, params, lr):
        self.params, self.lr = params, lr


@pytest.mark.parametrize(
    ("target", "words"),
    [(Idle, "it has no method that trains (fit, train, "), (of_one_vector, "it takes no momentum")],
)
def test_what_cannot_be_driven_or_tried_is_said(target, words):
    assert words in str(lockstep.check(target, like="loop", dtypes=["float64"]))
