"""What a case and an element are called, the same in every language."""

from collections.abc import Sequence


def label(subject: str, *parts: str | None) -> str:
    """`optim.adam[float32, fused, tiny gradients]`"""
    return f"{subject}[{', '.join(filter(None, parts))}]"


def place(tensor: str, index: Sequence[int]) -> str:
    """`weight[3, 4]`"""
    return f"{tensor}[{', '.join(map(str, index))}]" if index else tensor
