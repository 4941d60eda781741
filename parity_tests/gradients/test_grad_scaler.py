"""gradients.grad_scaler beside torch.amp.GradScaler."""

import inspect

import numpy as np
import torch

from parity_tests.gradients.transformation import TransformationTests
from reference.gradients.grad_scaler import GradScaler
from torch_impl.gradients import grad_scaler as theirs


class TestGradScaler(TransformationTests):
    path = "gradients.grad_scaler"
    of_pytorch_alone = ("device", "enabled")

    def function(self, kind):
        """A class of it, which keeps its scale: its gradients, and the numbers that it makes."""

        class Scaler(kind):
            def __call__(self, grads):
                return self.step(grads), *(float(self.made[key]) for key in self.NUMBERS)

        Scaler.__signature__ = inspect.signature(kind)  # type: ignore[attr-defined]
        return Scaler


def test_what_overflows_when_it_is_scaled_is_noticed_on_both_sides():
    grads = {"weight": np.array([3.0, 2.0**100, -1.0], np.float32)}
    sides = [kind(init_scale=2.0**29, growth_interval=2) for kind in (GradScaler, theirs.GradScaler)]
    told = []
    for _ in range(6):
        for side in sides:
            side.step(grads)
        ours, torch_made = (side.made for side in sides)
        assert ours["unscaled"]["weight"].tobytes() == torch_made["unscaled"]["weight"].tobytes()
        assert [ours[key] for key in sides[0].NUMBERS] == [torch_made[key] for key in sides[0].NUMBERS]
        told.append((int(ours["found_inf"]), float(np.log2(ours["scale"]))))
    assert told == [(1, 28), (1, 27), (0, 27), (0, 28), (1, 27), (0, 27)]


def test_the_scale_is_float32_whatever_the_gradients_are():
    """Which a scale that is no power of two shows: float64 gradients come back with float32's rounding."""
    grads = {"weight": np.random.default_rng(0).standard_normal(1000)}
    scaler = torch.amp.GradScaler("cpu", init_scale=3.0)
    parameter = torch.zeros(1000, dtype=torch.float64, requires_grad=True)
    scaler.scale((parameter * torch.tensor(grads["weight"])).sum()).backward()
    scaler.unscale_(torch.optim.SGD([parameter]))
    apart = np.max(abs(parameter.grad.numpy() / grads["weight"] - 1))  # type: ignore[union-attr]
    assert 2.0**-27 < apart < 2.0**-24
    ours = GradScaler(init_scale=3.0)
    assert np.max(abs(ours.step(grads)["weight"] / grads["weight"] - 1)) <= 2.0**-52
