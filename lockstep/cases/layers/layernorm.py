"""Cases of layers.layernorm."""

from lockstep.cases.layers import BadCall, LayerCase


def layernorm(desc: str, shape: tuple[int, ...] = (13, 7), axes: int = 1, **settings) -> LayerCase:
    return LayerCase(desc, layer="LayerNorm", shape=shape, normalized_shape=shape[-axes:], **settings)


# A variance near 0 and a mean far from it leave float32 no digit that anybody could be right about: float64 alone.
CASES = [
    layernorm("features"),
    layernorm("the start PyTorch makes", fresh=True),
    layernorm("not affine", elementwise_affine=False),
    layernorm("without bias", bias=False),
    layernorm("tokens of 768", (4, 3, 768)),
    layernorm("tokens of 64", (4, 9, 64)),
    layernorm("tokens of 64, not affine", (4, 9, 64), elementwise_affine=False),
    layernorm("tokens of 64, without bias", (4, 9, 64), bias=False),
    layernorm("an image at once", (4, 3, 5, 5), axes=3),
    layernorm("rows and columns", (4, 3, 6, 7), axes=2),
    layernorm("all of it", (5, 6), axes=2),
    layernorm("one token", (61,)),
    layernorm("fewer than a vector", (9, 3)),
    layernorm("a vector and a tail", (9, 67)),
    layernorm("two chunks and a tail", (6, 300)),
    layernorm("many chunks", (3, 4099), steps=2),
    layernorm("many samples", (301, 20), steps=2),
    layernorm("an empty batch", (0, 7)),
    layernorm("eps", eps=1e-3),
    layernorm("eps beside a variance as small", eps=1e-6, kind="tiny"),
    layernorm("tiny", (4, 64), kind="tiny"),
    layernorm("large offset", (13, 64), kind="large offset", dtypes=("float64",)),
    layernorm("large offset, not affine", (13, 64), kind="large offset", elementwise_affine=False, dtypes=("float64",)),
    layernorm("constant", kind="constant", dtypes=("float64",)),
    layernorm("many sizes", (13, 64), kind="many sizes"),
    layernorm("zeros among them", kind="zeros among them"),
]

# What a foreign implementation is put through besides.
EXTREMES = [
    layernorm("a batch of 1", (1, 7)),
    layernorm("a batch of 1 of tokens", (1, 5, 7)),
]

BAD = [
    BadCall(
        "another width",
        (RuntimeError, "Given normalized_shape=[3], expected input with shape [*, 3], but got input of size[2, 4]"),
        layer="LayerNorm",
        inputs=((2, 4),),
        normalized_shape=3,
    ),
    BadCall(
        "too few axes",
        (RuntimeError, "Given normalized_shape=[5, 3], expected input with shape [*, 5, 3], but got input of size[3]"),
        layer="LayerNorm",
        inputs=((3,),),
        normalized_shape=(5, 3),
    ),
    BadCall(
        "other axes",
        (
            RuntimeError,
            "Given normalized_shape=[5, 3], expected input with shape [*, 5, 3], but got input of size[2, 3, 5]",
        ),
        layer="LayerNorm",
        inputs=((2, 3, 5),),
        normalized_shape=(5, 3),
    ),
]

# What a report shows of it, as lockstep/experiments/selection.py takes it.
RUNS = ["tokens of 64", "tokens of 768", "an image at once", "large offset", "constant"]
WALKED = {"features": 2}
CLIMBED = {"tokens of 768": None, "two chunks and a tail": None}
