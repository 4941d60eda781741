"""What a person reads of a run: the most useful fact first, both values, their bits, who is right, how to repeat it."""

from typing import Any

from lockstep.verdict import Finding, Verdict


def headline(label: str, verdict: Verdict, finding: Finding | None, broken: dict[str, str] | None) -> str:
    """One line: the case, its verdict, and from which step on which line."""
    if broken:
        return f"{label}: broken: {broken['message']}"
    if finding is None:
        return f"{label}: {verdict}"
    return f"{label}: {verdict} from step {finding.step}, line {finding.line}"


def message(label: str, verdict: Verdict, finding: Finding | None, broken, rerun: str, cause: str | None = None) -> str:
    """The whole text; `finding` is the evidence for the verdict."""
    lines = [headline(label, verdict, finding, broken)]
    if broken:
        lines.append(f"  cause    {broken['id']}")
    elif finding:
        lines += details(finding)
        if cause:
            lines.append(f"  cause    {cause}")
    lines.append(f"  rerun    {rerun}")
    return "\n".join(lines)


def details(finding: Finding) -> list[str]:
    index = ", ".join(str(i) for i in finding.index)
    place = f"{finding.tensor}[{index}]" if finding.index else finding.tensor
    digits = 9 if finding.dtype == "float32" else 17
    numpy, torch = (f"{value:.{digits}g}" for value in (finding.numpy, finding.torch))
    width = max(len(numpy), len(torch))
    apart = f"{finding.ulp:.0f} ulp ({finding.relative:.2g} relative, {finding.absolute:.2g} absolute)"
    return [
        f"  at       {finding.quantity} of {place}, shape {finding.shape}",
        f"  numpy    {numpy:<{width}}   {finding.numpy_bits}",
        f"  torch    {torch:<{width}}   {finding.torch_bits}   nearer to exact: {finding.nearer}",
        f"  apart    {apart}   allowed {finding.allowed:.2g}   used {finding.used:.0%}",
    ]


def label(subject: str, desc: str, dtype: str, path: str | None, hyperparameters: dict[str, Any]) -> str:
    """`optim.adam[float32, tiny gradients, weight_decay=0.1]`"""
    extra = [f"{key}={value}" for key, value in hyperparameters.items()]
    parts = [dtype, *([path] if path else []), desc, *extra]
    return f"{subject}[{', '.join(part for part in parts if part)}]"
