"""What a person reads of a run: the most useful fact first, both values, their bits, who is right, how to repeat it."""

from lockstep.numerics import formats
from lockstep.numerics.verdict import Breakage, Finding, Verdict
from lockstep.text import ENGLISH, Message, Voice, message
from lockstep.text.names import place
from lockstep.text.rows import at, row


def headline(
    label: str, verdict: Verdict, finding: Finding | None, broken: Breakage | None, voice: Voice = ENGLISH
) -> str:
    """One line: the case, its verdict, and from which step on which line."""
    if broken:
        return voice("cli.broken", label=label, verdict=Verdict.BROKEN, message=broken.message)
    if finding is None:
        return voice("cli.verdict", label=label, verdict=verdict)
    return voice("cli.verdict-from", label=label, verdict=verdict, step=finding.step, line=finding.line)


def wording(
    label: str,
    verdict: Verdict,
    finding: Finding | None,
    broken: Breakage | None,
    rerun: str,
    cause: str | None = None,
    voice: Voice = ENGLISH,
) -> str:
    """The whole text; `finding` is the evidence for the verdict."""
    lines = [headline(label, verdict, finding, broken, voice)]
    if broken:
        lines.append(row(voice, "cause", broken.id))
    elif finding:
        lines += details(finding, voice)
        if cause:
            lines.append(row(voice, "cause", cause))
    lines.append(row(voice, "rerun", rerun))
    return "\n".join(lines)


def details(finding: Finding, voice: Voice = ENGLISH) -> list[str]:
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
        *values(finding, voice, note=message("cli.nearer", side=message(f"cli.side.{finding.nearer}"))),
        row(voice, "apart", apart),
    ]


def left_over(finding: Finding, voice: Voice = ENGLISH) -> list[str]:
    """What a ladder says of the first element that no rewrite explains."""
    where = {"quantity": finding.quantity, "place": place(finding.tensor, finding.index), "shape": finding.shape}
    return [
        row(voice, "left", message("cli.left", step=finding.step, line=finding.line)),
        row(voice, "at", message("cli.at-stage", **where, stage=finding.stage)),
        *values(finding, voice),
        row(voice, "apart", f"{finding.ulp:.0f} ulp"),
    ]


def values(
    finding: Finding, voice: Voice, ours: str = "yours", theirs: str = "pytorch", note: Message | str = ""
) -> list[str]:
    """Both values and their bits in rows of these labels, one below the other, and what there is to note."""
    a, b = formats.named(finding.dtype).text(finding.ours), formats.named(finding.dtype).text(finding.theirs)
    width = max(len(a), len(b))
    return [
        row(voice, ours, f"{a:<{width}}   {finding.ours_bits}"),
        row(voice, theirs, f"{b:<{width}}   {finding.theirs_bits}   {voice.plain(note)}".rstrip()),
    ]
