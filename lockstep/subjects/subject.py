"""What everything is asked for by: subjects, the families they are of, and requests."""

import dataclasses
import importlib
import importlib.util
import inspect
import shlex
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from lockstep.errors import NoSuchName
from lockstep.numerics.environment import environment
from lockstep.numerics.shapes import Points
from lockstep.numerics.snapshot import Snapshot
from lockstep.records.schema import plain
from lockstep.subjects.side import Bounds, Pair
from lockstep.text import Message, message
from lockstep.text.names import label


class NoSuchSubject(NoSuchName):
    """A path at which there is no subject; the message names the nearest."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """What stands at a path: `optim.adam` is reference/optim/adam.py beside torch_impl/optim/adam.py."""

    path: str

    @property
    def family(self) -> "Family":
        """How subjects of its kind are paired, driven, replayed and judged."""
        return importlib.import_module(f"lockstep.subjects.families.{self.path.partition('.')[0]}").FAMILY.of(self)

    @property
    def reference(self) -> ModuleType:
        return importlib.import_module(f"reference.{self.path}")

    @property
    def counterpart(self) -> ModuleType:
        return importlib.import_module(f"torch_impl.{self.path}")

    @property
    def cases(self) -> ModuleType:
        return importlib.import_module(f"lockstep.cases.{self.path}")

    @property
    def causes(self) -> ModuleType | None:
        """The module with its table of what can be wrong; None for one that has none."""
        package = f"lockstep.causes.{self.family.name}"
        there = importlib.util.find_spec(package) and importlib.util.find_spec(f"lockstep.causes.{self.path}")
        return importlib.import_module(f"lockstep.causes.{self.path}") if there else None

    def ours(self, case: Any = None) -> Any:
        """The class of the reference that a case runs; the one that the module is about without a case."""
        return own_class(self.reference, self.family.class_name(case))

    def theirs(self, case: Any = None) -> Any:
        """Its counterpart in PyTorch."""
        return own_class(self.counterpart, self.family.class_name(case))

    def table(self, name: str) -> Any:
        """A table that its cases declare, or else those of its whole family; None where neither does."""
        places = (self.cases, importlib.import_module(f"lockstep.cases.{self.family.name}"))
        return next((getattr(place, name) for place in places if hasattr(place, name)), None)


class Backend(NamedTuple):
    """What stands on the other side. path: which of its implementations; the first that a subject has if None."""

    path: str | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """One case of a subject, in a format, beside a backend, from a seed, for so many steps."""

    subject: Subject
    case: Any  # a `Case`, of the kind that the family has
    dtype: str
    backend: Backend
    seed: int
    steps: int

    def pair(self, ours: type | None = None) -> Pair:
        """Both sides; `ours` stands in for the reference's class, which stays the arbiter."""
        return self.subject.family.pair(self, ours)

    def beside(self, pair: Pair) -> "Request":
        """The same, beside the implementation that a pair was really made with."""
        return dataclasses.replace(self, backend=Backend(pair.path))

    @property
    def path(self) -> str | None:
        return self.backend.path

    @property
    def label(self) -> str:
        """`optim.adam[float32, fused, tiny gradients]`"""
        return label(self.subject.path, self.dtype, self.path, self.case.title)

    @property
    def header(self) -> dict[str, Any]:
        """What the record of it begins with."""
        return {
            "subject": self.subject.path,
            "environment": environment(),
            "case": plain(self.case.described()),
            "dtype": self.dtype,
            "path": self.path,
            "seed": self.seed,
            "steps": self.steps,
        }

    def command(self, word: str, count: str = "--steps", steps: int | None = None) -> str:
        """The call of the command line that does it again, where one can say it; `count` is its option for `steps`."""
        case = self.case
        if not isinstance(case.problem, str):
            return f"lockstep.{word} with the problem it was given"
        words = ["lockstep", word, self.subject.path]
        table = self.subject.cases.CASES
        known = {case.desc: case for case in table}.get(case.desc)
        base = known or table[0]
        again = base.replaced(desc=case.desc, problem=case.problem, **case.hyperparameters)
        if again.described() != case.described():
            return f"lockstep.{word} with the case it was given"
        words += ["--case", case.desc] if known else []
        words += ["--problem", case.problem] if base.problem != case.problem else []
        for name, value in case.hyperparameters.items():
            if name not in base.hyperparameters or base.hyperparameters[name] != value:
                words += ["--set", f"{name}={value}"]
        words += ["--dtype", self.dtype, count, str(steps or self.steps)]
        words += ["--path", self.path] if self.path else []
        words += ["--seed", str(self.seed)] if self.seed else []
        return shlex.join(words)


