"""An object with forward and backward, or a callable one, on arrays."""

import copy
import functools
import inspect
from typing import Any

import numpy as np

from lockstep.adapters.adapter import CannotCheck, NotTaken
from lockstep.adapters.layer.adapter import Made
from lockstep.adapters.layer.find import FoundLayer, arrays_in, by_role, effect, fits, held, only_one, plain_like
from lockstep.adapters.layer.names import (
    BUFFERS,
    GRAD_INPUTS,
    HELD,
    MASKS,
    OUTPUTS,
    PARAMS,
    TRAINING,
    Place,
    gradient_names,
    like,
    places,
    target_of,
)
from lockstep.adapters.names import named, required
from lockstep.numerics.shapes import Array, Inputs, OtherArray
from lockstep.text import message

FORWARD = ("forward", "__call__", "call")
BACKWARD = ("backward", "backprop", "bprop")
WORDS = {True: "train", False: "test"}  # where the mode is a word


class LayerObject(FoundLayer):
    """`layer.forward(x)` and `layer.backward(grad)`."""

    shape = message("shape.forward-backward")

    def start(self, params, buffers, **hyperparameters):
        self.given = {**params, **buffers}
        self.fresh: dict[str, Any] = {}
        self.means = hyperparameters.get("reduction", "mean") == "mean"
        own = arrays_of(self.maker.target) if inspect.isclass(self.maker.target) else {}
        filled = {name: self.column(self.given[key]) for name, key in own.items() if key in self.given}
        self.filled = {key for name, key in own.items() if name in filled}
        maker = self.maker._replace(target=functools.partial(self.maker.target, **filled)) if filled else self.maker
        self.layer: Any = maker.make(None, hyperparameters)
        self.forward = next(getattr(self.layer, name) for name in FORWARD if callable(getattr(self.layer, name, None)))
        hits = [getattr(self.layer, name) for name in BACKWARD if callable(getattr(self.layer, name, None))]
        self.backward = hits[0] if hits else None
        self.arguments = list(named(self.forward))
        self.mask = next((name for name in self.arguments if name.lower() in MASKS), None)
        self.target = target_of(self.arguments)
        self.mode = next((name for name in self.arguments if name.lower() in TRAINING), None)
        self.takes_mask = self.mask is not None
        self.loaded = False
        self.load()

    def again(self, layout, paths):
        return functools.partial(LayerObject, self.maker, layout, self.roles, {**self.paths, **paths})

    def load(self) -> None:
        """Put parameters and statistics where it keeps them; later, if it makes them with the first input."""
        self.places = {key: self.told(key, path) for key, path in self.paths.items() if key in self.given}
        for key, place in places(self.layer, PARAMS | BUFFERS).items():
            if key in self.given and key not in self.places and is_array(place.get()):
                self.places[key] = place
        self.unset = tuple(key for key in self.given if key not in self.places and key != "num_batches_tracked")
        self.loaded = not self.unset
        for key, place in self.places.items():
            if key not in self.filled:
                self.fresh.setdefault(key, self.fitted(key, np.array(place.get())))
            value = place.get()
            own = value.dtype if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None
            place.put(np.array(self.laid(key, value), own))  # in its own format, or what that promotes would not show

    @property
    def called(self):
        return {key: ".".join(path_of(self.layer, place)) for key, place in self.places.items()}

    def told(self, key: str, path: tuple[str, ...]) -> Place:
        """The place at a path that was found before, or said.

        Raises:
            CannotCheck: where there is nothing.
        """
        try:
            place = held(self.layer, path)
            place.get()
        except (AttributeError, KeyError):
            there = ", ".join(".".join(path) for path, _ in arrays_in(self.layer)) or message("recognise.no-arrays")
            asked = ".".join(path)
            raise CannotCheck(message("recognise.no-such-thing", key=key, path=asked, known=there)) from None
        return place

    def find(self, x: Inputs, others: tuple[OtherArray, ...]) -> None:
        """Look for what has no usual name, and load it: it may be made with the first input, or be called otherwise.

        Raises:
            CannotCheck: where several arrays may be one parameter.
        """
        self.made_by_a_pass(x, others)
        self.load()
        if self.unset and self.roles:
            modes = self.modes(x, others)
            roles = {key: self.roles[key][: len(modes)] for key in self.unset if key in self.roles}
            wanted = {key: (self.given[key].shape, role) for key, role in roles.items() if set(role) != {"nothing"}}
            taken = {path_of(self.layer, place) for place in self.places.values()}
            free = {path: array for path, array in arrays_in(self.layer) if path not in taken}
            runs = functools.partial(self.output, plain_like(x), others)
            self.paths |= only_one(by_role(self.layer, free, held, wanted, runs, modes))
            self.load()
        self.loaded = True

    def made_by_a_pass(self, x: Inputs, others: tuple[OtherArray, ...]) -> None:
        """Let it make what it makes with the first input: in evaluation if it can, which leaves no trace of that."""
        free = self.arrays().values()
        if all(any(fits(array, self.given[key].shape) for array in free) for key in self.unset):
            return  # there is something already
        tried = copy.deepcopy(self.layer)
        try:
            self.pass_forward(tried, False, x, others)
        except Exception:  # it may have nothing to evaluate with before it has trained
            self.pass_forward(self.layer, True, x, others)
            self.fresh = dict.fromkeys(BUFFERS)  # no longer what it began with
        else:
            self.pass_forward(self.layer, False, x, others)

    def modes(self, x: Inputs, others: tuple[OtherArray, ...]) -> tuple[bool, ...]:
        """Whether it can be told to evaluate."""
        try:
            self.output(x, others, copy.deepcopy(self.layer), False)
        except NotTaken:
            return (True,)
        return True, False

    def output(self, x: Inputs, others: tuple[OtherArray, ...], layer: Any, training: bool) -> np.ndarray:
        """The output of another instance."""
        returned = self.pass_forward(layer, training, x, others)
        return self.layout.pytorchs(np.asarray(first_of(self.made(layer, returned, OUTPUTS))))

    def run(self, training, inputs, upstream):
        if not self.loaded:
            self.find(inputs[0], inputs[1:])
        made = self.pass_forward(self.layer, training, inputs[0], inputs[1:])
        output = self.layout.pytorchs(np.asarray(first_of(self.made(self.layer, made, OUTPUTS))))
        grad, grads, up = None, {}, upstream
        if self.backward is None and self.target:
            grad = beside(made, self.layout.theirs(inputs[0]))
            up = np.ones_like(output)
            grad = None if grad is None else self.layout.averaged(self.layout.pytorchs(grad), {}, inputs, self.means)[0]
        elif self.backward is not None:
            takes = upstream_of(self.backward)
            up = upstream if takes else np.ones_like(output)
            returned = self.backward(self.layout.theirs(upstream)) if takes else self.backward()
            grad = first_of(self.made(self.layer, returned, GRAD_INPUTS))
            grad = None if grad is None else self.layout.pytorchs(np.asarray(grad))
            grads = self.gradients(returned)
            grad, grads = self.layout.averaged(grad, grads, inputs, self.means)
        buffers = {key: self.fitted(key, self.places[key].get()) for key in BUFFERS if key in self.places}
        return Made(output, grad, grads, buffers, up)

    @staticmethod
    def made(layer: Any, returned: Any, names: tuple[str, ...]) -> Any:
        """What a method returns, or where it returns nothing, leaves on the object."""
        if returned is not None:
            return returned
        return next((getattr(layer, name) for name in names if is_array(getattr(layer, name, None))), None)

    def pass_forward(self, layer: Any, training: bool, x: Inputs, others: tuple[OtherArray, ...]) -> Any:
        arguments: dict[str, Any] = {}
        if self.mode:
            default = named(self.forward)[self.mode].default
            arguments[self.mode] = WORDS[training] if isinstance(default, str) else training
        else:
            self.switch(layer, training)
        rest = list(others)
        if self.target and rest:
            arguments[self.target] = self.layout.target(rest.pop(0), x)
        if self.mask and rest:
            arguments[self.mask] = self.layout.theirs(rest.pop(0))
        first = next(name for name in self.arguments if name != self.target) if self.arguments else None
        if first is not None and first != self.arguments[0]:
            return getattr(layer, self.forward.__name__)(**{first: self.layout.theirs(x)}, **arguments)
        return getattr(layer, self.forward.__name__)(self.layout.theirs(x), **arguments)

    def switch(self, layer: Any, training: bool) -> None:
        """Tell the layer whether it trains."""
        if callable(getattr(layer, "eval", None)) and callable(getattr(layer, "train", None)):
            (layer.train if training else layer.eval)()
            return
        flag = next((name for name in TRAINING if isinstance(getattr(layer, name, None), bool | str)), None)
        if flag:
            setattr(layer, flag, WORDS[training] if isinstance(getattr(layer, flag), str) else training)
        elif callable(getattr(layer, "freeze", None)) and callable(getattr(layer, "unfreeze", None)):
            (layer.unfreeze if training else layer.freeze)()
        elif not training:
            raise NotTaken(message("reason.no-evaluation"))

    def gradients(self, returned: Any) -> dict[str, Any]:
        """Of the parameters: attributes, entries of a dict, or what backward returns after the input's."""
        wanted = [key for key in self.places if key in PARAMS]
        called = {key: [str(self.places[key].name).strip("_").lower()] for key in wanted}
        known = {key: Place(*place) for key in wanted for place in [self.known_gradient(key)] if place}
        beside = {key: Place(self.places[key].holder, "grad") for key in wanted if self.places[key].name in HELD}
        known |= {key: place for key, place in beside.items() if is_array(getattr(place.holder, "grad", None))}
        known |= places(self.layer, {key: gradient_names(key, called[key]) for key in wanted if key not in known})
        for holder in ("grads", "gradients", "grad"):
            inside = getattr(self.layer, holder, None)
            if isinstance(inside, dict):
                for key in wanted:
                    own = next((n for n in inside if str(n).lower() in (*PARAMS[key], *called[key])), None)
                    if own is not None and key not in known:
                        known[key] = Place(inside, own)
        if isinstance(returned, tuple) and len(returned) == 1 + len(wanted) and not known:
            return {key: self.fitted(key, value) for key, value in zip(wanted, returned[1:], strict=True)}
        return {key: self.fitted(key, place.get()) for key, place in known.items() if is_array(place.get())}

    def keeps(self, keys, last):
        held_anyway = places(self.layer, {key: PARAMS[key] for key in keys})
        self.places |= {key: place for key, place in held_anyway.items() if isinstance(place.get(), np.ndarray)}
        self.given |= {key: np.array(self.places[key].get()) for key in keys if key in self.places}
        runs = functools.partial(self.output, last.inputs[0], last.inputs[1:])
        return [
            key
            for key in self.gradients(None)
            if key in held_anyway
            and effect(self.layer, lambda one, key=key: places(one, PARAMS)[key], runs, last.training) != "nothing"
        ]

    def known_gradient(self, key: str) -> tuple[Any, str] | None:
        path = self.paths.get(f"{key}.grad")
        place = held(self.layer, path) if path else None
        return (place.holder, place.name) if place else None

    def arrays(self) -> dict[tuple[str, ...], np.ndarray]:
        """The arrays it holds that are not known yet, by their paths: they may be gradients, or buffers."""
        taken = [place.get() for place in self.places.values()]
        return {path: np.array(one) for path, one in arrays_in(self.layer) if not any(one is other for other in taken)}

    def laid(self, key: str, value: Any) -> np.ndarray:
        """What was given, in the layout and the shape of what it replaces."""
        given = self.given[key]
        return like(value, np.ascontiguousarray(given.T) if self.layout.turned and given.ndim == 2 else given)

    def fitted(self, key: str, value: Any) -> np.ndarray:
        """In PyTorch's shape: (1, d) and (d, 1) as (d,), (in, out) as (out, in)."""
        array, given = np.asarray(value), self.given[key]
        if given.ndim == 2 and self.layout.turned and array.ndim == 2:
            return np.ascontiguousarray(array.T)
        return array.reshape(given.shape) if given.ndim == 1 and array.size == given.size else array

    def column(self, array: Array) -> np.ndarray:
        """An array of its own, a column where features come first, turned where weights are."""
        if array.ndim == 2 and self.layout.turned:
            return array.T.copy()
        return array.reshape(-1, 1).copy() if self.layout.features == "first" and array.ndim == 1 else array.copy()


