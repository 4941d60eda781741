"""Two checkpoints: every way in which they may differ, told by what is in the files; and a wrong answer noticed."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from lockstep.comparison import checkpoints as module
from lockstep.comparison import tensor_names as names
from lockstep.comparison.checkpoints import compare_checkpoints
from lockstep.numerics.formats import FORMATS
from lockstep.recordings import stored
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
    left = np.ones((5, stored.STRETCH // 8), FORMATS[dtype].dtype)
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
    other = {"a2": weights(1), "x": weights(5), "c": weights(3)[:, :-1], "d": np.arange(3, dtype=np.int32)}
    found = compare_checkpoints(*pair(tmp_path, one, other | {"e": weights(4)}))
    assert found.renamed == {"a": "a2"}
    assert (found.missing, found.added) == (["b"], ["x"])
    assert {part.tensor: (part.kind, part.differing) for part in found.apart} == {"c": ("shape", 0), "d": ("dtype", 0)}
    assert found.same == 2
    assert not found.agrees


def test_a_matrix_that_is_turned_around_is_told(tmp_path):
    check_turned(tmp_path)


def check_turned(tmp_path):
    """Of one name, of another, square, and of more rows than are looked at at a time."""
    one = {
        "a": weights(1),
        "b": weights(2),
        "c": weights(3, (5, 5)),
        "d": weights(4, (600, 3)),
        "e": weights(5, (9, 9)),
    }
    other = {name: array.T for name, array in one.items() if name != "b"} | {"b2": weights(2).T}
    other["e"] = other["e"].copy()
    other["e"][8, 8] += 1
    one["f"], other["f"] = weights(6, (600, 3)), weights(6, (600, 3)).T.copy()
    other["f"][1, -1] += 1
    found = compare_checkpoints(*pair(tmp_path, one, other))
    kinds = {part.tensor: part.kind for part in found.apart}
    assert kinds == {"a": "turned", "b": "turned", "c": "turned", "d": "turned", "e": "values", "f": "shape"}
    assert (found.renamed, found.missing, found.added, found.agrees) == ({"b": "b2"}, [], [], False)


PREFIXES = {
    "DataParallel": lambda name: f"module.{name}",
    "torch.compile": lambda name: f"_orig_mod.{name}",
    "a compiled layer": lambda name: name.replace("body.", "body._orig_mod."),
    "both": lambda name: f"module._orig_mod.{name}",
    "a prefix of theirs": lambda name: f"model.encoder.{name}",
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_names_that_a_wrapper_or_a_prefix_changed_go_together_whatever_they_hold(tmp_path, prefix):
    check_prefix(tmp_path, PREFIXES[prefix])


def check_prefix(tmp_path, called):
    one = {f"body.{place}.weight": weights(place) for place in range(3)} | {"body.2.bias": weights(7, (4,))}
    other = {called(name): array.copy() for name, array in one.items()}
    other[called("body.1.weight")][3, 4] = 9
    for files, renamed in (((one, other), dict(zip(one, other, strict=True))),
                         ((other, one), dict(zip(other, one, strict=True)))):  # fmt: skip
        found = compare_checkpoints(*pair(tmp_path, *files))
        assert found.renamed == renamed
        assert [part.index for part in found.apart] == [(3, 4)]
        assert (found.same, found.missing, found.added, found.agrees) == (3, [], [], False)


def test_one_name_that_ends_like_another_is_no_prefix(tmp_path):
    found = compare_checkpoints(
        *pair(tmp_path, {"a": weights(), "bias": weights(1)}, {"a": weights(), "head.bias": weights(2)})
    )
    assert (found.missing, found.added, found.renamed) == (["bias"], ["head.bias"], {})


def sharded(folder, tensors, index=True):
    """A tensor a file, and the index of all."""
    folder.mkdir()
    shards = {name: f"model-{place}.safetensors" for place, name in enumerate(tensors)}
    for name, shard in shards.items():
        save_file({name: tensors[name]}, folder / shard)
    if index:
        text = json.dumps({"metadata": {}, "weight_map": shards})
        (folder / "model.safetensors.index.json").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("index", [True, False])
def test_shards_are_one_checkpoint(tmp_path, index, call):
    tensors = {name: weights(seed) for seed, name in enumerate("abc")}
    folder = sharded(tmp_path / "shards", tensors, index)
    (file, _) = pair(tmp_path, tensors, {})
    assert compare_checkpoints(file, folder).same == 3
    assert call("compare", str(file), str(folder))[0] == 0
    if index:
        assert compare_checkpoints(file, folder / "model.safetensors.index.json").same == 3


def test_shards_that_are_not_what_their_index_says_are_refused(tmp_path):
    check_shards(tmp_path)


def check_shards(tmp_path):
    tensors = {name: weights(seed) for seed, name in enumerate("abc")}
    folder = sharded(tmp_path / "shards", tensors)
    (file, _) = pair(tmp_path, tensors, {})
    index = folder / "model.safetensors.index.json"
    right = index.read_text("utf-8")
    for text, words in ((right.replace("-1", "-2"), "says that b is in model-2.safetensors, which it is not"),
                        (right.replace("-1", "-7"), "no safetensors file, or truncated"),
                        (right.replace("model-1", "../model-1"), "no index of shards"),
                        ("[]", "no index of shards"), ("{", "no index of shards")):  # fmt: skip
        index.write_text(text, "utf-8")
        with pytest.raises(BadRecording, match=words):
            compare_checkpoints(file, folder)
    index.write_text(right, "utf-8")
    (folder / "other.safetensors.index.json").write_text(right, "utf-8")
    with pytest.raises(BadRecording, match="several indices"):
        compare_checkpoints(file, folder)
    for path in folder.glob("*.json"):
        path.unlink()
    save_file({"a": weights()}, folder / "again.safetensors")
    with pytest.raises(BadRecording, match=r"a is in .*again.* and in .*model-0"):
        compare_checkpoints(file, folder)


def test_no_numbers_and_those_that_are_none(tmp_path):
    check_specials(tmp_path)


def check_specials(tmp_path):
    nan = np.array([1, np.nan, np.nan, -np.inf], np.float32)
    other_bits = nan.copy()
    other_bits.view("u4")[2] ^= 1
    tensors = {"empty": np.zeros((0, 3), np.float32), "number": np.float32(2).reshape(()), "nan": nan}
    assert compare_checkpoints(*pair(tmp_path, tensors, tensors)).same == 3
    found = compare_checkpoints(*pair(tmp_path, {"nan": nan}, {"nan": other_bits}))
    assert (found.same, found.agrees, found.apart[0].differing, found.apart[0].nans) == (0, True, 0, 1)
    (part,) = compare_checkpoints(*pair(tmp_path, {"nan": nan}, {"nan": np.float32([1, np.nan, 5, -np.inf])})).apart
    assert (part.differing, part.absolute, part.index) == (1, np.inf, (2,))
    found = compare_checkpoints(*pair(tmp_path, {"x": np.zeros((0, 3), "f4")}, {"x": np.zeros((0, 3), "f2")}))
    assert (found.apart[0].kind, found.apart[0].differing) == ("dtype", 0)


def test_two_narrow_formats_meet_in_one_that_holds_both(tmp_path):
    exact = np.float32([99840, 1 / 3, 2])  # the first is none of float16's
    bfloat16 = exact.astype(FORMATS["bfloat16"].dtype)
    float16 = np.float32([2, 1 / 3, 2]).astype("f2")
    (part,) = compare_checkpoints(*pair(tmp_path, {"w": bfloat16}, {"w": float16})).apart
    assert (part.differing, part.absolute, part.rounded) == (2, 99838, "")
    narrow = float16.astype(bfloat16.dtype)
    for files, which in (((bfloat16[1:], bfloat16[1:].astype("f2")), "other"), ((narrow, float16), "one")):
        (part,) = compare_checkpoints(*pair(tmp_path, {"w": files[0]}, {"w": files[1]})).apart
        assert part.which == which


def test_whole_numbers_are_compared_by_their_values(tmp_path):
    check_whole_numbers(tmp_path)


def check_whole_numbers(tmp_path):
    one = {
        "n": np.arange(9),
        "long": np.int64([-1, 2**62]),
        "flags": np.array([True, False]),
        "mixed": np.int32([1, 2]),
    }
    other = {"n": np.arange(9) - 3 * (np.arange(9) == 4), "long": np.uint64([2**64 - 1, 2**62])}
    other |= {"flags": np.array([True, True]), "mixed": np.float32([1, 2])}
    found = compare_checkpoints(*pair(tmp_path, one, other))
    parts = {part.tensor: (part.kind, part.differing, part.absolute, part.index) for part in found.apart}
    assert parts == {"n": ("values", 1, 3, (4,)), "long": ("dtype", 1, 2.0**64, (0,)) , "flags": ("values", 1, 1, (1,)),
                     "mixed": ("unlike", 0, 0, ())}  # fmt: skip


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
        (weights()[1:], 1, "shape [30, 7] in the first file, [29, 7] in the second"),
        (weights().T, 1, "[7, 30] in the second file, the first file's [30, 7] with rows for columns"),
        (np.arange(3), 1, "shape"),
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
        stored,
        "for start in range(0, total, count)",
        "for start in range(0, min(total, count), count)",
    ),
    "the place within its stretch": (module, "begin + difference.index", "difference.index"),
    "the last stretch's figures": (module, "part.differing += difference", "part.differing = difference"),
    "any numbers are a rounding": (module, "return bool(np.all((expected", "return True or bool(np.all((expected"),
    "what differs is enough": (module, "if way.explains_all(a, b)]", "]"),
    "one way around alone": (module, 'for which in ("other", "one")]', 'for which in ("other",)]'),
    "the same sums are enough": (names, "if holds(left[name], right[other])", "if True"),
    "bytes of any shape": (module, "if a.shape != b.shape:", "if False:"),
    "NaNs of any bits are the same": (module, "part.differing or part.nans or", "part.differing or"),
    "the first rows are the matrix": (names, "range(0, one.shape[0], TILE)", "range(0, min(one.shape[0], TILE), TILE)"),
    "shapes are enough": (names, "if not np.array_equal(one.rows(first, last), columns.T)", "if False"),
    "wrappers are names": (names, "if part not in WRAPPERS", "if True"),
    "any ending is a prefix": (names, "all(prefix + short in longer for short in shorter)", "True"),
    "an index is no matter": (stored, "if name not in tensors or tensors[name].file.name != shard", "if False"),
    "the last of two files": (stored, "if name in tensors:", "if False:"),
    "whole numbers of another kind are the same": (module, "part.differing += places.size", "pass"),
    "whole numbers wrap around": (module, "p - q, q - p", "q - p, p - q"),
}


def everything(tmp_path):
    """The checks above in brief."""
    check_values(tmp_path, "float32")
    check_rounding(tmp_path, "bfloat16", True)
    check_names(tmp_path)
    check_turned(tmp_path)
    check_prefix(tmp_path, PREFIXES["a compiled layer"])
    check_prefix(tmp_path, PREFIXES["a prefix of theirs"])
    check_specials(tmp_path)
    check_whole_numbers(tmp_path)
    check_sums(tmp_path)
    check_shards(tmp_path)


def check_sums(tmp_path):
    """The same numbers in another order are other numbers; so are some of a name that all but ends like another's."""
    found = compare_checkpoints(*pair(tmp_path, {"a": weights()}, {"b": weights()[::-1]}))
    assert (found.missing, found.added) == (["a"], ["b"])
    found = compare_checkpoints(
        *pair(tmp_path, {"x": weights(1), "y": weights(2)}, {"a.x": weights(3), "b.y": weights(4)})
    )
    assert (found.missing, found.added, found.renamed) == (["x", "y"], ["a.x", "b.y"], {})


def test_all_of_it_passes(tmp_path):
    everything(tmp_path)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_answer_is_noticed(tmp_path, name, monkeypatch):
    changed, old, new = MUTANTS[name]
    mutant = planted(changed, old, new)
    for other in (stored, names, module):  # what the mutant defines stands wherever it is used
        for function in vars(mutant).keys() & vars(other).keys():
            if getattr(vars(mutant)[function], "__module__", "") == mutant.__name__:
                monkeypatch.setattr(other, function, vars(mutant)[function])
    monkeypatch.setitem(globals(), "compare_checkpoints", module.compare_checkpoints)
    with pytest.raises((AssertionError, ValueError, IndexError, KeyError, pytest.fail.Exception)):
        everything(tmp_path)
