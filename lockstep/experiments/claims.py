"""The notebook's claims, each put to the test: numbers in, whether it holds out, in words made from the numbers."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

NAMES = {
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "adagrad": "AdaGrad",
    "none": "none",
    "l2": "L2",
    "l1": "L1",
    "dropout": "dropout",
    "both": "L2 with dropout",
}
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
    """What one side measured; lockstep/experiments/notebook.py says how."""

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


class Finding(NamedTuple):
    """holds: True, False or "partly". found: a sentence with the numbers. why: a sentence."""

    holds: bool | str
    found: str
    why: str


def judged(*parts: bool) -> bool | str:
    """Whether all of a claim holds, none of it, or some."""
    return all(parts) or (any(parts) and "partly")


def nearest(spots: Mapping[str, Spot], figure: str) -> list[str]:
    """The notebook's optimizers, the best first."""
    return sorted(OWN, key=lambda name: getattr(spots[name], figure))


def listed(names: list[str], values: Mapping[str, Any], figure: str) -> str:
    return ", ".join(f"{NAMES[name]} {getattr(values[name], figure):.3g}" for name in names)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def fastest(facts: Facts) -> Finding:
    near, low = nearest(facts.left, "distance"), nearest(facts.left, "loss")
    later = nearest(facts.later, "distance")
    place = ["nearest to", "second nearest to", "furthest from"][near.index("adam")]
    agree = "by loss the order is the same" if near == low else "by loss the order is another"
    found = (
        f"After the notebook's {facts.steps} iterations Adam is {place} the optimum "
        f"(distance: {listed(near, facts.left, 'distance')}); {agree} ({listed(low, facts.left, 'loss')}). "
        f"After {facts.later_steps} the order is {listed(later, facts.later, 'distance')}."
    )
    first = near[0] == low[0] == "adam"
    if first:
        why = f"Adam's moments suit this valley from its first {facts.steps} steps on."
    elif later[0] == "adam":
        why = (
            "A step of Adam is about lr long whatever the gradient, so its start is slow and nothing stops it later: "
            f"{facts.steps} iterations are too few to show what the claim says."
        )
    else:
        why = f"Neither {facts.steps} nor {facts.later_steps} iterations of this run show it."
    return Finding(judged(first, later[0] == "adam"), found, why)


def much_faster(facts: Facts) -> Finding:
    sgd, rms = facts.left["sgd"], facts.left["rmsprop"]
    sgd_later, rms_later = facts.later["sgd"], facts.later["rmsprop"]
    nearer = rms.distance * MUCH <= sgd.distance and rms.loss * MUCH <= sgd.loss
    nearer_later = rms_later.distance * MUCH <= sgd_later.distance and rms_later.loss * MUCH <= sgd_later.loss
    word = "behind" if rms.distance > sgd.distance else "ahead of"
    found = (
        f"After {facts.steps} iterations RMSprop is {word} SGD: {rms.distance:.4g} from the optimum against "
        f"{sgd.distance:.4g}, loss {rms.loss:.3g} against {sgd.loss:.3g}. After {facts.later_steps}: "
        f"{rms_later.distance:.3g} against {sgd_later.distance:.3g}, "
        f"loss {rms_later.loss:.3g} against {sgd_later.loss:.3g}."
    )
    if nearer and nearer_later:
        why = "Dividing by the gradient's own size lets it walk where the gradient is small."
    elif nearer_later:
        why = "It gains by dividing by the gradient's own size, on the valley's flat floor, after the notebook stops."
    elif nearer:
        why = "It is ahead at first, and SGD catches up: near the optimum steps of about lr are too long."
    else:
        why = f'It is nowhere {MUCH} times as near, by distance and by loss, which is the least that "much" can mean.'
    return Finding(judged(nearer, nearer_later), found, why)


def rank(order: list[str]) -> str:
    return ["lowest", "second lowest", "highest"][order.index("sgd")]


