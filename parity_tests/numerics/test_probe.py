"""The probe against what is known otherwise, under every capability, and with kernels and libraries made worse."""

import dataclasses
import functools
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from lockstep.numerics import probe
from lockstep.numerics.formats import FORMATS
from lockstep.records.schema import plain, read
from reference import arithmetic as reference
from reference.summation import Ordered
from torch_impl import arithmetic as kernels

FINDINGS = probe.findings()
SUBPROCESS = """
import json
import numpy as np
from lockstep.numerics import probe
from lockstep.records.schema import plain
found = probe.findings()
equal = []
if found.missing is None:
    from torch_impl import arithmetic as kernels
    ops, (x, y, z) = probe.arithmetic(found), probe.numbers("float32", length=4099)
    equal = [
        np.array_equal(ops.addcmul(x, y, z, value=0.1), kernels.addcmul(x, y, z, value=0.1)),
        np.array_equal(ops.lerp(x, y, 0.1), kernels.lerp(x, y, 0.1)),
        np.array_equal(ops.sum(x), kernels.sum(x)),
    ]
print(json.dumps([plain(found), equal]))
"""


@functools.cache
def in_a_process(capability: str | None = None, before: str = "") -> tuple[probe.Findings, list[bool]]:
    """What a process of its own finds, and whether its arithmetic equals its kernels."""
    environment = {name: value for name, value in os.environ.items() if name != "ATEN_CPU_CAPABILITY"}
    if capability:
        environment["ATEN_CPU_CAPABILITY"] = capability
    command = [sys.executable, "-W", "error", "-c", before + SUBPROCESS]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found, equal = json.loads(printed)
    return read(probe.Findings, found), equal


def found_with(capability: str | None = None) -> probe.Findings:
    return in_a_process(capability)[0]


# what every machine finds


def test_it_is_plain_data_and_comes_back():
    assert read(probe.Findings, json.loads(json.dumps(plain(FINDINGS), allow_nan=False))) == FINDINGS


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="'contractoin', which it cannot have"):
        read(probe.Findings, plain(FINDINGS) | {"contractoin": {}})


@pytest.mark.exhaustive  # not because it is: a busy machine must not fail the parity run
def test_it_takes_less_than_a_second():
    torch.sqrt(torch.ones(1))
    began = time.perf_counter()
    probe.with_torch.__wrapped__(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())
    assert time.perf_counter() - began < 1


def test_it_says_which_machine():
    machine = FINDINGS.machine
    assert machine.capability == torch.backends.cpu.get_cpu_capability()
    assert machine.threads == torch.get_num_threads()
    assert (machine.numpy, machine.torch) == (np.__version__, torch.__version__)
    assert machine.numpy_blas
    assert (machine.mkl is None) == (not torch.backends.mkl.is_available())


