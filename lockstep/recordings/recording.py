"""What an implementation did, step by step: driven by us, by PyTorch, or read from a folder of arrays.

A `Recording` is all that judging needs, whatever the implementation is written in: what it was told, what
it was fed, and what came out. State that cannot be seen is left out; `lockstep.replay` carries it along.
docs/recordings.md documents the folder, with writers of a few lines.
"""

import dataclasses
import functools
import json
import math
import os
import pathlib
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lockstep.errors import BadFile, BadPlace
from lockstep.numerics import formats
from lockstep.numerics.shapes import Arrays
from lockstep.numerics.snapshot import Snapshot
from lockstep.records.schema import plain
from lockstep.subjects.families.optim import entries_of
from lockstep.subjects.registry import NoSuchSubject, find
from lockstep.text import ENGLISH, Message, message

SCHEMA = "lockstep-recording"
VERSION = 1
MANIFEST = "manifest.json"


class BadRecording(BadFile):
    """A folder that is no recording, or not a whole one; the message names the file and what is wrong."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of an optimizer, tensor name to array.

    hyperparameters: in force at this step, under PyTorch's names. grads: None where there is none.
    before, after: the parameters. state: PyTorch's key to tensor name to array, after the step; what can
    be seen of it.
    """

    hyperparameters: dict[str, Any]
    grads: dict[str, np.ndarray | None]
    before: Arrays
    after: Arrays
    state: dict[str, Arrays] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Pass:
    """One pass of a layer there and back; what cannot be seen is left out, or None.

    inputs: the input, and a mask or a target. upstream: the gradient from above. params: what the pass was
    made with. buffers_before, buffers: before and after it. grads: of the parameters.
    """

    training: bool
    inputs: tuple[np.ndarray, ...]
    upstream: np.ndarray | None
    output: np.ndarray
    grad_input: np.ndarray | None = None
    params: Arrays = dataclasses.field(default_factory=dict)
    grads: Arrays = dataclasses.field(default_factory=dict)
    buffers_before: Arrays = dataclasses.field(default_factory=dict)
    buffers: Arrays = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class State:
    """One step of anything else: every quantity, tensor by tensor, before and after it."""

    before: Snapshot
    after: Snapshot


@functools.cache
def recorded_of(subject: str) -> str:
    """What the steps of a subject's recordings are; a search asks ten thousand times."""
    return find(subject).family.recorded


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording:
    """One scenario, as an implementation went through it.

    Attributes:
        subject: the path of what it claims to be. layer: for layers, which class of the subject's file.
        scenario, why: the name and the reason of what it was put through; as a text where it was read.
        dtype: the name of a format, "float32" for one.
        hyperparameters: at the start, complete, under PyTorch's names: what it is measured by.
        given: those of them that the implementation was really told; the others it has by itself, so that
            its default may be another.
        defaults: its own values of those it was not told, under PyTorch's names, where they show.
        steps: `Step` of an optimizer, `Pass` of a layer.
        names: PyTorch's key of a state entry to the name it goes by in the implementation.
        start: state before the first step, as `Step.state` and with its counts, where it was no fresh one.
        source: what was recorded, in words. spoils: whether it writes into what it is given.
        formats: what it makes or holds in another format than it was given, "param" or a state entry, to that.
        resumed: the step before which it was saved, made anew, and went on from what was saved.
    """

    subject: str
    scenario: str
    dtype: str
    hyperparameters: dict[str, Any]
    steps: list[Any]
    layer: str = ""
    why: str | Message = ""
    given: tuple[str, ...] = ()
    defaults: dict[str, Any] = dataclasses.field(default_factory=dict)
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    start: dict[str, Arrays] = dataclasses.field(default_factory=dict)
    source: str = ""
    spoils: bool = False
    formats: dict[str, str] = dataclasses.field(default_factory=dict)
    resumed: int | None = None

    @property
    def is_layer(self) -> bool:
        """Whether it holds passes instead of steps."""
        return self.holds == "passes"

    @property
    def holds(self) -> str:
        """What its steps are, as its family says: "steps", "passes" or "states"."""
        return recorded_of(self.subject)

    @property
    def label(self) -> str:
        """The scenario and the dtype: `gradients near eps, float64`."""
        return f"{self.scenario}, {self.dtype}"

    def save(self, path) -> pathlib.Path:
        """Write the folder `path`, whole or not at all; it is returned.

        Raises:
            FileExistsError: where there is something already.
        """
        path = pathlib.Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise BadPlace(message("error.recording-there", path=path))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            for number, step in enumerate(self.steps, 1):
                save_file(tensors_of(step), temporary / file_name(number))
            if self.start:
                save_file(flat("state", self.start), temporary / file_name(0))
            text = json.dumps(plain(self.manifest()), indent=1, ensure_ascii=False, allow_nan=False)
            (temporary / MANIFEST).write_text(text + "\n", "utf-8")
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o777 & ~umask)
            if path.exists():
                path.rmdir()
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return path

    def manifest(self) -> dict[str, Any]:
        """What `manifest.json` holds."""
        data = {
            "schema": SCHEMA,
            "version": VERSION,
            "subject": self.subject,
            "layer": self.layer,
            "scenario": self.scenario,
            "why": ENGLISH.plain(self.why),
            "source": self.source,
            "dtype": self.dtype,
            "hyperparameters": self.hyperparameters,
            "given": list(self.given),
            "defaults": self.defaults,
            "names": self.names,
            "steps": len(self.steps),
        } | ({"resumed": self.resumed} if self.resumed else {})
        if self.is_layer:
            return data | {"training": [step.training for step in self.steps]}
        return data | ({"schedule": schedule(self)} if self.holds == "steps" else {})


