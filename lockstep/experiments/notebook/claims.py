"""The notebook's claims, each put to the test: numbers in, whether it holds out, as messages made from the numbers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from lockstep.records.kinds.experiment import Claim, Holds
from lockstep.text import Message, Voice, message

OWN = ("sgd", "rmsprop", "adam")  # the optimizers that the notebook writes
GOOD = 0.9  # of the held-back digits: a network that reaches it has learnt
MUCH = 2  # times: what "much faster" has to mean at least


class Spot(NamedTuple):
    """Where an optimizer is: the distance to the optimum, and the loss there."""

    distance: float
    loss: float


class Rate(NamedTuple):
    """A training at one learning rate.

    accuracy: on held-back digits at the end. jump: the largest rise of the loss from a step to the next. left:
    the last loss as a share of the first.
    """

    accuracy: float
    jump: float
    left: float


class Gain(NamedTuple):
    """A mean over samples, the larger the better, and the standard error of that mean."""

    amount: float
    doubt: float

    @property
    def sign(self) -> int:
        """1 or -1 for a gain or a loss of more than two standard errors, 0 for what chance may do."""
        return 0 if abs(self.amount) <= 2 * self.doubt else 1 if self.amount > 0 else -1


class Facts(NamedTuple):
    """What one side measured; lockstep/experiments/notebook/record.py says how."""

    steps: int
    left: Mapping[str, Spot]
    later_steps: int
    later: Mapping[str, Spot]
    norms: Mapping[str, float]
    samples: int
    seen: Mapping[str, float]
    fresh: Mapping[str, float]
    gains: Mapping[str, Gain]
    large: int
    fresh_large: Mapping[str, float]
    gains_large: Mapping[str, Gain]
    mean: float
    variance: float
    expected_variance: float
    rounding: float
    rate_steps: int
    rates: Mapping[bool, Mapping[float, Rate]]
    depth: int
    deep: Mapping[str, tuple[float, float]]
    adam: float
    tuned: Gain
    held_back: int
    adam_steps: int
    tuning_steps: int


class Conclusion(NamedTuple):
    """holds: True, False or "partly". found: what was measured. why: what makes it so, or not so."""

    holds: Holds
    found: Message
    why: Message


def judged(*parts: bool) -> Holds:
    """Whether all of a claim holds, none of it, or some."""
    return all(parts) or (any(parts) and "partly")


def nearest(spots: Mapping[str, Spot], figure: str) -> list[str]:
    """The notebook's optimizers, the best first."""
    return sorted(OWN, key=lambda name: getattr(spots[name], figure))


def called(name: str) -> Message:
    """What an optimizer or a kind of regularisation is called."""
    return message(f"claim.name.{name}")


def listed(names: list[str], values: Mapping[str, Any], figure: str) -> list[Message]:
    return [message("claim.figure", name=called(name), value=getattr(values[name], figure)) for name in names]


def losses(names: Iterable[str], values: Mapping[str, float]) -> list[Message]:
    return [message("claim.loss", name=called(name), value=values[name]) for name in names]


def amount(gain: Gain) -> Message:
    """The gain and twice its standard error."""
    return message("claim.gain", amount=gain.amount, doubt=2 * gain.doubt)


def fastest(facts: Facts) -> Conclusion:
    near, low = nearest(facts.left, "distance"), nearest(facts.left, "loss")
    later = nearest(facts.later, "distance")
    place = ("nearest", "second", "furthest")[near.index("adam")]
    measured = message(
        "claim.fastest.found",
        steps=facts.steps,
        place=message(f"claim.fastest.{place}"),
        near=listed(near, facts.left, "distance"),
        order=message("claim.fastest.same-order" if near == low else "claim.fastest.other-order"),
        low=listed(low, facts.left, "loss"),
        later_steps=facts.later_steps,
        later=listed(later, facts.later, "distance"),
    )
    first = near[0] == low[0] == "adam"
    why = "first" if first else "later" if later[0] == "adam" else "never"
    return Conclusion(
        judged(first, later[0] == "adam"),
        measured,
        message(f"claim.fastest.why-{why}", steps=facts.steps, later_steps=facts.later_steps),
    )


def much_faster(facts: Facts) -> Conclusion:
    sgd, rms = facts.left["sgd"], facts.left["rmsprop"]
    sgd_later, rms_later = facts.later["sgd"], facts.later["rmsprop"]
    nearer = rms.distance * MUCH <= sgd.distance and rms.loss * MUCH <= sgd.loss
    nearer_later = rms_later.distance * MUCH <= sgd_later.distance and rms_later.loss * MUCH <= sgd_later.loss
    word = "behind" if rms.distance > sgd.distance else "ahead"
    measured = message(
        "claim.much-faster.found",
        steps=facts.steps,
        place=message(f"claim.much-faster.{word}"),
        rms=rms.distance,
        sgd=sgd.distance,
        rms_loss=rms.loss,
        sgd_loss=sgd.loss,
        later_steps=facts.later_steps,
        rms_later=rms_later.distance,
        sgd_later=sgd_later.distance,
        rms_later_loss=rms_later.loss,
        sgd_later_loss=sgd_later.loss,
    )
    why = {(True, True): "both", (False, True): "later", (True, False): "first"}.get((nearer, nearer_later), "never")
    return Conclusion(judged(nearer, nearer_later), measured, message(f"claim.much-faster.why-{why}", much=MUCH))


