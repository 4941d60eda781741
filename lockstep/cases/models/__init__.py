"""Cases of training runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from lockstep.cases import DTYPES, Case
from lockstep.errors import BadValue
from lockstep.text import message

FOLDERS = {"mnist": "MNIST", "cifar10": "CIFAR-10"}  # data read from a folder, and what they are called
DRAWS = ("pytorch", "notebook")


class Training(Case):
    """A network trained on real data.

    Arguments:
        desc: in plain words; its name everywhere.
        optimizer: path of the optimizer, "optim.adam".
        data: "digits", the notebook's "two clusters" (of 40 samples; "two clusters:400" has more), or a folder with
            MNIST's or CIFAR-10's files ("mnist:FOLDER", "cifar10:FOLDER").
        network: arguments of the model besides the widths at both ends, which the data decide; "hidden"
            names the widths between.
        batch_size: samples a step; None takes all of them in their order, as the notebook does.
        draws: where the first parameters, batches and masks come from: "pytorch", from PyTorch's generator and the
            reference's of the same seed; "notebook", from the notebook's stream.
        tested_every: the first step and every so-manyth, the held-back samples are tried.
        steps, dtypes, paths, lr_at, groups, resumed, crossed, hyperparameters: as in `Case`; groups and
            hyperparameters are the optimizer's.
    """

    def __init__(
        self,
        desc: str,
        *,
        optimizer: str,
        data: str = "digits",
        network: dict[str, Any] | None = None,
        batch_size: int | None = 64,
        draws: str = "pytorch",
        tested_every: int = 1,
        steps: int = 100,
        lr_at: dict[int, float] | None = None,
        groups: tuple[Mapping[str, Any], ...] = (),
        resumed: int | None = None,
        crossed: bool = False,
        dtypes: tuple[str, ...] = DTYPES,
        paths: tuple[str, ...] | None = None,
        **hyperparameters: Any,
    ):
        super().__init__(
            desc, problem=data, steps=steps, lr_at=lr_at, groups=groups, resumed=resumed, crossed=crossed,
            dtypes=dtypes, paths=paths, **hyperparameters,
        )  # fmt: skip
        if draws not in DRAWS:
            raise BadValue(message("error.draws", known=", ".join(DRAWS), given=draws))
        vars(self).update(
            optimizer=optimizer,
            network=dict(network or {}),
            batch_size=batch_size,
            draws=draws,
            tested_every=tested_every,
        )

    optimizer: str
    network: dict[str, Any]
    batch_size: int | None
    draws: str
    tested_every: int

    @property
    def title(self) -> str:
        """The text, with the data it is really trained on where a folder has taken the place of the digits."""
        return self.desc.replace("digits", FOLDERS.get(self.data.partition(":")[0], "digits"), 1)

    def described(self) -> dict[str, Any]:
        """The case as plain data; how often it is tried changes nothing in it."""
        return {key: value for key, value in super().described().items() if key != "tested_every"}

    @property
    def data(self) -> str:
        return self.problem

    def replaced(self, **changes: Any) -> "Training":
        """The same case with some of it exchanged; hyperparameters are added to its own."""
        settings = {
            "optimizer": self.optimizer,
            "data": self.problem,
            "network": self.network,
            "batch_size": self.batch_size,
            "draws": self.draws,
            "tested_every": self.tested_every,
            "steps": self.steps,
            "lr_at": self.lr_at,
            "groups": self.groups,
            "resumed": self.resumed,
            "crossed": self.crossed,
            "dtypes": self.dtypes,
            "paths": self.paths,
        }
        changes = {"data" if key == "problem" else key: value for key, value in changes.items()}
        return Training(changes.pop("desc", self.desc), **(settings | self.hyperparameters | changes))


# What a report shows of a network, as lockstep/experiments/selection.py takes it.
STEPS, PLAIN_STEPS = 160, 100
JUDGED = 32  # judged at every so-manyth step, compared at each
FOLDER_STEPS = 300


def plan(cases: Sequence[Training], data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every run on real data: its name, and the arguments of `lockstep.run`; those on `data` come last.

    Arguments:
        cases: of the network.
        data: "mnist" or "cifar10" to a folder with its files.
    """
    runs = {}
    for case in cases:
        if case.data == "digits" and case.resumed is None:
            deep = bool(case.network.get("batchnorm")) and not case.network["bias"]
            runs[case.desc] = {"case": case, "steps": STEPS if deep else PLAIN_STEPS, "judge_every": JUDGED}
    for kind, folder in data.items():
        for case in with_every_optimizer(cases):
            other = case.replaced(data=f"{kind}:{folder}", tested_every=50)
            runs[other.title] = {"case": other, "steps": FOLDER_STEPS, "judge_every": 50}
    return runs


def with_every_optimizer(cases: Sequence[Training]) -> list[Training]:
    """One network with dropout and BatchNorm for each optimizer."""
    deep = [case for case in cases if case.data == "digits" and case.network.get("dropout")]
    return list({case.optimizer: case for case in reversed(deep)}.values())[::-1]
