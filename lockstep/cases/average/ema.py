"""Cases of average.ema."""

from lockstep.cases import Bad
from lockstep.cases.average import BUFFERED, Average

CASES = [
    Average("defaults", steps=8),
    Average("hardly remembers", decay=0.1, steps=8),
    Average("a decay that float32 rounds", decay=0.9999, steps=8),
    Average("decay 1", decay=1.0),
    Average("decay 0", decay=0.0),
    Average("buffers are copied", decay=0.9, shapes=BUFFERED, steps=5),
    Average("buffers are averaged", decay=0.9, use_buffers=True, shapes=BUFFERED, steps=5),
    Average("resumed", resumed=3, steps=5),
    Average("resumed by the other side", resumed=3, crossed=True, shapes=BUFFERED, steps=5),
    Average("parameters of many sizes", problem="many sizes", decay=0.9, steps=8),
]

BAD = [
    Bad(
        "decay above 1",
        (ValueError, "Invalid decay value 1.5 provided. Please provide a value in [0,1] range."),
        decay=1.5,
    ),
    Bad(
        "decay below 0",
        (ValueError, "Invalid decay value -0.1 provided. Please provide a value in [0,1] range."),
        decay=-0.1,
    ),
]