def test_it_leaves_no_trace():
    """Neither the generator nor the thread count is another afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(before + 2)
    torch.manual_seed(7)
    state = torch.get_rng_state()
    try:
        probe.with_torch.__wrapped__(before + 2, torch.backends.cpu.get_cpu_capability())
        assert torch.equal(state, torch.get_rng_state())
        assert torch.get_num_threads() == before + 2
    finally:
        torch.set_num_threads(before)


def test_it_is_measured_again_for_another_thread_count():
    before, found = torch.get_num_threads(), probe.findings()
    torch.set_num_threads(before + 1)
    try:
        assert probe.findings().machine.threads == before + 1
    finally:
        torch.set_num_threads(before)
    assert probe.findings() is found


@pytest.mark.slow
def test_two_probes_find_the_same():
    again = found_with(os.environ.get("ATEN_CPU_CAPABILITY"))
    assert dataclasses.replace(again, machine=FINDINGS.machine) == FINDINGS


# capabilities


@pytest.mark.slow
def test_the_default_capability_is_plain():
    found = found_with("default")
    assert found.machine.capability in ("DEFAULT", "NO AVX")
    assert set(found.contraction.values()) <= {"plain", "either"}
    assert found.vector == {"float32": 0, "float64": 0}
    assert vars(probe.arithmetic(found, ordered=False)) == vars(reference.PLAIN)


@pytest.mark.slow
def test_avx2_contracts():
    if "AVX" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("this CPU has no AVX2, or PyTorch was told not to use it")
    found = found_with("avx2")
    assert found.machine.capability == "AVX2"
    assert {name for name, how in found.contraction.items() if how == "fused"} == {
        "add",
        "lerp",
        "addcmul",
        "fma",
        "minus_product",
        "sum_of_products",
    }
    assert found.vector == {"float32": 8, "float64": 4}


@pytest.mark.slow
@pytest.mark.parametrize("capability", ["default", "avx2"])
def test_the_arithmetic_is_that_of_the_capability(capability):
    assert in_a_process(capability)[1] == [True, True, True]


# contraction


@pytest.mark.parametrize("primitive", ["add", "lerp", "addcmul", "addcdiv"])
def test_another_rounding_is_neither(primitive, monkeypatch):
    """A kernel one unit in the last place off at one element is not taken for a known one."""
    kernel = getattr(kernels, primitive)

    def worse(*arguments, **settings):
        result = kernel(*arguments, **settings)
        result[500] = np.nextafter(result[500], np.inf, dtype=result.dtype)
        return result

    monkeypatch.setattr(kernels, primitive, worse)
    assert probe.contraction(torch)[primitive] == "neither"


@pytest.mark.parametrize("as_found", ["PLAIN", "FUSED"])
def test_kernels_are_told_apart(as_found, monkeypatch):
    """Kernels that contract are found fused and others plain, whatever this machine's are."""
    ops = getattr(reference, as_found)
    for primitive in ("add", "lerp", "addcmul", "addcdiv"):
        monkeypatch.setattr(kernels, primitive, getattr(ops, primitive))
    found = probe.contraction(torch)
    assert {found[name] for name in ("add", "lerp", "addcmul")} == {as_found.lower()}
    assert found["addcdiv"] == "either"


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_the_vector_width_is_found(width, monkeypatch):
    fused = reference.Fused({"float32": width, "float64": width})
    v, g, _ = probe.numbers("float32", length=probe.TENSORS * probe.SHORT)
    rows = [row.reshape(probe.TENSORS, probe.SHORT) for row in (np.abs(v), g)]
    moments = [(v, g, probe.moment_after(v, g, fused)) for v, g in zip(*rows, strict=True)]
    monkeypatch.setattr(probe, "fused_adam", lambda torch, dtype: moments)
    assert probe.whole_vector(torch, "float32") == width


# the order of sums


@pytest.mark.parametrize("halving", [False, True])
@pytest.mark.parametrize("width", [2, 4, 8, 16])
@pytest.mark.parametrize("kernel", ["row_sum", "channel"])
def test_the_lanes_of_a_sum_are_found(kernel, width, halving, monkeypatch):
    """Kernels of every width, adding up by halves and one by one, are told apart."""
    ops = Ordered(1, {kernel: dict.fromkeys(probe.DTYPES, width)}, [kernel] if halving else [])
    terms = probe.SUMS[kernel]

    def as_told(torch, dtype):
        evaluate_sum, _ = terms(torch, dtype)
        return evaluate_sum, evaluate_sum(ops)

    monkeypatch.setitem(probe.SUMS, kernel, as_told)
    lanes, halves = probe.sums(torch)
    assert lanes[kernel] == {"float32": width, "float64": width}
    assert (kernel in halves) == (halving and width > 2)  # two lanes have one order


def test_an_unknown_order_has_no_lanes(monkeypatch):
    def backwards(torch, dtype):
        rows = probe.numbers(dtype, 1, 5 * probe.WIDTH)[0].reshape(5, probe.WIDTH)
        return lambda ops: ops.sum(rows, axis=-1), rows[:, ::-1].cumsum(axis=-1)[:, -1]

    monkeypatch.setitem(probe.SUMS, "sum", backwards)
    lanes, _ = probe.sums(torch)
    assert lanes["sum"] == {"float32": 0, "float64": 0}
    probe.arithmetic(dataclasses.replace(FINDINGS, lanes=lanes)).sum(np.ones(9))


# accuracy


def test_numpys_square_root_is_the_nearest():
    """IEEE 754 asks for it, and every processor has it."""
    for dtype in probe.measurable():
        assert FINDINGS.kernels["sqrt"][dtype]["numpy"].off == 0
        assert FINDINGS.kernels["sqrt"][dtype]["numpy"].error <= 0.5


def test_the_share_off_is_the_share_of_other_bits():
    x = np.concatenate([sample("float32") for sample in probe.FUNCTIONS["sqrt"]])
    off = np.mean(kernels.sqrt(x) != np.sqrt(x))
    assert FINDINGS.kernels["sqrt"]["float32"]["torch"].off == off


@pytest.mark.parametrize("dtype", probe.measurable())
@pytest.mark.parametrize("name", probe.FUNCTIONS)
def test_a_worse_function_is_found(name, dtype, monkeypatch):
    """One result 20 units off raises the measured need to at least 19."""

    def worse(x, *exponents):
        result = kernel(x, *exponents)
        if x.numel() > 1000:
            place = torch.from_numpy(np.spacing(np.abs(result[777:778].numpy())))
            result[777:778] += 20 * place
        return result

    kernel = getattr(torch, spelled(name))
    monkeypatch.setattr(torch, spelled(name), worse)
    found = probe.accuracy(name, dtype, torch)
    assert found["torch"].error > 19
    assert found["numpy"].error < 19
    assert probe.worst({name: dict.fromkeys(probe.measurable(), found)})[dtype][name] >= 19


