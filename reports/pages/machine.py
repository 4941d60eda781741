"""This machine: what its kernels round, draw and add up."""

from typing import Any

from reports.contents import Contents

# what the probe says in a word (lockstep.probe.Findings), as far as there are messages for it
TABLES = ("contraction", "random", "threads")


def context(records: Contents) -> dict[str, Any]:
    """All that the page shows; the same in every language."""
    return {"machines": records.machines, "tables": TABLES}