def schedule(recording: Recording) -> dict[str, dict[str, Any]]:
    """Step to the hyperparameters that change with it."""
    changes, now = {}, recording.hyperparameters
    for number, step in enumerate(recording.steps, 1):
        changed = {name: value for name, value in step.hyperparameters.items() if now.get(name) != value}
        if changed:
            changes[str(number)] = changed
        now = now | step.hyperparameters
    return changes


def file_name(number: int) -> str:
    return f"step-{number:06d}.safetensors"


def flat(prefix: str, nested: dict[str, Any]) -> Arrays:
    """`{"exp_avg": {"weight": a}}` as `{"state/exp_avg/weight": a}`; None is left out."""
    arrays = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            arrays |= flat(f"{prefix}/{name}", value)
        elif value is not None:
            arrays[f"{prefix}/{name}"] = np.array(value, order="C")
    return arrays


def tensors_of(step: Step | Pass | State) -> Arrays:
    """What the file of a step holds."""
    if isinstance(step, State):
        return flat("before", step.before) | flat("after", step.after)
    if isinstance(step, Step):
        parts = {"before": step.before, "grad": step.grads, "after": step.after, "state": step.state}
        return {key: array for prefix, named in parts.items() for key, array in flat(prefix, named).items()}
    single = {"upstream": step.upstream, "output": step.output, "grad_input": step.grad_input}
    tensors = {name: np.array(array, order="C") for name, array in single.items() if array is not None}
    tensors |= flat("input", {str(place): array for place, array in enumerate(step.inputs)})
    parts = {"param": step.params, "grad": step.grads, "buffer_before": step.buffers_before, "buffer": step.buffers}
    for prefix, named in parts.items():
        tensors |= flat(prefix, named)
    return tensors


# reading


def load(path) -> list[Recording]:
    """Read the recording at `path`, or those in the folders below it.

    Raises:
        BadRecording: for what is missing, malformed, not finite, of another shape or of a later version.
    """
    return [load_one(folder) for folder in folders_of(pathlib.Path(path))]


def folders_of(path: pathlib.Path) -> list[pathlib.Path]:
    """The folder itself where it is a recording, or those of the recordings in it.

    Raises:
        BadRecording: where there is none.
    """
    if not path.is_dir():
        raise BadRecording(message("recording.no-folder", file=path))
    folders = [path] if (path / MANIFEST).exists() else sorted(file.parent for file in path.glob(f"*/{MANIFEST}"))
    if not folders:
        raise BadRecording(message("recording.no-manifest", file=path, name=MANIFEST))
    return folders


def load_one(folder: pathlib.Path) -> Recording:
    data = read_manifest(folder / MANIFEST)
    count = data["steps"]
    hyperparameters = tupled(data["hyperparameters"])
    files = [folder / file_name(number) for number in range(1, count + 1)]
    for number, file in enumerate(files, 1):
        if not file.exists():
            what = {"step": number, "count": count, "name": file.name}
            raise BadRecording(message("recording.missing-step", file=folder, **what))
    start = folder / file_name(0)
    recording = Recording(
        subject=data["subject"],
        scenario=str(data.get("scenario") or folder.name),
        why=str(data.get("why") or "recorded"),
        source=str(data.get("source") or folder),
        dtype="",
        layer=str(data.get("layer") or ""),
        hyperparameters=hyperparameters,
        given=tuple(data.get("given", hyperparameters)),
        defaults=tupled(data.get("defaults", {})),
        names=dict(data.get("names", {})),
        start=nested(read_tensors(start)).get("state", {}) if start.exists() else {},
        steps=[],
        resumed=data.get("resumed"),
    )
    read = {"passes": read_passes, "steps": read_steps, "states": read_states}[recording.holds]
    steps = read(files, data, hyperparameters)
    first = steps[0]
    arrays = [first.output] if isinstance(first, Pass) else list(first.before.values())
    arrays = arrays if isinstance(arrays[0], np.ndarray) else list(arrays[0].values())
    return dataclasses.replace(recording, steps=steps, dtype=arrays[0].dtype.name)