def rank(order: list[str]) -> Message:
    return message("claim.better-at-the-end." + ("lowest", "second", "highest")[order.index("sgd")])


def better_at_the_end(facts: Facts) -> Conclusion:
    low, later = nearest(facts.left, "loss"), nearest(facts.later, "loss")
    slow_first, ends_best = low[0] != "sgd", later[0] == "sgd"
    measured = message(
        "claim.better-at-the-end.found",
        rank=rank(low),
        steps=facts.steps,
        low=listed(low, facts.left, "loss"),
        later_rank=rank(later),
        later_steps=facts.later_steps,
        later=listed(later, facts.later, "loss"),
    )
    why = {(True, True): "both", (False, True): "not-slow", (False, False): "turned"}.get(
        (slow_first, ends_best), "slow"
    )
    return Conclusion(judged(slow_first, ends_best), measured, message(f"claim.better-at-the-end.why-{why}"))


def limits_weights(facts: Facts) -> Conclusion:
    none, l2 = facts.norms["none"], facts.norms["l2"]
    smaller = l2 < none
    measured = message("claim.limits-weights.found", change=100 * (l2 / none - 1), **facts.norms)
    return Conclusion(smaller, measured, message(f"claim.limits-weights.why-{'smaller' if smaller else 'larger'}"))


def against_overfitting(facts: Facts) -> Conclusion:
    names = ("none", "l2", "l1", "dropout")
    gap, gap_dropout = (facts.fresh[name] - facts.seen[name] for name in ("none", "dropout"))
    sign = facts.gains["dropout"].sign
    word = ("chance", "gain", "loss")[sign]
    measured = message(
        "claim.against-overfitting.found",
        losses=losses(names, facts.fresh),
        gain=amount(facts.gains["dropout"]),
        judged=message(f"claim.against-overfitting.{word}"),
        samples=facts.samples,
        gap_dropout=gap_dropout,
        gap=gap,
    )
    best = min(names, key=lambda name: facts.fresh[name])
    return Conclusion(sign > 0, measured, message(f"claim.against-overfitting.why-{word}", best=called(best)))


def on_small_data(facts: Facts) -> Conclusion:
    names = ("l2", "dropout")
    parts = {
        name: message(
            "claim.on-small-data.part",
            name=called(name),
            gain=amount(facts.gains[name]),
            samples=facts.samples,
            gain_large=amount(facts.gains_large[name]),
            large=facts.large,
        )
        for name in names
    }
    more = [facts.gains[name].sign > 0 and facts.gains[name].amount > facts.gains_large[name].amount for name in names]
    holds = judged(*more)
    return Conclusion(holds, message("claim.on-small-data.found", **parts), small_data(facts, names, more))


def small_data(facts: Facts, names: tuple[str, ...], more: list[bool]) -> Message:
    """Why regularisation does, or does not, gain more where there is less to learn from."""
    signs = [facts.gains[name].sign for name in names]
    if all(more):
        return message("claim.on-small-data.why-less-to-overfit")
    if any(more):
        return message("claim.on-small-data.why-one", name=called(names[more.index(True)]))
    if set(signs) == {-1}:
        return message("claim.on-small-data.why-both-cost")
    if 1 in signs:
        return message("claim.on-small-data.why-large-too")
    if -1 in signs:
        return message("claim.on-small-data.why-one-costs", name=called(names[signs.index(-1)]))
    return message("claim.on-small-data.why-chance")


def learns(rates: Mapping[float, Rate]) -> list[float]:
    """The learning rates at which the network reaches `GOOD`."""
    return [lr for lr, rate in rates.items() if rate.accuracy >= GOOD]