def better_at_the_end(facts: Facts) -> Finding:
    low, later = nearest(facts.left, "loss"), nearest(facts.later, "loss")
    slow_first = low[0] != "sgd"
    found = (
        f"SGD has the {rank(low)} loss of the three after {facts.steps} iterations ({listed(low, facts.left, 'loss')}) "
        f"and the {rank(later)} after {facts.later_steps} ({listed(later, facts.later, 'loss')})."
    )
    ends_best = later[0] == "sgd"
    if slow_first and ends_best:
        why = "It starts slowly and ends best, as the claim says."
    elif ends_best:
        why = "It ends best, but it is not slow at first."
    elif not slow_first:
        why = "On this run it is the other way round: SGD is first where the notebook stops, and is overtaken later."
    else:
        why = "It is slow, and the end of this run does not make up for it."
    return Finding(judged(slow_first, ends_best), found, why)


def limits_weights(facts: Facts) -> Finding:
    none, l2, l1 = (facts.norms[name] for name in ("none", "l2", "l1"))
    smaller = l2 < none
    found = (
        f"The norm of W1 is {l2:.4f} with L2 and {none:.4f} without, {100 * (l2 / none - 1):+.0f} %; "
        f"with L1 of the same λ it is {l1:.4f}, with dropout {facts.norms['dropout']:.4f}."
    )
    why = (
        "λ/m·w is taken off every weight at every step, most where it is largest."
        if smaller
        else "The pull λ/m·w is smaller than what the loss pushes in other directions on the way."
    )
    return Finding(smaller, found, why)


def against_overfitting(facts: Facts) -> Finding:
    names = ("none", "l2", "l1", "dropout")
    gap, gap_dropout = (facts.fresh[name] - facts.seen[name] for name in ("none", "dropout"))
    sign = facts.gains["dropout"].sign
    losses = ", ".join(f"{NAMES[name]} {facts.fresh[name]:.4f}" for name in names)
    found = (
        f"Loss on fresh samples of the same two clusters: {losses}. Dropout's gain of {amount(facts.gains['dropout'])} "
        f"{['is within what chance may do', 'is no chance', 'is a loss, and no chance'][sign]}. The gap to the loss on "
        f"the {facts.samples} samples it learnt from is {gap_dropout:.5f} with dropout, {gap:.5f} without."
    )
    best = min(names, key=lambda name: facts.fresh[name])
    if sign > 0:
        why = f"Dropout does better on what it has not seen; the lowest of the four is {NAMES[best]}."
    elif sign == 0:
        why = f"Two clusters this far apart leave little to overfit, so little to prevent; the lowest is {NAMES[best]}."
    else:
        why = f"Dropout does worse on what it has not seen; the lowest of the four is {NAMES[best]}."
    return Finding(sign > 0, found, why)


def on_small_data(facts: Facts) -> Finding:
    names = ("l2", "dropout")
    parts = [
        f"{NAMES[name]} {amount(facts.gains[name])} on {facts.samples} samples and "
        f"{amount(facts.gains_large[name])} on {facts.large}"
        for name in names
    ]
    found = f"What is gained on fresh samples, in loss, against none: {'; '.join(parts)}."
    more = [facts.gains[name].sign > 0 and facts.gains[name].amount > facts.gains_large[name].amount for name in names]
    holds = judged(*more)
    signs = {facts.gains[name].sign for name in names}
    if holds is True:
        why = "Ten times the data leaves less to overfit, and so less to be gained."
    elif holds:
        better = [NAMES[name] for name, yes in zip(names, more, strict=True) if yes]
        why = f"It is so for {' and '.join(better)} alone."
    elif signs == {-1}:
        why = "On the small set both cost more than they save: clusters this far apart are told best by large weights."
    elif 1 in signs:
        why = "What is gained on the small set is gained on the large one too."
    elif -1 in signs:
        costs = [NAMES[name] for name in names if facts.gains[name].sign < 0]
        why = f"{' and '.join(costs)} costs on the small set, where the other's gain is within chance."
    else:
        why = "On the small set neither gain is more than chance may do."
    return Finding(holds, found, why)


def amount(gain: Gain) -> str:
    """The gain and twice its standard error."""
    return f"{gain.amount:+.4f} ± {2 * gain.doubt:.4f}"