def read_manifest(file: pathlib.Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadRecording(message("recording.unreadable", file=file, words=error.strerror)) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadRecording(message("recording.no-json", file=file, words=error)) from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadRecording(message("recording.other-schema", file=file, schema=SCHEMA))
    version = data.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadRecording(message("recording.no-version", file=file, given=version))
    if version > VERSION:
        raise BadRecording(message("recording.later-version", file=file, given=version, known=VERSION))
    kinds = {"subject": str, "hyperparameters": dict, "steps": int}
    for key, kind in kinds.items():
        if not isinstance(data.get(key), kind) or isinstance(data.get(key), bool):
            what = {"key": key, "kind": kind.__name__, "given": data.get(key)}
            raise BadRecording(message("recording.entry", file=file, **what))
    if data["steps"] < 1:
        raise BadRecording(message("recording.no-steps", file=file, given=data["steps"]))
    try:
        find(data["subject"])
    except NoSuchSubject as error:
        raise BadRecording(message("recording.of-whom", file=file, said=error.said)) from None
    return data


def tupled(value: Any) -> Any:
    """JSON's lists as tuples, and the numbers it has no word for."""
    if isinstance(value, dict):
        return {key: tupled(part) for key, part in value.items()}
    if isinstance(value, list):
        return tuple(tupled(part) for part in value)
    return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}.get(value, value) if isinstance(value, str) else value


def read_tensors(file: pathlib.Path) -> Arrays:
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
        raise BadRecording(message("recording.no-safetensors", file=file, words=error)) from None
    for name, array in tensors.items():
        if array.dtype.kind not in "iub":
            if not formats.is_format(array.dtype):
                known = ", ".join(formats.FORMATS)
                raise BadRecording(message("recording.dtype", file=file, name=name, dtype=array.dtype, known=known))
            with np.errstate(invalid="ignore"):
                nowhere = np.isnan(array)
            if nowhere.any():
                index = tuple(int(i) for i in np.argwhere(nowhere)[0])
                raise BadRecording(message("recording.nan", file=file, name=name, index=list(index)))
    return tensors


def nested(tensors: Arrays) -> dict[str, Any]:
    """`{"state/exp_avg/weight": a}` as `{"state": {"exp_avg": {"weight": a}}}`; a tensor's name may hold slashes."""
    tree: dict[str, Any] = {}
    for key, array in tensors.items():
        kind, _, name = key.partition("/")
        if not name:
            tree[kind] = array
        elif kind == "state":
            entry, _, tensor = name.partition("/")
            tree.setdefault(kind, {}).setdefault(entry, {})[tensor] = array
        else:
            tree.setdefault(kind, {})[name] = array
    return tree


def read_steps(files: list[pathlib.Path], data: dict[str, Any], hyperparameters: dict[str, Any]) -> list[Step]:
    steps: list[Step] = []
    declared = entries_of(data["subject"])
    changes = tupled(data.get("schedule", {}))
    now = hyperparameters
    for number, file in enumerate(files, 1):
        parts = nested(read_tensors(file))
        now = now | changes.get(str(number), {})
        before = parts.get("before") or (steps[-1].after if steps else {})
        after, grads = parts.get("after", {}), parts.get("grad", {})
        state = counted(declared, parts.get("state", {}))
        if not before:
            raise BadRecording(message("recording.no-before", file=file))
        steps.append(Step(now, {name: grads.get(name) for name in before}, before, after, state))
        check_step(file, steps, declared)
        if unknown := set(grads) - set(before):
            what = {"name": min(unknown), "known": list(before)}
            raise BadRecording(message("recording.unknown-gradient", file=file, **what))
    return steps


def counted(declared: Mapping[str, Any], state: dict[str, Arrays]) -> dict[str, Arrays]:
    """The state with its counts, of whatever type they were written in, in PyTorch's."""
    return {
        key: {name: array.astype(declared[key].dtype(array.dtype)) for name, array in named.items()}
        if key in declared and declared[key].kind == "count"
        else named
        for key, named in state.items()
    }


