"""What a person reads of a check: the verdict, where it falls first, why, and what was not tried."""

from typing import Any

from lockstep.checking import Check
from lockstep.verdict import Verdict

SENTENCES = {
    Verdict.IDENTICAL: "every bit is PyTorch's",
    Verdict.ROUNDING: "the same formula; what differs is rounding",
    Verdict.ILL_CONDITIONED: "the formula agrees, and the numbers amplify: no digit is certain",
    Verdict.DIFFERENT: "another formula",
    Verdict.BROKEN: "it could not be checked",
}


def answer(check: Check) -> str:
    """The whole text."""
    lines = [headline(check)]
    if check.broken and check.verdict is Verdict.BROKEN:
        first, *others = check.broken["message"].splitlines()
        lines += [f"  broken   {check.broken['id']}: {first}", *(f"           {line}" for line in others)]
    found = check.first_difference
    if found:
        lines += details(found)
    lines += causes(check)
    if check.outcomes:
        nearer = check.nearer
        lines.append(
            f"  headroom used {shared(check.used)} of the allowance at most, in {len(check.outcomes)} scenarios"
        )
        if sum(nearer.values()) and check.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL):
            lines.append(
                f"  nearer   to exact after one step: yours {nearer['yours']} times, PyTorch {nearer['torch']} times"
            )
    if check.words:
        lines.append(f"  driven   as {check.words}")
    others = [f"{name} is {own}" for name, own in check.names.items() if own != name]
    if others:
        lines.append(f"  matched  {', '.join(others)}")
    if check.broken and check.verdict is not Verdict.BROKEN:
        lines.append(f"  besides  {check.broken['id']}: {check.broken['message']}")
    lines += [f"  note     {note}" for note in check.notes]
    lines += not_tried(check.not_triggered)
    if check.rerun:
        lines.append(f"  rerun    {check.rerun}")
    return "\n".join(lines)


def shared(used: float) -> str:
    """A share of an allowance: 49%, or 2e+14 times."""
    return f"{used:.0%}" if used < 100 else f"{used:.2g} times"


def headline(check: Check) -> str:
    """One line: what, against what, the verdict, and from where on."""
    found, name = check.first_difference, f"{check.target} like {check.subject}"
    if found:
        where = f"[{found['dtype']}, {found['scenario']}]"
        return f"{name}{where}: {check.verdict} from step {found['step']}, line {found['line']}"
    return f"{name}: {check.verdict}: {SENTENCES[check.verdict]}"


def details(found: dict[str, Any]) -> list[str]:
    index = ", ".join(map(str, found["index"]))
    place = f"{found['tensor']}[{index}]" if index else found["tensor"]
    digits = 9 if found["dtype"] == "float32" else 17
    yours, exact = (f"{float(found[key]):.{digits}g}" for key in ("yours", "exact"))
    width = max(len(yours), len(exact))
    apart = f"{float(found['absolute']):.2g} ({float(found['relative']):.2g} relative)"
    return [
        f"  at       {found['quantity']} of {place}, shape {tuple(found['shape'])}",
        f"  yours    {yours:<{width}}   {found['yours_bits']}",
        f"  pytorch  {exact:<{width}}   {found['exact_bits']}   by its formula, from where you were",
        f"  apart    {apart}   allowed {float(found['allowed']):.2g}   used {shared(float(found['used']))}",
    ]


def causes(check: Check) -> list[str]:
    """What the diagnosis says, or the defaults that explain it."""
    return check.lines or [f"  cause    {cause['id']} ({cause['variant']}): {cause['fix']}" for cause in check.causes]


def not_tried(entries: list[dict[str, str]]) -> list[str]:
    """Scenarios by the reason they were not tried for."""
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        names = by_reason.setdefault(entry.get("reason", ""), [])
        name = entry.get("scenario") or entry.get("id") or ""
        if name and name not in names:
            names.append(name)
    return [f"  untried  {'; '.join(names)}: {reason}" for reason, names in by_reason.items()]
