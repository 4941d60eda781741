"""The record of a growth: where the drift of the parameters came from."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lockstep.records.record import CaseRecord
from lockstep.records.schema import Count, Place, demand

SERIES = ("drift", "alone", "defect", "spread")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Growth(CaseRecord, kind="growth"):
    """Where the drift of the parameters came from.

    The archive holds, with `steps` values each, the largest absolute difference of `growth/drift`, the free runs;
    `growth/alone`, our run on PyTorch's own gradients; `growth/defect`, one step from PyTorch's state; and
    `growth/spread`, our runs from starts one ulp apart.

    Attributes:
        start: the ulp that those starts are apart, the largest of all elements.
        differing, elements: at the end.
        classes: of those that differ, how many are of which kind.
        worst: tensor, index and kind of the element that drifted furthest.
        worst_added: what its own defects add up to, or what our run on PyTorch's gradients made of it where that is
            more.
        ill_conditioned: tensor to how many of its elements are, whether they differ or not.
    """

    start: float
    differing: Count
    elements: Count
    classes: Mapping[str, Count]
    worst: tuple[str, Place, str] | None
    worst_added: float
    ill_conditioned: Mapping[str, Count]

    def __post_init__(self):
        super().__post_init__()
        missing = [name for name in SERIES if f"growth/{name}" not in self.arrays]
        demand(not missing, f"without the arrays of {', '.join(missing)}")
        self.check_series(self.arrays)

    @property
    def drift(self) -> np.ndarray:
        """Of the free runs, a value a step."""
        return self.arrays["growth/drift"]

    @property
    def alone(self) -> np.ndarray:
        """Of our run on PyTorch's own gradients, a value a step."""
        return self.arrays["growth/alone"]

    @property
    def defect(self) -> np.ndarray:
        """Of one step from PyTorch's state, a value a step."""
        return self.arrays["growth/defect"]

    @property
    def spread(self) -> np.ndarray:
        """Of our runs from starts one ulp apart, a value a step."""
        return self.arrays["growth/spread"]

    @property
    def amplification(self) -> np.ndarray:
        """What one ulp at the start has become, as a multiple of it, a value a step."""
        return self.spread / self.start if self.start else np.zeros_like(self.spread)

    @property
    def made_by(self) -> str | None:
        """What made the largest difference at the end."""
        return self.worst[2] if self.worst else None

    def __str__(self) -> str:
        if self.worst is None:
            return f"{self.label}: no parameter differs after {self.steps} steps"
        tensor, index, kind = self.worst
        counts = ", ".join(f"{count} {name}" for name, count in self.classes.items() if count)
        ill = ", ".join(f"{count} of {name}" for name, count in self.ill_conditioned.items() if count) or "none"
        return "\n".join(
            [
                f"{self.label}: {kind}",
                f"  drift      {self.drift[-1]:.3g} at {tensor}{list(index) or ''}, after {self.steps} steps",
                f"  defects    {self.worst_added:.3g} added up there, {self.defect.max():.3g} at most in one step",
                f"  one ulp    at the start is {self.amplification[-1]:.3g} at the end",
                f"  elements   {self.differing} of {self.elements} differ: {counts}",
                f"  ill        {ill}",
            ]
        )
