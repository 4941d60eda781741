"""Cases of layers.activation."""

from lockstep.cases.layers import BadCall, LayerCase

LAYERS = ("ReLU", "Sigmoid", "Tanh")

CASES = [
    case
    for layer in LAYERS
    for case in (
        LayerCase(f"{layer}", layer=layer),
        LayerCase(f"{layer}, one number", layer=layer, shape=(1,)),
        LayerCase(f"{layer}, a number without axes", layer=layer, shape=()),
        LayerCase(f"{layer}, nothing", layer=layer, shape=(0, 3), still=True),
        LayerCase(f"{layer}, a vector and a tail", layer=layer, shape=(61,)),
        LayerCase(f"{layer}, many", layer=layer, shape=(4099,), steps=2),
        LayerCase(f"{layer}, an image", layer=layer, shape=(2, 3, 5, 5)),
        LayerCase(f"{layer}, zeros among them", layer=layer, kind="zeros among them"),
        LayerCase(f"{layer}, tiny", layer=layer, kind="tiny"),
        LayerCase(f"{layer}, many sizes", layer=layer, kind="many sizes"),
        LayerCase(f"{layer}, logits", layer=layer, kind="logits"),
    )
] + [
    LayerCase("ReLU, where exp overflows", layer="ReLU", kind="where exp overflows"),
    LayerCase("Tanh, extreme", layer="Tanh", kind="extreme logits"),
    LayerCase("Sigmoid, extreme", layer="Sigmoid", kind="extreme logits"),
    # In float32 PyTorch finds 0 for numbers near 1e-40; but below the normal range any library may.
    LayerCase("Sigmoid, where exp overflows", layer="Sigmoid", kind="where exp overflows"),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    LayerCase(f"{layer}, {words}", layer=layer, kind=kind)
    for layer in LAYERS
    for words, kind in (("±1000", "far from 0"), ("huge", "huge"), ("zeros", "zeros"), ("denormal", "denormal"))
]

BAD = [
    BadCall(
        f"{layer} with a slope",
        (TypeError, f"{layer}.__init__() got an unexpected keyword argument 'slope'"),
        layer=layer,
        slope=0.1,
    )
    for layer in LAYERS
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["ReLU, many", "Sigmoid, many", "Tanh, many", "Sigmoid, extreme"]
WALKED = {"ReLU, zeros among them": 2, "Sigmoid": 2, "Tanh": 2}
CLIMBED = {"ReLU, zeros among them": None, "Sigmoid, many": None, "Tanh, many": None}
