"""What is well and what is not, from Venice's key to the folder that tools write to.

Nothing here costs anything.

`outcome` is how a check ends, `patient` what is examined. The checks are in `account` (Venice and
the key), `settings` (what an operator sets), `server` (Letta) and `agent_keys`; `examination` has
the table of them all, and makes them in turn.
"""

from sanctum_venice_tools.letta.doctor.examination import CHECKS, examine
from sanctum_venice_tools.letta.doctor.outcome import Finding
from sanctum_venice_tools.letta.doctor.patient import Patient

__all__ = ["CHECKS", "Finding", "Patient", "examine"]
