#!/usr/bin/env python3
"""Make Venice the model behind Letta's agents; see --help."""

import sys
from pathlib import Path

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from sanctum_venice_tools.cli.provider import configure_provider
    from sanctum_venice_tools.printing import told_where_output_fails
except ModuleNotFoundError as error:
    sys.stderr.write(f"Error: {error}. Use .venv/bin/python, which `make demo` sets up.\n")
    sys.exit(2)

if __name__ == "__main__":
    with told_where_output_fails():
        configure_provider(prog_name="configure_provider.py")
