"""Verdicts as a person tells them apart: a sign beside the word, so that no colour is needed."""

# Every verdict of lockstep.verdict, from the best to the worst.
SIGNS = {"identical": "=", "rounding": "≈", "partial": "◐", "ill-conditioned": "≋", "different": "≠", "broken": "✕"}


def severity(verdict: str) -> int:
    return list(SIGNS).index(verdict)


def fails(verdict: str) -> bool:
    """Whether it says that something is wrong."""
    return verdict in ("different", "broken")
