"""Where the server's Python begins.

That Python is isolated (-I): it sees Letta's packages alone, and is told of our folder for as long
as it takes to load these modules, which need nothing but the standard library.
"""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = str(Path(__file__).parents[3])
    sys.path.append(folder)
    server = importlib.import_module("sanctum_venice_tools.letta.server_process.server")
    sys.path.remove(folder)
    server.main()
