"""What every test starts from: one thread, one seed, no screen; and a look at what it leaves behind."""

import os
import pathlib
import random
import sys

# Before NumPy and torch are imported: a worker per core runs the tests, and a second thread adds up in another order.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["MPLBACKEND"] = "Agg"

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from lockstep.cli import main as cli  # noqa: E402
from lockstep.cli.terminal import SPOKEN  # noqa: E402
from lockstep.text import ENGLISH  # noqa: E402

SEED = 0

# The same examples every time, and no verdict that depends on how busy the machine is.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# pytest --hypothesis-profile=search looks for examples nobody has seen yet.
settings.register_profile("search", parent=settings.get_profile("same"), derandomize=False, max_examples=5_000)
settings.load_profile("same")


def pytest_ignore_collect(collection_path: pathlib.Path, config: pytest.Config) -> bool | None:
    """The parity run does not even import the modules of which every test is slow: that takes a while.

    What needs other frameworks is collected by the job that installs them, and by nothing else.
    """
    if collection_path == pathlib.Path(__file__).with_name("frameworks"):
        return None if "frameworks" in config.option.markexpr else True
    named = collection_path in [pathlib.Path(argument.split("::")[0]).resolve() for argument in config.args]
    if config.option.markexpr != "not slow and not exhaustive" or collection_path.suffix != ".py" or named:
        return None
    return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text("utf-8") or None


def switches() -> dict[str, object]:
    """The settings of the process that change what other tests compute."""
    found: dict[str, object] = {f"np.errstate {kind}": action for kind, action in np.geterr().items()}
    found["directory"] = os.getcwd()  # noqa: PTH109
    torch = sys.modules.get("torch")
    if torch is not None:
        found |= {
            "torch threads": torch.get_num_threads(),
            "torch default dtype": torch.get_default_dtype(),
            "torch gradients": torch.is_grad_enabled(),
            "torch deterministic": torch.are_deterministic_algorithms_enabled(),
            "torch flushes subnormals": bool(torch.tensor(2.0**-149) * 1 == 0),
        }
    return found


def left_behind(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """What changed, in words."""
    return [f"{name}: {value} became {after[name]}" for name, value in before.items() if after[name] != value]


@pytest.fixture(autouse=True)
def world():
    """Seed the global generators, so that a test doesn't depend on those before it; and leave the process as it was."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(SEED)  # there is no other device
    before = switches()
    yield
    changed = left_behind(before, switches())
    assert not changed, f"the test left the process changed: {'; '.join(changed)}"


@pytest.fixture
def call(monkeypatch, capsys):
    """A call of the command line in this process: exit status, what was printed, what was said of errors."""

    def called(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lockstep", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return stopped.value.code or 0, printed.out, printed.err  # type: ignore[return-value]

    yield called
    SPOKEN.set(ENGLISH)
