"""Two checkpoints: every way in which they may differ, told by what is in the files; and a wrong answer noticed."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from lockstep.diagnose import two_checkpoints as module
from lockstep.diagnose.two_checkpoints import compare_checkpoints
from lockstep.numerics.formats import FORMATS
from lockstep.recordings.recording import BadRecording
from parity_tests.support.planted import planted

NARROW = [name for name, held in FORMATS.items() if held.size == 2]


def pair(tmp_path, one, other):
    """Two files with these tensors."""
    paths = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    for path, tensors in zip(paths, (one, other), strict=True):
        save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path)
    return paths


def weights(seed=0, shape=(30, 7), dtype="float32"):
    return np.random.default_rng(seed).standard_normal(shape).astype(FORMATS[dtype].dtype)


def check_same(tmp_path):
    tensors = {name: weights(dtype=name) for name in FORMATS} | {"count": np.arange(5)}
    found = compare_checkpoints(*pair(tmp_path, tensors, tensors))
    assert found.same == len(tensors)
    assert found.agrees
    assert not found.apart


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_largest_difference_is_found(tmp_path, dtype):
    check_values(tmp_path, dtype)


def check_values(tmp_path, dtype):
    """In a file of several stretches, at a place in the last of them."""
    left = np.ones((5, module.STRETCH // 8), FORMATS[dtype].dtype)
    right = left.copy()
    right[1, 3], right[4, -2] = 1.5, 3
    found = compare_checkpoints(*pair(tmp_path, {"w": left, "same": left}, {"w": right, "same": left}))
    (part,) = found.apart
    assert (part.tensor, part.kind, part.differing, part.elements) == ("w", "values", 2, left.size)
    assert (part.absolute, part.index) == (2.0, (4, left.shape[1] - 2))
    assert abs(part.relative - 2 / 3) <= FORMATS["float32"].unit
    assert not part.rounded
    assert not found.agrees


def test_the_same_files_are_the_same(tmp_path):
    check_same(tmp_path)


@pytest.mark.parametrize("narrow", NARROW)
@pytest.mark.parametrize("kept", [True, False])
def test_a_rounding_is_told(tmp_path, narrow, kept):
    check_rounding(tmp_path, narrow, kept)


def check_rounding(tmp_path, narrow, kept):
    """Stored in the narrow format, and in the wide one after a rounding; either way around."""
    exact = weights()
    rounded = exact.astype(FORMATS[narrow].dtype)
    rounded = rounded.astype(np.float32) if kept else rounded
    for which, tensors in (("other", (exact, rounded)), ("one", (rounded, exact))):
        found = compare_checkpoints(*pair(tmp_path, {"w": tensors[0]}, {"w": tensors[1]}))
        (part,) = found.apart
        assert (part.rounded, part.which) == (narrow, which)
        assert found.agrees
    if kept:  # all that differ are, and one that does not is none
        mixed = rounded.copy()
        mixed.reshape(-1)[3] = exact.reshape(-1)[3]
        assert not compare_checkpoints(*pair(tmp_path, {"w": exact}, {"w": mixed})).apart[0].rounded
    rounded.reshape(-1)[5] *= 2
    found = compare_checkpoints(*pair(tmp_path, {"w": exact}, {"w": rounded}))
    assert not found.apart[0].rounded
    assert not found.agrees


def test_what_is_missing_added_renamed_or_of_another_kind(tmp_path):
    check_names(tmp_path)


def check_names(tmp_path):
    one = {"a": weights(1), "b": weights(2), "c": weights(3), "d": np.arange(3), "e": weights(4)}
    other = {"a2": weights(1), "x": weights(5), "c": weights(3).T, "d": np.arange(3, dtype=np.int32), "e": weights(4)}
    found = compare_checkpoints(*pair(tmp_path, one, other))
    assert found.renamed == {"a": "a2"}
    assert (found.missing, found.added) == (["b"], ["x"])
    assert {part.tensor: part.kind for part in found.apart} == {"c": "shape", "d": "dtype"}
    assert found.same == 1
    assert not found.agrees


def test_whole_numbers_are_compared_by_their_bytes(tmp_path):
    found = compare_checkpoints(*pair(tmp_path, {"n": np.arange(9)}, {"n": np.arange(9) + (np.arange(9) == 4)}))
    assert found.apart[0].differing == 1


def test_the_first_difference_is_enough(tmp_path):
    files = pair(tmp_path, {name: weights(1) for name in "abc"}, {"a": weights(1), "b": weights(2), "c": weights(2)})
    found = compare_checkpoints(*files, first=True)
    assert [part.tensor for part in found.apart] == ["b"]
    assert (found.same, found.whole) == (1, False)


def test_all_bytes_are_counted(tmp_path):
    read = []
    files = pair(tmp_path, {"w": weights(shape=(1000, 1000))}, {"w": weights(1, shape=(1000, 1000))})
    compare_checkpoints(*files, on_bytes=read.append)
    assert sum(read) == 2 * 4_000_000


@pytest.mark.parametrize("spoil", [
    lambda content: content[:-3],
    lambda content: content[:20],
    lambda content: b"no such file at all",
    lambda content: b"",
    lambda content: (2**40).to_bytes(8, "little") + content[8:],
])  # fmt: skip
def test_what_is_no_file_of_tensors_is_refused(tmp_path, spoil, capsys):
    one, other = pair(tmp_path, {"w": weights()}, {"w": weights()})
    other.write_bytes(spoil(other.read_bytes()))
    with pytest.raises(BadRecording, match="no safetensors file, or truncated"):
        compare_checkpoints(one, other)


def test_nothing_to_compare_is_refused(tmp_path):
    with pytest.raises(BadRecording, match="nothing to compare"):
        compare_checkpoints(*pair(tmp_path, {}, {}))


@pytest.mark.parametrize(
    ("other", "status", "words"),
    [
        (weights(), 0, "tensors the same to the bit: 1"),
        (weights().astype(FORMATS["bfloat16"].dtype), 0, "the second file's is the first's, rounded to bfloat16"),
        (weights(1), 1, "210 of 210 numbers differ"),
        (weights().T, 1, "shape [30, 7] in the first file, [7, 30] in the second"),
    ],
)
def test_the_command_says_it(tmp_path, call, other, status, words):
    files = pair(tmp_path, {"w": weights()}, {"w": other})
    written = tmp_path / "found.json"
    ended, said, _ = call("compare", *map(str, files), "--json", str(written))
    assert ended == status
    assert words in " ".join(said.split())
    assert json.loads(written.read_text("utf-8"))["whole"]


MUTANTS = {
    "the first stretch alone": (
        "for start in range(0, total, count)",
        "for start in range(0, min(total, count), count)",
    ),
    "the place within its stretch": ("start + difference.index", "difference.index"),
    "the last stretch's figures": ("part.differing += difference", "part.differing = difference"),
    "any numbers are a rounding": ("return bool(np.all((expected", "return True or bool(np.all((expected"),
    "what differs is enough": ("if way.explains_all(a, b)]", "]"),
    "one way around alone": ('for which in ("other", "one")]', 'for which in ("other",)]'),
    "a name is enough": ("prints.get((*key(left[name]), fingerprint(left[name], on_bytes)))", "list(both.added)"),
    "bytes of any shape": ("if a.shape != b.shape:", "if False:"),
}


def everything(tmp_path):
    """The checks above in brief."""
    check_values(tmp_path, "float32")
    check_rounding(tmp_path, "bfloat16", True)
    check_names(tmp_path)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_answer_is_noticed(tmp_path, name, monkeypatch):
    mutant = planted(module, *MUTANTS[name])
    monkeypatch.setitem(globals(), "compare_checkpoints", mutant.compare_checkpoints)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        everything(tmp_path)
