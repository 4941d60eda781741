"""What an array argument says of its shape: one of these words, wherever it is not Python's or somebody else's.

As jaxtyping writes it, an axis by its name and `*` before any number of axes; what bears one name in one call is of one
size, in a mapping tensor by tensor. The formulas of the reference say it in words.
"""

from typing import Annotated

import numpy as np

Array = Annotated[np.ndarray, "*shape"]
OtherArray = Annotated[np.ndarray, "*other"]
Stack = Annotated[np.ndarray, "n *shape"]  # of draws or samples, one after the other
Flat = Annotated[np.ndarray, "n"]
Rows = Annotated[np.ndarray, "rows n"]
Inputs = Annotated[np.ndarray, "batch *features"]
Outputs = Annotated[np.ndarray, "batch *outputs"]
Points = Annotated[np.ndarray, "steps+1 coordinates"]

Arrays = dict[str, Array]
