"""What a report is made of: telling runs of every subject, networks on real data, and the notebook, as records."""

from lockstep.experiments.collection import collect, names, planned

__all__ = ["collect", "names", "planned"]
