"""What is forgotten where a run is stopped, saved and gone on with: causes of any optimizer that has a state.

Each is what becomes of an optimizer when it has taken over what was saved, whether by `load_state_dict` or, in a
replay, at the step before which the recorded run was gone on with.
"""

from collections.abc import Callable
from typing import Any

from lockstep.causes.behaviour import named
from lockstep.causes.cause import Cause, First

RESUMED = 5  # the step before which a run is gone on with


def resuming(change: Callable[[Any], None]) -> Callable[[Any], type]:
    """An optimizer that is changed when it goes on from what was saved."""

    def behaviour(base: Any) -> type:
        class Planted(base):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.first_lr = self.lr

            def resumes(self) -> None:
                getattr(super(), "resumes", lambda: None)()
                change(self)

            def load_state_dict(self, state_dict) -> None:
                super().load_state_dict(state_dict)
                self.resumes()

        return named(Planted, base)

    return behaviour


def forgets(optimizer: Any) -> None:
    """There is no state any more."""
    optimizer.state = {name: {} for name in optimizer.state}


def keeps(optimizer: Any, kinds: tuple[str, ...]) -> None:
    """Of every state the entries of these kinds alone; the others start anew."""
    entries = optimizer.STATE
    optimizer.state = {
        name: {key: value for key, value in held.items() if entries[key].kind in kinds}
        for name, held in optimizer.state.items()
    }


def forgets_count(optimizer: Any) -> None:
    keeps(optimizer, ("array", "number"))


def forgets_moments(optimizer: Any) -> None:
    keeps(optimizer, ("count",))


def in_another_order(order: Callable[[list[str]], list[str]]) -> Callable[[Any], None]:
    """Every tensor has the state of that in its place in another order."""

    def change(optimizer: Any) -> None:
        names = list(optimizer.state)
        optimizer.state = {name: dict(optimizer.state[other]) for name, other in zip(names, order(names), strict=True)}

    return change


def forgets_lr(optimizer: Any) -> None:
    optimizer.set("lr", optimizer.first_lr)


def saved(id: str, change: Callable[[Any], None], formula: str, seen: str = "", variant: str = "") -> Cause:  # noqa: A002
    return Cause(
        id=id, variant=variant, behaviour=resuming(change), formula=formula, seen=seen, subject="optim",
        shows="stopped and gone on with", first=First(RESUMED, "param"),
    )  # fmt: skip


SAVED = [
    saved("state-not-resumed", forgets, r"s_t = s_0", "OpenNMT/OpenNMT-py#617, KempnerInstitute/KempnerForge#115"),
    saved("count-not-resumed", forgets_count, r"t = 1", "tenstorrent/tt-metal#53212"),
    saved("moments-not-resumed", forgets_moments, r"m_t = m_0,\, v_t = v_0"),
    saved("state-of-another-tensor", in_another_order(lambda names: names[::-1]), r"s_{t,i} = s_{t,j}",
          "pytorch/pytorch#1489"),
    saved("state-of-another-tensor", in_another_order(sorted), r"s_{t,i} = s_{t,j}", variant="sorted by name"),
]  # fmt: skip
LR = saved("lr-not-resumed", forgets_lr, r"\alpha_t = \alpha_1", "NVIDIA-NeMo/Automodel#763")
FORGOTTEN: list[tuple[Cause, ...]] = [*((cause,) for cause in (*SAVED, LR)), *((cause, LR) for cause in SAVED)]
