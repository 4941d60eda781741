"""Public classes say what they are: arguments by name, what is raised, the source, what PyTorch does differently."""

import ast
import importlib
import inspect
import re
import types
from pathlib import Path

import pytest

import lockstep
from lockstep.subjects.registry import subjects

HEADINGS = ("Arguments:", "Attributes:", "Raises:", "Source:")
# The only calls of ours that refuse something.
REFUSALS = re.compile(r"\braise \w|\bcheck_\w+\(")


def named_in(text: str) -> set[str]:
    """The arguments that a docstring describes: `lr: …` or `lr, eps: …` under "Arguments:"."""
    after = text.partition("Arguments:")[2]
    block = re.split(r"^\s*(?:Raises|Attributes|Source|Returns):", after, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^\s+(\*{0,2}\w+(?:, \*{0,2}\w+)*):", block, flags=re.MULTILINE)
    return {name.strip("* ") for names in found for name in names.split(",")}


def arguments_of(function) -> list[str]:
    """What a caller can give; an argument with an underscore in front is nobody's business."""
    return [name for name in inspect.signature(function).parameters if name != "self" and not name.startswith("_")]


def lacks(value) -> list[str]:
    """What the docstring of a function, or of a class that its user calls, leaves out, in words."""
    text = value.__doc__
    if not text:
        return ["a docstring"]
    function = vars(value).get("__init__") if inspect.isclass(value) else value
    if function is None:
        return []
    found = [f"the argument {name}" for name in arguments_of(function) if name not in named_in(text)]
    if REFUSALS.search(inspect.getsource(function)) and "Raises:" not in text:
        found.append("what is raised")
    return found


def lacks_as_subject(value) -> list[str]:
    """As `lacks`, and what the documentation of an algorithm must tell besides."""
    text = value.__doc__ or ""
    found = lacks(value)
    if "Source:" not in text:
        found.append("the source")
    if not re.search(r"PyTorch|torch", text.partition("Source:")[0]):
        found.append("what PyTorch does differently")
    return found


def lacks_as_result(value: type) -> list[str]:
    """What a class whose objects are handed to its user leaves without a docstring."""
    parts = {value.__name__: value} | {
        name: part
        for name, part in vars(value).items()
        if isinstance(part, property | types.FunctionType | classmethod | staticmethod) and not name.startswith("_")
    }
    return [f"a docstring of {name}" for name, part in parts.items() if not part.__doc__]


SUBJECTS = {
    f"{subject.path}:{name}": value
    for subject in subjects()
    for name, value in vars(importlib.import_module(f"reference.{subject.path}")).items()
    if inspect.isclass(value) and "ORDERS" in vars(value)
}
PUBLIC = {
    name: getattr(lockstep, name)
    for name in getattr(lockstep, "__all__", ())
    if isinstance(getattr(lockstep, name), type | types.FunctionType)
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_is_documented(name):
    assert lacks_as_subject(SUBJECTS[name]) == []


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_face_is_documented(name):
    value = PUBLIC[name]
    assert (lacks_as_result(value) if inspect.isclass(value) else lacks(value)) == []


def test_something_is_public():
    assert SUBJECTS
    assert PUBLIC


@pytest.mark.parametrize("name", SUBJECTS)
def test_headings_are_spelt_alike(name):
    text = inspect.getdoc(SUBJECTS[name]) or ""
    other = [line for line in text.splitlines() if re.fullmatch(r"(Args|Parameters|Params|Raise|References?):?", line)]
    assert other == [], f"the headings are {', '.join(HEADINGS)}"


def shapeless(source: str) -> list[str]:
    """The arguments that are arrays and do not say of which shape, as `lockstep/numerics/shapes.py` has it."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    given = [(fn.name, one) for fn in functions for one in (*fn.args.posonlyargs, *fn.args.args, *fn.args.kwonlyargs)]
    return [f"{name}: {one.arg}" for name, one in given if one.annotation and bare(one.annotation)]


def bare(annotation: ast.expr) -> bool:
    """Whether an array is among it that stands beside no shape."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Annotated"):
        return False
    if isinstance(annotation, ast.Attribute | ast.Name):
        return re.search(r"\b(ndarray|NDArray|ArrayLike)$", ast.unparse(annotation)) is not None
    return any(bare(part) for part in ast.iter_child_nodes(annotation) if isinstance(part, ast.expr))


@pytest.mark.parametrize("tree", ["lockstep", "reference"])
def test_every_argument_that_is_an_array_says_its_shape(tree):
    root = Path(__file__).parents[2]
    files = sorted((root / tree).rglob("*.py"))
    assert {str(file): lack for file in files if (lack := shapeless(file.read_text("utf-8")))} == {}


# Each check, seen to fail.


@pytest.mark.parametrize(
    ("annotation", "lack"),
    [
        ("Array", []),
        ('Annotated[np.ndarray, "n"] | None', []),
        ("np.ndarray", ["f: x"]),
        ("Mapping[str, list[ndarray | None]]", ["f: x"]),
        ("Callable[[NDArray[Any]], float]", ["f: x"]),
    ],
)
def test_an_array_without_a_shape_is_found(annotation, lack):
    assert shapeless(f"class A:\n    def f(self, *, x: {annotation} = None) -> np.ndarray: ...") == lack


GOOD = '''
class Adam:
    """Steps.

    Arguments:
        params: of any shape,
            updated in place.
        lr, eps: sizes.

    PyTorch differs.

    Raises:
        ValueError: for a negative lr.

    Source: somebody.
    """

    def __init__(self, params, lr=1, *, eps=2, _trial=None):
        check_numbers(lr=lr)
'''


@pytest.fixture
def planted(tmp_path, monkeypatch):
    def change(old: str, new: str) -> type:
        text = GOOD.replace(old, new)
        assert text != GOOD or not old
        ast.parse(text)
        name = f"planted_{abs(hash(text))}"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return importlib.import_module(name).Adam

    return change


def test_a_good_docstring_lacks_nothing(planted):
    assert lacks_as_subject(planted("", "")) == []


@pytest.mark.parametrize(
    ("old", "new", "lack"),
    [
        ('"""', "'''", None),
        ("        lr, eps: sizes.\n", "        lr: a size.\n", "the argument eps"),
        ("        params: of", "        the params of", "the argument params"),
        ("eps=2", "eps=2, maximize=False", "the argument maximize"),
        ("    Raises:\n        ValueError: for a negative lr.\n", "", "what is raised"),
        ("    Source: somebody.\n", "", "the source"),
        ("    PyTorch differs.\n", "", "what PyTorch does differently"),
        ('    """Steps.', '    x = """Steps.', "a docstring"),
    ],
)
def test_what_a_docstring_lacks_is_found(planted, old, new, lack):
    assert lacks_as_subject(planted(old, new))[:1] == ([lack] if lack else [])


def test_what_a_result_leaves_undocumented_is_found():
    class Result:
        """A result."""

        @property
        def worst(self): ...

        def save(self): ...

        def load(self):
            """Documented."""

        def _own(self): ...

    assert lacks_as_result(Result) == ["a docstring of worst", "a docstring of save"]
    assert lacks_as_result(type("Bare", (), {})) == ["a docstring of Bare"]
