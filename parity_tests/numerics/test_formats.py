"""What is said of a format is what its numbers are; and it all stands in one table."""

import itertools
import pathlib
import re
from fractions import Fraction

import numpy as np
import pytest

from lockstep.errors import BadValue
from lockstep.numerics import formats
from lockstep.numerics.formats import FORMATS, Format

EVERY = pytest.mark.parametrize("held", FORMATS.values(), ids=FORMATS)
NARROW = [held for held in FORMATS.values() if held.size == 2]


def numbers(held: Format) -> np.ndarray:
    """Every finite number of 16 bits from 0 up, in order."""
    with np.errstate(invalid="ignore"):
        every = np.arange(1 << 15, dtype=np.uint16).view(held.dtype).astype(float)
    return every[np.isfinite(every)].astype(held.dtype)


@EVERY
def test_the_table_is_what_the_dtype_is(held):
    one = held.dtype.type(1)
    assert held.name == held.dtype.name
    assert held.size == held.dtype.itemsize == held.unsigned.itemsize == held.signed.itemsize
    assert float(np.nextafter(one, held.dtype.type(2))) - 1 == 2 * held.unit
    with np.errstate(under="ignore"):
        assert float(np.nextafter(held.dtype.type(0), one)) == held.smallest_subnormal
    with np.errstate(over="ignore"):
        assert np.isinf(np.nextafter(held.dtype.type(held.largest), held.dtype.type(np.inf)))
    assert held.smallest_normal == held.smallest_subnormal * 2 ** (held.precision - 1)
    assert np.finfo(held.wide).nmant >= held.precision - 1
    assert held.is_measurable == (np.finfo(held.wide).nmant > held.precision - 1)


@pytest.mark.parametrize("held", NARROW, ids=lambda held: held.name)
def test_every_number_of_16_bits_has_the_spacing_and_the_digits_of_its_format(held):
    every = numbers(held)
    exact = every.astype(float)
    assert exact[1] == held.smallest_subnormal
    assert exact[-1] == held.largest
    assert all(held.spacing(x) == y - x for x, y in itertools.pairwise(exact.tolist()))
    texts = [held.text(x) for x in exact]
    assert len(set(texts)) == len(texts)
    assert np.array_equal(np.array([float(text) for text in texts]).astype(held.dtype), every)
    fewer = {f"{x:.{held.digits - 1}g}" for x in exact}
    assert len(fewer) < len(texts), "a digit fewer does not tell them apart"


@EVERY
def test_bits_come_back(held):
    for value in (0.0, -0.0, 1.0, -2.5, held.largest, held.smallest_subnormal, np.inf):
        text = held.bits(held.dtype.type(value))
        assert len(text) == 2 + 2 * held.size
        assert held.bits(held.from_bits(text)) == text
        assert float(held.from_bits(text)) == value


def test_bits_are_written_in_full():
    assert FORMATS["float32"].bits(np.float32(1)) == "0x3f800000"
    assert FORMATS["float64"].bits(np.float64(-0.0)) == "0x8000000000000000"
    assert FORMATS["float32"].bits(np.float32(1e-45)) == "0x00000001"
    assert FORMATS["bfloat16"].bits(1.0) == "0x3f80"
    assert FORMATS["float16"].bits(1.0) == "0x3c00"


def test_the_digits_are_the_usual_ones():
    assert {name: held.digits for name, held in FORMATS.items()} == {
        "float64": 17,
        "float32": 9,
        "bfloat16": 4,
        "float16": 5,
    }


def test_a_spacing_is_the_last_place():
    assert FORMATS["float32"].spacing(3.0) == 2.0**-22
    assert FORMATS["float32"].spacing(0.0) == 2.0**-149
    largest = FORMATS["float64"].largest
    assert Fraction(FORMATS["float64"].spacing(largest)) == Fraction(largest) - Fraction(np.nextafter(largest, 0))


def test_what_is_no_format_is_refused():
    with pytest.raises(BadValue, match=r"'float64', 'float32', 'bfloat16', 'float16', not 'float8'"):
        formats.named("float8")
    for dtype in (int, bool, np.longdouble, ">f4", "S4"):
        with pytest.raises(TypeError, match="is no format that is compared"):
            formats.of(dtype)
    assert not formats.is_format(int)


def test_it_takes_no_ml_dtypes_to_know_of_the_others(monkeypatch):
    """It is a thirtieth of a second that a run in float32 need not wait for."""
    monkeypatch.setattr(formats.importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    fresh = Format("float32", wider="float64", cpp="float")
    assert (fresh.dtype, fresh.unit, formats.of(np.float64).name) == (np.float32, 2.0**-24, "float64")


SPELLED = re.compile(r"""9 else 17|17 if|itemsize\]|in \(np\.float32, np\.float64\)|\("float32", "float64"\)""")


def test_nobody_else_knows_which_formats_there_are():
    """No table by size, no list of dtypes, no digits: what a format is stands in one place."""
    root = pathlib.Path(formats.__file__).parents[2]
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for package in ("lockstep", "reports", "torch_impl")
        for path in (root / package).rglob("*.py")
        if path != root / "lockstep" / "cases" / "__init__.py"  # what a case is tried in, unless it says so
        for line in path.read_text("utf-8").splitlines()
        if SPELLED.search(line)
    ]
    assert not found
