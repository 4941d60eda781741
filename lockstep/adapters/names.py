"""Other names of PyTorch's hyperparameters, and which of an implementation's are meant by them."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Names = dict[str, str | tuple[str, str]]  # PyTorch's name to the implementation's; of betas, perhaps two

LR = ("lr", "learning_rate", "learning_rate_init", "step_size", "stepsize", "alpha", "eta", "eta0", "lrate", "rate")
DECAYS = ("alpha", "rho", "decay", "decay_rate", "gamma", "beta", "beta2", "beta_2", "b2", "smoothing", "decay2")
SHARED_NAMES = {"beta", "beta1", "gamma", "rho"}  # of RMSprop's decay and of SGD's momentum
KEEPS = ("keep_prob", "keep_probability", "keep_rate", "keep", "retain_prob", "p_keep")  # 1 - p goes by these
# what is called so is the size of the last axis, and no shape of several
ONE_AXIS = (
    *("num_features", "n_features", "features", "dim", "ndim", "size", "d_model", "model_dim", "dim_model", "emb_dim"),
    *("embed_dim", "embedding_dim", "n_embd", "n_embed", "hidden_size", "hidden_dim", "hidden", "channels", "width"),
)
OTHERS: dict[str, tuple[str, ...]] = {
    "lr": LR,
    "betas": ("betas", "beta"),
    "eps": ("eps", "epsilon", "fuzz", "delta", "e", "small"),
    "weight_decay": (
        "weight_decay",
        "wd",
        "weight_decay_rate",
        "l2",
        "lam",
        "lamda",
        "lambda",
        "lmbda",
        "l2_reg",
        "reg",
    ),
    "momentum": ("momentum", "mu", "mass", "beta", "beta1", "gamma", "rho"),
    "alpha": DECAYS,
    "lr_decay": ("lr_decay", "learning_rate_decay", "decay"),
    "initial_accumulator_value": ("initial_accumulator_value", "initial_accumulator", "init_acc", "accumulator"),
    "nesterov": ("nesterov", "use_nesterov", "is_nesterov", "nag"),
    "amsgrad": ("amsgrad", "use_amsgrad", "ams"),
    "dampening": ("dampening", "damp", "damping"),
    "centered": ("centered", "centred", "use_centered"),
    "maximize": ("maximize", "maximise", "ascend"),
    "decoupled_weight_decay": ("decoupled_weight_decay", "decoupled"),
    "num_features": (
        "num_features",
        "n_features",
        "features",
        "dim",
        "d",
        "size",
        "channels",
        "num_channels",
        "dims",
        "sz",
        "input_size",
        "n_in",
        "n",
    ),
    "normalized_shape": (
        *("normalized_shape", "dims", "shape", "normalized_dim", "input_shape"),
        *ONE_AXIS,
    ),
    "affine": ("affine", "learnable"),
    "track_running_stats": ("track_running_stats", "track"),
    "p": (
        "p",
        "rate",
        "dropout_rate",
        "drop_rate",
        "drop_prob",
        "prob",
        "dropout",
        "ratio",
        "dropout_ratio",
        "dropout_prob",
        *KEEPS,
    ),
    "lam": ("lam", "lamda", "lambda", "lmbda", "l1", "l2", "reg", "alpha", "strength", "l2_lambda", "l1_lambda"),
    "m": ("m", "n", "batch_size", "n_samples"),
    "in_features": (
        *(
            "in_features",
            "n_in",
            "input_dim",
            "input_dims",
            "in_dim",
            "fan_in",
            "input_size",
            "in_size",
            "n_inputs",
            "num_inputs",
        ),
        *("inputs", "d_in", "in_channels", "nin", "input_units", "n_input", "input_features", "num_in", "dim_in"),
    ),
    "out_features": (
        *(
            "out_features",
            "n_out",
            "output_dim",
            "output_dims",
            "out_dim",
            "fan_out",
            "output_size",
            "out_size",
            "n_outputs",
        ),
        *("num_outputs", "outputs", "d_out", "out_channels", "nout", "n_neurons", "neurons", "units", "n_units"),
        *("output_units", "n_output", "output_features", "num_out", "dim_out", "hidden_size", "num_units"),
    ),
    "bias": ("bias", "use_bias"),
}
PAIRS = (
    ("beta1", "beta2"),
    ("beta_1", "beta_2"),
    ("b1", "b2"),
    ("decay1", "decay2"),
    ("rho1", "rho2"),
    ("mom", "sqr_mom"),
)


def match(available: Iterable[str], wanted: Iterable[str]) -> Names:
    """PyTorch's names among `wanted` to those of `available` that mean them; each is used once."""
    plain = {name.strip("_").lower(): name for name in available}
    wanted = list(wanted)
    matched: Names = {name: plain.pop(name) for name in wanted if name in plain}
    if "betas" in wanted and "betas" not in matched:
        for first, second in PAIRS:
            if first in plain and second in plain:
                matched["betas"] = plain.pop(first), plain.pop(second)
                break
    if (
        matched.get("alpha") == "alpha" and "lr" in wanted and "lr" not in matched
    ):  # perhaps their alpha is the step size
        decay = next((other for other in DECAYS if other in plain), None)
        if decay:
            matched |= {"lr": "alpha", "alpha": plain.pop(decay)}
    # what another hyperparameter may be called as well goes to the one that has fewer names
    for name in sorted((name for name in wanted if name not in matched), key=lambda name: name in ("lr", "momentum")):
        for other in OTHERS.get(name, ()):
            taken = other in SHARED_NAMES and "alpha" in wanted and name == "momentum"
            if other in plain and not taken:
                matched[name] = plain.pop(other)
                break
    return matched


