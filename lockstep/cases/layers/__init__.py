"""Cases of the layers and of the penalties: which class on which inputs."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np

from lockstep.cases import DTYPES, Bad, Case
from lockstep.errors import NoSuchName
from lockstep.text import message

# name to (generator, shape, dtype) to inputs; each is there for a formula it tells from the right one
KINDS: dict[str, Callable[[np.random.Generator, tuple[int, ...], Any], np.ndarray]] = {
    "normal": lambda rng, shape, dtype: rng.standard_normal(shape),
    # the sum of squares less the square of the sum has no digit left
    "large offset": lambda rng, shape, dtype: 1000 + rng.standard_normal(shape),
    # what is added to a variance or divided by shows
    "tiny": lambda rng, shape, dtype: 1e-3 * rng.standard_normal(shape),
    "many sizes": lambda rng, shape, dtype: rng.choice([-1, 1], shape) * 10.0 ** rng.uniform(-6, 6, shape),
    # a slope at 0, and the sign of 0
    "zeros among them": lambda rng, shape, dtype: rng.standard_normal(shape) * rng.integers(0, 2, shape),
    # x = [[2, 3, 4, 5], [1, 2, 3, 4]], where a sample is a column
    "the notebook's example": lambda rng, shape, dtype: np.add.outer(np.arange(shape[0]), 2.0 - np.arange(shape[1])),
    "constant": lambda rng, shape, dtype: np.full(shape, 3.0),
    # exp of them overflows, unless the largest of a row is taken off
    "far from 0": lambda rng, shape, dtype: (
        rng.standard_normal(shape) + 1000 * rng.choice([-1, 1], (*shape[:1], *(1 for _ in shape[1:])))
    ),
    "zeros": lambda rng, shape, dtype: np.zeros(shape),
    "denormal": lambda rng, shape, dtype: rng.uniform(-1, 1, shape) * np.finfo(dtype).tiny,
    # what is clipped far out
    "huge": lambda rng, shape, dtype: rng.choice([-1, 1], shape) * 10.0 ** rng.uniform(3, 30, shape),
    "huge offset": lambda rng, shape, dtype: 1e6 + rng.standard_normal(shape),
    "logits": lambda rng, shape, dtype: 5 * rng.standard_normal(shape),
    "extreme logits": lambda rng, shape, dtype: rng.choice([1e4, -1e4, 80, -80, 20, -20, 1, -1, 0.0, -0.0], shape),
    # exp(-x) is above float32's largest number, not above float64's
    "where exp overflows": lambda rng, shape, dtype: rng.choice([-90.0, -95.0, 90.0, 1.0], shape),
    "probabilities": lambda rng, shape, dtype: rng.uniform(0.01, 0.99, shape),
    "saturated probabilities": lambda rng, shape, dtype: rng.choice([0, 1, 1e-30, 1 - np.finfo(dtype).epsneg], shape),
}
TARGETS: dict[str, Callable[[np.random.Generator, tuple[int, ...], Any], np.ndarray]] = {
    "soft": lambda rng, shape, dtype: rng.random(shape).astype(dtype),
    "hard": lambda rng, shape, dtype: rng.integers(0, 2, shape).astype(dtype),
    "classes": lambda rng, shape, dtype: rng.integers(0, shape[1], shape[0]),
}


class LayerCase(Case):
    """One way to run a layer, a loss or a penalty: every step new inputs and a new upstream gradient.

    Arguments:
        desc: in plain words; its name everywhere.
        layer: the class of the subject's file, on either side.
        shape: of the input.
        kind: of the input, a name of `KINDS`.
        target: of a loss, a name of `TARGETS`.
        masked: whether the layer takes a mask in training, drawn with its p.
        steps: how many.
        evaluate_from: the step from which on the layer evaluates; it trains before.
        fresh: whether parameters and running statistics stay as the layer makes them, instead of being drawn.
        differs: why the paper's order is another formula than PyTorch's on these inputs, where it is, as the
            message `page.known.…` says it; there the verdict is `different`, and anything else a surprise.
        still: there is nothing to compare.
        saturated: inputs so far apart that what somebody's code makes infinite there is said, and decides nothing.
        dtypes: where the case makes sense.
        hyperparameters: the arguments of the class, under PyTorch's names.
    """

    def __init__(
        self,
        desc: str,
        *,
        layer: str,
        shape: tuple[int, ...] = (13, 7),
        kind: str = "normal",
        target: str | None = None,
        masked: bool = False,
        steps: int = 4,
        evaluate_from: int | None = None,
        fresh: bool = False,
        differs: str = "",
        still: bool = False,
        saturated: bool = False,
        dtypes: tuple[str, ...] = DTYPES,
        **hyperparameters: Any,
    ):
        if kind not in KINDS:
            raise NoSuchName(message("error.no-input", given=kind, known=", ".join(KINDS)))
        shapes = {"input": shape}
        super().__init__(desc, problem=kind, steps=steps, shapes=shapes, still=still, dtypes=dtypes, **hyperparameters)
        vars(self).update(
            layer=layer,
            shape=shape,
            kind=kind,
            target=target,
            masked=masked,
            evaluate_from=evaluate_from,
            fresh=fresh,
            differs=differs,
            saturated=saturated,
        )

    layer: str
    shape: tuple[int, ...]
    kind: str
    target: str | None
    masked: bool
    evaluate_from: int | None
    fresh: bool
    differs: str
    saturated: bool

    def training(self, step: int) -> bool:
        """Whether the layer trains at `step` (from 1)."""
        return self.evaluate_from is None or step < self.evaluate_from

    def start(self, rng: np.random.Generator, state: Mapping[str, Any], dtype) -> dict[str, np.ndarray]:
        """Parameters and buffers to start from, of the shapes in `state`, in `dtype`."""
        return {
            name: self.drawn(rng, name, np.asarray(value)).astype(dtype_of(value, dtype))
            for name, value in state.items()
        }

    def drawn(self, rng: np.random.Generator, name: str, value: Annotated[np.ndarray, "*shape"]) -> np.ndarray:
        if self.fresh or value.dtype.kind != "f":
            return value
        return rng.uniform(0.5, 2, value.shape) if name == "running_var" else rng.standard_normal(value.shape)

    def inputs(self, rng: np.random.Generator, step: int, dtype) -> tuple[np.ndarray, ...]:
        """What `forward` is given at `step`: the input, and a target or a mask."""
        dtype = np.dtype(dtype)
        x = KINDS[self.kind](rng, self.shape, dtype).astype(dtype)
        if self.target:
            return x, TARGETS[self.target](rng, self.shape, dtype)
        if self.masked and self.training(step):
            return x, (rng.random(self.shape) < 1 - self.hyperparameters.get("p", 0.5)).astype(dtype)
        return (x,)

    def upstream(self, rng: np.random.Generator, shape: tuple[int, ...], dtype) -> np.ndarray:
        """The gradient that comes from above; a random one, because ones hide a term that sums to 0."""
        return np.asarray(rng.standard_normal(shape), dtype)

    def replaced(self, **changes: Any) -> "LayerCase":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        own = (
            "layer",
            "shape",
            "kind",
            "target",
            "masked",
            "steps",
            "evaluate_from",
            "fresh",
            "differs",
            "still",
            "saturated",
            "dtypes",
        )
        changes = {"kind" if key == "problem" else key: value for key, value in changes.items()}
        settings = {name: getattr(self, name) for name in own}
        return LayerCase(changes.pop("desc", self.desc), **(settings | self.hyperparameters | changes))


def dtype_of(value, dtype):
    """`dtype` where there are floats; a count stays an integer."""
    return dtype if np.asarray(value).dtype.kind == "f" else np.asarray(value).dtype


class BadCall(Bad):
    """Arguments or inputs that PyTorch refuses, with its error.

    Arguments:
        desc: in plain words.
        error: the type and the text PyTorch raises.
        layer: the class.
        inputs: shapes, drawn as normal numbers in float32, or arrays; none where the class refuses its arguments.
        training: whether the layer trains.
        hyperparameters: the arguments of the class.
    """

    def __init__(
        self,
        desc: str,
        error: tuple[type[Exception], str],
        *,
        layer: str,
        inputs: tuple = (),
        training: bool = True,
        **hyperparameters: Any,
    ):
        super().__init__(desc, error, **hyperparameters)
        self.layer, self.training = layer, training
        self.inputs = tuple(
            np.random.default_rng(0).standard_normal(given, np.float32) if isinstance(given, tuple) else given
            for given in inputs
        )
