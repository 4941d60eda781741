"""What a person reads of a check: the verdict, where it falls first, why, and what was not tried."""

from typing import Any

from lockstep.checking import Check
from lockstep.message import at
from lockstep.messages import ENGLISH, Message, Voice, message
from lockstep.rows import row
from lockstep.verdict import Verdict


def answer(check: Check, voice: Voice = ENGLISH) -> str:
    """The whole text."""
    lines = [headline(check, voice)]
    if check.broken and check.verdict is Verdict.BROKEN:
        first, *others = check.broken["message"].splitlines()
        lines.append(row(voice, "broken", f"{check.broken['id']}: {first}"))
        lines += [row(voice, "more", line) for line in others]
    found = check.first_difference
    if found:
        lines += details(found, voice)
    lines += check.explained(voice)
    if check.outcomes:
        most = message("cli.headroom-of", used=shared(check.used), scenarios=len(check.outcomes))
        lines.append(row(voice, "headroom", most))
        if sum(check.nearer.values()) and check.verdict in (Verdict.ROUNDING, Verdict.IDENTICAL):
            lines.append(row(voice, "nearer", message("cli.nearer-of", **check.nearer)))
    if check.words:
        lines.append(row(voice, "driven", message("cli.driven", words=check.words)))
    others = [message("cli.named", name=name, own=own) for name, own in check.names.items() if own != name]
    if others:
        lines.append(row(voice, "matched", ", ".join(map(voice.say, others))))
    if check.broken and check.verdict is not Verdict.BROKEN:
        lines.append(row(voice, "besides", f"{check.broken['id']}: {check.broken['message']}"))
    lines += [row(voice, "note", note) for note in check.notes]
    lines += not_tried(check.not_triggered, voice)
    if check.rerun:
        lines.append(row(voice, "rerun", check.rerun))
    return "\n".join(lines)


def shared(used: float) -> Message:
    """A share of an allowance: 49%, or 2e+14 times."""
    return message("cli.share", used=used) if used < 100 else message("cli.times", used=used)


def headline(check: Check, voice: Voice = ENGLISH) -> str:
    """One line: what, against what, the verdict, and from where on."""
    found, name = check.first_difference, message("cli.like", target=check.target, subject=check.subject)
    if found:
        label = f"{voice.say(name)}[{found['dtype']}, {found['scenario']}]"
        return voice("cli.verdict-from", label=label, verdict=check.verdict, step=found["step"], line=found["line"])
    return voice("cli.verdict-of", name=name, verdict=check.verdict, sentence=sentence(check.verdict))


def sentence(verdict: Verdict) -> Message:
    """What a verdict says of an implementation."""
    return message(f"cli.check.{verdict}")


def details(found: dict[str, Any], voice: Voice = ENGLISH) -> list[str]:
    digits = 9 if found["dtype"] == "float32" else 17
    yours, exact = (f"{float(found[key]):.{digits}g}" for key in ("yours", "exact"))
    width = max(len(yours), len(exact))
    figures = {key: float(found[key]) for key in ("absolute", "relative", "allowed")}
    return [
        at(voice, found["quantity"], found["tensor"], found["index"], found["shape"]),
        row(voice, "yours", f"{yours:<{width}}   {found['yours_bits']}"),
        row(voice, "pytorch-value", f"{exact:<{width}}   {found['exact_bits']}   {voice('cli.by-its-formula')}"),
        row(voice, "apart", message("cli.apart-from-formula", used=shared(float(found["used"])), **figures)),
    ]


def not_tried(entries: list[dict[str, str]], voice: Voice = ENGLISH) -> list[str]:
    """Scenarios by the reason they were not tried for."""
    by_reason: dict[str, list[str]] = {}
    for entry in entries:
        names = by_reason.setdefault(entry.get("reason", ""), [])
        name = entry.get("scenario") or entry.get("id") or ""
        if name and name not in names:
            names.append(name)
    return [row(voice, "untried", f"{'; '.join(names)}: {reason}") for reason, names in by_reason.items()]
