"""Records: what is written is what is read, whole or not at all, and nothing untrusted gets far."""

import hashlib
import io
import json
import math
import os
import pathlib
import pickle
import stat
import zipfile

import numpy as np
import pytest

import lockstep
from lockstep.engine.series import Series
from lockstep.errors import BadPlace
from lockstep.numerics.environment import Environment
from lockstep.numerics.verdict import Verdict
from lockstep.records import loading, record, schema
from lockstep.records.files import whole
from lockstep.records.kinds.run import Quantity, RunRecord
from lockstep.records.loading import load
from lockstep.records.record import VERSION, BadRecord, Record
from lockstep.records.schema import fields, plain
from parity_tests.support.planted import planted

ARRAYS = {
    "drift/param/absolute": np.array([0.0, np.nan, np.inf]),
    "heat/defect/param": np.array([[1, 2], [3, -0.0], [0, 0]], np.float32),
    "trace/path/ours": np.zeros((4, 2)),
}


def made(arrays=ARRAYS, **changes) -> RunRecord:
    entries = {
        "subject": "optim.adam",
        "environment": Environment(python="3.11.7"),
        "case": {"desc": "θ와 나머지", "problem": "normal"},
        "dtype": "float32",
        "path": None,
        "seed": 0,
        "steps": 3,
        "verdict": Verdict.ROUNDING,
        "used": math.inf,
        "quantities": {"param": Quantity(verdict=Verdict.ROUNDING, line="param")},
        "equations": {},
        "rerun": "lockstep run optim.adam",
    }
    return RunRecord(**(entries | changes), arrays=dict(arrays))


def longer() -> RunRecord:
    return made({"drift/param/absolute": np.ones(4)}, steps=4)


def names(folder: pathlib.Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def same(one: Record, other: Record) -> bool:
    """Of one kind and equal to the bit."""
    return (
        type(one) is type(other)
        and one.to_json() == other.to_json()
        and one.arrays.keys() == other.arrays.keys()
        and all(
            array.dtype == other.arrays[key].dtype
            and array.shape == other.arrays[key].shape
            and array.tobytes() == other.arrays[key].tobytes()
            for key, array in one.arrays.items()
        )
    )


@pytest.fixture
def saved(tmp_path) -> pathlib.Path:
    return made().save(tmp_path / "adam.json")


# there and back


def test_what_is_written_is_what_is_read(saved):
    found = load(saved)
    assert same(found, made())
    assert found.verdict is Verdict.ROUNDING
    assert found.used == math.inf
    assert np.array_equal(found.series("drift", "param", "absolute"), ARRAYS["drift/param/absolute"], equal_nan=True)


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    arrays = {"heat/drift/param": np.asfortranarray(np.arange(6.0).reshape(3, 2)), "trace/path/ours": np.ones((4, 0))}
    path = made(arrays).save(tmp_path / "adam.json")
    assert same(load(path), made(arrays))
    with np.load(archive_of(path)) as archive:
        assert {name: archive[name].tolist() for name in archive} == {n: a.tolist() for n, a in arrays.items()}


def test_a_run_is_written_and_read(tmp_path):
    run = lockstep.run("optim.adam", steps=4)
    run.save(tmp_path / "run.json")
    found = load(tmp_path / "run.json")
    assert same(found, run.record)
    assert found.first_difference == run.first_difference is not None
    assert found.environment.numpy == np.__version__
    for quantity, drift in run.drift.items():
        assert np.array_equal(found.series("drift", quantity, "absolute"), drift)
        for figure in Series.FIGURES + Series.EXTRA:
            assert found.series("defect", quantity, figure).shape == (4,)


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        lockstep.run("optim.adam", steps=3, problem="rosenbrock").save(tmp_path / name / "run.json")
    assert names(tmp_path / "one") == names(tmp_path / "two")
    assert len(names(tmp_path / "one")) == 2
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_order_of_the_arrays_does_not_matter(tmp_path):
    backwards = made(dict(reversed(ARRAYS.items())))
    one, two = made().save(tmp_path / "one" / "a.json"), backwards.save(tmp_path / "two" / "a.json")
    assert one.read_bytes() == two.read_bytes()


def test_the_text_is_json_and_readable(saved):
    text = saved.read_text("utf-8")
    assert "θ와 나머지" in text
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["used"] == "inf"
    entry = json.loads(text)["arrays"]
    content = (saved.parent / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.float32("inf"), np.float64("nan")])
def test_what_json_has_no_number_for(value, tmp_path):
    found = load(made(used=value).save(tmp_path / "a.json"))
    assert np.array_equal(found.used, float(value), equal_nan=True)


