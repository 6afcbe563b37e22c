#!/usr/bin/env python3
"""Write tool_schemas/, skills/, agents/ and README's table anew from the tools, or check them.

python scripts/build_schemas.py            write what changed
python scripts/build_schemas.py --check    write nothing; exit with 1 when something would change
"""

import sys
from pathlib import Path

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from sanctum_venice_tools.cli.schemas import build_schemas
    from sanctum_venice_tools.printing import told_where_output_fails
except ModuleNotFoundError as error:
    sys.stderr.write(f"Error: {error}. Use .venv/bin/python, which `make demo` sets up.\n")
    sys.exit(2)

if __name__ == "__main__":
    with told_where_output_fails():
        build_schemas(prog_name="build_schemas.py")
