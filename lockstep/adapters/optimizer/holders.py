"""What holds parameters together with their gradients, as somebody's code expects it: layers, tensors of engines."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from lockstep.adapters.code import Words
from lockstep.adapters.layer.names import Place
from lockstep.numerics.shapes import Array

PARTNERS = {"weights": "biases", "weight": "bias", "W": "b", "w": "b", "kernel": "bias", "gamma": "beta"}
WEIGHTS, BIASES = {name.lower() for name in PARTNERS}, {name.lower() for name in PARTNERS.values()}
SLOPES = ("d_{0}", "d{0}", "gradient_{0}", "grad_{0}", "grads_{0}", "delta_{0}", "nabla_{0}")
SLOPES += ("{0}_gradients", "{0}_gradient", "{0}_grads", "{0}_grad")
OTHER_THINGS = ("decay", "reg", "moment", "cache", "veloc", "init", "square", "avg", "hat", "update", "prev", "get")
OTHER_THINGS += ("set",)
CONTAINERS = (("params", "grads"), ("parameters", "gradients"), ("params", "gradients"), ("parameters", "grads"))
CONTAINERS += (("weights", "gradients"), ("weights", "grads"))
VALUES = ("data", "values", "value", "array", "_data", "_value", "_array", "val", "arr")
GRADS = ("grad", "gradient", "grad_value", "_grad", "grads", "g", "derivative")


class Built(NamedTuple):
    """What is handed over, where it keeps its parameters, and where their gradients."""

    holder: Any
    own: list[Any]
    slopes: list[Any]


class Holder(Protocol):
    """How parameters are held: `keys` are their names, of one or of a weight and its bias, `slopes` of gradients."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the parameters in it."""
        ...

    @property
    def slopes(self) -> tuple[str, ...]:
        """The names of their gradients; none where these are handed over beside it."""
        ...

    def build(self, arrays: tuple[Array, ...]) -> Built:
        """One that holds these."""
        ...

    def words(self) -> str:
        """As it is printed."""
        ...

    def entry(self, name: str, place: int) -> str:
        """What an attribute of it is besides the parameter at that place: momentums of weight_momentums."""
        ...


class LayerHolder(NamedTuple):
    """A layer: a weight, a bias and their gradients.

    keys: of the two parameters; slopes: of their gradients. Both name attributes of the layer, or entries of its
    `containers`, which are lists in that order where `listed`; gradients that are handed over beside it have no slopes.
    """

    keys: tuple[str, ...]
    slopes: tuple[str, ...]
    containers: tuple[str, str] | None = None
    listed: bool = False

    def words(self) -> str:
        """As it is printed."""
        if self.containers is None:
            return ", ".join(f".{name}" for name in (*self.keys, *self.slopes))
        keys = ((0, 1), (0, 1)) if self.listed else (self.keys, self.slopes)
        pairs = zip(self.containers, keys, strict=True)
        return ", ".join(f".{holder}[{key!r}]" for holder, names in pairs for key in names)

    def build(self, arrays: tuple[Array, ...]) -> Built:
        """A layer that holds these."""
        layer = Layer()
        if self.containers is None:
            own = [Place(layer, key) for key in self.keys]
            slopes = [Place(layer, key) for key in self.slopes]
        else:
            holders = [[None, None] if self.listed else {} for _ in self.containers]
            vars(layer).update(zip(self.containers, holders, strict=True))
            keys = ((0, 1), (0, 1)) if self.listed else (self.keys, self.slopes)
            own, slopes = ([Place(h, key) for key in names] for h, names in zip(holders, keys, strict=True))
        for place, array in zip(own, arrays, strict=True):
            place.put(array)
        for place, array in zip(slopes, arrays, strict=False):
            place.put(np.zeros_like(array))
        return Built(layer, own, slopes)

    def entry(self, name: str, place: int) -> str:
        """What an attribute is besides a parameter's: momentums of weight_momentums, m of mW, v of v_dW."""
        key = self.keys[place]
        slope = self.slopes[place] if self.slopes else ""
        for part in (slope, key, key.rstrip("s"), key.removesuffix("es"), key.removesuffix("es") + "s"):
            if name not in (key, slope) and part and (name.startswith(part) or name.endswith(part)):
                return name.removeprefix(part).removesuffix(part).strip("_")
        return ""


class ArgumentHolder(NamedTuple):
    """Nothing holds them: the weight, the bias and their gradients are arguments of these names."""

    keys: tuple[str, ...]
    slopes: tuple[str, ...]

    def words(self) -> str:
        """As it is printed."""
        return ", ".join((*self.keys, *self.slopes))

    def build(self, arrays: tuple[Array, ...]) -> Built:
        """The arguments by name."""
        held: dict[str, Any] = dict(zip(self.keys, arrays, strict=True))
        return Built(held, [Place(held, key) for key in self.keys], [Place(held, key) for key in self.slopes])

    def entry(self, name: str, place: int) -> str:
        """Arguments have no attributes."""
        return ""