def test_numpys_numbers_become_pythons():
    found = plain(
        {"a": np.float32(0.1), 1: np.int64(3), "b": np.bool_(True), "c": (np.arange(2), None), "d": {"e": ...}}
    )
    assert found == {"a": float(np.float32(0.1)), "1": 3, "b": True, "c": [[0, 1], None], "d": {"e": "Ellipsis"}}
    assert [type(found[key]) for key in ("a", "1", "b")] == [float, int, bool]


def test_files_are_as_readable_as_any_other(saved):
    other = saved.parent / "other"
    other.touch()
    for path in saved.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_folders_are_made(tmp_path):
    assert load(made().save(tmp_path / "a" / "b" / "c.json")).steps == 3


# whole, or not at all


def test_a_new_record_takes_the_place_of_the_old(saved):
    before = names(saved.parent)
    newer = longer()
    newer.save(saved)
    assert same(load(saved), newer)
    assert len(names(saved.parent)) == 2
    assert len(names(saved.parent) - before) == 1


@pytest.mark.parametrize("name", ["adam.2.json", "[adam].json", "adam*.json", "adam.json.json"])
def test_neighbours_stay(name, saved):
    for other in ("adam.notes-of-me.npz", "adam.0123456789ab.txt", "adam.0123456789.npz", "badam.0123456789ab.npz"):
        (saved.parent / other).touch()
    other = made(seed=7).save(saved.parent / name)
    before = names(saved.parent)
    made(seed=5).save(saved)
    assert load(other).seed == 7
    made(seed=8).save(other)
    assert names(saved.parent) == before
    assert (load(saved).seed, load(other).seed) == (5, 8)


class FullDiskError(OSError):
    pass


def failing(method: str, at: int):
    """A method of Path that fails, half done, at its so-manyth call."""
    calls, real = [], getattr(pathlib.Path, method)

    def fail(self, data, *arguments, **options):
        calls.append(self)
        if len(calls) < at:
            return real(self, data, *arguments, **options)
        if method in ("write_bytes", "write_text"):
            real(self, data[: len(data) // 2], *arguments, **options)
        raise FullDiskError(28, "No space left on device")

    return fail


FAILURES = [("write_bytes", 1), ("write_text", 1), ("replace", 1)]


@pytest.mark.parametrize(("method", "at"), FAILURES)
@pytest.mark.parametrize("existing", [True, False])
def test_a_write_that_fails_midway_leaves_what_was_there(method, at, existing, tmp_path, monkeypatch):
    path = tmp_path / "adam.json"
    if existing:
        made().save(path)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    newer = longer()
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, method, failing(method, at))
        with pytest.raises(BadPlace, match="No space left on device"):
            newer.save(path)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
    if existing:
        assert same(load(path), made())


@pytest.mark.parametrize("existing", [True, False])
def test_what_cannot_be_serialised_changes_nothing(existing, tmp_path):
    class Strange:
        def __str__(self):
            raise RuntimeError("no words for it")

    path = tmp_path / "adam.json"
    if existing:
        made().save(path)
    before = names(tmp_path)
    with pytest.raises(RuntimeError, match="no words"):
        made(case={"desc": "x", "problem": Strange()}).save(path)
    for odd in (object(), "a text"):
        with pytest.raises(ValueError, match="array 'trace/loss/ours' holds no numbers"):
            made(ARRAYS | {"trace/loss/ours": np.array([odd] * 3)})
    assert names(tmp_path) == before


def test_a_reader_between_the_two_files_finds_the_old_record(saved, monkeypatch):
    """At every moment of a save, what is read is the old record or the new one."""
    seen, real = [], pathlib.Path.replace

    def looking(self, target):
        seen.append(load(saved).steps)
        result = real(self, target)
        seen.append(load(saved).steps)
        return result

    monkeypatch.setattr(pathlib.Path, "replace", looking)
    longer().save(saved)
    assert seen == [3, 3, 3, 4]


@pytest.mark.parametrize("name", ["adam", "adam.txt", "adam.npz", ".json"])
def test_another_name_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"NAME\.json"):
        made().save(tmp_path / name)
    assert names(tmp_path) == set()


