"""A Letta server on this machine: installed, started and stopped by one call each.

It is kept in two folders.

The environment holds the server's own Python packages (0.9 GB; they must not mix with ours) and may
be shared. The home holds everything else: the database, Letta's files, the folder that tools run
in, the log, and `state.json`.

The process itself, which runs with the Python of that environment, is letta/server_process/.
"""

from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local_server.installation import ENVIRONMENT
from sanctum_venice_tools.letta.local_server.lifecycle import (
    DEFAULT_HOME,
    LocalServer,
    start,
    status,
    stop,
)

__all__ = [
    "DEFAULT_HOME",
    "ENVIRONMENT",
    "LocalProgramError",
    "LocalServer",
    "start",
    "status",
    "stop",
]