def told(names: Names, hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """PyTorch's hyperparameters under the implementation's names; what it has no name for is left out."""
    arguments: dict[str, Any] = {}
    for name, value in hyperparameters.items():
        own = names.get(name)
        if isinstance(own, tuple):
            arguments |= dict(zip(own, value, strict=True))
        elif own is not None:
            arguments[own] = 1 - value if keeps(name, own) else sole(value) if one_axis(name, own) else value
    return arguments


def sole(value: Any) -> Any:
    """What a shape of one axis has for it; anything else as it is."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def one_axis(name: str, own: Any) -> bool:
    """Whether it is called by the size of one axis, where PyTorch's is a shape."""
    return name == "normalized_shape" and isinstance(own, str) and own.strip("_").lower() in ONE_AXIS


def keeps(name: str, own: str) -> bool:
    """Whether it is called by what is kept, where PyTorch's is called by what is dropped."""
    return name == "p" and own.strip("_").lower() in KEEPS


def in_words(names: Names) -> dict[str, str]:
    """What is printed: PyTorch's name to theirs."""
    return {
        name: (f"1 - {own}" if keeps(name, own) else own) if isinstance(own, str) else ", ".join(own)
        for name, own in names.items()
    }


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The arguments of a function, or of a class without self; none where nothing is known.

    Of a class that hands on whatever it is given, those of the class it hands them to.
    """
    for callee in (function, *(function.__mro__[1:-1] if inspect.isclass(function) else ())):
        try:
            signature = dict(inspect.signature(callee).parameters)
        except (TypeError, ValueError):
            return {}
        kinds = {parameter.kind for parameter in signature.values()}
        if kinds != {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            return signature
    return {}


def named(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Those that can be given by name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: parameter for name, parameter in parameters(function).items() if parameter.kind in kinds}


def takes_any(function: Callable[..., Any]) -> bool:
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters(function).values())


def required(function: Callable[..., Any]) -> list[str]:
    """The arguments without a default."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [n for n, p in parameters(function).items() if p.default is inspect.Parameter.empty and p.kind not in kinds]
