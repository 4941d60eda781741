"""Cases of layers.dropout."""

from lockstep.cases.layers import BadCall, LayerCase

RATES = (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)

CASES = [
    LayerCase("p = 0.5", layer="Dropout", masked=True),
    *(LayerCase(f"p = {p}, shared masks", layer="Dropout", masked=True, p=p) for p in RATES),
    *(LayerCase(f"p = {p}, evaluation", layer="Dropout", masked=True, p=p, evaluate_from=1) for p in RATES),
    LayerCase("training, then evaluation", layer="Dropout", masked=True, p=0.3, steps=6, evaluate_from=4),
    LayerCase("a third, which no binary number is", layer="Dropout", masked=True, p=1 / 3, shape=(61, 67)),
    LayerCase("an image", layer="Dropout", masked=True, p=0.2, shape=(2, 3, 5, 5)),
    LayerCase("one number", layer="Dropout", masked=True, shape=(1,), steps=20),
    LayerCase("nothing", layer="Dropout", masked=True, shape=(0, 3), still=True),
    LayerCase("large offset", layer="Dropout", masked=True, p=0.3, kind="large offset"),
    LayerCase("many sizes", layer="Dropout", masked=True, p=0.7, kind="many sizes"),
    LayerCase("zeros among the inputs", layer="Dropout", masked=True, p=0.3, kind="zeros among them"),
]

BAD = [
    BadCall(
        f"p is {p}",
        (ValueError, f"dropout probability has to be between 0 and 1, but got {p}"),
        layer="Dropout",
        p=p,
    )
    for p in (-0.1, 1.1)
]
