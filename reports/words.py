"""Numbers and verdicts as a person reads them."""

import math

# Every verdict of lockstep.verdict, from the best to the worst: a sign beside the word, so that no colour is needed.
SIGNS = {"identical": "=", "rounding": "≈", "ill-conditioned": "≋", "different": "≠", "broken": "✕"}
MEANING = {
    "identical": "every bit agrees",
    "rounding": "apart, but no further than the derived bound on rounding allows",
    "ill-conditioned": "the formula agrees, and the problem leaves no digit certain",
    "different": "another formula: outside what rounding allows",
    "broken": "the comparison itself cannot be trusted here",
}


# What the probe found, as lockstep.probe.Findings says it in a word.
PROBED = {
    "fused": "multiply and add round once",
    "plain": "multiply and add round each",
    "either": "nothing to contract",
    "neither": "some other rounding",
    "mersenne": "MT19937, as NumPy has it",
    "other": "something else",
    "alone": "the thread count changes nothing",
    "shares": "two threads add up half each",
}


def severity(verdict: str) -> int:
    return list(SIGNS).index(verdict)


def fails(verdict: str) -> bool:
    """Whether it says that something is wrong."""
    return verdict in ("different", "broken")


def number(value: float) -> str:
    """Two significant digits: 0.62, 38, 2.4e-7, 0, ∞; a dash for what was not measured."""
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    if not -3 <= int(exponent) <= 3:
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    digits = max(0, 1 - int(exponent))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ulps(value: float) -> str:
    return f"{number(value)} ulp"


def share(used: float) -> str:
    """A share of an allowance; never rounded across 100 %."""
    used = float(used)
    if math.isnan(used):
        return "–"
    if used == 0:
        return "0 %"
    if used < 0.01:
        return "under 1 %"
    if used <= 1:
        return f"{100 if used == 1 else min(99, round(used * 100))} %"
    if used < 10:
        return f"{max(101, round(used * 100))} %"
    return f"{number(used)} times" if math.isfinite(used) else "∞ %"


def percent(part: float) -> str:
    """A measured share in per cent, two digits of it."""
    return f"{number(100 * float(part))} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 step`, `2 steps`, `10 000 steps`."""
    return f"{n:,}".replace(",", "\u202f") + f" {one if n == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
