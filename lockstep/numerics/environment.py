"""What a run depends on besides its settings: versions, CPU, capability, threads."""

import dataclasses
import functools
import importlib
import importlib.metadata
import os
import pathlib
import platform
from typing import Any

PACKAGES = ("lockstep", "numpy", "torch", "scikit-learn", "matplotlib")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Environment:
    """Versions, CPU, capability, threads; what could not be found out is None.

    Attributes:
        python, lockstep, numpy, torch, scikit_learn, matplotlib: versions.
        system, cpu: what they run on.
        capability, threads: what PyTorch uses of it.
    """

    python: str
    lockstep: str | None = None
    numpy: str | None = None
    torch: str | None = None
    scikit_learn: str | None = None
    matplotlib: str | None = None
    system: str | None = None
    cpu: str | None = None
    capability: str | None = None
    threads: int | None = None


@functools.cache
def environment() -> Environment:
    """This process's."""
    versions: dict[str, Any] = {package.replace("-", "_"): version(package) for package in PACKAGES}
    return Environment(
        python=platform.python_version(),
        **(versions | torch_settings()),
        system=f"{platform.system()} {platform.machine()}",
        cpu=cpu(),
    )


# Variables that change what a library rounds, or how many threads it uses.
SWITCHES = (
    "ATEN_",
    "BLIS_",
    "DNNL_",
    "GLIBC_TUNABLES",
    "GOMP_",
    "KMP_",
    "MKL_",
    "NPY_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "TORCH_",
)


FORKING = "KMP_INIT_AT_FORK"  # loky sets it for its own processes, and Dask's have none: no number hangs on it


def world() -> dict[str, Any]:
    """All that a result may depend on besides the sources and the settings of what made it."""
    installed = {one.name: one.version for one in importlib.metadata.distributions()}
    return dataclasses.asdict(environment()) | {
        "flags": cpuinfo("flags"),
        "packages": dict(sorted(installed.items())),
        "switches": {
            name: value for name, value in sorted(os.environ.items()) if name.startswith(SWITCHES) and name != FORKING
        },
    }


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu() -> str | None:
    return cpuinfo("model name") or platform.processor() or None


def cpuinfo(field: str) -> str | None:
    """A field of the first processor, on Linux."""
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), None)


def torch_settings() -> dict[str, Any]:
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError:
        return {"capability": None, "threads": None}
    return {
        "torch": str(torch.__version__),  # plain, with its build, which the package's metadata leaves out for some
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