def check_step(file: pathlib.Path, steps: list[Step], declared: Mapping[str, Any]) -> None:
    """The same tensors of one shape and dtype throughout, and state as the subject declares it."""
    step, first = steps[-1], steps[0].before
    named = {"before": step.before, "after": step.after}
    for kind, arrays in named.items():
        if arrays.keys() != first.keys():
            what = {"kind": kind, "there": sorted(arrays), "first": sorted(first)}
            raise BadRecording(message("recording.other-tensors", file=file, **what))
    named |= {"grad": {name: grad for name, grad in step.grads.items() if grad is not None}}
    named |= {f"state/{key}": entry for key, entry in step.state.items()}
    for kind, arrays in named.items():
        entry = declared.get(kind.removeprefix("state/"))
        for name, array in arrays.items():
            if name not in first:
                what = {"name": f"{kind}/{name}", "known": list(first)}
                raise BadRecording(message("recording.no-parameter", file=file, **what))
            param = first[name]
            shape = entry.shape(param.shape) if entry else param.shape
            dtype = entry.dtype(param.dtype) if entry else param.dtype
            other = "other" if (shape, dtype) == (param.shape, param.dtype) else "entry"
            if array.shape != shape:
                what = {"name": f"{kind}/{name}", "shape": list(array.shape), "wanted": list(shape)}
                raise BadRecording(message(f"recording.{other}-shape", file=file, **what))
            if array.dtype != dtype:
                what = {"name": f"{kind}/{name}", "dtype": array.dtype, "wanted": dtype}
                raise BadRecording(message(f"recording.{other}-dtype", file=file, **what))


def read_states(files: list[pathlib.Path], data: dict[str, Any], hyperparameters: dict[str, Any]) -> list[State]:
    """Quantity by quantity; what the first step begins with every other has, of the same shape and dtype."""
    states: list[State] = []
    for file in files:
        parts = {"before": Snapshot(), "after": Snapshot()}
        for key, array in read_tensors(file).items():
            kind, quantity, name = (*key.split("/", 2), "", "")[:3]
            if kind not in parts or not name:
                raise BadRecording(message("recording.missing", file=file, name="before/QUANTITY/NAME"))
            parts[kind].setdefault(quantity, {})[name] = array
        before = parts["before"] or (states[-1].after if states else Snapshot())
        states.append(State(before, parts["after"]))
        for quantity, kept in states[0].before.items():
            for name, like in kept.items():
                array = parts["after"].get(quantity, {}).get(name)
                if array is None:
                    raise BadRecording(message("recording.missing", file=file, name=f"after/{quantity}/{name}"))
                if array.shape != like.shape:
                    what = {"name": f"after/{quantity}/{name}", "shape": list(array.shape), "wanted": list(like.shape)}
                    raise BadRecording(message("recording.other-shape", file=file, **what))
    return states


def read_passes(files: list[pathlib.Path], data: dict[str, Any], hyperparameters: dict[str, Any]) -> list[Pass]:
    passes: list[Pass] = []
    modes = data.get("training", [True] * len(files))
    if not isinstance(modes, list) or len(modes) != len(files):
        raise BadRecording(message("recording.modes", file=files[0].parent / MANIFEST))
    for file, training in zip(files, modes, strict=True):
        parts = nested(read_tensors(file))
        given = parts.get("input", {})
        inputs = tuple(given[key] for key in sorted(given, key=lambda key: key.zfill(6)))
        if not inputs or "output" not in parts:
            raise BadRecording(message("recording.missing", file=file, name="output" if inputs else "input/0"))
        passed = Pass(
            training=bool(training),
            inputs=inputs,
            upstream=parts.get("upstream"),
            output=parts["output"],
            grad_input=parts.get("grad_input"),
            params=parts.get("param", {}),
            grads=parts.get("grad", {}),
            buffers_before=parts.get("buffer_before", {}),
            buffers=parts.get("buffer", {}),
        )
        pairs = [("upstream", passed.upstream, passed.output), ("grad_input", passed.grad_input, inputs[0])]
        pairs += [(f"grad/{name}", array, passed.params.get(name)) for name, array in passed.grads.items()]
        for kind, array, like in pairs:
            if array is not None and like is not None and array.shape != like.shape:
                what = {"name": kind, "shape": list(array.shape), "wanted": list(like.shape)}
                raise BadRecording(message("recording.pass-shape", file=file, **what))
        passes.append(passed)
    return passes