def stabilises(facts: Facts) -> Conclusion:
    plain, normed = (facts.rates[b] for b in (False, True))
    common = sorted(plain)[len(plain) // 2]
    calmer = normed[common].jump < plain[common].jump
    wider = len(learns(normed)) > len(learns(plain))
    measured = message(
        "claim.stabilises.found",
        steps=facts.rate_steps,
        tried=len(plain),
        good=GOOD,
        normed=len(learns(normed)),
        plain=len(learns(plain)),
        lr=common,
        normed_jump=normed[common].jump,
        plain_jump=plain[common].jump,
    )
    why = {(True, True): "both", (True, False): "wider", (False, True): "calmer"}.get((wider, calmer), "neither")
    return Conclusion(judged(wider, calmer), measured, message(f"claim.stabilises.why-{why}"))


def normalises(facts: Facts) -> Conclusion:
    centred = facts.mean <= facts.rounding
    unit = abs(facts.variance - 1) <= facts.rounding
    exact = abs(facts.variance - facts.expected_variance) <= facts.rounding
    measured = message(
        "claim.normalises.found",
        mean=facts.mean,
        variance=facts.variance,
        deviation=facts.variance**0.5,
        expected=facts.expected_variance,
    )
    why = "unit" if unit else "eps" if exact else "other"
    return Conclusion(judged(centred, unit), measured, message(f"claim.normalises.why-{why}"))


def rate(lr: float | None) -> Message:
    return message("claim.no-rate") if lr is None else message("claim.rate", lr=lr)


def higher_rates(facts: Facts) -> Conclusion:
    best = {b: max(learns(facts.rates[b]), default=None) for b in (False, True)}
    plain, normed = best[False], best[True]
    top = {b: max(facts.rates[b].items(), key=lambda item: item[1].accuracy) for b in (False, True)}
    measured = message(
        "claim.higher-rates.found",
        tried=[rate(lr) for lr in facts.rates[True]],
        good=GOOD,
        steps=facts.rate_steps,
        normed=rate(normed),
        plain=rate(plain),
        normed_accuracy=100 * top[True][1].accuracy,
        normed_lr=top[True][0],
        plain_accuracy=100 * top[False][1].accuracy,
        plain_lr=top[False][0],
    )
    holds = normed is not None and (plain is None or normed > plain)
    return Conclusion(holds, measured, message(f"claim.higher-rates.why-{'higher' if holds else 'not'}"))


def adam_then_sgd(facts: Facts) -> Conclusion:
    good, sign = facts.adam >= GOOD, facts.tuned.sign
    measured = message(
        "claim.adam-then-sgd.found",
        adam_steps=facts.adam_steps,
        tuning_steps=facts.tuning_steps,
        tuned=100 * (facts.adam + facts.tuned.amount),
        steps=facts.adam_steps + facts.tuning_steps,
        adam=100 * facts.adam,
        digits=round(facts.tuned.amount * facts.held_back),
        held_back=facts.held_back,
        doubt=2 * facts.tuned.doubt * facts.held_back,
    )
    why = message(
        "claim.adam-then-sgd.why",
        start=message(f"claim.adam-then-sgd.{'good' if good else 'bad'}"),
        end=message("claim.adam-then-sgd." + ("chance", "pays", "costs")[sign]),
    )
    return Conclusion(judged(good, sign > 0), measured, why)


def together(facts: Facts) -> Conclusion:
    rivals = ("none", "l2", "dropout")
    best = min(rivals, key=lambda name: facts.fresh[name])
    sign = facts.gains["both"].sign
    measured = message(
        "claim.together.found", losses=losses(("both", *rivals), facts.fresh), gain=amount(facts.gains["both"])
    )
    lowest = facts.fresh["both"] < facts.fresh[best]
    why = ("chance", "lowest" if lowest else "not-lowest", "costs")[sign]
    return Conclusion(
        judged(sign > 0, sign > 0 and lowest), measured, message(f"claim.together.why-{why}", best=called(best))
    )


def essential_in_depth(facts: Facts) -> Conclusion:
    needed = {name: plain < GOOD <= normed for name, (plain, normed) in facts.deep.items()}
    helps = {name: normed > plain for name, (plain, normed) in facts.deep.items()}
    parts = {
        name: message("claim.essential-in-depth.part", name=called(name), normed=100 * normed, plain=100 * plain)
        for name, (plain, normed) in facts.deep.items()
    }
    measured = message("claim.essential-in-depth.found", depth=facts.depth, steps=facts.rate_steps, **parts)
    holds = judged(*needed.values())
    if holds is True:
        why = message("claim.essential-in-depth.why-both")
    elif holds:
        (alone,) = (name for name, yes in needed.items() if yes)
        why = message("claim.essential-in-depth.why-one", name=called(alone))
    elif any(helps.values()):
        why = message("claim.essential-in-depth.why-helps")
    else:
        why = message("claim.essential-in-depth.why-nothing")
    return Conclusion(holds, measured, why)


# What `claim.ID.claim` says, which in Korean is the notebook's own sentence.
CLAIMS: Mapping[str, Callable[[Facts], Conclusion]] = {
    "fastest": fastest,
    "much-faster": much_faster,
    "better-at-the-end": better_at_the_end,
    "limits-weights": limits_weights,
    "against-overfitting": against_overfitting,
    "on-small-data": on_small_data,
    "stabilises": stabilises,
    "normalises": normalises,
    "higher-rates": higher_rates,
    "adam-then-sgd": adam_then_sgd,
    "together": together,
    "essential-in-depth": essential_in_depth,
}


def claims(ours: Facts, theirs: Facts) -> tuple[Claim, ...]:
    """Every claim, judged by the numbers of the NumPy side; PyTorch's are told where they say otherwise."""
    notebook = Voice("ko")

    def judged_by(row: str, test: Callable[[Facts], Conclusion]) -> Claim:
        mine, other, claim = test(ours), test(theirs), message(f"claim.{row}.claim")
        agree = mine.holds == other.holds
        return Claim(
            claim=claim,
            original=notebook.say(claim),
            holds=mine.holds,
            found=mine.found if agree else message("claim.otherwise", found=mine.found, theirs=other.found),
            why=mine.why,
            theirs=other.holds,
        )

    return tuple(judged_by(row, test) for row, test in CLAIMS.items())