def learns(rates: Mapping[float, Rate]) -> list[float]:
    """The learning rates at which the network reaches `GOOD`."""
    return [lr for lr, rate in rates.items() if rate.accuracy >= GOOD]


def stabilises(facts: Facts) -> Finding:
    plain, normed = (facts.rates[b] for b in (False, True))
    common = sorted(plain)[len(plain) // 2]
    calmer = normed[common].jump < plain[common].jump
    wider = len(learns(normed)) > len(learns(plain))
    found = (
        f"On the digits, {facts.rate_steps} steps of SGD at {len(plain)} learning rates: with BatchNorm "
        f"{percent(GOOD)} of the held-back digits are reached at {len(learns(normed))} of them, without it at "
        f"{len(learns(plain))}. At lr {common:g} the loss jumps up by at most {normed[common].jump:.2g} with it "
        f"and {plain[common].jump:.2g} without."
    )
    if wider and calmer:
        why = "What a layer passes on keeps its size, so a step too long for one layer does not upset the next."
    elif wider:
        why = (
            "It learns over a wider range of rates, though not more calmly: a batch's own mean and variance add noise."
        )
    elif calmer:
        why = "The loss is calmer, but it does not learn over a wider range of rates."
    else:
        why = "Neither the range of rates nor the calm of the loss shows it on this run."
    return Finding(judged(wider, calmer), found, why)


def normalises(facts: Facts) -> Finding:
    centred = facts.mean <= facts.rounding
    unit = abs(facts.variance - 1) <= facts.rounding
    exact = abs(facts.variance - facts.expected_variance) <= facts.rounding
    found = (
        f"In the worked example the mean of the output is {facts.mean:.2g} and its variance "
        f"{facts.variance:.8f} (deviation {facts.variance**0.5:.6f}); σ²/(σ² + ε) is {facts.expected_variance:.8f}."
    )
    if unit:
        why = "The division is by the deviation itself."
    elif exact:
        why = "The division is by √(σ² + ε), so the variance is 1 only as far as ε = 1e-5 can be neglected beside σ²."
    else:
        why = "The variance is neither 1 nor what ε explains: this is not the formula of the notebook."
    return Finding(judged(centred, unit), found, why)


def higher_rates(facts: Facts) -> Finding:
    best = {b: max(learns(facts.rates[b]), default=None) for b in (False, True)}
    plain, normed = best[False], best[True]
    top = {b: max(facts.rates[b].items(), key=lambda item: item[1].accuracy) for b in (False, True)}
    tried = ", ".join(f"{lr:g}" for lr in facts.rates[True])
    words = {b: f"{best[b]:g}" if best[b] is not None else "none" for b in best}
    found = (
        f"The largest learning rate of {tried} that reaches {percent(GOOD)} in {facts.rate_steps} steps is "
        f"{words[True]} with BatchNorm and {words[False]} without; the best accuracy is "
        f"{percent(top[True][1].accuracy)} at lr {top[True][0]:g} with it, "
        f"{percent(top[False][1].accuracy)} at lr {top[False][0]:g} without."
    )
    holds = normed is not None and (plain is None or normed > plain)
    why = (
        "A weight's scale is divided out again, and its gradient shrinks as it grows: too long a step corrects itself."
        if holds
        else "Over these rates the network without it stands as large a step."
    )
    return Finding(holds, found, why)


def adam_then_sgd(facts: Facts) -> Finding:
    good, sign = facts.adam >= GOOD, facts.tuned.sign
    digits = round(facts.tuned.amount * facts.held_back)
    found = (
        f"On the digits, {facts.adam_steps} steps of Adam and {facts.tuning_steps} of SGD reach "
        f"{percent(facts.adam + facts.tuned.amount)} of the held-back digits; {facts.adam_steps + facts.tuning_steps} "
        f"steps of Adam reach {percent(facts.adam)}: {digits:+d} of {facts.held_back}, where twice the standard error "
        f"is {2 * facts.tuned.doubt * facts.held_back:.1f}."
    )
    start = "Adam is a good default here" if good else "Adam has not learnt enough here to be a default"
    end = ("what SGD adds is within chance", "SGD's tuning pays", "SGD's tuning costs")[sign]
    return Finding(judged(good, sign > 0), found, f"{start}; {end}.")


def together(facts: Facts) -> Finding:
    rivals = ("none", "l2", "dropout")
    best = min(rivals, key=lambda name: facts.fresh[name])
    sign = facts.gains["both"].sign
    losses = ", ".join(f"{NAMES[name]} {facts.fresh[name]:.4f}" for name in ("both", *rivals))
    found = f"Loss on fresh samples: {losses}. Both together gain {amount(facts.gains['both'])} against none."
    lowest = facts.fresh["both"] < facts.fresh[best]
    if sign > 0 and lowest:
        why = "Each takes away what the other leaves: one the size of the weights, the other their agreement."
    elif sign > 0:
        why = f"Together they beat doing nothing, but {NAMES[best]} alone is lower."
    elif sign == 0:
        why = "Together they gain nothing that chance could not."
    else:
        why = f"On these samples they cost more than they save; the lowest is {NAMES[best]}."
    return Finding(judged(sign > 0, sign > 0 and lowest), found, why)


def essential_in_depth(facts: Facts) -> Finding:
    needed = {name: plain < GOOD <= normed for name, (plain, normed) in facts.deep.items()}
    helps = {name: normed > plain for name, (plain, normed) in facts.deep.items()}
    found = (
        f"{facts.depth} hidden layers, {facts.rate_steps} steps on the digits: "
        + "; ".join(
            f"with {NAMES[name]} {percent(normed)} with BatchNorm and {percent(plain)} without"
            for name, (plain, normed) in facts.deep.items()
        )
        + "."
    )
    holds = judged(*needed.values())
    if holds is True:
        why = "Through that many layers signal and gradient shrink to nothing unless each layer restores their size."
    elif holds:
        with_it = [NAMES[name] for name, yes in needed.items() if yes]
        why = f"It is so with {' and '.join(with_it)} alone; the other learns without it."
    elif any(helps.values()):
        why = "It helps, but the network learns without it too, or with it no better than badly."
    else:
        why = "At this depth it makes nothing better."
    return Finding(holds, found, why)


CLAIMS: tuple[tuple[str, str, Callable[[Facts], Finding]], ...] = (
    ("Adam converges fastest", "Adam이 가장 빠르게 수렴", fastest),
    ("RMSprop, too, is much faster than SGD", "RMSprop도 SGD보다 훨씬 빠름", much_faster),
    ("SGD is slow, but sometimes better at the end", "SGD는 느리지만 때로는 더 나은 최종 성능", better_at_the_end),
    ("L2 effectively limits the size of the weights", "L2 정규화가 가중치 크기를 효과적으로 제한", limits_weights),
    ("Dropout, too, is effective against overfitting", "Dropout도 과적합 방지에 효과적", against_overfitting),
    ("Especially important on small data sets", "작은 데이터셋에서 특히 중요", on_small_data),
    ("Normalising the inputs stabilises training", "입력을 정규화하여 학습 안정화", stabilises),
    ("BatchNorm transforms to mean 0 and variance 1", "평균 0, 분산 1로 변환", normalises),
    ("A higher learning rate can be used", "더 높은 학습률 사용 가능", higher_rates),
    ("Adam by default, SGD to fine-tune", "Adam을 기본으로 사용, 필요시 SGD로 fine-tuning", adam_then_sgd),
    ("Use L2 and dropout together", "L2와 Dropout을 함께 사용", together),
    ("BatchNorm is essential in deep networks", "깊은 네트워크에서 필수적", essential_in_depth),
)


def claims(ours: Facts, theirs: Facts) -> list[dict[str, Any]]:
    """Every claim, judged by the numbers of the NumPy side; PyTorch's are told where they say otherwise."""
    found = []
    for claim, original, test in CLAIMS:
        mine, other = test(ours), test(theirs)
        agree = mine.holds == other.holds
        text = mine.found if agree else f"{mine.found} PyTorch's run says otherwise: {other.found}"
        entry = {"claim": claim, "original": original, "holds": mine.holds, "found": text, "why": mine.why}
        found.append(entry | {"torch": other.holds})
    return found
