"""What can be wrong with a subject, as data. Diagnosis tries the causes, the meta tests plant them.

    from lockstep.causes import causes, plant
    adam = plant("optim.adam", [cause for cause in causes("optim.adam") if cause.id == "eps-inside-sqrt"])
    adam({"w": w}).step({"w": g})

`lockstep/causes/optim/adam.py` holds the table of optim.adam: `SCENARIOS`, each with its reason, and
`CAUSES`. A cause edits our own reference by the name of a line, so that the wrong formula runs on any
numbers the right one does, and the line to change is known. To add one, add an entry; it is checked
against the source when the table is imported.
"""

from lockstep.causes.cause import Cause, First, Scenario
from lockstep.causes.planting import plant
from lockstep.causes.source import BadEdit, Change
from lockstep.causes.tables import causes, scenarios, table

__all__ = ["BadEdit", "Cause", "Change", "First", "Scenario", "causes", "plant", "scenarios", "table"]