def path_of(layer: Any, place: Place) -> tuple[str, ...]:
    """The path of a place in an object or in one of its dicts."""
    if place.holder is layer:
        return (place.name,)
    return next(((name, place.name) for name, value in vars(layer).items() if value is place.holder), (place.name,))


def upstream_of(backward: Any) -> bool:
    """Whether a method takes the gradient from above: what it needs, or may be given in place of 1."""
    arguments = list(named(backward).values())
    return bool(arguments) and any(
        one.default in (inspect.Parameter.empty, None, 1) and not isinstance(one.default, bool) for one in arguments[:1]
    )


def arrays_of(kind: type) -> dict[str, str]:
    """Arguments that a class cannot be made without and that are arrays: gamma and beta, say, to PyTorch's names."""
    known = PARAMS | BUFFERS
    return {name: key for name in required(kind) for key, others in known.items() if name.lower() in (key, *others)}


def first_of(returned: Any) -> Any:
    alone = isinstance(returned, list) and len(returned) == 1  # of each input, and there is one
    return returned[0] if alone or isinstance(returned, tuple) else returned


def beside(returned: Any, x: Inputs) -> np.ndarray | None:
    """The gradient by the input, where a loss returns it beside its number."""
    grad = returned[1] if isinstance(returned, tuple) and len(returned) == 2 else None
    return grad if isinstance(grad, np.ndarray) and grad.shape == x.shape and grad.dtype.kind == "f" else None


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or (
        isinstance(value, float | int) and not isinstance(value, bool)
    )
