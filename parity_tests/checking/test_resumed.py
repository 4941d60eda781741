"""Optimizers of one's own that are stopped, saved and gone on with, and what they forget."""

import numpy as np
import pytest
import torch

import lockstep
from lockstep.causes.saved import LR, SAVED
from lockstep.checking.driving.trials import RESUMING
from lockstep.numerics.verdict import Verdict

PLAIN, WITH_LR = RESUMING


class Adam:
    def __init__(self, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.m, self.v, self.t = {}, {}, 0

    def step(self, params, grads):
        self.t += 1
        b1, b2 = self.betas
        for name, g in grads.items():
            self.m[name] = b1 * self.m.get(name, 0 * g) + (1 - b1) * g
            self.v[name] = b2 * self.v.get(name, 0 * g) + (1 - b2) * g * g
            m, v = self.m[name] / (1 - b1**self.t), self.v[name] / (1 - b2**self.t)
            params[name] -= self.lr * m / (np.sqrt(v) + self.eps)

    def state_dict(self):
        return {"m": self.m, "v": self.v, "t": self.t, "lr": self.lr}

    def load_state_dict(self, saved):
        vars(self).update(saved)


class Empty(Adam):
    def load_state_dict(self, saved):
        self.lr = saved["lr"]


class Counting(Adam):
    def load_state_dict(self, saved):
        vars(self).update(saved | {"t": 0})


class Momentless(Adam):
    def load_state_dict(self, saved):
        self.t, self.lr = saved["t"], saved["lr"]


class Sorted(Adam):
    def load_state_dict(self, saved):
        names = list(saved["m"])
        vars(self).update(saved)
        for key in ("m", "v"):
            held = [saved[key][name] for name in sorted(names)]
            vars(self)[key] = dict(zip(names, held, strict=True))


class Lrless(Adam):
    def load_state_dict(self, saved):
        vars(self).update(saved | {"lr": self.lr})


class Halved(Adam):
    def load_state_dict(self, saved):
        vars(self).update(saved | {"v": {name: array / 2 for name, array in saved["v"].items()}})


def checked(target, only, like="optim.adam"):
    return lockstep.check(target, like=like, only=only, dtypes=("float64",))


@pytest.mark.parametrize("only", RESUMING)
@pytest.mark.parametrize(
    ("target", "like"), [(Adam, "optim.adam"), (torch.optim.AdamW, "optim.adamw"), (torch.optim.SGD, "optim.sgd")]
)
def test_who_goes_on_as_if_never_stopped_is_not_accused(target, like, only):
    result = checked(target, only, like)
    assert result.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL, Verdict.PARTIAL), str(result)
    assert not result.reservations
    assert result.outcomes


@pytest.mark.parametrize("only", RESUMING)
@pytest.mark.parametrize(
    ("target", "cause"),
    [
        (Empty, "state-not-resumed"),
        (Counting, "count-not-resumed"),
        (Momentless, "moments-not-resumed"),
        (Sorted, "state-of-another-tensor"),
        (Halved, "not-resumed"),
    ],
)
def test_what_is_forgotten_is_named(target, cause, only):
    result = checked(target, only)
    assert result.verdict is Verdict.DIFFERENT, str(result)
    assert [named["id"] for named in result.causes] == [cause]


def test_an_lr_that_is_not_saved_is_told_and_no_difference():
    assert not checked(Lrless, PLAIN).reservations
    result = checked(Lrless, WITH_LR)
    assert result.verdict is Verdict.ROUNDING
    assert result.reservations == [LR.fix]
    assert result.strict_status == 3


def test_whoever_cannot_be_saved_is_told_so():
    class Unsaved(Adam):
        state_dict = None

    result = checked(Unsaved, PLAIN)
    (told,) = {str(entry["reason"]) for entry in result.not_triggered if entry["scenario"] in RESUMING}
    assert "state_dict" in told


def test_a_recording_keeps_where_it_was_gone_on_with(tmp_path):
    recording = checked(Empty, PLAIN).outcomes[0].recording
    recording.save(tmp_path / "adam")
    (read,) = lockstep.recordings.recording.load(tmp_path / "adam")
    assert read.resumed == recording.resumed == 5


def test_every_cause_of_saved_state_says_what_to_do():
    assert len({str(cause.fix) for cause in SAVED}) == 4
