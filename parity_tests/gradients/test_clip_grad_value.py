"""gradients.clip_grad_value beside torch.nn.utils.clip_grad_value_."""

import numpy as np

from parity_tests.gradients.transformation import TransformationTests
from reference.gradients.clip_grad_value import ClipGradValue
from torch_impl.gradients import clip_grad_value as theirs


class TestClipGradValue(TransformationTests):
    path = "gradients.clip_grad_value"


def test_what_is_no_number_stays_none_and_what_is_infinite_is_held():
    given = {"weight": np.array([np.nan, np.inf, -np.inf, -0.0, 0.0])}
    for kind in (ClipGradValue, theirs.ClipGradValue):
        clipped = kind(clip_value=2.0).step(given)["weight"]
        assert clipped.tobytes() == np.array([np.nan, 2.0, -2.0, -0.0, 0.0]).tobytes()