def test_a_folder_of_that_name_is_refused(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(ValueError, match=r"NAME\.json"):
        made().save(tmp_path / "a.json")
    assert names(tmp_path) == {"a.json"}


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def interrupted():
        with whole(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == set()


# what is no record


def rewritten(saved: pathlib.Path, **changes) -> pathlib.Path:
    saved.write_text(json.dumps(json.loads(saved.read_text("utf-8")) | changes), "utf-8")
    return saved


def refused(path: pathlib.Path, *words: str) -> None:
    """One line that names the file and what is wrong."""
    with pytest.raises(BadRecord) as raised:
        load(path)
    text = str(raised.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    for word in words:
        assert word in text


def test_a_missing_file(tmp_path):
    refused(tmp_path / "nothing.json", "No such file")
    refused(tmp_path, "cannot be read")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\x80\x81", b"not json", b"[" * 100_000, b"9" * 10_000, b"null", b"[]", b'"lockstep-record"', b"{}"],
    ids=lambda content: repr(content[:6]),
)
def test_no_json_or_none_of_ours(content, saved):
    saved.write_bytes(content)
    refused(saved)


def test_truncated_anywhere(saved):
    content = saved.read_bytes()
    for length in range(0, len(content) - 2, 7):
        saved.write_bytes(content[:length])
        refused(saved)


@pytest.mark.parametrize("version", [1, 2, 4, 99, "2", None, 2.0, True, 0, -2])
def test_another_version(version, saved):
    refused(rewritten(saved, version=version), f"version {version!r}", f"reads version {VERSION}")


@pytest.mark.parametrize("kind", ["nonsense", None, 3, ["run"]])
def test_another_kind(kind, saved):
    refused(rewritten(saved, kind=kind), f"kind {kind!r}")


@pytest.mark.parametrize("key", fields(RunRecord))
def test_incomplete(key, saved):
    data = json.loads(saved.read_text("utf-8"))
    del data[key]
    saved.write_text(json.dumps(data), "utf-8")
    refused(saved, f"the record is without {key}")


@pytest.mark.parametrize("key", ["subject", "case", "dtype", "steps", "verdict", "quantities"])
def test_what_a_field_cannot_be(key, saved):
    refused(rewritten(saved, **{key: [1, 2]}), f"{key} is [1, 2], not ")


@pytest.mark.parametrize(
    "name",
    [
        "../adam.0123456789ab.npz",
        "/etc/adam.0123456789ab.npz",
        "sub/adam.0123456789ab.npz",
        "..\\adam.0123456789ab.npz",
        "..",
        ".",
        "",
        "adam.npz",
        "adam.0123456789ab.npz\0",
        "\0.0123456789ab.npz",
        "adam.json",
        None,
        7,
        ["adam.0123456789ab.npz"],
    ],
)
def test_an_archive_that_is_not_beside_it(name, saved):
    entry = json.loads(saved.read_text("utf-8"))["arrays"]
    refused(rewritten(saved, arrays=entry | {"file": name}), "does not name an archive beside it")


@pytest.mark.parametrize("arrays", [None, [], "adam.0123456789ab.npz", {}])
def test_no_entry_for_the_archive(arrays, saved):
    refused(rewritten(saved, arrays=arrays), "does not name an archive")


def test_a_path_out_of_the_folder_is_never_opened(saved, tmp_path):
    """Not even where the file is there and is what the record says."""
    content = next(tmp_path.glob("*.npz")).read_bytes()
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "adam.0123456789ab.npz").write_bytes(content)
    moved = saved.rename(inside / "adam.json")
    entry = {"file": "../adam.0123456789ab.npz", "sha256": hashlib.sha256(content).hexdigest()}
    refused(rewritten(moved, arrays=entry), "does not name an archive")


def archive_of(saved: pathlib.Path) -> pathlib.Path:
    return next(saved.parent.glob("*.npz"))


def test_no_archive(saved):
    archive_of(saved).unlink()
    refused(saved, ".npz cannot be read", "No such file")


def test_another_archive(saved):
    archive = archive_of(saved)
    archive.write_bytes(record.packed({"drift/param/absolute": np.ones(3)}))
    refused(saved, "is not the archive it was written with")


def test_an_archive_cut_short(saved):
    archive = archive_of(saved)
    archive.write_bytes(archive.read_bytes()[:-1])
    refused(saved, "is not the archive it was written with")


def forged(saved: pathlib.Path, content: bytes) -> pathlib.Path:
    """A record whose archive is `content`, with the right sum."""
    archive_of(saved).write_bytes(content)
    entry = {"file": archive_of(saved).name, "sha256": hashlib.sha256(content).hexdigest()}
    return rewritten(saved, arrays=entry)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(array, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no archive",
        pickle.dumps(Bomb()),
        npy(np.ones(3)),
        npy(np.array([Bomb()], object), allow_pickle=True),
        zipped(**{"a.npy": npy(np.array([Bomb()], object), allow_pickle=True)}),
        zipped(**{"a.npy": pickle.dumps(Bomb())}),
        zipped(**{"a.npy": npy(np.ones(3))[:-4]}),
        zipped(**{"a.npy": b"\x93NUMPY\x01\x00\x50\x00{'descr': '<f8', 'fortran_order': False, 'shape': (exit(),)}"}),
        zipped(**{"readme.txt": b"hello"}),
        zipped(**{"a.npy": npy(np.ones(3)), "b": b"hello"}),
    ],
    ids=[
        "empty",
        "no zip",
        "pickle",
        "one array",
        "objects",
        "objects inside",
        "pickle inside",
        "cut short",
        "a header",
        "text",
        "text beside an array",
    ],
)
def test_no_archive_of_plain_arrays(content, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(forged(saved, content), "is no archive of plain arrays")
    assert not (tmp_path / "exploded").exists()


def test_the_bomb_would_explode(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Bomb()))  # noqa: S301 - to see that the test above can fail
    assert (tmp_path / "exploded").exists()


# the checks above would notice

MUTANTS = {
    "pickles are loaded": (loading, "(content), allow_pickle=False", "(content), allow_pickle=True"),
    "any archive will do": (loading, "if actual != digest:", "if False:"),
    "any path will do": (loading, """not re.fullmatch(r"[^/\\\\\\0]+" + ARCHIVE, name)""", "False"),
    "an array of another order": (loading, '"F" if fortran_order else "C"', '"C"'),
    "any version will do": (record, "type(version) is not int or version != VERSION", "False"),
    "the old archive stays": (record, "old.unlink()", "pass"),
    "everybody's archives go": (record, "of_this_name.fullmatch(old.name)", "old.suffix == '.npz'"),
    "in the order of the run": (record, "for key in sorted(arrays)", "for key in arrays"),
    "infinity as it is": (schema, "if isinstance(value, float) and not math.isfinite(value):", "if False:"),
    "written in place": (record, "new_text.write_text(text", "path.write_text(text"),
    "the archive written in place": (
        record,
        "new_archive.write_bytes",
        "archive.write_bytes(content); new_archive.write_bytes",
    ),
    "the text first": (
        record,
        "whole(path) as new_text, whole(archive) as new_archive:",
        "whole(archive) as new_archive, whole(path) as new_text:",
    ),
}  # fmt: skip


def everything(folder: pathlib.Path, monkeypatch) -> None:
    """The checks above in brief, each in a folder of its own."""
    count = iter(range(1000))

    def fresh():
        path = folder / str(next(count))
        path.mkdir()
        return path

    def one():
        return made().save(fresh() / "adam.json")

    test_what_is_written_is_what_is_read(one())
    test_arrays_are_read_as_numpy_reads_them(fresh())
    test_the_order_of_the_arrays_does_not_matter(fresh())
    test_a_new_record_takes_the_place_of_the_old(one())
    test_neighbours_stay("adam.2.json", one())
    for method, at in FAILURES:
        test_a_write_that_fails_midway_leaves_what_was_there(method, at, True, fresh(), monkeypatch)
    with monkeypatch.context() as patch:
        test_a_reader_between_the_two_files_finds_the_old_record(one(), patch)
    test_another_version(99, one())
    test_another_archive(one())
    saved = one()
    test_a_path_out_of_the_folder_is_never_opened(saved, saved.parent)
    saved = one()
    test_no_archive_of_plain_arrays(
        zipped(**{"a.npy": npy(np.array([Bomb()], object), allow_pickle=True)}), saved, saved.parent, monkeypatch
    )
    saved = one()
    test_no_archive_of_plain_arrays(zipped(**{"a.txt": b"hello"}), saved, saved.parent, monkeypatch)


def test_everything_passes(tmp_path, monkeypatch):
    everything(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_record_is_noticed(name, tmp_path, monkeypatch):
    module, *change = MUTANTS[name]
    mutant = planted(module, *change)
    monkeypatch.setattr(record, "plain", getattr(mutant, "plain", record.plain))
    monkeypatch.setattr(loading, "kind_of", getattr(mutant, "kind_of", loading.kind_of))
    monkeypatch.setitem(globals(), "load", getattr(mutant, "load", load))
    if module is record:
        monkeypatch.setattr(Record, "save", mutant.Record.save)
        monkeypatch.setattr(record, "kind_of", mutant.kind_of)
    with pytest.raises((AssertionError, AttributeError, ValueError, BadPlace, pytest.fail.Exception)):
        everything(tmp_path, monkeypatch)
