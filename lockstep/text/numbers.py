"""Numbers as a person reads them, the same in every language."""

import math


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


def share(used: float) -> str:
    """A share of an allowance; never rounded across 100 %."""
    used = float(used)
    if math.isnan(used):
        return "–"
    if used == 0:
        return "0 %"
    if used < 0.01:
        return "< 1 %"
    if used <= 1:
        return f"{100 if used == 1 else min(99, round(used * 100))} %"
    return f"{max(101, round(used * 100))} %" if math.isfinite(used) else "∞ %"


def percent(part: float) -> str:
    """A measured share in per cent, two digits of it."""
    return f"{number(100 * float(part))} %"


def thousands(n: int) -> str:
    """`10 000`, with a narrow space that does not break."""
    return f"{n:,}".replace(",", "\u202f")
