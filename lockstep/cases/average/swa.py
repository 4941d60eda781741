"""Cases of average.swa."""

from lockstep.cases.average import BUFFERED, Average

CASES = [
    Average("defaults", steps=8),
    Average("for long", shapes={"weight": (5,)}, steps=60),
    Average("buffers are copied", shapes=BUFFERED, steps=5),
    Average("buffers are averaged", use_buffers=True, shapes=BUFFERED, steps=5),
    Average("resumed", resumed=3, steps=5),
    Average("resumed by the other side", resumed=3, crossed=True, shapes=BUFFERED, steps=5),
    Average("parameters of many sizes", problem="many sizes", steps=8),
]

BAD = []