class Family:
    """How a kind of subject is paired, driven, replayed and judged.

    A kind is one module of this package, called like its folders, with an object `FAMILY`; it is found by that.

    Attributes:
        place: among the families, where all are shown.
        unit: of the errors in a table of causes, "magnitude" (the largest of what PyTorch makes) or a hyperparameter.
        recorded: what a recording has of a step: "steps" of an optimizer, "passes" of a layer, or "states" before and
            after it.
        watched: what a person looks at first of what it makes: the first of these that there is.
        symbols: what papers call its hyperparameters, name to LaTeX.
        nothing: defaults of somebody's own that leave out what PyTorch's defaults leave out as well.
        stands_in: whether either side can be stepped in the other's place, and not only go on from what that has saved.
        made_of: what a class of the reference is given besides hyperparameters, any will do.
    """

    place = 100
    unit = "magnitude"
    recorded = "states"
    watched: tuple[str, ...] = ("param", "output")
    symbols: Mapping[str, str] = {}
    nothing: tuple[Any, ...] = ()
    stands_in = True
    made_of: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """That of its module and of its folders."""
        return type(self).__module__.rpartition(".")[2]

    def __repr__(self) -> str:
        return f"<family {self.name}>"

    def of(self, subject: Subject) -> "Family":
        """The family of a subject in its folders: itself, but for one that is driven in a way of its own."""
        return self

    def pair(self, request: Request, ours: type | None = None) -> Pair:
        """Both sides of what is asked for; `ours` stands in for the reference's class, which stays the arbiter.

        Raises:
            ValueError: for a path that PyTorch has not.
        """
        raise NotImplementedError(f"{self!r} does not say how its subjects are paired")

    def class_name(self, case: Any) -> str | None:
        """Which class of a subject's file a case is of; None for the one that the file is about."""
        return None

    def settled(self, subject: Subject, case: Any) -> Any:
        """A case as a subject can take it."""
        return case

    def paths(self, subject: Subject, case: Any) -> Iterable[str | None]:
        """PyTorch's implementations that a case is climbed on, its first one first."""
        return case.paths or getattr(subject.theirs(case), "paths", (None,))

    def steps(self, case: Any, at_home: bool) -> int:
        """How many steps a cell of the matrix takes; `at_home` where PyTorch runs as it does by itself, on a thread."""
        return case.steps

    def replayed(self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]) -> Iterator[tuple[int, Bounds]]:
        """What the formula of a class makes of each step of recorded states, from where each was."""
        raise NotImplementedError(f"{self!r} does not say how recordings of its subjects are replayed")

    def predicted(
        self, kind: Any, recording: Any, hyperparameters: Mapping[str, Any]
    ) -> Iterator[tuple[int, Mapping[str, Mapping[str, Any]]]]:
        """The same without bounds, which may be far cheaper."""
        for count, bounds in self.replayed(kind, recording, hyperparameters):
            yield (
                count,
                {quantity: {name: exact.value for name, exact in of.items()} for quantity, of in bounds.items()},
            )

    def beside(self, case: Any) -> dict[str, Any]:
        """What a recording of states must say of its case beside them."""
        return {}

    def accepts(self, kind: Any, recording: Any) -> None:
        """Refuse the hyperparameters of a recording that a class of the reference refuses, in its words."""
        kind(*self.made_of, **recording.hyperparameters)

    def names_of(self, target: Any, subject: Subject) -> dict[str, str]:
        """PyTorch's hyperparameters that an implementation takes, each to its own name for it."""
        return {name: name for name in inspect.signature(target).parameters}

    def by_itself(self, target: Any, subject: Subject, dtype: str) -> dict[str, Any]:
        """What an implementation is measured by beside what it is told: what it goes by without a name for it."""
        return {}

    def restarted(self, whole: list[Any], rest: list[Any]) -> bool:
        """Whether the recorded rest of a run, which was gone on with, is as the whole of it begins."""
        return False

    def of_pytorch(self, request: "Request") -> Iterator[Snapshot]:
        """The state before the first step and after each, of PyTorch's own, as `recorded_by` tells somebody's."""
        side = request.pair().theirs()
        yield side.read().copy()
        for step in range(1, request.steps + 1):
            for stage in side.stages:
                side.advance(stage, step)
            yield Snapshot(side.read().copy() | self.beside(request.case))

    def recorded_by(
        self, target: Any, subject: Subject, case: Any, hyperparameters: Mapping[str, Any], dtype: str
    ) -> Iterator[Snapshot]:
        """The state before the first step of a case and after each, of somebody's own implementation.

        Raises:
            CannotCheck: where it cannot be driven.
        """
        raise NotImplementedError(f"{self!r} does not say how implementations of its subjects are driven")

    def symbols_at(self, stage: str) -> Mapping[str, str]:
        """What papers call the hyperparameters of a stage's formula."""
        return self.symbols

    def state(self, subject: Subject) -> Mapping[str, str]:
        """PyTorch's key of each entry of the state to the line of the formula that becomes it."""
        return {}

    def check_data(self, kind: str, folder: Any) -> None:
        """Read the files of a folder of data, so that a fault in them is told at once.

        Raises:
            ValueError: for a kind that there is not, and a file that is not what it should be.
            OSError: for one that is missing.
        """

    def notes(self, case: Any) -> list[Message]:
        """What a reader of a run must know besides its settings."""
        return []

    def landscape(self, case: Any, path: Points) -> dict[str, np.ndarray]:
        """The function that a run goes down, around its path, as arrays x, y and z; nothing where it goes down none."""
        return {}


def own_class(module: ModuleType, name: str | None = None) -> Any:
    """The class a module is about: the one of that name, else the one it is called after, else its only one."""
    classes = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not issubclass(value, tuple)
    }
    if name is not None:
        if name not in classes:
            there = ", ".join(classes)
            raise NoSuchSubject(message("error.no-class", module=module.__name__, name=name, known=there))
        return classes[name]
    stem = module.__name__.rpartition(".")[2].replace("_", "")
    about = [value for key, value in classes.items() if key.lower() == stem] or list(classes.values())
    if len(about) != 1:
        there = ", ".join(classes) or message("error.none")
        raise NoSuchSubject(message("error.which-class", module=module.__name__, known=there))
    return about[0]
