"""Cases of layers.linear."""

from lockstep.cases.layers import BadCall, LayerCase


def linear(desc: str, in_features: int = 7, out_features: int = 5, **settings) -> LayerCase:
    shape = settings.pop("shape", (13, in_features))
    return LayerCase(desc, layer="Linear", shape=shape, in_features=in_features, out_features=out_features, **settings)


CASES = [
    linear("plain"),
    linear("without bias", bias=False),
    linear("the start PyTorch makes", fresh=True),
    linear("a wide layer", 64, 32, shape=(32, 64)),
    linear("odd sizes beyond the vector width", 67, 33, shape=(61, 67)),
    linear("one input feature", 1, 3),
    linear("one output feature", 9, 1),
    linear("a batch of 1", shape=(1, 7)),
    linear("a batch of 2", shape=(2, 7)),
    linear("an empty batch", shape=(0, 7)),
    linear("no batch at all", shape=(7,)),
    linear("a batch of sequences", shape=(3, 5, 7)),
    linear("a batch of sequences, without bias", shape=(3, 5, 7), bias=False),
    linear("digits into 64 units", 64, 64, shape=(128, 64)),
    linear("large offset", kind="large offset"),
    linear("inputs of many sizes", kind="many sizes"),
    linear("zeros among the inputs", kind="zeros among them"),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    linear("zeros", kind="zeros"),
    linear("denormal", kind="denormal"),
    linear("a huge offset", kind="huge offset"),
]

BAD = [
    BadCall(
        "another width",
        (RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x4 and 3x5)"),
        layer="Linear",
        inputs=((2, 4),),
        in_features=3,
        out_features=5,
    ),
    BadCall(
        "another width, in sequences",
        (RuntimeError, "mat1 and mat2 shapes cannot be multiplied (6x4 and 3x5)"),
        layer="Linear",
        inputs=((2, 3, 4),),
        in_features=3,
        out_features=5,
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["plain", "digits into 64 units", "large offset"]
WALKED = {"one input feature": 2}
CLIMBED = {"a wide layer": None}