class TensorHolder(NamedTuple):
    """A tensor of a small engine: an attribute with the array and one with its gradient, which may be such a tensor."""

    value: str
    grad: str
    nested: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The one that there is."""
        return (self.value,)

    @property
    def slopes(self) -> tuple[str, ...]:
        """That of its gradient."""
        return (self.grad,)

    def words(self) -> str:
        """As it is printed."""
        return f".{self.value}, .{self.grad}" + (f".{self.value}" if self.nested else "")

    def build(self, arrays: tuple[Array, ...]) -> Built:
        """A tensor that holds it."""
        tensor = Tensor(self.value, self.grad, arrays[0])
        slope: Any = NestedPlace(tensor, self) if self.nested else Place(tensor, self.grad)
        return Built(tensor, [Place(tensor, self.value)], [slope])

    def entry(self, name: str, place: int) -> str:
        """Whatever else lies on a tensor is its own."""
        return "" if name in (self.value, self.grad) else name


class NestedPlace:
    """Where a gradient lies that is a tensor itself."""

    def __init__(self, tensor: "Tensor", holder: TensorHolder):
        self.tensor, self.holder = tensor, holder

    def put(self, array: Array | None) -> None:
        """Set it."""
        grad = None if array is None else Tensor(self.holder.value, self.holder.grad, array)
        setattr(self.tensor, self.holder.grad, grad)


class Layer:
    """The least that a layer offers: its parameters, and that it is trained."""

    trainable = True


class Tensor:
    """The least that a parameter of a small engine offers: an array, its gradient, and what shape it has."""

    requires_grad = True

    def __init__(self, value: str, grad: str, array: Array):
        self.named = value, grad
        setattr(self, value, array)
        setattr(self, grad, None)

    @property
    def held(self) -> Any:
        """The array."""
        return getattr(self, self.named[0])

    shape = property(lambda self: np.shape(self.held))
    size = property(lambda self: np.size(self.held))
    ndim = property(lambda self: np.ndim(self.held))
    dtype = property(lambda self: np.asarray(self.held).dtype)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        setattr(self, self.named[1], None)


def slope_of(name: str) -> str | None:
    """What it is the gradient of, if that is how it is called."""
    for form in SLOPES:
        before, after = form.split("{0}")
        inside = name[len(before) : len(name) - len(after)]
        if name == before + inside + after and kind_of(inside) is not None:
            return inside
    return None


def kind_of(name: str) -> str | None:
    """weight or bias, if it is called so."""
    plain = name.strip("_").lower()
    if any(other in plain for other in OTHER_THINGS):
        return None
    if plain in WEIGHTS or "weight" in plain:
        return "weight"
    return "bias" if plain in BIASES or "bias" in plain else None


def layers_of(words: Words) -> Iterator[LayerHolder]:
    """The layers that code of these words may expect."""
    slopes = {name: slope_of(name) for name in words.names}
    own = {name: kind_of(name) for name in words.names if slopes[name] is None}
    weights, biases = ([name for name, kind in own.items() if kind == which] for which in ("weight", "bias"))
    dweights, dbiases = (
        [name for name, of in slopes.items() if of is not None and kind_of(of) == which] for which in ("weight", "bias")
    )
    for weight, dweight in itertools.product(weights, dweights):
        bias = next(iter(biases), None) or PARTNERS.get(weight, "biases")  # it has one, whether it is updated or not
        inside = slopes[dweight] or weight
        yield LayerHolder((weight, bias), (dweight, next(iter(dbiases), dweight.replace(inside, bias))))
    for params, grads in CONTAINERS:
        if params in words.names and grads in words.names:
            texts = [text for text in words.texts if kind_of(text)]
            keys = next(((w, b) for w, b in PARTNERS.items() if w in texts and b in texts), ("W", "b"))
            yield LayerHolder(keys, keys, (params, grads))
            yield LayerHolder(keys, ("d" + keys[0], "d" + keys[1]), (params, grads))
            yield LayerHolder(keys, keys, (params, grads), listed=True)
    if weights and biases and not dweights:
        yield LayerHolder((weights[0], biases[0]), ())


def tensors_of(words: Words) -> Iterator[TensorHolder]:
    """The tensors that code of these words may expect."""
    values = [name for name in VALUES if name in words.names] or ["data"]
    grads = [name for name in GRADS if name in words.names]
    for value, grad in itertools.product(values, grads):
        yield TensorHolder(value, grad)
        yield TensorHolder(value, grad, nested=True)


def by_holder(
    value: Any, holders: list[Any], pairs: list[tuple[str, ...]], keys: tuple[tuple[str, ...], ...]
) -> dict[str, Any]:
    """What an optimizer keeps for each of its holders, by their place, themselves or their id, for each parameter.

    Arguments:
        value: it. holders: in order. pairs: the parameters in each. keys: the names that each may go by.
    """
    parts: list[Any] = list(value) if isinstance(value, list | tuple) and len(value) == len(holders) else []
    if isinstance(value, Mapping):
        known = [
            (id(one), place) if isinstance(one, dict) else (id(one), place, one) for place, one in enumerate(holders)
        ]
        parts = [first_in(value, own) for own in known]
    by_name: dict[str, Any] = {}
    for pair, part in zip(pairs, parts, strict=False):
        if isinstance(part, Mapping):
            by_name |= {name: first_in(part, own) for name, own in zip(pair, keys, strict=True)}
        elif isinstance(part, list | tuple) and len(part) == len(pair):
            by_name |= dict(zip(pair, part, strict=True))
        elif len(pair) == 1:
            by_name[pair[0]] = part
    return {name: array for name, array in by_name.items() if array is not None}


def first_in(held: Mapping[Any, Any], keys: tuple[Any, ...]) -> Any:
    """What lies under the first of these keys that there is."""
    return next((held[key] for key in keys if key in held), None)
