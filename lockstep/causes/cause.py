"""What a cause is: an edit of our own reference, where it was met, and what brings it out."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lockstep.cases import DTYPES, Case
from lockstep.causes.source import WAS, BadEdit, Change, Edit, changes, reads
from lockstep.errors import BadArgument
from lockstep.numerics.verdict import Verdict
from lockstep.subjects.subject import Subject, own_class
from lockstep.text import ENGLISH, Message, NoSuchMessage, Voice, first_known, message
from lockstep.text.rows import row


class Scenario(NamedTuple):
    """A case that brings latent causes out. words: the message of `why`, where it is not that of the name."""

    case: Case
    words: str = ""

    @property
    def name(self) -> str:
        return self.case.desc

    @property
    def why(self) -> Message:
        """Why it does: `scenario.NAME`; a case without a message speaks for itself."""
        return first_known([f"scenario.{self.words or self.name}"]) or message("scenario.any", name=self.name)


class First(NamedTuple):
    """Where the engine's verdict falls first: the step, and the line that makes the quantity; its table's if empty."""

    step: int = 1
    line: str = ""


AT_ONCE = First()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cause:
    """One way to be wrong, as data.

    Attributes:
        id: the row of the catalogue. variant: which of its forms, where the row has several.
        lines, backward: name of a line of the paper's order to what is computed instead; `was` stands
            for the right-hand side it had, `lr_before` for the lr of the step before.
        arguments: argument of the formula (a hyperparameter, `step`, `training`) to what is used instead.
        kept: line to what is stored in its place.
        everywhere: expression to what stands in its place wherever a line has it.
        behaviour: takes the class and returns it wrapped, where it is no formula that is wrong.
        free: names in the expressions that stand for a number, with one seen in the wild; a diagnosis
            may solve for them.
        formula: the wrong line in LaTeX. seen: names and threads (GitHub owner/repo#thread) where it was met.
        words: which of the messages of its id are its own, where they are not the same for every variant.
        shows: the name of the scenario that brings it out; its table's first if it is empty. first: where, there.
        verdict: the engine's, there. dtypes: in which it can show.
        layer: the class of the subject's file that it is of, where the file states several formulas.
        rare: it is looked for by itself, and beside what was found, but not among several, which would be too many.
        subject: path of the subject, which the table fills in.
    """

    id: str
    variant: str = ""
    lines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backward: Mapping[str, str] = dataclasses.field(default_factory=dict)
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kept: Mapping[str, str] = dataclasses.field(default_factory=dict)
    everywhere: Mapping[str, str] = dataclasses.field(default_factory=dict)
    behaviour: Callable[[Any], type] | None = None
    free: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    formula: str
    seen: str = ""
    words: str = ""
    shows: str = ""
    first: First = AT_ONCE
    verdict: Verdict = Verdict.DIFFERENT
    dtypes: tuple[str, ...] = DTYPES
    layer: str = ""
    rare: bool = False
    subject: str = ""

    @property
    def name(self) -> str:
        """The id, with the variant where there are several: `eps-value (1e-06)`."""
        return f"{self.id} ({self.variant})" if self.variant else self.id

    @property
    def kin(self) -> tuple:
        """What two causes of one kind have in common: of such, an explanation has one."""
        return self.id, *self.free

    @functools.cached_property
    def targets(self) -> dict[tuple[str, str], bool]:
        """What it edits, and whether outright: without reading what was there."""
        found = {("kept", name): True for name in self.kept}
        for kind, edited in (("lines", self.lines), ("backward", self.backward)):
            found |= {(kind, name): WAS not in reads(text) for name, text in edited.items()}
        own = {("arguments", name): name not in reads(text) - set(self.free) for name, text in self.arguments.items()}
        return found | own

    def __str__(self) -> str:
        return self.name

    @property
    def fix(self) -> Message:
        """What to change.

        Raises:
            NoSuchMessage: where it has none.
        """
        text = self.said("fix", name=next(iter(self.arguments), ""))
        if text is None:
            raise NoSuchMessage(f"{self} of {self.subject} has no message cause.{self.id}.fix")
        return text

    @property
    def first_shows(self) -> Message:
        """When two runs part; where it has no message of its own, by the scenario that brings it out."""
        general = first_known([f"cause.at.{self.shows}", "cause.at.any"], step=self.first.step)
        assert general
        return self.said("first_shows") or general

    @property
    def note(self) -> Message | None:
        """How to translate the hyperparameters, where both are legitimate; or what else to know."""
        return self.said("note")

    @property
    def met(self) -> Message | None:
        """Where it was met: `seen` and what else there is to say of it."""
        return self.said("met", seen=self.seen) or (message("cause.met", seen=self.seen) if self.seen else None)

    def said(self, part: str, **values: Any) -> Message | None:
        """Its message of that part, the most particular there is: of its subject, of its words, of its id."""
        places = (f"{self.subject}.{self.id}", f"{self.id}.{self.words}", self.id)
        return first_known([f"cause.{place}.{part}" for place in places], **values)

    @property
    def edits_lines(self) -> bool:
        """Whether it exchanges lines of the paper's order, which no other order has."""
        return bool(self.lines or self.backward or self.kept or self.everywhere)

    def solved(self, **numbers: float) -> "Cause":
        """The same cause with other numbers in place of those of `free`.

        Raises:
            TypeError: for a name that is not free.
        """
        unknown = [name for name in numbers if name not in self.free]
        if unknown:
            raise BadArgument(f"{self.id} leaves {', '.join(self.free) or 'nothing'} free, not {', '.join(unknown)}")
        free = {**self.free, **numbers}
        return dataclasses.replace(self, free=free, variant=", ".join(f"{name}={free[name]:.9g}" for name in free))

    def opened(self) -> "Cause":
        """The same cause whose free numbers are arguments of the formula, named `free_` and their name."""
        return dataclasses.replace(self, free={name: f"free_{name}" for name in self.free})

    def edits(self, functions: tuple[Callable, ...]) -> list[Edit]:
        """What it exchanges in a formula, which is one function, or one forward and one backward."""
        if self.backward and len(functions) == 1:
            raise BadEdit(f"{self.id} edits a backward formula, and there is none")
        known = [inspect.signature(function).parameters for function in functions]
        for name in self.arguments:
            if not any(name in parameters for parameters in known):
                there = ", ".join(dict.fromkeys(name for parameters in known for name in parameters))
                raise BadEdit(f"{self.id}: the formula has no argument {name!r}; there are {there}")
        arguments = [{name: text for name, text in self.arguments.items() if name in given} for given in known]
        forward = Edit(self.lines, arguments[0], self.kept, self.free, self.everywhere)
        return [forward, *(Edit(self.backward, given, {}, self.free, self.everywhere) for given in arguments[1:])]

    @property
    def base(self) -> Any:
        """The class of the reference that states the formula."""
        subject = Subject(self.subject)
        return own_class(subject.reference, self.layer) if self.layer else subject_class(subject)

    def changes(self) -> list[Change]:
        """The lines it exchanges, ours beside theirs; none where it is a matter of behaviour."""
        if not (self.edits_lines or self.arguments):
            return []
        functions = parts(self.base.ORDERS["paper"])
        edits = self.edits(functions)
        exchanged = [
            change for function, edit in zip(functions, edits, strict=True) for change in changes(function, edit)
        ]
        return list(dict.fromkeys(exchanged))

    def describe(self, voice: Voice = ENGLISH) -> str:
        """The cause in a few lines of text: theirs beside ours, who does it, when it shows, what to do."""
        rows: list[tuple[str, Any]] = [pair for change in self.changes() for pair in change.rows(voice)]
        rows += [("seen", self.met), ("shows", self.first_shows), ("fix", self.fix), ("note", self.note)]
        return "\n".join([self.name, *(row(voice, label, text) for label, text in rows if text)])


def parts(formula) -> tuple[Callable, ...]:
    """The functions of a formula: an optimizer's own, or a layer's forward and backward."""
    return tuple(formula) if isinstance(formula, tuple) else (formula,)


def subject_class(subject: Subject) -> type:
    """The class of the reference that states the formula; of several of a module, the one the others stand on."""
    module = subject.reference
    own = [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]
    stating = [value for value in own if "ORDERS" in vars(value)]
    return stating[0] if stating else subject.ours()
