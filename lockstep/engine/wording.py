"""What a person reads of a run: the most useful fact first, both values, their bits, who is right, how to repeat it."""

from typing import Any

from lockstep.numerics.verdict import Finding, Verdict
from lockstep.text import ENGLISH, Voice, message
from lockstep.text.rows import row


def headline(
    label: str, verdict: Verdict, finding: Finding | None, broken: dict[str, Any] | None, voice: Voice = ENGLISH
) -> str:
    """One line: the case, its verdict, and from which step on which line."""
    if broken:
        return voice("cli.broken", label=label, verdict=Verdict.BROKEN, message=broken["message"])
    if finding is None:
        return voice("cli.verdict", label=label, verdict=verdict)
    return voice("cli.verdict-from", label=label, verdict=verdict, step=finding.step, line=finding.line)


def wording(
    label: str,
    verdict: Verdict,
    finding: Finding | None,
    broken,
    rerun: str,
    cause: str | None = None,
    voice: Voice = ENGLISH,
) -> str:
    """The whole text; `finding` is the evidence for the verdict."""
    lines = [headline(label, verdict, finding, broken, voice)]
    if broken:
        lines.append(row(voice, "cause", broken["id"]))
    elif finding:
        lines += details(finding, voice)
        if cause:
            lines.append(row(voice, "cause", cause))
    lines.append(row(voice, "rerun", rerun))
    return "\n".join(lines)


def details(finding: Finding, voice: Voice = ENGLISH) -> list[str]:
    digits = 9 if finding.dtype == "float32" else 17
    numpy, torch = (f"{value:.{digits}g}" for value in (finding.numpy, finding.torch))
    width = max(len(numpy), len(torch))
    nearer = voice("cli.nearer", side=message(f"cli.side.{finding.nearer}"))
    apart = message(
        "cli.apart",
        ulp=finding.ulp,
        relative=finding.relative,
        absolute=finding.absolute,
        allowed=finding.allowed,
        used=finding.used,
    )
    return [
        at(voice, finding.quantity, finding.tensor, finding.index, finding.shape),
        row(voice, "numpy", f"{numpy:<{width}}   {finding.numpy_bits}"),
        row(voice, "torch", f"{torch:<{width}}   {finding.torch_bits}   {nearer}"),
        row(voice, "apart", apart),
    ]


def at(voice: Voice, quantity: str, tensor: str, index: Any, shape: Any) -> str:
    """The row that says which element of which tensor."""
    place = f"{tensor}[{', '.join(map(str, index))}]" if index else tensor
    return row(voice, "at", message("cli.at", quantity=quantity, place=place, shape=tuple(shape)))
