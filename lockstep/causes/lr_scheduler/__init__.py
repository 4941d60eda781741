"""What can be wrong with a learning-rate schedule."""

import functools

from lockstep.causes.cause import Cause

Slip = functools.partial(Cause, dtypes=("float64",))  # a learning rate is a Python double
