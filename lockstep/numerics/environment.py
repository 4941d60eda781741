"""What a run depends on besides its settings: versions, CPU, capability, threads."""

import functools
import importlib
import importlib.metadata
import pathlib
import platform
from typing import Any

PACKAGES = ("lockstep", "numpy", "torch", "scikit-learn", "matplotlib")


@functools.cache
def environment() -> dict[str, Any]:
    """Plain data for the record; what cannot be found out is None."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu(),
        **torch_settings(),
    }


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu() -> str | None:
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or None


def torch_settings() -> dict[str, Any]:
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError:
        return {"capability": None, "threads": None}
    return {
        "torch": torch.__version__,  # with its build, which the package's metadata leaves out for some
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