@pytest.mark.parametrize("dtype", probe.measurable())
@pytest.mark.parametrize("name", probe.FUNCTIONS)
def test_the_need_covers_other_samples(name, dtype):
    """Four times as many arguments, drawn elsewhere, need no more than the probe found."""
    rng = np.random.default_rng(99)
    x = np.concatenate([sample(dtype) for sample in probe.FUNCTIONS[name]])
    x = np.concatenate([x * dtype_of(dtype)(1 + step) for step in rng.uniform(-0.001, 0.001, 4)])
    assert need(name, x) <= FINDINGS.kernel_ulps[dtype][name]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", probe.FUNCTIONS)
def test_the_need_covers_every_float(name):
    """Every 61st bit pattern of float32 whose result is in the normal range."""
    for start in range(0, 1 << 32, 1 << 26):
        x = np.arange(start, start + (1 << 26), 61, dtype=np.int64).astype(np.uint32).view(np.float32)
        assert need(name, x[np.isfinite(x)]) <= FINDINGS.kernel_ulps["float32"][name]


def spelled(name: str) -> str:
    return {"power": "pow"}.get(name, name)


def dtype_of(name):
    return np.dtype(name).type


def need(name, x) -> float:
    """How many numbers NumPy's or PyTorch's result is from the nearest one, at worst, in the normal range."""
    info = np.finfo(x.dtype)
    with np.errstate(all="ignore"):
        exact = probe.evaluate(name, x.astype(FORMATS[x.dtype.name].wide))
        normal = (np.abs(exact) >= info.tiny) & (np.abs(exact) <= info.max)
        exact = exact[normal]
        place = np.spacing(np.abs(exact.astype(x.dtype))).astype(exact.dtype)
        results = (probe.evaluate(name, x), probe.evaluate_torch(torch, name, torch.from_numpy(x)).numpy())
        results = [result[normal] for result in results]
        errors = [np.abs(result.astype(exact.dtype) - exact) / place for result in results]
    return max((float(np.ceil(error.max() - 0.5)) for error in errors if error.size), default=0.0)


def test_flushing_is_found(monkeypatch):
    monkeypatch.setattr(torch, "sqrt", torch.zeros_like)
    assert probe.flushes(torch, "sqrt", "float32")
    monkeypatch.setattr(torch, "sqrt", torch.clone)
    assert not probe.flushes(torch, "sqrt", "float32")


# random numbers


def test_another_stream_is_found(monkeypatch):
    """Here as elsewhere: a mask drawn from another seed is not the one the probe expects."""
    dropout = torch.nn.functional.dropout

    def drawn_elsewhere(x, p):
        torch.manual_seed(1)
        return dropout(x, p)

    monkeypatch.setattr(torch.nn.functional, "dropout", drawn_elsewhere)
    found = probe.random_streams(torch)
    assert found["dropout"] == "other"
    assert found["rand_float32"] == found["rand_float64"] == "mersenne"


# threads


def on_threads(*results):
    """A reduction whose results depend on the thread count as told."""
    return lambda torch, x: results[torch.get_num_threads() - 1](x)


def one_by_one(x):
    """The sum of the first column, a number at a time, rounded after each."""
    return torch.tensor(x[:, 0].numpy().cumsum()[-1])


REDUCED = {
    "alone": on_threads(one_by_one, one_by_one),
    "shares": on_threads(one_by_one, lambda x: sum(map(one_by_one, halves(x)))),
    "other": on_threads(one_by_one, lambda x: one_by_one(x) + 1),
}


def halves(x):
    return x.split(len(x) // 2)


@pytest.mark.parametrize("how", REDUCED)
def test_how_a_reduction_splits_is_found(how):
    assert probe.shares(torch, REDUCED[how], (probe.AWKWARD,)) == how


# without PyTorch


def test_it_says_that_pytorch_is_missing():
    found, _ = in_a_process(before="import sys; sys.modules['torch'] = None")
    assert found.missing == "PyTorch is not installed: its kernels could not be probed"
    assert found.machine.capability is None
    assert set(found.kernels["sqrt"]["float32"]) == {"numpy"}
    assert found.kernel_ulps["float32"]["sqrt"] == 0
    assert vars(probe.arithmetic(found)) == vars(reference.PLAIN)
