"""conftest's own promises: one thread, one seed, and a test that leaves the process changed is told so."""

import os
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st


def test_one_thread():
    assert torch.get_num_threads() == 1
    assert {os.environ[name] for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"1"}


@pytest.mark.parametrize("_time", ["first", "second"])
def test_every_test_starts_from_the_same_seed(_time):
    assert random.random() == random.Random(0).random()
    assert np.random.random() == np.random.RandomState(0).random_sample()  # noqa: NPY002
    assert torch.initial_seed() == 0


def examples() -> list[str]:
    seen = []

    @settings(settings.get_profile("same"))
    @given(st.floats())
    def look(x):
        seen.append(str(x))

    look()
    return seen


def test_examples_are_the_same_every_time():
    assert examples() == examples()
    assert settings.default.deadline is None


CHANGES = {
    "np.errstate": lambda: np.seterr(over="raise"),
    "torch threads": lambda: torch.set_num_threads(2),
    "torch default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch gradients": lambda: torch.set_grad_enabled(False),
    "torch deterministic": lambda: torch.use_deterministic_algorithms(True),
    "torch flushes subnormals": lambda: torch.set_flush_denormal(True),
    "directory": lambda: os.chdir(os.path.sep),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_process_is_noticed(name, request):
    conftest = next(p for p in request.config.pluginmanager.get_plugins() if hasattr(p, "left_behind"))
    directory, errors = os.getcwd(), np.geterr()  # noqa: PTH109
    before = conftest.switches()
    try:
        CHANGES[name]()
        changed = conftest.left_behind(before, conftest.switches())
    finally:
        os.chdir(directory)
        np.seterr(**errors)
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        torch.use_deterministic_algorithms(False)
        torch.set_flush_denormal(False)
    assert len(changed) == 1
    assert changed[0].startswith(name)
